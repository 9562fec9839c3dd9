"""Consent is withdrawn, or a student deleted, on a site at work; then the whole of it is searched for what is left.

On SQLite this proves that nothing is left in the database's file, free pages included, from the next run of the
deletion on. On PostgreSQL it proves that no row holds anything by then, and, where the server's folder can be read from
here, that nothing is left in the database's files after ``retention --vacuum``; the server's write-ahead log and its
backups keep it for as long as the server keeps those.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
from PIL import Image

from tests.stress.left_behind import Wanted, data_folder, face_of_the_student, remembered, search
from tests.stress.site import Site, site_in

pytestmark = [pytest.mark.worker, pytest.mark.timeout(900)]
WORKER = "tests.stress.withdrawal_worker:app"
BROKEN = os.environ.get("ROLLCALL_BREAK_DELETION", "")
"""Code run before the deletion, to see the search fail: ``privacy.delete_files = lambda names: None``, for example."""

SETTING_UP = """
import datetime as dt, hashlib, uuid
from pathlib import Path
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from attendance import accounts, intake, marks, report_jobs, reviews
from attendance.engines import to_bytes
from attendance.models import *
from attendance.own_data import faces, files
from attendance.reports.facts import Days
from attendance.reports.orders import Order
from attendance.storage import unguessable_name
from tests import factories as make
from tests.stress.left_behind import ENGINE, face_of_the_student
import numpy as np
faces.find = lambda photo: []
vector = face_of_the_student()
teacher, office = make.teacher("grant"), make.registrar()
course = make.course(teacher, students=1)
Student.objects.create(pk=V["row"] + 5000, number="LATER", given_name="Somebody", family_name="Later")
student = make.student(course, pk=V["row"], given_name="Zephyrine", family_name="Quillfeather",
                       number="NX-7340-Q", email="zephyrine@quill.example")
other = course.students.exclude(pk=student.pk).get()
make.consent(student)
for n in range(2):
    template = make.template(student, vector + n * 0.001, ENGINE)
    chip = default_storage.save(unguessable_name("chips"), ContentFile(make.jpeg(90 + n, (150, 150))))
    image = default_storage.save(unguessable_name("portraits"), ContentFile(make.jpeg(95 + n)))
    FaceTemplate.objects.filter(pk=template.pk).update(chip=chip)
    Portrait.objects.filter(pk=template.portrait_id).update(image=image)
make.template(other, None, ENGINE)
session = make.session(course)
def face(minute, of, decision, seed, index=0, near=True):
    photo = default_storage.save(unguessable_name("photos"), ContentFile(make.jpeg(seed)))
    chip = default_storage.save(unguessable_name("chips"), ContentFile(make.jpeg(seed + 1000, (150, 150))))
    encoding = to_bytes((vector if near else make.encoding(seed)) + seed * 1e-6)
    return make.sighting(make.snapshot(session, minute, image=photo), of, decision, index, encoding=encoding,
                         chip=chip, encoder_version=ENGINE)
own = face(2, student, "recognised", 11)
face(5, student, "recognised", 12)
unsure = face(8, student, "uncertain", 13)
theirs = face(11, other, "recognised", 14, near=False)
for sighting, rank in ((own, 0), (unsure, 0), (theirs, 1)):
    Candidate.objects.create(sighting=sighting, student=student, rank=rank, distance=.5, score=-.5, probability=.4)
SecondOpinion.objects.create(sighting=theirs, student=student, distance=.4, probability=.2, decision="recognised",
                             agreement="different", encoder_version="x", milliseconds=1)
marks.recompute(session.pk)
reviews.decide(unsure, "is", teacher, student)
reviews.decide(theirs, "is", teacher, other)
Review.objects.filter(sighting=theirs).update(shown={"candidates": [[other.pk, .3, .9], [student.pk, .5, .4]]},
    changed=[{"student": student.pk, "from": "absent", "to": "present"}])
Contest.objects.create(session=session, student=student, sighting=own, kind="not_me", at=timezone.now(), note="no")
StudentContact.objects.create(student=student, name="Parent Quillfeather", email="parent@quill.example")
letter = default_storage.save(unguessable_name("excuses", "pdf"), ContentFile(b"%PDF letter of Quillfeather"))
Excuse.objects.create(student=student, first_day=dt.date.today(), last_day=dt.date.today(), reason="illness",
    state="asked", attachment=letter, attachment_type="application/pdf", entered_by=teacher, entered_at=timezone.now())
