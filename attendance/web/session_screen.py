"""What a session page shows: facts in, plain rows out. The number of queries does not depend on the class."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.urls import reverse
from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from attendance import excuses, waiting
from attendance.faces import FaceStanding, Standing, standing_of
from attendance.marks import BY_CODE
from attendance.models import ClassSession, Mark, Sighting, Snapshot, Student
from attendance.web import mood_screen
from attendance.web.faces import portrait_urls
from attendance.web.mood_screen import MoodScreen
from attendance.web.words import FACE_REASONS, MARK_REASONS, UNUSABLE, in_words, status_word

HERE = ("present", "late", "left_early")
BOX_STYLE = {
    Standing.NAMED: "recognised",
    Standing.TO_CHECK: "uncertain",
    Standing.UNKNOWN: "unknown",
    Standing.STRANGER: "unknown",
}


@dataclass(frozen=True, slots=True)
class Box:
    """One face over a photo, in pixels of the photo; text form so that no locale can touch the numbers."""

    id: int
    left: str
    top: str
    width: str
    height: str
    bottom: str
    decision: str
    label: str
    words: str
    href: str
    student_id: int | None


@dataclass(frozen=True, slots=True)
class PhotoView:
    """The large photo."""

    id: int
    url: str
    width: str
    height: str
    corner: str
    alt: str
    boxes: list[Box]


@dataclass(frozen=True, slots=True)
class Thumb:
    id: int
    url: str
    taken_at: dt.datetime
    state: str
    faces: int | None
    caption: str
    current: bool
    clock_suspect: bool
    error: str = ""
    """What went wrong, for whoever looks after the server."""
    again_url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One student's line."""

    student: Student
    mark: Mark
    shown_status: str
    portrait_url: str
    dots: list[str]
    reason: str
    machine_said: str
    excuse: str = ""
    """Why the student is excused, whether or not they came."""
    check_id: int | None = None
    check_url: str = ""
    can_undo: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    total: int
    here: int
    to_check: int
    others: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class SessionScreen:
    session: ClassSession
    tally: Tally
    rows: list[Row]
    thumbs: list[Thumb]
    photo: PhotoView | None
    chosen: bool
    """The person chose this photo; otherwise the page follows the newest one."""
    photos_done: int
    photos_failed: int
    busy: bool
    last_photo_at: dt.datetime | None
    etag: str = ""
    failed: list[Thumb] = field(default_factory=list)
    mood: MoodScreen | None = None
    mood_prohibited: bool = False
    """The demo shows none here, and says why."""


@dataclass(frozen=True, slots=True)
class _Face:
    sighting: Sighting
    standing: FaceStanding


def etag_of(session: ClassSession, photo_id: int | None, language: str) -> str:
    """Changes whenever the live part of the page would read differently; one small query."""
    states = Counter(session.snapshots.order_by().values_list("state", flat=True))
    counts = ".".join(f"{state}{states[state]}" for state in sorted(states))
    return f'"{session.pk}-{session.roll_version}-{session.state}-{counts}-{photo_id or 0}-{language}"'


def stands(session: ClassSession) -> str:
    """What the page's buttons depend on: the state, or that it is cancelled."""
    return "cancelled" if session.is_cancelled else session.state


def build(session: ClassSession, photo_id: int | None = None) -> SessionScreen:
    """Everything the live part of a session page shows. ``photo_id``: the photo a person chose to look at."""
    snapshots = list(session.snapshots.order_by("taken_at", "pk"))
    faces = _faces(session)
    marks = list(session.marks.select_related("student"))
    marks.sort(key=lambda mark: _sort_key(mark.student))
    students = {mark.student_id: mark.student for mark in marks}
    missing = {face.standing.student_id for face in faces if face.standing.student_id} - students.keys()
    names = students | Student.objects.in_bulk([pk for pk in missing if pk is not None])

    current = _current(snapshots, photo_id)
    rows = _rows(session, marks, snapshots, faces)
    thumbs = [_thumb(session, snapshot, faces, current) for snapshot in snapshots]
    return SessionScreen(
        session=session,
        tally=tally_of(marks),
        rows=rows,
        thumbs=thumbs,
        photo=_photo(session, current, faces, names) if current else None,
        chosen=photo_id is not None and current is not None and current.pk == photo_id,
        photos_done=sum(snapshot.state == Snapshot.State.DONE for snapshot in snapshots),
        photos_failed=sum(snapshot.state == Snapshot.State.FAILED for snapshot in snapshots),
        busy=any(snapshot.state in waiting.STATES for snapshot in snapshots),
        last_photo_at=max((snapshot.taken_at for snapshot in snapshots), default=None),
        failed=[thumb for thumb in thumbs if thumb.again_url],
        mood=mood_screen.build(session),
        mood_prohibited=mood_screen.prohibited_for_the_demo(session),
    )


