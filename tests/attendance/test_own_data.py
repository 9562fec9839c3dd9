"""A person's own data: all of it, and nobody else in it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from attendance import accounts, audit, marks, permissions, photos, privacy, report_jobs, reviews
from attendance.engines import from_bytes
from attendance.models import (
    AuditEntry,
    Candidate,
    Contest,
    Course,
    Excuse,
    MailMessage,
    Portrait,
    ReportJob,
    Sighting,
    Snapshot,
    Student,
    StudentContact,
)
from attendance.own_data import archive, blur, faces, files, tables
from attendance.own_data.redaction import Person, Redactor
from attendance.retention import purge
from attendance.storage import unguessable_name
from recognition.types import Box
from tests import factories as make

pytestmark = pytest.mark.django_db


def picture(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95)
    return out.getvalue()


def person(course: Course | None, given: str, family: str, number: str, email: str = "") -> Student:
    return make.student(course, given_name=given, family_name=family, number=number, email=email)


class Class:
    """Ruth, who asks; Ana and Omar, who must not be found; their teacher."""

    def __init__(self) -> None:
        self.teacher = make.teacher("grant")
        course = make.course(self.teacher)
        self.ruth = person(course, "Ruth", "Adams", "7001234", "ruth@s.example")
        self.ana = person(course, "Anastasia", "Colé", "7005678", "ana@s.example")
        self.omar = person(None, "Omar", "Diaz-Vega", "7009999")
        self.session = make.session(course)
        self.template = make.template(self.ruth)
        make.template(self.ana)
        self.snapshot = self._photo()
        self.own = make.sighting(self.snapshot, self.ruth, left=40, top=40, width=60, height=80)
        other = make.sighting(self.snapshot, self.ana, index=1, left=200, top=40, width=60, height=80)
        Candidate.objects.create(
            sighting=other, student=self.ruth, rank=1, distance=0.7, score=-0.7, probability=0.04
        )
        marks.recompute(self.session.pk)
        reviews.decide(self.own, "is", self.teacher, self.ruth)
        Contest.objects.create(
            session=self.session, student=self.ruth, kind="was_there", at=timezone.now(),
            note="I sat beside anastasia colé, ask omar diaz-vega (7009999)",
        )  # fmt: skip
        self._papers()

    def _photo(self) -> Snapshot:
        """Noise from edge to edge: whatever is averaged is seen at once."""
        pixels = np.random.default_rng(5).integers(0, 255, (240, 400, 3), dtype=np.uint8)
        name = default_storage.save(unguessable_name("photos"), ContentFile(picture(pixels)))
        return make.snapshot(self.session, 5, image=name, width=400, height=240)

    def _papers(self) -> None:
        letter = default_storage.save(
            unguessable_name("excuses", "pdf"), ContentFile(b"%PDF-1.4 a doctor's letter")
        )
        Excuse.objects.create(
            student=self.ruth, first_day="2026-03-01", last_day="2026-03-02", reason="illness", state="asked",
            note="Colé's mother called; Anastasia has it too", attachment=letter, attachment_type="application/pdf",
            entered_by=self.teacher, entered_at=timezone.now(),
        )  # fmt: skip
        StudentContact.objects.create(student=self.ruth, name="Mo Adams", email="mother@home.example")
        MailMessage.objects.create(
            template="warning", to="mother@home.example", created_at=timezone.now(), about=self.ruth,
            state="sent", sent_at=timezone.now(),
        )  # fmt: skip
        audit.record(AuditEntry.Verb.LOOKED, "web:student", {"student": self.ruth.pk}, by=self.teacher)
        Portrait.objects.create(
            student=self.ruth, image=make.stored("portraits", make.jpeg(9)), sha256="9" * 64, state="held",
            looks_like=self.ana, name="Anastasia_Colé.jpg", uploaded_by=self.teacher, uploaded_at=timezone.now(),
        )  # fmt: skip


@pytest.fixture
def known() -> Class:
    return Class()


@pytest.fixture(autouse=True)
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise has no faces; the tests with real photos ask the detector itself."""
    monkeypatch.setattr(faces, "find", lambda photo: [])


