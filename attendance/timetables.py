"""A course's timetable made into planned sessions, again and again with the same outcome.

Only planned sessions still to come, without marks or photos, are ever moved or removed: what has begun, what a
person has marked and what was cancelled stays. Each change is kept so that it can be taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, holidays, rules, schooltime
from attendance.models import ClassSession, Course, Mark, Room, Snapshot, TimetableChange, TimetableSlot
from attendance.recurrence import Span, Weekly, overlapping, spans_of

MOST_SLOTS = 60
MOST_SESSIONS = 1500
"""Of one course's timetable: eight lessons a day of a school year."""
SLOT_FIELDS = ("weekday", "starts", "ends", "room_id", "first_day", "last_day", "every_weeks")


class TimetableRefused(errors.RollcallError):
    code = "timetable_refused"
    status = 422
    message = _("This timetable cannot be made into sessions.")


class Verdict(StrEnum):
    NEW = "new"
    SAME = "same"
    MOVED = "moved"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Clash:
    """Another lesson at the same time: in the same room, or of the same course."""

    course_name: str
    span: Span
    same_room: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one session."""

    verdict: Verdict
    span: Span
    room: str
    before: Span | None = None
    """Where it stands now, if it moves."""
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    created: int
    moved: int
    removed: int


@dataclass(slots=True)
class _Plan:
    create: list[ClassSession]
    move: list[tuple[ClassSession, Span]]
    """With where each one was."""
    remove: list[ClassSession]
    same: list[ClassSession]


def movable(sessions: QuerySet[ClassSession], now: dt.datetime) -> QuerySet[ClassSession]:
    """Planned, still to come, and nothing known about anybody in them."""
    marks = Mark.objects.filter(session=OuterRef("pk"))
    photos = Snapshot.objects.filter(session=OuterRef("pk"))
    planned = sessions.filter(state=ClassSession.State.PLANNED, starts_at__gt=now)
    return planned.filter(~Exists(marks), ~Exists(photos))


def weekly(slot: TimetableSlot) -> Weekly:
    return Weekly(slot.weekday, slot.starts, slot.ends, slot.first_day, slot.last_day, slot.every_weeks)


def check(slot: TimetableSlot) -> None:
    """Raises TimetableRefused with what is wrong."""
    if slot.starts == slot.ends:
        raise TimetableRefused(_("A lesson must end after it starts."))
    if slot.last_day < slot.first_day:
        raise TimetableRefused(_("The last day lies before the first."))
    if not 1 <= slot.every_weeks <= 8:
        raise TimetableRefused(_("A lesson can come again every week up to every eight weeks."))
    if slot.last_day - slot.first_day > dt.timedelta(days=800):
        raise TimetableRefused(_("A timetable of more than two years is too long; please check the days."))


def preview(course: Course, draft: TimetableSlot | None = None, now: dt.datetime | None = None) -> list[Row]:
    """What applying the timetable would do, with ``draft`` added or in the place of the slot it is. Nothing is stored.

    Rows that stay as they are are told only of the draft's own slot. Raises TimetableRefused.
    """
    if draft is not None:
        check(draft)
    plan = _plan(course, draft, now or timezone.now())
    rows: list[tuple[Verdict, ClassSession, Span | None]] = [(Verdict.NEW, one, None) for one in plan.create]
    rows += [(Verdict.MOVED, one, before) for one, before in plan.move]
    if draft is not None and draft.pk:
        rows += [(Verdict.SAME, one, None) for one in plan.same if one.slot_id == draft.pk]
    clashes = clashes_of(course, [one for _verdict, one, _before in rows], leaving=plan.remove)
    answer = [
        Row(verdict, _span(one), one.room.name if one.room else "", before, clashes.get(index, ()))
        for index, (verdict, one, before) in enumerate(rows)
    ]
    answer += [Row(Verdict.REMOVED, _span(one), one.room.name if one.room else "") for one in plan.remove]
    return sorted(answer, key=lambda row: row.span.starts_at)


def apply(course: Course, now: dt.datetime | None = None) -> Applied:
    """Make the planned sessions what the timetable says. Doing it twice changes nothing the second time."""
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        plan = _plan(course, None, now or timezone.now())
        # First away from their places, then to the new ones: a slot's weeks may change places.
        ClassSession.objects.filter(pk__in=[one.pk for one in plan.remove]).delete()
        ClassSession.objects.bulk_update(
            [one for one, _before in plan.move], ["starts_at", "ends_at", "room", "slot_day"], batch_size=200
        )
        ClassSession.objects.bulk_create(plan.create, batch_size=200)
    return Applied(len(plan.create), len(plan.move), len(plan.remove))


def apply_everywhere() -> None:
    """After a change of the holidays, and now and then: every course with a timetable that is not over."""
    today = schooltime.today()
    courses = Course.objects.filter(slots__removed_at__isnull=True, slots__last_day__gte=today).distinct()
    for course in courses.order_by("pk"):
        apply(course)


def add_slot(course: Course, by: User, **values: Any) -> tuple[TimetableChange, Applied]:
    """A lesson that comes again, and its sessions. Raises TimetableRefused."""
    slot = TimetableSlot(course=course, **values)
    check(slot)
    with transaction.atomic():
        if course.slots.filter(removed_at__isnull=True).count() >= MOST_SLOTS:
            raise TimetableRefused(_("This course has as many lessons a week as a timetable can hold."))
        slot.save()
        return _changed(slot, TimetableChange.Kind.ADDED, {}, by)


def change_slot(slot: TimetableSlot, by: User, **values: Any) -> tuple[TimetableChange, Applied]:
    """The lesson is at another time or place from now on. Raises TimetableRefused."""
    with transaction.atomic():
        slot = TimetableSlot.objects.select_for_update().get(pk=slot.pk)
        before = _kept(slot)
        for name, value in values.items():
            setattr(slot, name, value)
        check(slot)
        slot.save()
        return _changed(slot, TimetableChange.Kind.CHANGED, before, by)


def remove_slot(slot: TimetableSlot, by: User) -> tuple[TimetableChange, Applied]:
    """The lesson does not come again; sessions that have begun stay."""
    with transaction.atomic():
        changed = TimetableSlot.objects.filter(pk=slot.pk, removed_at__isnull=True).update(
            removed_at=timezone.now()
        )
        if not changed:
            raise errors.NothingToUndo
        slot.refresh_from_db()
        return _changed(slot, TimetableChange.Kind.REMOVED, {}, by)


def undo(change: TimetableChange) -> Applied:
    """Take a change of a slot back. Only its latest one can be; raises NothingToUndo for another, and for imports."""
    with transaction.atomic():
        change = TimetableChange.objects.select_for_update().get(pk=change.pk)
        slot = change.slot
        if change.undone_at is not None or slot is None or not _is_latest(change):
            raise errors.NothingToUndo
        change.undone_at = timezone.now()
        change.save(update_fields=["undone_at"])
        if change.kind == TimetableChange.Kind.CHANGED:
            for name, value in _given_back(change.before).items():
                setattr(slot, name, value)
        slot.removed_at = timezone.now() if change.kind == TimetableChange.Kind.ADDED else None
        slot.save()
        return apply(change.course)


def undoable(course: Course) -> TimetableChange | None:
    """The latest change of the timetable, while it can be taken back."""
    latest = course.timetable_changes.filter(undone_at__isnull=True).select_related("by", "slot").first()
    return latest if latest and latest.at > timezone.now() - dt.timedelta(days=7) else None


def clashes_of(
    course: Course, sessions: Sequence[ClassSession], leaving: Iterable[ClassSession] = ()
) -> Mapping[int, tuple[Clash, ...]]:
    """For each place in ``sessions`` with one: lessons at the same time in its room, or of its course; one query.

    ``leaving`` are sessions that are about to go and so are in nobody's way.
    """
    if not sessions:
        return {}
    first, last = min(one.starts_at for one in sessions), max(one.ends_at for one in sessions)
    own = {one.pk for one in sessions if one.pk} | {one.pk for one in leaving}
    rooms = {one.room_id for one in sessions if one.room_id}
    around = ClassSession.objects.filter(starts_at__lt=last, ends_at__gt=first, cancelled_at__isnull=True)
    others = around.filter(room__in=rooms) | around.filter(course=course)
    known = {-one.pk: one for one in others.exclude(pk__in=own).select_related("course")}
    spans = [(index + 1, _span(one)) for index, one in enumerate(sessions)]
    spans += [(key, _span(one)) for key, one in known.items()]
    found: dict[int, list[Clash]] = {}

    def meet(mine: int, other: ClassSession) -> None:
        room = sessions[mine - 1].room_id
        same_room = room is not None and room == other.room_id
        if same_room or other.course_id == course.pk:
            found.setdefault(mine - 1, []).append(Clash(other.course.name, _span(other), same_room))

    for one, two in overlapping(spans):
        for mine, other in ((one, two), (two, one)):
            if mine > 0:
                meet(mine, known[other] if other < 0 else sessions[other - 1])
    return {index: tuple(several) for index, several in found.items()}


def _plan(course: Course, draft: TimetableSlot | None, now: dt.datetime) -> _Plan:
    slots = [
        one
        for one in course.slots.filter(removed_at__isnull=True).select_related("room")
        if draft is None or one.pk != draft.pk
    ]
    slots += [draft] if draft is not None else []
    policy = rules.rules_for(course).session_policy()
    standing = {
        (one.slot_id, _week(one.slot_day)): one
        for one in course.sessions.filter(slot__isnull=False, slot_day__isnull=False).select_related("room")
        if one.slot_day
    }
    free = set(movable(course.sessions.filter(slot__isnull=False), now).values_list("pk", flat=True))
    plan = _Plan([], [], [], [])
    wanted = set()
    for slot, day, span in _wanted(slots, now):
        key = (slot.pk, _week(day))
        wanted.add(key)
        session = standing.get(key) if slot.pk else None
        if session is None:
            plan.create.append(
                ClassSession(
                    course=course, slot=slot, slot_day=day, room=slot.room, starts_at=span.starts_at,
                    ends_at=span.ends_at, **policy,
                )
            )  # fmt: skip
        elif session.pk in free and (_span(session), session.room_id) != (span, slot.room_id):
            before = _span(session)
            session.starts_at, session.ends_at, session.slot_day = span.starts_at, span.ends_at, day
            session.room = slot.room
            plan.move.append((session, before))
        else:
            plan.same.append(session)
    plan.remove = [
        one for key, one in standing.items() if key not in wanted and one.pk in free and not one.is_cancelled
    ]
    if len(plan.create) > MOST_SESSIONS:
        raise TimetableRefused(
            _("That would be more than %(limit)d sessions; please choose fewer days.")
            % {"limit": MOST_SESSIONS}
        )
    return plan


def _wanted(slots: Sequence[TimetableSlot], now: dt.datetime) -> list[tuple[TimetableSlot, dt.date, Span]]:
    """Every lesson of the slots that is not over yet, without those in holidays; one query."""
    if not slots:
        return []
    zone = schooltime.school_zone()
    first, last = min(one.first_day for one in slots), max(one.last_day for one in slots)
    off = holidays.between(first, last)
    return [
        (slot, day, span)
        for slot in slots
        for day, span in spans_of(weekly(slot), zone, off)
        if span.ends_at > now
    ]


def _changed(
    slot: TimetableSlot, kind: str, before: Mapping[str, object], by: User
) -> tuple[TimetableChange, Applied]:
    change = TimetableChange.objects.create(
        course=slot.course, slot=slot, kind=kind, before=before, by=by, at=timezone.now()
    )
    return change, apply(slot.course)


def _is_latest(change: TimetableChange) -> bool:
    later = TimetableChange.objects.filter(course=change.course_id, undone_at__isnull=True, at__gt=change.at)
    return not later.filter(slot=change.slot_id).exists()


def _kept(slot: TimetableSlot) -> dict[str, object]:
    values = {name: getattr(slot, name) for name in SLOT_FIELDS}
    return {
        name: value.isoformat() if isinstance(value, dt.date | dt.time) else value
        for name, value in values.items()
    }


def _given_back(kept: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(kept)
    values["starts"], values["ends"] = (dt.time.fromisoformat(kept[name]) for name in ("starts", "ends"))
    values["first_day"], values["last_day"] = (
        dt.date.fromisoformat(kept[name]) for name in ("first_day", "last_day")
    )
    # A room may have gone in the meantime.
    values["room_id"] = kept["room_id"] if Room.objects.filter(pk=kept["room_id"]).exists() else None
    return values


def _span(session: ClassSession) -> Span:
    return Span(session.starts_at, session.ends_at)


def _week(day: dt.date) -> dt.date:
    """The Monday: a slot comes at most once a week, so that a changed weekday moves its sessions."""
    return day - dt.timedelta(days=day.weekday())