def row_of(session: ClassSession, student: Student) -> Row:
    """One line alone, after a person changed it."""
    mark = session.marks.select_related("student").get(student=student)
    snapshots = list(session.snapshots.order_by("taken_at", "pk"))
    return _rows(session, [mark], snapshots, _faces(session))[0]


def tally_of(marks: Iterable[Mark]) -> Tally:
    """How many are here, how many wait for a person, and the rest by status."""
    marks = list(marks)
    counts = Counter(mark.status for mark in marks if not mark.to_check)
    order = ("late", "left_early", "excused", "absent", "not_evaluated")
    return Tally(
        total=len(marks),
        here=sum(counts[status] for status in HERE),
        to_check=sum(mark.to_check for mark in marks),
        others=[(status, counts[status]) for status in order if counts[status]],
    )


def _sort_key(student: Student) -> tuple[str, str]:
    return student.sort_name.casefold(), student.number


def _faces(session: ClassSession) -> list[_Face]:
    sightings = (
        Sighting.objects.filter(snapshot__session=session)
        .defer("encoding", "landmarks", "quality_details")
        .prefetch_related("reviews")
        .order_by("snapshot__taken_at", "snapshot_id", "index")
    )
    return [_Face(sighting, standing_of(sighting, sighting.reviews.all())) for sighting in sightings]


def _current(snapshots: list[Snapshot], photo_id: int | None) -> Snapshot | None:
    """The photo asked for, else the newest one that was looked at, else the newest."""
    by_id = {snapshot.pk: snapshot for snapshot in snapshots}
    if photo_id in by_id:
        return by_id[photo_id]
    done = [snapshot for snapshot in snapshots if snapshot.state == Snapshot.State.DONE]
    looked_at = done or snapshots
    return looked_at[-1] if looked_at else None


def _rows(
    session: ClassSession, marks: list[Mark], snapshots: list[Snapshot], faces: list[_Face]
) -> list[Row]:
    usable = [snap.pk for snap in snapshots if snap.state == Snapshot.State.DONE and not snap.unusable]
    named: dict[int, list[Sighting]] = defaultdict(list)
    unsure: dict[int, list[Sighting]] = defaultdict(list)
    for face in faces:
        student_id = face.standing.student_id
        if student_id is None:
            continue
        if face.standing.standing is Standing.NAMED:
            named[student_id].append(face.sighting)
        elif face.standing.standing is Standing.TO_CHECK:
            unsure[student_id].append(face.sighting)
    portraits = portrait_urls(mark.student_id for mark in marks)
    why = excuses.covering_session(session)
    return [
        replace(
            _row(
                mark,
                usable,
                named[mark.student_id],
                unsure[mark.student_id],
                portraits.get(mark.student_id, ""),
            ),
            excuse=excuses.in_words(why[mark.student_id]) if mark.student_id in why else "",
        )
        for mark in marks
    ]


def _row(mark: Mark, usable: list[int], named: list[Sighting], unsure: list[Sighting], portrait: str) -> Row:
    seen, maybe = ({sighting.snapshot_id for sighting in faces} for faces in (named, unsure))
    # Faces that are each clear can still be too little together; then the best of them is asked about.
    asked = (unsure or named) if mark.to_check else []
    best = max(asked, key=lambda sighting: sighting.quality, default=None)
    by_hand = mark.source == Mark.Source.MANUAL
    differs = by_hand and mark.machine_status not in (mark.status, Mark.Status.NOT_EVALUATED)
    return Row(
        student=mark.student,
        mark=mark,
        shown_status="check" if mark.to_check else mark.status,
        portrait_url=portrait,
        # Somebody without an enrolled photo cannot be seen; empty dots would look like absence.
        dots=[]
        if mark.machine_reason == "no_template"
        else ["on" if pk in seen else "maybe" if pk in maybe else "off" for pk in usable],
        reason=in_words(MARK_REASONS, mark.reason) if mark.reason == BY_CODE or not by_hand else "",
        machine_said=status_word(mark.machine_status) if differs else "",
        check_id=best.pk if best else None,
        check_url=reverse("web:face-crop", args=[best.pk]) if best and best.chip else "",
        can_undo=by_hand,
    )


