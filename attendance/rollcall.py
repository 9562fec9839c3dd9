"""Taking the roll: roster and sightings in, one answer with its reason for everybody out. Pure.

An outer join: a student nobody saw is on the roll as well. Positive evidence always counts; the lack of it
counts only where enough usable photos were taken, so that a dead camera marks nobody absent.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

AT_ONCE = dt.timedelta(seconds=60)
"""Photos of two cameras no further apart are one look: their agents shoot together, to a few seconds."""


class Status(StrEnum):
    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    ABSENT = "absent"
    NOT_EVALUATED = "not_evaluated"


class Source(StrEnum):
    RECOGNISED = "recognised"
    REVIEWED = "reviewed"


class Evidence(StrEnum):
    """What all sightings of one student say together (``recognition.evidence``)."""

    PRESENT = "present"
    REVIEW = "review"
    NOT_SEEN = "not_seen"


class Reason(StrEnum):
    """Why a student's line reads as it does; a stable code, put into words by the pages."""

    SEEN = "seen"
    SEEN_LATE = "seen_late"
    SEEN_LEAVING = "seen_leaving"
    CONFIRMED = "confirmed"
    NEVER_SEEN = "never_seen"
    NOT_SEEN_YET = "not_seen_yet"
    TOO_FEW_PHOTOS = "too_few_photos"
    SEEN_TOO_SELDOM = "seen_too_seldom"
    FACE_TO_CHECK = "face_to_check"
    NO_TEMPLATE = "no_template"
    EXCUSED = "excused"
    """An approved excuse stands in for somebody who was not seen."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a roll is taken. Minutes are counted from the session's own start and end."""

    late_after_minutes: int = 10
    early_before_minutes: int = 10
    min_sightings: int = 2
    min_usable_photos: int = 3
    missed_photos_tell: int = 2
    """Usable photos without a student, before the first sighting or after the last, until they were not there:
    one can miss somebody who bends down."""


@dataclass(frozen=True, slots=True)
class Photo:
    photo_id: int
    taken_at: dt.datetime
    usable: bool
    camera_id: int | None = None
    """The room's camera that sent it; None for a photo by hand."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One face that counts, or may count, for one student."""

    student_id: int
    photo_id: int
    certain: bool
    """Recognised or confirmed by a person; otherwise it waits for one."""
    confirmed: bool = False
    """A person said so."""


@dataclass(frozen=True, slots=True)
class RosterMember:
    student_id: int
    has_templates: bool = True


@dataclass(frozen=True, slots=True)
class SessionFacts:
    starts_at: dt.datetime
    ends_at: dt.datetime
    final: bool
    """The session is over: who was not seen is absent, not merely unseen so far."""
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Line:
    """One student's line of the roll."""

    student_id: int
    status: Status
    reason: Reason
    source: Source = Source.RECOGNISED
    minutes_late: int | None = None
    minutes_early: int | None = None
    first_seen_at: dt.datetime | None = None
    last_seen_at: dt.datetime | None = None
    seen_in: int = 0
    to_check: bool = False


EXCUSED = "excused"
"""The status an excuse gives. The machine never says it, so it is none of ``Status``."""


def with_excuse(status: str, reason: str, excused: bool) -> tuple[str, str]:
    """(status, reason) as they stand on the roll where an approved excuse covers the lesson.

    It stands in for what nobody saw; who was seen stays present, late or gone early.
    """
    if excused and status in (Status.ABSENT, Status.NOT_EVALUATED):
        return EXCUSED, str(Reason.EXCUSED)
    return str(status), str(reason)


def take_roll(
    session: SessionFacts,
    roster: Iterable[RosterMember],
    photos: Iterable[Photo],
    sightings: Iterable[Seen],
    evidence: Mapping[int, Evidence] | None = None,
) -> list[Line]:
    """One line for each member of the roster, in the roster's order.

    ``evidence``: for a student, what the sightings weigh together; where it is missing, certain sightings are
    counted and an unsure one goes to a person. It never goes below what a person confirmed.

    The order of photos and sightings does not matter; sightings of people who are not on the roster or in
    photos that are not given are left out; two sightings of a student in one photo, or by two cameras at once,
    count once.
    """
    photos = list(photos)
    moment_of = moments(photos)
    by_id = _merged(photos, moment_of)
    timeline = sorted(
        (photo for photo in by_id.values() if photo.usable),
        key=lambda photo: (photo.taken_at, photo.photo_id),
    )
    looks = _looks(photos)
    certain: dict[int, set[int]] = defaultdict(set)
    unsure: dict[int, set[int]] = defaultdict(set)
    confirmed: set[int] = set()
    evidence = evidence or {}
    for seen in sightings:
        if seen.photo_id not in moment_of:
            continue
        (certain if seen.certain else unsure)[seen.student_id].add(moment_of[seen.photo_id])
        if seen.confirmed:
            confirmed.add(seen.student_id)
    lines = []
    for member in roster:
        sure, maybe = certain[member.student_id], unsure[member.student_id]
        weight = evidence.get(member.student_id)
        told = member.student_id in confirmed
        if weight is Evidence.PRESENT or told:
            # Who is known to be there may well be in the unsure faces too; they say from when to when.
            sure, maybe = sure | maybe, set()
        elif weight is Evidence.NOT_SEEN:
            maybe = set()
        held_back = weight in (Evidence.REVIEW, Evidence.NOT_SEEN) and bool(sure) and not told
        lines.append(
            _line(
                session,
                member,
                timeline,
                [by_id[photo_id] for photo_id in sure],
                looks=looks,
                unsure=held_back or bool(maybe - sure),
                confirmed=told,
                held_back=held_back,
            )
        )
    return lines


