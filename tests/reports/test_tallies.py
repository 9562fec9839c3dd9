"""Kept tallies say what the marks say, whatever happens to a mark; and who may be away is found without reading all."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import pytest
from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.utils import timezone

from attendance import excusing, marks, privacy, tallies, tasks
from attendance.models import ClassSession, Course, Mark, SessionTally, Student
from attendance.reports import absences, facts, orders
from attendance.reports.facts import Days
from attendance.reports.orders import Order
from attendance.reports.tables import TALLIED, absences_in_a_row, effective
from tests import factories as make
from tests.reports.conftest import Term

DAYS = Days(dt.date(2026, 3, 1), dt.date(2026, 4, 30))
FIRST = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LIKELY = ["present"] * 3 + ["absent"] * 6 + ["late", "left_early", "excused", "not_evaluated"]


@pytest.fixture
def school(db: None) -> User:
    """Three courses of up to six lessons; marks at random, some missing, some to check, one course unseen."""
    chance, owner, now = random.Random(7), make.teacher(), timezone.now()
    for lessons in (6, 5, 1):
        course = make.course(owner, students=9)
        people = list(course.students.all())
        for number in range(lessons):
            # Lessons that begin together are told apart by their numbers.
            session = make.session(course, "closed", FIRST + dt.timedelta(days=number // 2))
            Mark.objects.bulk_create(
                Mark(
                    session=session, student=who, decided_at=now, to_check=chance.random() < 0.1,
                    status="not_evaluated" if lessons == 1 else chance.choice(LIKELY),
                )
                for who in people if chance.random() < 0.9
            )  # fmt: skip
    return owner


def lessons() -> QuerySet[ClassSession]:
    return facts.lessons_that_count(Course.objects.all(), DAYS)


def counted_by_hand() -> dict[int, dict[str, int]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    counting = Mark.objects.filter(session__state="closed", session__cancelled_at__isnull=True)
    for mark in counting.select_related("session"):
        found[mark.session.course_id][effective(mark.status, mark.to_check)] += 1
    return {pk: {name: numbers[name] for name in TALLIED} for pk, numbers in found.items()}


def test_kept_or_counted_the_numbers_are_the_same(school: User) -> None:
    by_hand, missing = counted_by_hand(), facts.missing_in(Course.objects.all(), DAYS)
    silent = set(ClassSession.objects.filter(course__sessions__in=tallies.unseen(lessons())))
    assert {one.course_id for one in silent} == {Course.objects.latest("pk").pk}
    assert tallies.by_course(lessons()) == by_hand
    assert tallies.keep(5) == 5
    assert tallies.by_course(lessons()) == by_hand  # some kept, some counted
    assert tasks.keep_tallies() == 7
    assert tallies.keep_all() == 0
    assert tallies.by_course(lessons()) == by_hand
    assert facts.missing_in(Course.objects.all(), DAYS) == missing != []
    mine = Course.objects.order_by("pk")[:1]
    assert set(tallies.by_course(facts.lessons_that_count(Course.objects.filter(pk__in=mine), DAYS))) == {
        mine[0].pk
    }
    later = Days(dt.date(2026, 5, 1), dt.date(2026, 5, 2))
    assert tallies.by_course(facts.lessons_that_count(Course.objects.all(), later)) == {}


def by_hand_and_undone(mark: Mark, by: User) -> None:
    marks.undo(marks.set_by_hand(mark.session, mark.student, "late", by), by)


def excused_and_not(mark: Mark, by: User) -> None:
    when = excusing.When.of_sessions([mark.session])
    excuse = excusing.enter(mark.student, mark.session.course, when, "illness", by, approve=True)
    assert tallies.by_course(lessons()) == counted_by_hand()
    excusing.withdraw(excuse, by)


CHANGES: dict[str, Callable[[Mark, User], object]] = {
    "by hand": lambda mark, by: marks.set_by_hand(mark.session, mark.student, "left_early", by),
    "by hand and undone": by_hand_and_undone,
    "the rest by hand": lambda mark, by: marks.set_rest_by_hand(mark.session, "absent", by),
    "by code": lambda mark, by: marks.set_by_code(mark.session, mark.student, by, mark.session.starts_at),
    "the roll taken anew": lambda mark, by: marks.recompute(mark.session_id),
    "an excuse": excused_and_not,
    "a student deleted": lambda mark, by: privacy.delete_student(mark.student),
    "consent withdrawn": lambda mark, by: privacy.withdraw_consent(mark.student, by),
    "a course deleted": lambda mark, by: privacy.delete_course(mark.session.course),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_a_mark_the_numbers_follow(change: str, school: User) -> None:
    tallies.keep_all()
    before = counted_by_hand()
    absent = Mark.objects.filter(status="absent", to_check=False, session__marks__status="not_evaluated")
    mark = absent.select_related("session", "student")[0]
    CHANGES[change](mark, school)
    assert tallies.by_course(lessons()) == counted_by_hand()
    tallies.keep_all()
    assert tallies.by_course(lessons()) == counted_by_hand()
    assert counted_by_hand() != before or change in ("an excuse", "by hand and undone", "consent withdrawn")


def test_a_wrong_tally_is_found_put_right_and_said(school: User, caplog: pytest.LogCaptureFixture) -> None:
    tallies.keep_all()
    assert tasks.verify_tallies() == 0
    SessionTally.objects.filter(pk=SessionTally.objects.earliest("pk").pk).update(present=F("present") + 1)
    assert tallies.by_course(lessons()) != counted_by_hand()
    with caplog.at_level(logging.WARNING):
        assert tasks.verify_tallies() == 1
    assert "1 sessions were wrong" in caplog.text
    assert tallies.by_course(lessons()) == counted_by_hand()


def test_what_changes_while_it_is_counted_is_counted_again(
    school: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark changes after the marks were read and before the tally is stored."""
    whole, mark = tallies._of, Mark.objects.filter(status="absent").select_related("session", "student")[0]

    def counted_and_changed(session_ids: Iterable[int]) -> dict[int, dict[str, int]]:
        found = whole(session_ids)
        marks.set_by_hand(mark.session, mark.student, "present", school)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(tallies, "_of", counted_and_changed)
        assert tallies.keep() == 12
    assert mark.session in tallies.unkept(ClassSession.objects.all())
    assert tallies.by_course(lessons()) == counted_by_hand()
    assert tallies.keep_all() == 1
    assert tallies.by_course(lessons()) == counted_by_hand()