def _thumb(session: ClassSession, snapshot: Snapshot, faces: list[_Face], current: Snapshot | None) -> Thumb:
    found = sum(
        face.sighting.snapshot_id == snapshot.pk and face.standing.standing is not Standing.NOT_A_FACE
        for face in faces
    )
    if snapshot.state == Snapshot.State.DONE:
        caption = in_words(UNUSABLE, snapshot.unusable).split(":")[0] if snapshot.unusable else ""
    else:
        caption = str(snapshot.get_state_display())
    failed = snapshot.state == Snapshot.State.FAILED
    return Thumb(
        id=snapshot.pk,
        url=reverse("web:photo", args=[snapshot.pk, "thumb"]) if snapshot.image else "",
        taken_at=snapshot.taken_at,
        state=snapshot.state,
        faces=found if snapshot.state == Snapshot.State.DONE else None,
        caption=caption,
        current=current is not None and current.pk == snapshot.pk,
        clock_suspect=snapshot.clock_suspect,
        error=snapshot.error if failed else "",
        again_url=reverse("web:photo-again", args=[session.pk, snapshot.pk]) if failed else "",
    )


def _photo(
    session: ClassSession, snapshot: Snapshot, faces: list[_Face], names: Mapping[int, Student]
) -> PhotoView:
    time = time_format(localtime(snapshot.taken_at), "H:i")
    boxes = [
        _box(session, face, names)
        for face in faces
        if face.sighting.snapshot_id == snapshot.pk and face.standing.standing is not Standing.NOT_A_FACE
    ]
    if not snapshot.image:
        alt = _("The photo of %(time)s has expired; what was seen in it stays on the roll.") % {"time": time}
    elif snapshot.state == Snapshot.State.DONE:
        alt = ngettext(
            "Classroom at %(time)s, %(n)d face found", "Classroom at %(time)s, %(n)d faces found", len(boxes)
        ) % {"time": time, "n": len(boxes)}
    else:
        alt = _("Classroom at %(time)s") % {"time": time}
    return PhotoView(
        id=snapshot.pk,
        url=reverse("web:photo", args=[snapshot.pk, "view"]) if snapshot.image else "",
        width=str(snapshot.width),
        height=str(snapshot.height),
        corner=str(max(snapshot.width // 250, 2)),
        alt=alt,
        boxes=boxes,
    )


def _box(session: ClassSession, face: _Face, names: Mapping[int, Student]) -> Box:
    sighting, standing = face.sighting, face.standing
    student = names.get(standing.student_id) if standing.student_id else None
    if standing.standing is Standing.NAMED and student:
        label, words = _short_name(student), student.full_name
    elif standing.standing is Standing.TO_CHECK and student:
        label = _("%(name)s?") % {"name": _short_name(student)}
        words = _("To check: is this %(name)s?") % {"name": student.full_name}
    elif standing.standing is Standing.STRANGER:
        label, words = "", _("Not in this class")
    else:
        label, words = "", _("Unknown face")
    return Box(
        id=sighting.pk,
        left=f"{sighting.left:.1f}",
        top=f"{sighting.top:.1f}",
        width=f"{sighting.width:.1f}",
        height=f"{sighting.height:.1f}",
        bottom=f"{sighting.top + sighting.height:.1f}",
        decision=BOX_STYLE.get(standing.standing, "unknown"),
        label=label,
        # What is read aloud begins with what is written on the photo.
        words=": ".join(filter(None, [label, words])) + f". {in_words(FACE_REASONS, sighting.reason)}",
        href=reverse("web:face", args=[session.pk, sighting.pk]),
        student_id=standing.student_id,
    )


def _short_name(student: Student) -> str:
    """``Ruth A.``: what fits over a face."""
    return f"{student.given_name} {student.family_name[:1]}.".replace(" .", "")
