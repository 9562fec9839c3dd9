"""A timetable from a calendar file: a verdict for each lesson first, planned sessions only after a yes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import calendar_files, classes, errors, holidays, rules, schooltime, timetables
from attendance.models import ClassSession, Course, Room, TimetableChange
from attendance.recurrence import Span
from attendance.timetables import Clash


class Verdict(StrEnum):
    NEW = "new"
    MOVED = "moved"
    SAME = "same"
    CANCELLED = "cancelled"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    name: str
    room: str
    span: Span | None
    verdict: Verdict
    before: Span | None = None
    why: str | Promise = ""
    """Why it is left out."""
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    rows: tuple[Row, ...]
    names: tuple[tuple[str, int], ...]
    """What the events are called, with how many there are: a file often holds several courses."""
    chosen: tuple[str, ...]

    def count(self, verdict: str) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def to_store(self) -> tuple[Row, ...]:
        return tuple(
            row for row in self.rows if row.verdict in (Verdict.NEW, Verdict.MOVED, Verdict.CANCELLED)
        )


def preview(
    course: Course, data: bytes, names: Sequence[str] | None = None, now: dt.datetime | None = None
) -> Seen:
    """What importing the file would do, lesson by lesson. Nothing is stored.

    ``names`` chooses events by what they are called (None: all). Raises CalendarFileRefused.
    """
    now = now or timezone.now()
    zone = schooltime.school_zone()
    first = max(course.term.starts_on, schooltime.school_day(now, zone))
    last = max(course.term.ends_on, first)
    lessons = calendar_files.lessons_of(data, first, last, zone)
    counts = Counter(one.name for one in lessons)
    chosen = tuple(counts) if names is None else tuple(name for name in counts if name in set(names))
    mine = [one for one in lessons if one.name in set(chosen)]
    if not lessons:
        raise calendar_files.CalendarFileRefused(
            _("The file has no lesson between today and the end of the term.")
        )
    known = {
        one.import_key: one for one in course.sessions.filter(import_key__isnull=False).select_related("room")
    }
    free = set(timetables.movable(course.sessions.all(), now).values_list("pk", flat=True))
    off = holidays.between(first, last)
    rows = []
    for one in mine:
        in_holiday = one.span is not None and holidays.falls_on(one.span.starts_at, off, zone)
        verdict, before, why = _verdict(one, known.get(one.key), free, in_holiday, now)
        rows.append(Row(one.key, one.name, one.room, one.span, verdict, before, why))
    return Seen(tuple(_with_clashes(course, rows, known)), tuple(counts.most_common()), chosen)


def import_rows(course: Course, seen: Seen, by: User) -> tuple[TimetableChange, Mapping[str, int]]:
    """Store what the preview said, all of it or nothing. Returns the change, to be undone, and the counts."""
    policy = rules.rules_for(course).session_policy()
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        change = TimetableChange.objects.create(
            course=course, kind=TimetableChange.Kind.IMPORTED, by=by, at=timezone.now()
        )
        rooms = _rooms(row.room for row in seen.to_store)
        known = {one.import_key: one for one in course.sessions.filter(import_key__isnull=False)}
        before: dict[str, object] = {}
        new = []
        for row in seen.to_store:
            session = known.get(row.key)
            if row.verdict is Verdict.CANCELLED and session is not None:
                classes.cancel(session, by, str(_("cancelled in the calendar file")))
                before[str(session.pk)] = None
            elif row.verdict is Verdict.MOVED and session is not None and row.span is not None:
                before[str(session.pk)] = [
                    session.starts_at.isoformat(), session.ends_at.isoformat(), session.room_id
                ]  # fmt: skip
                session.starts_at, session.ends_at = row.span.starts_at, row.span.ends_at
                session.room = rooms.get(row.room.casefold())
                session.save(update_fields=["starts_at", "ends_at", "room"])
            elif session is None and row.span is not None:
                new.append(
                    ClassSession(
                        course=course, room=rooms.get(row.room.casefold()), starts_at=row.span.starts_at,
                        ends_at=row.span.ends_at, import_key=row.key, imported_by=change, **policy,
                    )
                )  # fmt: skip
        ClassSession.objects.bulk_create(new, batch_size=200)
        change.before = before
        change.save(update_fields=["before"])
    return change, {str(verdict): seen.count(verdict) for verdict in Verdict}


def _verdict(
    one: calendar_files.Lesson,
    session: ClassSession | None,
    free: set[int],
    in_holiday: bool,
    now: dt.datetime,
) -> tuple[Verdict, Span | None, str | Promise]:
    if one.cancelled:
        if session is not None and not session.is_cancelled and session.pk in free:
            return Verdict.CANCELLED, None, ""
        return Verdict.LEFT_OUT, None, _("It is cancelled.")
    if one.span is None:
        return Verdict.LEFT_OUT, None, one.problem
    if one.span.ends_at <= now:
        return Verdict.LEFT_OUT, None, _("It is over.")
    if in_holiday:
        return Verdict.LEFT_OUT, None, _("It is in a holiday.")
    if session is None:
        return Verdict.NEW, None, ""
    stands = Span(session.starts_at, session.ends_at)
    room = session.room.name if session.room else ""
    if stands == one.span and room.casefold() == one.room.casefold():
        return Verdict.SAME, None, ""
    if session.pk not in free:
        return Verdict.LEFT_OUT, None, _("It has begun here, so it is not moved.")
    return Verdict.MOVED, stands, ""


def _with_clashes(course: Course, rows: Sequence[Row], known: Mapping[str | None, ClassSession]) -> list[Row]:
    """The same rows, with the lessons that are in their way; two queries."""
    places = [index for index, row in enumerate(rows) if row.verdict in (Verdict.NEW, Verdict.MOVED)]
    rooms = {room.name.casefold(): room for room in Room.objects.all()}
    drafts = []
    for index in places:
        row = rows[index]
        assert row.span is not None  # only lessons with a time are new or moved
        drafts.append(
            ClassSession(
                course=course, room=rooms.get(row.room.casefold()), starts_at=row.span.starts_at,
                ends_at=row.span.ends_at,
            )
        )  # fmt: skip
    moving = [known[rows[index].key] for index in places if rows[index].verdict is Verdict.MOVED]
    found = timetables.clashes_of(course, drafts, leaving=moving)
    answer = list(rows)
    for place, clashes in found.items():
        row = rows[places[place]]
        answer[places[place]] = Row(
            row.key, row.name, row.room, row.span, row.verdict, row.before, row.why, clashes
        )
    return answer


def _rooms(names: Iterable[str]) -> dict[str, Room]:
    """Rooms by their name in small letters; those the school does not know yet are made."""
    known = {room.name.casefold(): room for room in Room.objects.all()}
    for name in names:
        if name and name.casefold() not in known:
            known[name.casefold()] = Room.objects.create(name=name)
    return known


def undo(change: TimetableChange) -> timetables.Applied:
    """Take an import back: what it made and nobody has begun goes, what it moved or cancelled is as it was."""
    with transaction.atomic():
        change = TimetableChange.objects.select_for_update().get(pk=change.pk)
        if change.undone_at is not None or change.kind != TimetableChange.Kind.IMPORTED:
            raise errors.NothingToUndo
        change.undone_at = timezone.now()
        change.save(update_fields=["undone_at"])
        now = timezone.now()
        gone = timetables.movable(change.imported.filter(cancelled_at__isnull=True), now)
        pks = list(gone.values_list("pk", flat=True))
        ClassSession.objects.filter(pk__in=pks).delete()
        back = timetables.movable(change.course.sessions.filter(pk__in=change.before), now)
        moved = 0
        for session in back:
            kept = change.before[str(session.pk)]
            if kept is None:
                classes.restore(session)
            else:
                session.starts_at, session.ends_at = (dt.datetime.fromisoformat(text) for text in kept[:2])
                session.room = Room.objects.filter(pk=kept[2]).first()
                session.save(update_fields=["starts_at", "ends_at", "room"])
            moved += 1
    return timetables.Applied(0, moved, len(pks))