def unzipped(student: Student) -> dict[str, bytes]:
    out = io.BytesIO()
    archive.write(student, out, lambda done, total: None)
    with zipfile.ZipFile(out) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_everything_about_the_student_is_in_it(known: Class) -> None:
    held = unzipped(known.ruth)
    data = json.loads(held["data.json"])
    assert data["profile"][0] == data["profile"][0] | {"given_name": "Ruth", "number": "7001234"}
    assert [row["state"] for row in data["consent_history"]] == ["given"]
    assert data["consent"][0]["given_by_name"] == "A Parent"
    assert data["courses"][0]["course"] == known.session.course.code
    assert data["marks"][0]["source"] == "reviewed"
    assert data["checked_by_people"][0]["by"] == "a teacher"
    assert data["compared_with"][0]["probability"] == 0.04
    assert data["excuses"][0]["attachment"] == "letters/01.pdf"
    assert held["letters/01.pdf"] == b"%PDF-1.4 a doctor's letter"
    assert data["messages"][0]["to"] == data["contacts"][0]["email"] == "m…@home.example"
    assert data["who_looked"][0]["who"] == "a teacher"
    numbers = from_bytes(known.template.encoding or b"")
    assert np.allclose(data["face_templates"][0]["encoding"], numbers, atol=1e-6)
    assert len(data["sightings"][0]["encoding"]) == 128
    assert {"portraits/01.jpg", "README.txt"} < set(held)
    assert sum(name.startswith("photos/") for name in held) == 1
    assert sum(name.startswith("faces/") for name in held) == 1
    readme = held["README.txt"].decode()
    assert "YOUR DATA AT" in readme
    assert "SUS DATOS EN" in readme
    rows = list(csv.DictReader(io.StringIO(held["tables/marks.csv"].decode("utf-8-sig"))))
    assert rows[0]["status"] == data["marks"][0]["status"]
    for name in data:
        assert name in readme, f"README.txt does not say what {name} is"


def test_nobody_else_is_in_it(known: Class) -> None:
    held = unzipped(known.ruth)
    everything = b"\n".join(content for name, content in held.items()) + "\n".join(held).encode()
    for other in (known.ana, known.omar):
        secrets = [other.given_name, other.family_name, other.number, other.email, other.full_name]
        for secret in filter(None, secrets):
            for form in (secret, secret.lower(), json.dumps(secret)[1:-1]):
                assert form.encode() not in everything, f"{form} stands in the file"
    assert b"mother@home.example" not in everything
    assert b"grant" not in everything, "people of the school appear by what they are"
    for chip in Sighting.objects.filter(student=known.ana).values_list("chip", flat=True):
        assert default_storage.open(chip).read() not in everything
    assert not any(name.startswith("portraits/02") for name in held), "a portrait in doubt may be Ana's"


def test_every_table_with_something_about_a_student_is_told(known: Class) -> None:
    """A new table about students fails here until it is in the file, or said to be no part of it."""
    about = {
        model
        for model in apps.get_app_config("attendance").get_models()
        if any(field.related_model is Student for field in model._meta.concrete_fields)
    }
    assert about <= {rows.model for rows in tables.rows_about(known.ruth).values()}


def test_other_faces_are_gone_and_the_own_face_is_not(known: Class) -> None:
    held = unzipped(known.ruth)
    name = next(name for name in held if name.startswith("photos/"))
    before = photos.load_upright(default_storage.open(str(known.snapshot.image)).read()).astype(int)
    after = photos.load_upright(held[name]).astype(int)
    ana, ruth = (slice(40, 120), slice(200, 260)), (slice(40, 120), slice(40, 100))
    assert np.abs(after[ruth] - before[ruth]).mean() < 12, "JPEG twice, and nothing else"
    assert after[ana].std() < before[ana].std() / 4
    corr = np.corrcoef(after[ana].ravel(), before[ana].ravel())[0, 1]
    assert abs(corr) < 0.25, "what is left of the pixels says nothing of what they were"


