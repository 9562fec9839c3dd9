"""From the database to what is learned: a fixed number of queries for lessons, however many faces they hold."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, F, Max, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce
from django.utils import timezone

from attendance.learned import facts
from attendance.learned.cameras import BLURRED, DARK, SMALL, CameraFaces, judge
from attendance.models import (
    Camera,
    Candidate,
    ClassSession,
    FaceTemplate,
    Mark,
    Review,
    Sighting,
    Snapshot,
)

LOOKS_BACK = dt.timedelta(days=120)
SESSIONS = 40
"""Lessons looked at, the latest ones: a course's term, or a site's last days."""
CAMERA_DAYS = dt.timedelta(days=30)
CAMERA_FACES = 10_000
"""Over all cameras."""

_POLICY = ("late_after_minutes", "early_before_minutes", "min_sightings", "min_usable_photos")
_HERE = (Mark.Status.PRESENT, Mark.Status.LATE, Mark.Status.LEFT_EARLY)


def engine_of(course_id: int | None) -> str:
    """The engine that saw the latest face of a course, or of the site; blank where there is none."""
    faces = Sighting.objects.order_by("-pk")
    if course_id is not None:
        # The highest number, asked for as such: to find the first of a course in falling order, a database walks
        # through the latest faces of all the others.
        own = Sighting.objects.filter(snapshot__session__course=course_id).order_by()
        faces = faces.filter(pk=own.aggregate(latest=Max("pk"))["latest"])
    return faces.values_list("encoder_version", flat=True).first() or ""


def latest(course_id: int | None) -> list[ClassSession]:
    """The latest closed lessons of a course, or of the site, the oldest first; one query."""
    closed = ClassSession.objects.filter(
        state=ClassSession.State.CLOSED, starts_at__gte=timezone.now() - LOOKS_BACK
    )
    if course_id is not None:
        closed = closed.filter(course=course_id)
    return list(closed.order_by("-starts_at", "-pk").select_related(None)[:SESSIONS])[::-1]


def faces_in(chosen: Sequence[ClassSession]) -> int:
    """How many faces were found in the photos of these lessons; one small query."""
    photos = Snapshot.objects.filter(session__in=chosen, state=Snapshot.State.DONE).order_by()
    return int(photos.aggregate(n=Sum("faces"))["n"] or 0)


def lessons(chosen: Sequence[ClassSession], engine_version: str) -> list[facts.Session]:
    """These lessons with the faces this engine saw; six queries."""
    rolls, said = _marks(chosen)
    photos = _photos(chosen)
    faces = _faces(chosen, engine_version)
    return [
        facts.Session(
            session_id=each.pk,
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            policy={name: getattr(each, name) for name in _POLICY},
            roster=rolls[each.pk],
            photos=tuple(photos[each.pk]),
            faces=tuple(faces[each.pk]),
            said=said[each.pk],
        )
        for each in chosen
    ]


def _marks(
    sessions: Sequence[ClassSession],
) -> tuple[Mapping[int, dict[int, bool]], Mapping[int, dict[int, bool]]]:
    enrolled = set(
        FaceTemplate.objects.filter(student__marks__session__in=sessions).values_list("student", flat=True)
    )
    rolls: dict[int, dict[int, bool]] = defaultdict(dict)
    said: dict[int, dict[int, bool]] = defaultdict(dict)
    rows = Mark.objects.filter(session__in=sessions).order_by("student")
    for session, student, status, source in rows.values_list("session", "student", "status", "source"):
        rolls[session][student] = student in enrolled
        by_person = source in (Mark.Source.MANUAL, Mark.Source.REVIEWED)
        if by_person and (status in _HERE or status == Mark.Status.ABSENT):
            said[session][student] = status in _HERE
    return rolls, said


def _photos(sessions: Sequence[ClassSession]) -> Mapping[int, list[facts.Photo]]:
    found: dict[int, list[facts.Photo]] = defaultdict(list)
    rows = Snapshot.objects.filter(session__in=sessions, state=Snapshot.State.DONE)
    columns = rows.values_list("session", "pk", "taken_at", "unusable", "camera")
    for session, pk, taken_at, unusable, camera in columns:
        found[session].append(facts.Photo(pk, taken_at, not unusable, camera))
    return found


def _faces(sessions: Sequence[ClassSession], engine_version: str) -> Mapping[int, list[facts.Face]]:
    seen = Sighting.objects.filter(
        snapshot__session__in=sessions, snapshot__state=Snapshot.State.DONE, encoder_version=engine_version
    )
    likely: dict[int, list[facts.Likeness]] = defaultdict(list)
    rows = Candidate.objects.filter(sighting__in=seen).order_by("sighting", "rank")
    for sighting, student, score, chance in rows.values_list("sighting", "student", "score", "probability"):
        likely[sighting].append(facts.Likeness(student, score, chance))
    words = _words(seen)
    found: dict[int, list[facts.Face]] = defaultdict(list)
    columns = seen.annotate(
        second_student=F("second_opinion__student"), second_chance=F("second_opinion__probability")
    ).values_list(
        "snapshot__session",
        "pk",
        "snapshot",
        "decision",
        "reason",
        "student",
        "second_student",
        "second_chance",
    )
    for session, pk, photo, decision, reason, student, second, chance in columns.order_by("pk"):
        truth, rejected, is_face = words.get(pk, (None, frozenset(), True))
        if is_face:
            found[session].append(
                facts.Face(
                    pk,
                    photo,
                    decision,
                    reason,
                    student if decision == Sighting.Decision.RECOGNISED else None,
                    tuple(likely[pk]),
                    truth,
                    rejected,
                    facts.Likeness(second, 0.0, chance) if second else None,
                )
            )
    return found


def _words(seen: QuerySet[Sighting]) -> dict[int, tuple[int | None, frozenset[int], bool]]:
    """What people said about a face: who it is, who it is not, and whether it is a face at all."""
    found: dict[int, tuple[int | None, frozenset[int], bool]] = {}
    rows = Review.objects.filter(sighting__in=seen, undone_at__isnull=True)
    for sighting, verdict, student in rows.values_list("sighting", "verdict", "student"):
        truth, rejected, is_face = found.get(sighting, (None, frozenset(), True))
        if verdict == Review.Verdict.IS:
            truth = student
        elif verdict == Review.Verdict.NOT_IN_CLASS:
            truth = facts.NOBODY
        elif verdict == Review.Verdict.NOT_A_FACE:
            is_face = False
        else:
            rejected |= {student}
        found[sighting] = (truth, rejected, is_face)
    return found


def cameras(chosen: Iterable[Camera]) -> list[tuple[Camera, CameraFaces]]:
    """How good the faces of each camera's last thirty days are, from its latest photos; two queries besides theirs."""
    each = list(chosen)
    camera_of = _latest_photos([camera.pk for camera in each])
    small, blurred = Q(quality_details__face_pixels__lt=SMALL), Q(quality_details__sharpness__lt=BLURRED)
    counted = (
        Sighting.objects.filter(snapshot__in=camera_of)
        .exclude(quality_details={})
        .order_by()
        .values_list("snapshot")
        .annotate(
            faces=Count("pk"),
            small=Count("pk", filter=small),
            blurred=Count("pk", filter=blurred) - Count("pk", filter=blurred & small),
            dark=Count("pk", filter=Q(quality_details__light__lt=DARK)),
        )
    )
    measured: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for photo, *numbers in counted:
        own = measured[camera_of[photo]]
        own[:] = map(sum, zip(own, numbers, strict=True))
    return [(camera, judge(*measured[camera.pk])) for camera in each]


def _latest_photos(cameras: Sequence[int]) -> dict[int, int]:
    """Photos with faces and their cameras: of each camera the latest that hold its share of ``CAMERA_FACES``."""
    found = Coalesce(F("faces"), 0)
    until = Window(Sum(found), partition_by=F("camera"), order_by=[F("taken_at").desc(), F("pk").desc()])
    photos = (
        Snapshot.objects.filter(camera__in=cameras, taken_at__gte=timezone.now() - CAMERA_DAYS)
        .exclude(faces=0)
        .annotate(before=until - found)
    )
    share = CAMERA_FACES // max(len(cameras), 1)
    return dict(photos.filter(before__lt=share).order_by().values_list("pk", "camera"))