def moments(photos: Iterable[Photo]) -> dict[int, int]:
    """For each photo the one it counts as one with: what a room's cameras took together is one look at the class.

    A photo joins another camera's of at most ``AT_ONCE`` before it; never one of its own camera's, and one by hand
    stands alone.
    """
    found: dict[int, int] = {}
    recent: list[tuple[Photo, set[int]]] = []
    for photo in sorted(photos, key=lambda photo: (photo.taken_at, photo.photo_id)):
        found[photo.photo_id] = photo.photo_id
        if photo.camera_id is None:
            continue
        recent = [(first, by) for first, by in recent if photo.taken_at - first.taken_at <= AT_ONCE]
        for first, by in recent:
            if photo.camera_id not in by:
                by.add(photo.camera_id)
                found[photo.photo_id] = first.photo_id
                break
        else:
            recent.append((photo, {photo.camera_id}))
    return found


def _looks(photos: Sequence[Photo]) -> int:
    """Usable photos that everybody in the room would have been in: of a room's cameras the fewest of any, as one
    camera's do not tell who sat before another that was blind. Photos by hand count for each of them."""
    by_hand = sum(1 for photo in photos if photo.usable and photo.camera_id is None)
    usable = {photo.camera_id: 0 for photo in photos if photo.camera_id is not None}
    for photo in photos:
        if photo.usable and photo.camera_id is not None:
            usable[photo.camera_id] += 1
    return by_hand + min(usable.values(), default=0)


def _merged(photos: Iterable[Photo], moment_of: Mapping[int, int]) -> dict[int, Photo]:
    """One photo a moment: usable if one of its own is, taken when the first usable one was."""
    together: dict[int, list[Photo]] = defaultdict(list)
    for photo in photos:
        together[moment_of[photo.photo_id]].append(photo)
    merged = {}
    for moment, own in together.items():
        counting = [photo for photo in own if photo.usable] or own
        merged[moment] = Photo(moment, min(photo.taken_at for photo in counting), counting[0].usable)
    return merged


def _line(
    session: SessionFacts,
    member: RosterMember,
    timeline: Sequence[Photo],
    seen_on: Collection[Photo],
    *,
    looks: int,
    unsure: bool,
    confirmed: bool,
    held_back: bool,
) -> Line:
    policy = session.policy
    enough = confirmed or (len(seen_on) >= policy.min_sightings and not held_back)
    if enough and seen_on:
        return _seen_line(session, member, timeline, seen_on, confirmed)

    times = sorted(photo.taken_at for photo in seen_on)

    def unseen(status: Status, reason: Reason, *, to_check: bool = False) -> Line:
        return Line(
            member.student_id,
            status,
            reason,
            first_seen_at=times[0] if times else None,
            last_seen_at=times[-1] if times else None,
            seen_in=len(times),
            to_check=to_check,
        )

    if unsure:
        return unseen(Status.NOT_EVALUATED, Reason.FACE_TO_CHECK, to_check=True)
    if seen_on:
        return unseen(Status.NOT_EVALUATED, Reason.SEEN_TOO_SELDOM, to_check=session.final)
    if not member.has_templates:
        return unseen(Status.NOT_EVALUATED, Reason.NO_TEMPLATE)
    if not session.final:
        return unseen(Status.NOT_EVALUATED, Reason.NOT_SEEN_YET)
    if looks < policy.min_usable_photos:
        return unseen(Status.NOT_EVALUATED, Reason.TOO_FEW_PHOTOS)
    return unseen(Status.ABSENT, Reason.NEVER_SEEN)


def _seen_line(
    session: SessionFacts,
    member: RosterMember,
    timeline: Sequence[Photo],
    seen_on: Collection[Photo],
    confirmed: bool,
) -> Line:
    policy = session.policy
    first = min(photo.taken_at for photo in seen_on)
    last = max(photo.taken_at for photo in seen_on)
    late = _whole_minutes(first - session.starts_at)
    early = _whole_minutes(session.ends_at - last)
    # Without earlier photos that lack the student, the camera and not the student may have been late.
    missed_before = sum(session.starts_at <= photo.taken_at < first for photo in timeline)
    missed_after = sum(last < photo.taken_at <= session.ends_at for photo in timeline)
    is_late = late > policy.late_after_minutes and missed_before >= policy.missed_photos_tell
    # One confirmed face says that somebody was there, not how long.
    has_left = (
        session.final
        and len(seen_on) >= policy.min_sightings
        and early > policy.early_before_minutes
        and missed_after >= policy.missed_photos_tell
    )
    if is_late:
        status, reason = Status.LATE, Reason.SEEN_LATE
    elif has_left:
        status, reason = Status.LEFT_EARLY, Reason.SEEN_LEAVING
    else:
        status, reason = Status.PRESENT, Reason.CONFIRMED if confirmed else Reason.SEEN
    return Line(
        member.student_id,
        status,
        reason,
        source=Source.REVIEWED if confirmed else Source.RECOGNISED,
        minutes_late=late if is_late else None,
        minutes_early=early if has_left else None,
        first_seen_at=first,
        last_seen_at=last,
        seen_in=len(seen_on),
    )


def _whole_minutes(span: dt.timedelta) -> int:
    """Begun minutes do not count; a negative span is 0."""
    return max(0, int(span.total_seconds() // 60))