attached = default_storage.save(unguessable_name("mail", "csv"), ContentFile(b"Quillfeather;absent"))
MailMessage.objects.create(template="report", to="head@school.example", created_at=timezone.now(), state="waiting",
    lease_until=timezone.now() + dt.timedelta(days=1),
    content={"subject": "Roll", "text": "", "html": "", "files": [["roll.csv", "text/csv", attached]]})
MailMessage.objects.create(template="warning", to="zephyrine@quill.example", created_at=timezone.now(), state="sent",
                           sent_at=timezone.now(), about=student)
MailMessage.objects.create(template="test", to="parent@quill.example", created_at=timezone.now(), state="sent",
                           sent_at=timezone.now())
# Everybody looks: the student signs in, wrongly and rightly; the office opens the page.
account = accounts.give_login(student, make.administrator())
account.user.set_password("quiet hills at dawn"); account.user.save()
browser = Client(REMOTE_ADDR="10.1.2.3", HTTP_HOST="localhost")
browser.post("/sign-in/", {"username": account.user.username, "password": "wrong"})
browser.post("/sign-in/", {"username": account.user.username, "password": "quiet hills at dawn"})
assert browser.get("/my/").status_code == 200
desk = Client(HTTP_HOST="localhost"); desk.force_login(office, backend="django.contrib.auth.backends.ModelBackend")
assert desk.get(f"/students/{student.pk}/").status_code == 200
# Files made earlier: a report of one, of a course, and own data; one more that waits.
week = Days(timezone.now().date() - dt.timedelta(days=7), timezone.now().date())
for order in (Order("student", student.pk, "csv", week), Order("course", course.pk, "xlsx", week)):
    assert report_jobs.work(report_jobs.ask(office, order, "en").pk)
assert report_jobs.work(files.ask(student, office, "en").pk)
waits = files.ask(student, account.user, "en")
ReportJob.objects.filter(pk=waits.pk).update(lease_until=timezone.now() + dt.timedelta(days=1))
SavedReport.objects.create(owner=office, name="Quillfeather", what="student", subject_id=student.pk, kind="csv")
answer([student.pk, session.pk, teacher.pk])
"""

WHAT_MUST_GO = """
import hashlib
from django.core.files.storage import default_storage
from django.db import connection
from attendance.models import *
faces = Sighting.objects.filter(student_id=V["row"])
out, pictures = {}, {}
def sealed(model, column, pks):
    with connection.cursor() as cursor:
        for pk in pks:
            cursor.execute(f"SELECT {column} FROM {model._meta.db_table} WHERE id = %s", [pk])
            yield bytes(cursor.fetchone()[0])
for model, column, rows in (
    (FaceTemplate, "encoding", FaceTemplate.objects.filter(student_id=V["row"])),
    (TemplateEmbedding, "embedding", TemplateEmbedding.objects.filter(template__student_id=V["row"])),
    (Sighting, "encoding", faces),
):
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    assert pks, model
    for n, plain in enumerate(rows.order_by("pk").values_list(column, flat=True)):
        out[f"{model.__name__} {n}"] = bytes(plain).hex()
    for n, lies in enumerate(sealed(model, column, pks)):
        out[f"{model.__name__} {n} as it lies"] = lies.hex()
for kind, names in (
    ("chip of template", FaceTemplate.objects.filter(student_id=V["row"]).values_list("chip", flat=True)),
    ("portrait", Portrait.objects.filter(student_id=V["row"]).values_list("image", flat=True)),
    ("chip of face", faces.values_list("chip", flat=True)),
):
    for n, name in enumerate(names):
        out[f"name of {kind} {n}"] = name.encode().hex()
        pictures[f"{kind} {n}"] = hashlib.sha256(default_storage.open(name).read()).hexdigest()