def runs_by_hand() -> set[tuple[str, int, int]]:
    """(course, student, run) from every mark of every student."""
    found = set()
    for course in Course.objects.all():
        for student in Student.objects.filter(marks__session__course=course).distinct():
            own = student.marks.filter(session__course=course, session__state="closed")
            own = own.filter(session__cancelled_at__isnull=True).order_by("session__starts_at", "session_id")
            run, _longest = absences_in_a_row(effective(mark.status, mark.to_check) for mark in own)
            if run >= absences.LEAST_RUN:
                found.add((course.code, student.pk, run))
    return found


def test_who_is_away_is_found_as_if_every_mark_were_read(school: User) -> None:
    course = Course.objects.earliest("pk")
    gone = course.students.order_by("pk")[0]
    # Gone after the second lesson, having missed both: still on the list.
    gone.marks.filter(session__in=course.sessions.order_by("starts_at", "pk")[2:]).delete()
    gone.marks.update(status="absent", to_check=False)
    away = absences.absences_in_courses(Course.objects.all(), DAYS)
    assert {(one.course_code, one.student.id, one.in_a_row) for one in away} == runs_by_hand()
    assert len(away) >= 5
    assert gone.pk in {one.student.id for one in away}
    assert [one.in_a_row for one in away] == sorted((one.in_a_row for one in away), reverse=True)


def test_a_students_courses_are_those_of_rosters_and_of_marks(term: Term) -> None:
    """The first student has a mark in a course whose roster never held them."""
    order = Order("student", term.students[0].pk, "csv", DAYS)
    assert {course.code for course in orders.courses_of(term.registrar, order)} > {"ALG"}
    assert {course.code for course in orders.courses_of(term.owner, order)} == {"ALG"}
    assert orders.courses_of(term.registrar, order).count() == 2