def test_a_margin_gives_way_to_the_own_face_and_a_face_does_not() -> None:
    photo = np.random.default_rng(1).integers(0, 255, (100, 200, 3), dtype=np.uint8)
    own, beside, over = Box(50, 20, 40, 40), Box(92, 20, 40, 40), Box(80, 20, 40, 40)
    assert (blur.hide(photo, [own], [beside])[20:60, 50:90] == photo[20:60, 50:90]).all()
    assert (blur.hide(photo, [own], [beside])[20:60, 92:132] != photo[20:60, 92:132]).mean() > 0.95
    assert (blur.hide(photo, [own], [over])[20:60, 80:90] != photo[20:60, 80:90]).mean() > 0.9
    assert blur.others_among([own.moved(3, 2), beside], [own]) == [beside]


def test_faces_at_the_edge_and_beyond_it_are_no_trouble() -> None:
    photo = np.zeros((50, 50, 3), np.uint8)
    for box in (Box(-30, -30, 20, 20), Box(40, 40, 60, 60), Box(60, 60, 5, 5), Box(10, 10, 0.2, 0.2)):
        assert blur.hide(photo, [], [box]).shape == photo.shape


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Ana Cole was loud", "[…] was loud"),
        ("COLE, ANA", "[…]"),
        ("cole_ana.jpg", "[…].jpg"),
        ("ask Ana", "ask […]"),
        ("ana in any case of the word", "ana in any case of the word"),
        ("banana", "banana"),
        ("Ruth and Adams are mine", "Ruth and Adams are mine"),
        ("number 70056", "number […]"),
        ("minute 12", "minute 12"),
        ("write to ana.c@x.example!", "write to […]!"),
        ("Far Away", "[…]"),
        ("Far from here", "Far from here"),
        ("", ""),
    ],
)
def test_names_of_others_are_taken_out_of_words(text: str, clean: str) -> None:
    redactor = Redactor(frozenset({"ruth", "adams"})).learn(
        [
            Person("Ana", "Cole", "70056", "ana.c@x.example", True),
            Person("Bo", "Adams", "12", "", True),
            Person("Far", "Away", "70057", "", False),
        ]
    )
    assert redactor.clean(text) == clean


def test_an_unsure_face_is_told_of_and_not_shown(known: Class) -> None:
    unsure = make.sighting(make.snapshot(known.session, 9), known.ruth, "uncertain")
    held = unzipped(known.ruth)
    told = json.loads(held["data.json"])["sightings"]
    assert [row["encoding"] is None for row in told] == [False, True]
    assert not any(name.endswith(f" {unsure.snapshot_id}.jpg") for name in held if name.startswith("photos/"))


def test_a_student_of_whom_nothing_is_held_gets_a_file_too() -> None:
    held = unzipped(make.student())
    assert set(held) == {"data.json", "README.txt", "tables/profile.csv"}


# --- asked for, made, fetched, gone -------------------------------------------------------------------
@pytest.fixture
def made(known: Class, sent: list[Any], django_capture_on_commit_callbacks: Any) -> ReportJob:
    with django_capture_on_commit_callbacks(execute=True):
        job = files.ask(known.ruth, make.registrar(), "en")
    assert sent == [("make_report", (str(job.pk),))]
    assert report_jobs.work(job.pk)
    job.refresh_from_db()
    return job


def asker(job: ReportJob) -> User:
    return job.asked_by


