"""Excuses and marks: through the one rule, never over a person's word, and back again when withdrawn."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from attendance import classes, errors, excuses, excusing, marks, permissions, privacy, rollcall, schooltime
from attendance.excusing import When
from attendance.models import ClassSession, Course, Excuse, RosterEntry, Student
from tests import factories as make

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def course() -> Course:
    return make.course(make.teacher(), students=2)


def days(ago: int = 0, length: int = 1) -> When:
    first = schooltime.today() - dt.timedelta(days=ago)
    return When(first, first + dt.timedelta(days=length - 1))


def excuse(student: Student, course: Course | None, when: When | None = None, approve: bool = True) -> Excuse:
    by = make.teacher()
    return excusing.enter(student, course, when or days(), "illness", by, note="flu", approve=approve)


def status(session: ClassSession, student: Student) -> str:
    return session.marks.get(student=student).status


def seen(session: ClassSession, student: Student) -> None:
    make.template(student)
    for minute in (2, 6, 12):
        make.sighting(make.snapshot(session, minute), student)


@given(st.sampled_from(list(rollcall.Status)), st.sampled_from(list(rollcall.Reason)))
def test_the_one_rule(was: rollcall.Status, reason: rollcall.Reason) -> None:
    assert rollcall.with_excuse(was, reason, False) == (was, reason)
    laid = rollcall.with_excuse(was, reason, True)
    here = was in (rollcall.Status.PRESENT, rollcall.Status.LATE, rollcall.Status.LEFT_EARLY)
    assert laid == ((was, reason) if here else ("excused", "excused"))


def test_known_before_the_lesson_it_stands_from_the_start(course: Course) -> None:
    student, other = course.students.all()
    excuse(student, course)
    session = make.session(course, "planned")
    classes.open_session(session)
    assert [status(session, student), status(session, other)] == ["excused", "not_evaluated"]
    assert marks.set_rest_by_hand(session, "present", make.teacher()) == 1
    assert status(session, student) == "excused"


def test_excused_but_seen_stays_present(course: Course) -> None:
    student = course.students.first()
    session = make.session(course)
    seen(session, student)
    excuse(student, course)
    marks.recompute(session.pk)
    assert status(session, student) == "present"
    assert excuses.covering_session(session)[student.pk].note == "flu"


def test_a_persons_mark_stands_over_it_and_undo_brings_it_back(course: Course) -> None:
    student, teacher = course.students.first(), make.teacher()
    session = make.session(course)
    marks.recompute(session.pk)
    marks.set_by_hand(session, student, "absent", teacher)
    excuse(student, course)
    assert status(session, student) == "absent"
    marks.undo(session.marks.get(student=student), teacher)
    assert status(session, student) == "excused"


def test_entered_afterwards_and_withdrawn(course: Course) -> None:
    student, other = course.students.all()
    make.template(student)
    session = make.session(course)
    for minute in (1, 5, 9):
        make.snapshot(session, minute)
    classes.close_session(session)
    assert status(session, student) == "absent"
    before = session.marks.get(student=other)
    given = excuse(student, None)
    assert status(session, student) == "excused"
    assert session.marks.get(student=student).machine_status == "absent"
    make.template(other)  # what the camera could say today about an old lesson is not asked
    excusing.withdraw(given, make.teacher())
    mark = session.marks.get(student=student)
    assert (mark.status, mark.reason, mark.source) == ("absent", "never_seen", "recognised")
    assert session.marks.get(student=other).status == before.status
    with pytest.raises(excusing.AlreadyDecided):
        excusing.withdraw(given, make.teacher())


def test_what_waits_or_was_declined_changes_nothing(course: Course) -> None:
    student = course.students.first()
    session = make.session(course)
    marks.recompute(session.pk)
    asked = excuse(student, course, approve=False)
    assert status(session, student) == "not_evaluated"
    excusing.decline(asked, make.teacher())
    assert status(session, student) == "not_evaluated"
    excusing.approve_excuse(asked, make.teacher())
    assert status(session, student) == "excused"
    with pytest.raises(excusing.AlreadyDecided):
        excusing.approve_excuse(asked, make.teacher())


def test_only_the_named_sessions_courses_and_days(course: Course) -> None:
    student = course.students.first()
    other = make.course()
    RosterEntry.objects.create(course=other, student=student, enrolled_on=dt.date(2026, 1, 1))
    now = timezone.now()
    one, two = (
        make.session(course, starts_at=now),
        make.session(course, starts_at=now - dt.timedelta(hours=1)),
    )
    elsewhere, yesterday = (
        make.session(other, starts_at=now),
        make.session(other, starts_at=now - dt.timedelta(days=1)),
    )
    named = excuse(student, course, When.of_sessions([one]))
    found = excuses.covering_student(student.pk, [one, two, elsewhere])
    assert found == {one.pk: named}
    excusing.withdraw(named, make.teacher())
    everywhere = excuse(student, None)
    found = excuses.covering_student(student.pk, [one, elsewhere, yesterday])
    assert {key: value.pk for key, value in found.items() if key != one.pk} == {elsewhere.pk: everywhere.pk}
    for session in (one, elsewhere, yesterday):
        assert (student.pk in excuses.covering_session(session)) == (session.pk in found)


def test_attachments_are_bounded_and_cleaned(course: Course) -> None:
    student = course.students.first()
    teacher = make.teacher()
    kept = excusing.enter(student, course, days(), "medical", teacher, attachment=PDF)
    assert kept.attachment_type == "application/pdf"
    photo = excusing.enter(student, course, days(), "medical", teacher, attachment=make.jpeg(3, (400, 300)))
    assert photo.attachment_type == "image/jpeg"
    for wrong in (
        b"MZ\x90",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        PDF[:20],
        b"%PDF-" + b"0" * 9_000_000,
    ):
        with pytest.raises(excusing.AttachmentRefused):
            excusing.enter(student, course, days(), "medical", teacher, attachment=wrong)
    with pytest.raises(errors.PhotoRefused):
        excusing.enter(student, course, days(), "medical", teacher, attachment=make.jpeg(3)[:500])
    names = [one.attachment.name for one in (kept, photo)]
    assert all(default_storage.exists(name) for name in names)


def test_attachments_go_with_the_student(course: Course, django_capture_on_commit_callbacks: object) -> None:
    student = course.students.first()
    kept = excusing.enter(student, course, days(), "medical", make.teacher(), attachment=PDF)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        privacy.delete_student(student)
    assert not default_storage.exists(kept.attachment.name)


@pytest.mark.parametrize(
    ("reason", "when"),
    [("", days), ("magic", days), ("illness", lambda: days(0, 400)), ("illness", lambda: days(0, -1))],
)
def test_what_cannot_be_an_excuse(course: Course, reason: str, when: object) -> None:
    with pytest.raises(excusing.ExcuseRefused):
        excusing.enter(course.students.first(), course, when(), reason, make.teacher())  # type: ignore[operator]


def test_who_may_decide() -> None:
    teacher, colleague, registrar = make.teacher(), make.teacher(), make.registrar()
    mine, theirs = make.course(teacher, students=1), make.course(colleague)
    student = mine.students.get()
    assert permissions.may_decide_excuse(teacher, student, None)
    RosterEntry.objects.create(course=theirs, student=student, enrolled_on=dt.date(2026, 1, 1))
    asked = {
        who: (
            permissions.may_enter_excuse(who, student, None),
            permissions.may_decide_excuse(who, student, None),
            permissions.may_decide_excuse(who, student, mine),
        )
        for who in (teacher, colleague, registrar, make.teacher())
    }
    assert list(asked.values()) == [
        (True, False, True),
        (True, False, False),
        (True, True, True),
        (False,) * 3,
    ]
    given = excusing.enter(student, None, days(), "medical", teacher, attachment=PDF)
    assert permissions.may_read_attachment(teacher, given)
    assert not permissions.may_read_attachment(colleague, given)
    assert list(permissions.excuses_for(colleague)) == [given]


def test_the_number_of_queries_does_not_grow(course: Course, django_assert_num_queries: object) -> None:
    sessions = [make.session(course) for _ in range(5)]
    for student in course.students.all():
        for _ in range(3):
            excuse(student, course, When.of_sessions(sessions))
    schooltime.school_zone()
    student = course.students.first()
    with django_assert_num_queries(1):  # type: ignore[operator]
        excuses.covering_session(sessions[0])
    with django_assert_num_queries(2):  # type: ignore[operator]
        excuses.covering_student(student.pk, sessions)
