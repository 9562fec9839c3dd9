"""A student's objection to a mark or a face -> a person's answer, undone like every other decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from attendance import errors, marks, reviews
from attendance.faces import Standing, standing_of
from attendance.models import ClassSession, Contest, Mark, Review, Sighting, Student

OPEN_FOR = dt.timedelta(days=30)
"""After the lesson; what the desk looks back as well."""
NOTE_LENGTH = 300
HERE = (Mark.Status.PRESENT,)
GRANTED = (Mark.Status.PRESENT, Mark.Status.LATE, Mark.Status.LEFT_EARLY, Mark.Status.EXCUSED)
"""Marks that "I was there" can be answered with."""


def open_contests(sessions: QuerySet[ClassSession] | Iterable[ClassSession]) -> list[Contest]:
    """What students of these sessions wait to have answered, longest waiting first; one query.

    Each brings its ``student``, its ``sighting`` (None for "I was there") with the photo, and its ``session``
    with the course.
    """
    waiting = Contest.objects.filter(state=Contest.State.OPEN, session__in=sessions)
    return list(waiting.select_related("student", "session__course", "sighting__snapshot"))


def say_not_me(sighting: Sighting, student: Student, note: str = "") -> Contest:
    """ "That wasn't me", about a face that counts as this student. Said twice, it is the same objection.

    Raises NothingToContest where the face does not count as the student (any more), AlreadyAnswered where a teacher
    said that it stays, TooLateToContest.
    """
    standing = standing_of(sighting, sighting.reviews.all())
    if standing.standing is not Standing.NAMED or standing.student_id != student.pk:
        raise errors.NothingToContest
    return _say(Contest.Kind.NOT_ME, sighting.snapshot.session, student, note, sighting)


def say_was_there(session: ClassSession, student: Student, note: str = "") -> Contest:
    """ "I was there", about a mark that says otherwise. Said twice, it is the same objection.

    Raises NothingToContest for a mark that reads *present*, counts nowhere (a cancelled session's) or does not exist,
    AlreadyAnswered where a teacher said that it stays and the mark has not changed since, TooLateToContest.
    """
    mark = session.marks.filter(student=student).first()
    if mark is None or mark.status in HERE or session.is_cancelled:
        raise errors.NothingToContest
    return _say(Contest.Kind.WAS_THERE, session, student, note, mark=mark)


def may_say_there(mark: Mark, said: Iterable[Contest]) -> bool:
    """Whether "I was there" can be said about this mark: it denies it, lately, and it is not being said already."""
    about_it = [contest for contest in said if contest.kind == Contest.Kind.WAS_THERE]
    if any(contest.state == Contest.State.OPEN or _answered(contest, mark) for contest in about_it):
        return False
    counts = mark.status not in HERE and not mark.session.is_cancelled
    return counts and timezone.now() - mark.session.ends_at <= OPEN_FOR


def _answered(contest: Contest, mark: Mark | None) -> bool:
    """A teacher said that it stays; about a mark, only as long as the mark has not changed since."""
    if contest.state != Contest.State.DECLINED or contest.settled_at is None:
        return False
    return mark is None or mark.decided_at <= contest.settled_at


def take_back(contest: Contest) -> None:
    """The student thought better of it. Raises ContestSettled when it has been answered."""
    waiting = Contest.objects.filter(pk=contest.pk, state=Contest.State.OPEN)
    if not waiting.update(state=Contest.State.TAKEN_BACK):
        raise errors.ContestSettled


def uphold(contest: Contest, by: User, answer: str = "", status: str = Mark.Status.PRESENT) -> Contest:
    """The student is right: the face is not theirs, or the mark becomes ``status``; with the roll, all or nothing.

    Raises ContestSettled when somebody answered in the meantime, UnknownStatus for a mark that would not say
    that the student was there.
    """
    if status not in GRANTED:
        raise errors.UnknownStatus
    with transaction.atomic():
        contest = _waiting(contest)
        if contest.kind == Contest.Kind.NOT_ME:
            assert contest.sighting is not None
            decision = reviews.decide_all(
                [contest.sighting], Review.Verdict.IS_NOT, by, contest.student, shown={"kind": "contest"}
            )
            # A rejection that stood before is somebody else's word and is not taken back with this answer.
            ours = all(review.batch == decision.batch for review in decision.reviews)
            contest.batch = decision.batch if ours else None
        else:
            mark = marks.set_by_hand(contest.session, contest.student, status, by)
            contest.mark_change = marks.latest_change(mark)
        return _settle(contest, Contest.State.UPHELD, by, answer)


def decline(contest: Contest, by: User, answer: str = "") -> Contest:
    """It stays as it is. Raises ContestSettled when somebody answered in the meantime."""
    with transaction.atomic():
        return _settle(_waiting(contest), Contest.State.DECLINED, by, answer)


def reopen(contest: Contest, by: User) -> Contest:
    """Take an answer back with what it changed. Raises NothingToUndo for one that waits."""
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=contest.session_id)
        contest = _whole().get(pk=contest.pk)
        if contest.state not in (Contest.State.UPHELD, Contest.State.DECLINED):
            raise errors.NothingToUndo
        if contest.batch and Review.objects.filter(batch=contest.batch, undone_at__isnull=True).exists():
            reviews.undo_batch(contest.batch, by)
        if contest.mark_change is not None:
            mark = contest.mark_change.mark
            if marks.latest_change(mark) == contest.mark_change:  # nobody changed it since
                marks.undo(mark, by)
        again = Contest.objects.filter(
            session=contest.session, student=contest.student, sighting=contest.sighting, state="open"
        )
        if again.exists():
            raise errors.NothingToUndo
        contest.state, contest.answer = Contest.State.OPEN, ""
        contest.settled_by = contest.settled_at = contest.batch = contest.mark_change = None
        contest.save()
        marks.touch(contest.session_id)
    return contest


def _say(
    kind: str,
    session: ClassSession,
    student: Student,
    note: str,
    sighting: Sighting | None = None,
    *,
    mark: Mark | None = None,
) -> Contest:
    if timezone.now() - session.ends_at > OPEN_FOR:
        raise errors.TooLateToContest
    about = {"session": session, "student": student, "kind": kind, "sighting": sighting}
    if any(_answered(contest, mark) for contest in Contest.objects.filter(**about)):
        raise errors.AlreadyAnswered
    known = Contest.objects.filter(**about, state=Contest.State.OPEN)
    try:
        with transaction.atomic():
            contest = known.first() or Contest.objects.create(
                **about, note=note.strip()[:NOTE_LENGTH], at=timezone.now()
            )
            marks.touch(session.pk)
    except IntegrityError:  # said twice at once
        contest = known.get()
    return contest


def _whole() -> QuerySet[Contest]:
    return Contest.objects.select_related(
        "session", "student", "sighting__snapshot__session", "mark_change__mark"
    )


def _waiting(contest: Contest) -> Contest:
    """The contest as it is now, with its session's row locked: two answers wait for each other."""
    ClassSession.objects.select_for_update().get(pk=contest.session_id)
    found = _whole().get(pk=contest.pk)
    if found.state != Contest.State.OPEN:
        raise errors.ContestSettled
    return found


def _settle(contest: Contest, state: str, by: User, answer: str) -> Contest:
    contest.state, contest.answer = state, answer.strip()[:NOTE_LENGTH]
    contest.settled_by, contest.settled_at = by, timezone.now()
    contest.save()
    marks.touch(contest.session_id)
    return contest
