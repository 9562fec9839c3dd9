"""A term of one class, and what a reviewer has to do for a roll without a mistake.

    python -m benchmarks.review_term --data lfw.zip --sessions 12

Thirty people of ``lfw.zip`` are enrolled with three pictures each; in every lesson each is missing with a chance of
8 %, and two visitors sit among them. Six composed photos a lesson (``benchmarks.term_photos``) go through the
API into a database of its own and are looked at by the default engine in this process. After each lesson a
made-up reviewer answers everything the desk shows, truthfully: a whole group where all of its faces are one
person, else the shown face alone. Prints ``name: value`` lines.
``--kept FOLDER`` keeps composed photos and what the engine saw in them, for running it again quickly; the folder
then holds faces and encodings.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import term_photos
from benchmarks.term_photos import LENGTH, Box, Lesson, Term

API = "/api"
MOST_DECISIONS = 300
"""A lesson that takes more is reported as it stands then."""


@dataclass
class Tally:
    marks: int = 0
    wrong_before: int = 0
    open_before: int = 0
    wrong_after: int = 0
    open_after: int = 0
    decisions: list[int] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    without_effect: Counter[str] = field(default_factory=Counter)


class Office:
    """The school's side of the API: one course, its teacher and its camera."""

    def __init__(self, term: Term) -> None:
        from django.contrib.auth.models import User
        from rest_framework.test import APIClient

        from attendance import cameras
        from attendance.models import Course, Room
        from attendance.models import Term as SchoolTerm

        today = dt.date.today()
        self.teacher = User.objects.create_user("teacher")
        school_term = SchoolTerm.objects.create(
            name="Term", starts_on=today - dt.timedelta(days=60), ends_on=today + dt.timedelta(days=30)
        )
        self.course = Course.objects.create(code="TERM", name="Term", term=school_term)
        self.course.teachers.add(self.teacher)
        self.room = Room.objects.create(name="Room")
        _camera, key = cameras.create("Camera", self.room, self.teacher)
        self.person, self.camera = APIClient(), APIClient()
        self.person.force_authenticate(self.teacher)
        self.camera.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
        self.ids: dict[str, int] = {}
        self.templates = self.told_apart = 0
        self.enrolled: set[Path] = set()
        for one in term.students:
            self.enrol(one)

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON of an answer; anything but success ends the run."""
        client = self.camera if path.endswith("/snapshots/") and method == "post" else self.person
        answer = getattr(client, method)(API + path, SERVER_NAME="localhost", **arguments)
        if not 200 <= answer.status_code < 300:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.content[:500]!r}")
        return answer.json() if answer.content else None

    def enrol(self, one: term_photos.TermPerson) -> None:
        given, _, family = one.name.replace("_", " ").rpartition(" ")
        body = {
            "number": one.name[:40],
            "given_name": given or family,
            "family_name": family if given else "",
        }
        entry = self.call("post", f"/courses/{self.course.pk}/roster/", data=body, format="json")
        pk = self.ids[one.name] = entry["student"]["id"]
        consent = {"given_by": "student", "given_by_name": "made up", "method": "form"}
        self.call("put", f"/students/{pk}/consent/", data=consent, format="json")
        accepted = 0
        for picture in (*one.portraits, *one.probes[: -term_photos.LEAST_PROBES]):
            if accepted == term_photos.ENROLLED:
                break
            accepted += self.enrol_portrait(pk, picture)
            self.enrolled.add(picture)
        self.templates += accepted

    def enrol_portrait(self, student: int, picture: Path) -> bool:
        """Whether it was accepted; a look-alike is told apart by the teacher, what is not usable is replaced."""
        path = f"/students/{student}/portraits/"
        pk = self.call("post", path, data=picture.read_bytes(), content_type="image/jpeg")["id"]
        state = self.call("get", f"/portraits/{pk}/")["state"]
        if state == "held":
            self.told_apart += 1
            self.call("post", f"/portraits/{pk}/accept/")
            state = self.call("get", f"/portraits/{pk}/")["state"]
        return bool(state == "accepted")

    def teach(self, term: Term, lesson: Lesson, kept: Path | None) -> tuple[int, dict[str, Truth]]:
        """One lesson, from its plan to its end; its id, and who is in its photos by the hash of their bytes."""
        from django.utils import timezone

        days = 2 * (len(term.lessons) - lesson.number)
        start = timezone.now().replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=days)
        plan = {"course": self.course.pk, "room": self.room.pk, "starts_at": start.isoformat(),
                "ends_at": (start + LENGTH).isoformat()}  # fmt: skip
        pk = self.call("post", "/sessions/", data=plan, format="json")["id"]
        self.call("post", f"/sessions/{pk}/open/")
        truth = {}
        for photo in term_photos.photos_of(term, lesson, frozenset(self.enrolled), kept):
            truth[hashlib.sha256(photo.jpeg).hexdigest()] = photo.faces
            taken = (start + dt.timedelta(minutes=photo.minute)).isoformat()
            self.call(
                "post",
                f"/sessions/{pk}/snapshots/",
                data=photo.jpeg,
                content_type="image/jpeg",
                headers={"X-Taken-At": taken},
            )
        self.call("post", f"/sessions/{pk}/close/")
        return pk, truth


Truth = tuple[tuple[str, Box], ...]


class Reviewer:
    """Knows who everybody is, and answers what the desk shows."""

    def __init__(self, office: Office, explain: bool) -> None:
        self.office = office
        self.explain = explain
        self.who: dict[int, str] = {}
        """True name of each sighting; blank where there is no face."""

    def learn(self, session_id: int, truth: dict[str, Truth]) -> None:
        from attendance.models import Sighting

        for sighting in Sighting.objects.filter(snapshot__session=session_id).select_related("snapshot"):
            x, y = sighting.left + sighting.width / 2, sighting.top + sighting.height / 2
            boxes = truth[sighting.snapshot.sha256]
            self.who[sighting.pk] = next(
                (name for name, (a, b, c, d) in boxes if a < x < c and b < y < d), ""
            )

    def settle_everything(self, tally: Tally) -> None:
        from attendance.desk import queue
        from attendance.models import ClassSession

        decisions = faces = 0
        while decisions < MOST_DECISIONS:
            items = queue.items_for(ClassSession.objects.filter(course=self.office.course))
            if not items:
                break
            faces += len(items[0].item.faces)
            moved = self._answer(items[0])
            decisions += 1
            tally.kinds[str(items[0].item.kind)] += 1
            if not moved:
                tally.without_effect[str(items[0].item.kind)] += 1
        tally.decisions.append(decisions)
        tally.faces.append(faces)

    def explain_student(self, session_id: int, student_id: int) -> None:
        """What recognition made of each face of a student."""
        from attendance.models import Sighting

        faces = Sighting.objects.filter(snapshot__session=session_id).order_by("snapshot__taken_at")
        for face in faces.select_related("snapshot").prefetch_related("candidates"):
            if self.office.ids.get(self.who[face.pk]) != student_id:
                continue
            near = [
                (each.student_id == student_id, round(each.probability or 0, 3))
                for each in face.candidates.all()
            ]
            print(
                f"    {face.snapshot.taken_at:%H:%M} {face.decision} {face.reason} quality {face.quality:.2f} "
                f"{face.width:.0f} px {near[:3]}",
                flush=True,
            )

    def _answer(self, desk_item: Any) -> bool:
        from attendance.desk.settle import settle
        from attendance.models import Student

        item = desk_item.item
        ids = [face.sighting_id for face in item.faces]
        names = {self.who[pk] for pk in ids}
        if len(names) > 1:
            ids = ids[:1]
        name = self.who[ids[0]]
        student = self.office.ids.get(name)
        verdict = "is" if student else "not_in_class" if name else "not_a_face"
        person = Student.objects.get(pk=student) if student else None
        moved = settle(desk_item.session, ids, verdict, self.office.teacher, person).moved
        if self.explain:
            best = [
                (each.likeness.student_id == student, round(each.likeness.probability or 0, 3), each.open)
                for each in item.candidates[:3]
            ]
            print(
                f"  {item.kind} worth {item.worth:.2f}, {len(item.faces)} faces in {item.photos} photos, "
                f"{len(names)} people, {item.reasons}: {verdict} {name}; moved {len(moved)}; {best}",
                flush=True,
            )
        return bool(moved)


def count_marks(
    session_id: int, lesson: Lesson, ids: dict[str, int], explained_by: Reviewer | None
) -> tuple[int, int, int]:
    """Marks of a session: how many, how many wrong, how many left open."""
    from attendance.models import Mark

    there = {ids[one.name] for one in lesson.present}
    marks = list(Mark.objects.filter(session=session_id).select_related("student"))
    still_open = [mark for mark in marks if mark.status == Mark.Status.NOT_EVALUATED]
    wrong = [
        mark
        for mark in marks
        if mark.status != Mark.Status.NOT_EVALUATED
        and mark.status != (Mark.Status.PRESENT if mark.student_id in there else Mark.Status.ABSENT)
    ]
    for mark in [*wrong, *still_open] if explained_by else ():
        assert explained_by is not None
        print(f"  {mark.student} is {mark.status} ({mark.reason}, seen in {mark.seen_in})", flush=True)
        explained_by.explain_student(session_id, mark.student_id)
    return len(marks), len(wrong), len(still_open)


def run(data: Path, sessions: int, seed: int, kept: Path | None, explain: bool) -> None:
    from celery import current_app
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    current_app.conf.task_always_eager = True
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        keep_what_the_engine_sees(kept)
    term = term_photos.draw(data, Path(settings.DATA_DIR) / "pictures", sessions, seed)
    office = Office(term)
    reviewer = Reviewer(office, explain)
    tally = Tally()
    for lesson in term.lessons:
        session_id, truth = office.teach(term, lesson, kept)
        reviewer.learn(session_id, truth)
        if explain:
            print(f"lesson {lesson.number + 1}: {len(lesson.present)} there", flush=True)
        marks, wrong, still_open = count_marks(session_id, lesson, office.ids, reviewer if explain else None)
        tally.marks += marks
        tally.wrong_before += wrong
        tally.open_before += still_open
        reviewer.settle_everything(tally)
        _marks, wrong, still_open = count_marks(session_id, lesson, office.ids, reviewer if explain else None)
        tally.wrong_after += wrong
        tally.open_after += still_open
    print(f"templates: {office.templates}, told apart by the teacher: {office.told_apart}")
    report(tally)


def report(tally: Tally) -> None:
    def each(values: Iterable[int]) -> str:
        return " ".join(map(str, values))

    lessons = len(tally.decisions)
    print(f"sessions: {lessons}")
    print(f"marks: {tally.marks}")
    print(f"marks wrong before review: {tally.wrong_before}")
    print(f"marks left open before review: {tally.open_before}")
    print(f"decisions: {sum(tally.decisions)} ({each(tally.decisions)})")
    print(f"decisions per session: {sum(tally.decisions) / lessons:.2f}")
    print(f"faces shown to the reviewer per session: {sum(tally.faces) / lessons:.2f}")
    for kind, count in sorted(tally.kinds.items()):
        print(f"decisions of kind {kind}: {count}, without effect on a mark: {tally.without_effect[kind]}")
    print(f"marks wrong after review: {tally.wrong_after}")
    print(f"marks left open after review: {tally.open_after}")


def keep_what_the_engine_sees(folder: Path) -> None:
    """What ``analyse`` answers is read from ``folder`` where the same engine saw the same pixels before."""
    from recognition.engine import Engine
    from recognition.types import Face, Image

    look = Engine.analyse

    def analyse(self: Engine, image: Image) -> list[Face]:
        key = hashlib.sha256(self.version.encode() + image.tobytes()).hexdigest()
        path = folder / f"{key}.faces"
        if path.is_file():
            faces: list[Face] = pickle.loads(path.read_bytes())  # noqa: S301 - written by the line below
            return faces
        faces = look(self, image)
        path.write_bytes(pickle.dumps(faces))
        return faces

    Engine.analyse = analyse  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="lfw.zip, or the folder it lies in")
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--explain", action="store_true", help="every decision and every wrong mark")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rollcall-term-") as folder:
        os.environ |= {"ROLLCALL_DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        run(given.data, given.sessions, given.seed, given.kept, given.explain)


if __name__ == "__main__":
    main()