def test_a_worker_makes_it_sealed_and_only_who_asked_takes_it(known: Class, made: ReportJob) -> None:
    assert (made.state, made.done, made.total) == ("done", 3, 3)
    assert not Path(default_storage.path(made.file)).read_bytes().startswith(b"PK")
    with files.open_file(made, asker(made)) as file:
        assert zipfile.ZipFile(io.BytesIO(file.read())).testzip() is None
    for other in (make.registrar(), make.administrator(), known.teacher):
        with pytest.raises(report_jobs.ReportGone):
            files.open_file(made, other)
    asker(made).groups.clear()
    with pytest.raises(report_jobs.ReportGone):
        files.open_file(made, User.objects.get(pk=made.asked_by_id))


def test_asked_twice_it_is_made_once(known: Class, sent: list[Any]) -> None:
    pupil = accounts.give_login(known.ruth, make.administrator()).user
    assert files.ask(known.ruth, pupil, "es") == files.ask(known.ruth, pupil, "es")
    assert files.may_ask(pupil, known.ruth)
    assert not files.may_ask(pupil, known.ana)
    assert not files.may_ask(known.teacher, known.ruth)


def test_it_is_gone_after_seven_days(made: ReportJob, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert purge.purge_expired(timezone.now() + report_jobs.KEPT).files == 1
    assert not Path(default_storage.path(made.file)).exists()


@pytest.mark.parametrize("how", ["withdrawn", "deleted"])
def test_it_goes_with_consent_and_with_the_student(
    how: str, known: Class, made: ReportJob, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        if how == "withdrawn":
            privacy.withdraw_consent(known.ruth, known.teacher)
        else:
            privacy.delete_student(known.ruth)
    assert not Path(default_storage.path(made.file)).exists()
    assert ReportJob.objects.filter(pk=made.pk).exists() == (how == "withdrawn")


def test_one_being_made_while_consent_ends_is_made_anew_without_the_face(
    known: Class, sent: list[Any], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    job = files.ask(known.ruth, make.registrar(), "en")
    write = archive.write

    def meanwhile(student: Student, out: Any, progress: Any) -> str:
        name = write(student, out, progress)
        if permissions.sightings_that_show(Student.objects.filter(pk=student.pk)).exists():
            privacy.withdraw_consent(student, known.teacher)
        return name

    monkeypatch.setattr(archive, "write", meanwhile)
    assert not report_jobs.work(job.pk), "its token was taken back"
    assert report_jobs.work(job.pk)
    job.refresh_from_db()
    with zipfile.ZipFile(io.BytesIO(default_storage.open(job.file).read())) as file:
        data = json.loads(file.read("data.json"))
        assert not any(name.startswith(("photos/", "faces/", "portraits/")) for name in file.namelist())
    assert data["face_templates"] == data["sightings"] == []
    assert [row["state"] for row in data["consent_history"]] == ["withdrawn", "given"]


def test_lessons_go_first(known: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = make.snapshot(known.session, 12, state="queued")
    looked_at: list[int] = []

    def process(pk: int) -> None:
        looked_at.append(pk)
        Snapshot.objects.filter(pk=pk).update(state="done")

    monkeypatch.setattr(archive.pipeline, "process", process)
    unzipped(known.ruth)
    assert looked_at == [waiting.pk]


# --- real faces -----------------------------------------------------------------------------------------
def test_nobody_is_recognised_in_the_photo_but_who_asked(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a real group photo of seven: the engine finds the own face again, and none of the others."""
    from recognition.engine import load_engine

    monkeypatch.undo()
    engine = load_engine()
    photo = photos.load_upright((shared_data / "groups" / "dlib_2007_007763.jpg").read_bytes())
    seen = engine.analyse(photo)
    assert len(seen) == 7
    own = seen[0]
    found = faces.find(photo)
    assert len(found) >= len(seen), "looked for more eagerly"
    hidden = blur.hide(photo, [own.detection.box], blur.others_among(found, [own.detection.box]))
    after = engine.analyse(photos.load_upright(photos.encode_jpeg(hidden)))
    assert len(after) == 1, "nothing else is a face any more"
    assert after[0].detection.box.iou(own.detection.box) > 0.5
    assert np.linalg.norm(after[0].encoding - own.encoding) < 0.3, "the own face is as it was"