answer([out, pictures])
"""


def photo(green: int, *, blue: bool = True, seed: int = 0) -> bytes:
    """The student's half is blue; a bright green half makes the worker wait."""
    pixels = np.random.default_rng(seed).integers(0, 40, (120, 160, 3), dtype=np.uint8)
    pixels[:, :80, 2] = 255 if blue else 0
    pixels[:, 80:, 1] = green
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def site(tmp_path: Path, real_redis: str) -> Iterator[Site]:
    folder = tmp_path / "site"
    (folder / "tmp").mkdir(parents=True)
    with redis.Redis.from_url(real_redis) as client:
        client.config_set("appendonly", "yes")
    with site_in(folder, real_redis, TMPDIR=str(folder / "tmp"), EMAIL_HOST="") as made:
        yield made
    with redis.Redis.from_url(real_redis) as client:
        client.config_set("appendonly", "no")


def receive(site: Site, session_id: int, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / f"in-{time.monotonic_ns()}.jpg"
    path.write_bytes(data)
    site.python(
        "from pathlib import Path\nfrom attendance import intake\nfrom attendance.models import ClassSession\n"
        "intake.receive(ClassSession.objects.get(pk=V['session']), Path(V['path']).read_bytes())",
        session=session_id, path=str(path),
    )  # fmt: skip


@pytest.mark.parametrize("how", ["withdrawn", "deleted"])
def test_nothing_is_left_anywhere(how: str, site: Site, tmp_path: Path) -> None:
    row = 7_340_112_233_551
    student, session, teacher = site.python(SETTING_UP, row=row)
    go_on = tmp_path / "go-on"
    site.worker(WORKER, GO_ON=str(go_on))
    receive(site, session, tmp_path, photo(20, seed=1))
    # Warm: the worker has looked at a photo of the student, with both galleries in its memory.
    before = site.states()["done"]
    site.wait(
        lambda now: now["done"] > before - 1 and now.get("received", 0) + now.get("queued", 0) == 0,
        seconds=100,
    )
    site.wait(lambda now: now["sightings"] == 5, seconds=100)
    warm = remembered(site)
    assert face_of_the_student().tobytes().hex() in "".join(warm["numbers"])
    assert sum(student in people for people in warm["people"]) == 2, "both networks' galleries"

    held, pictures = site.python(WHAT_MUST_GO, row=row)
    wanted = Wanted({label: bytes.fromhex(found) for label, found in held.items()}, pictures)
    if how == "deleted":
        words = ("Zephyrine", "Quillfeather", "NX-7340-Q", "zephyrine@quill.example", "parent@quill.example")
        wanted.bytes_of |= {word: word.encode() for word in words}
        wanted.row_number = row
    if not site.is_sqlite:
        site.execute("ANALYZE")  # as the server does by itself: from now on its statistics quote rows
    here = search(site, wanted)
    missed = [
        label for label in (*wanted.bytes_of, *pictures) if not any(f": {label}" in place for place in here)
    ]
    assert not missed, f"the search is blind: {missed}"
    if not site.is_sqlite and data_folder(site):
        assert any(place.startswith("server's file of") and "as it lies" in place for place in here)

    receive(site, session, tmp_path, photo(255, seed=2))
    site.wait(lambda now: now.get("processing", 0) == 1, seconds=60)
    site.python(
        "from attendance import privacy\nfrom attendance.models import Student\n"
        "from django.contrib.auth.models import User\n"
        "student, by = Student.objects.get(pk=V['row']), User.objects.get(pk=V['by'])\n"
        "exec(V['broken'])\n"
        "privacy.withdraw_consent(student, by) if V['how'] == 'withdrawn' else privacy.delete_student(student)",
        row=row, by=teacher, how=how, broken=BROKEN,
    )  # fmt: skip
    assert site.states().get("processing", 0) == 1, "in flight, all the while"
    go_on.touch()
    site.wait(lambda now: now.get("processing", 0) == 0, seconds=60)
    assert site.states()["sightings"] == 6, "the photo in flight shows a face, and nobody's"
    # What everybody runs within the hour: the log of SQLite is cut once nobody reads in it.
    site.python("from django.core.management import call_command\ncall_command('retention')")
    assert search(site, wanted, server_files=False) == set()
    if not site.is_sqlite:
        site.python("from django.core.management import call_command\ncall_command('retention', vacuum=True)")
        assert search(site, wanted) == set()
    now = remembered(site)
    assert not [people for people in now["people"] if student in people]
    for label, found in wanted.bytes_of.items():
        assert found.hex() not in "".join(now["numbers"]), f"the worker remembers {label}"
