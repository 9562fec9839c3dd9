"""A person's word stands: photos, late photos, retries, new encodings, reviews, undoing, in any order."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance import classes, errors, galleries, intake, marks, pipeline, reviews
from attendance.models import ClassSession, Mark, Sighting, Snapshot, Student
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near

pytestmark = pytest.mark.django_db

WHO = st.integers(0, 1)
STEP = st.one_of(
    st.tuples(st.just("photo"), WHO, st.sampled_from([0.2, 0.52, 0.9])),
    st.tuples(st.just("photo that fails"), WHO, st.just(0.2)),
    st.tuples(st.just("hand"), WHO, st.sampled_from(["present", "absent", "excused", "late"])),
    st.tuples(st.just("undo"), WHO, st.none()),
    st.tuples(st.just("review"), WHO, st.sampled_from(["is", "is_not", "not_in_class"])),
    st.tuples(st.sampled_from(["new encoder", "recompute", "close"]), st.just(0), st.none()),
)


class Lesson:
    """One lesson with two enrolled students, and every way to disturb its marks."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine, self.owner = engine, make.teacher()
        self.session = make.session(make.course(self.owner, students=2))
        self.students = list(self.session.course.students.order_by("pk"))
        self.known = [make.encoding(1), make.encoding(2)]
        for student, known in zip(self.students, self.known, strict=True):
            make.template(student, known)
        self.said: dict[int, str] = {}
        self.photos = 0

    def do(self, kind: str, who: int, what: Any) -> None:
        student = self.students[who]
        if kind.startswith("photo"):
            self.photo(who, what, fails=kind.endswith("fails"))
        elif kind == "hand":
            marks.set_by_hand(self.session, student, what, self.owner)
            self.said[student.pk] = what
        elif kind == "undo" and student.pk in self.said:
            mark = marks.undo(self.session.marks.get(student=student), self.owner)
            self.said.pop(student.pk)
            if mark.source == Mark.Source.MANUAL:
                self.said[student.pk] = mark.status
        elif kind == "review":
            self.review(student, what)
        elif kind == "new encoder":
            galleries.forget()
            call_command("reencode", verbosity=0)
        elif kind == "close" and self.session.state == ClassSession.State.OPEN:
            self.session = classes.close_session(self.session)
        else:
            marks.recompute(self.session.pk)

    def photo(self, who: int, distance: float, *, fails: bool) -> None:
        """Also after the session was closed; one that fails is sent again by a person."""
        self.photos += 1
        shot = intake.receive(self.session, make.jpeg(self.photos)).snapshot
        self.engine.faces = [face(near(self.known[who], distance, seed=self.photos))]
        if fails:
            self.engine.broken = RuntimeError("out of memory")
            for _attempt in range(3):
                pipeline.process(shot.pk)
            self.engine.broken = None
            intake.send_again(Snapshot.objects.get(pk=shot.pk))
        pipeline.process(shot.pk)
        assert Snapshot.objects.get(pk=shot.pk).state == "done"

    def review(self, student: Student, verdict: str) -> None:
        sighting = Sighting.objects.filter(snapshot__session=self.session).last()
        if sighting is not None:
            try:
                reviews.decide(sighting, verdict, self.owner, None if verdict == "not_in_class" else student)
            except errors.RollcallError:
                return  # somebody is in the photo already

    def check(self) -> None:
        for mark in Mark.objects.filter(session=self.session, student__in=self.said):
            assert (mark.status, mark.source) == (self.said[mark.student_id], "manual")
        facts = {line.student_id: line for line in marks._take_roll(self.session)}
        for mark in Mark.objects.filter(session=self.session):
            assert mark.machine_status == str(facts[mark.student_id].status), "what the machine would say"


@pytest.fixture
def quiet(sent: Any, engine: FakeEngine) -> FakeEngine:
    return engine


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=3, max_size=8))
def test_whatever_comes_in_whatever_order_a_mark_by_hand_stays(
    quiet: FakeEngine, steps: list[tuple[str, int, Any]]
) -> None:
    lesson = Lesson(quiet)
    marks.recompute(lesson.session.pk)
    for step in steps:
        lesson.do(*step)
        lesson.check()
    before = list(Mark.objects.filter(session=lesson.session).order_by("pk").values())
    again = marks.recompute(lesson.session.pk)
    assert (again.created, again.changed, again.removed) == (0, 0, 0)
    assert list(Mark.objects.filter(session=lesson.session).order_by("pk").values()) == before
