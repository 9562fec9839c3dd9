"""Reads what the desk shows: a fixed number of queries, however many sessions wait."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from attendance.desk.items import Item, Likeness, OpenFace, RollState, build_items
from attendance.engines import from_bytes
from attendance.faces import Standing, standing_of
from attendance.models import ClassSession, FaceTemplate, Mark, Sighting, Snapshot
from recognition.policy import MatchPolicy

LOOKS_BACK = dt.timedelta(days=30)
MAX_SESSIONS = 25

_SAYS_NOTHING = (Mark.Status.NOT_EVALUATED, Mark.Status.ABSENT)


@dataclass(frozen=True, slots=True)
class DeskItem:
    """An item and the session it belongs to."""

    session: ClassSession
    item: Item


def items_for(sessions: QuerySet[ClassSession]) -> list[DeskItem]:
    """What is open in these sessions of the last thirty days: most valuable first, the newest session first."""
    chosen = list(
        _with_something_open(sessions)
        .filter(starts_at__gte=timezone.now() - LOOKS_BACK)
        .order_by("-starts_at")[:MAX_SESSIONS]
    )
    if not chosen:
        return []
    rolls = _rolls(chosen)
    faces = _faces(chosen, rolls)
    found = [
        DeskItem(session, item)
        for session in chosen
        for item in build_items(
            faces[session.pk], rolls[session.pk], _same_person_distance(faces[session.pk])
        )
    ]
    return sorted(found, key=lambda each: -each.item.worth)


def worth(items: Iterable[DeskItem]) -> int:
    """Marks that deciding all of these may change, at most one for each student of a session."""
    best: dict[tuple[int, int], float] = {}
    for each in items:
        likely = next((c.likeness.student_id for c in each.item.candidates if c.open), 0)
        key = (each.session.pk, likely)
        best[key] = max(best.get(key, 0.0), each.item.worth)
    return max(1, round(sum(best.values()))) if best else 0


def _with_something_open(sessions: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
    open_marks = Mark.objects.filter(session=OuterRef("pk")).filter(_open_marks())
    faces = Sighting.objects.filter(snapshot__session=OuterRef("pk"), snapshot__state=Snapshot.State.DONE)
    return sessions.filter(Exists(open_marks), Exists(faces)).exclude(state=ClassSession.State.PLANNED)


def _open_marks() -> Q:
    return ~Q(source=Mark.Source.MANUAL) & (Q(to_check=True) | Q(status__in=_SAYS_NOTHING))


def _rolls(sessions: Sequence[ClassSession]) -> dict[int, dict[int, RollState]]:
    templates = FaceTemplate.objects.filter(student_id=OuterRef("student_id"))
    rows = (
        Mark.objects.filter(session__in=sessions)
        .annotate(has_templates=Exists(templates))
        .values_list("session_id", "student_id", "source", "status", "to_check", "has_templates")
    )
    rolls: dict[int, dict[int, RollState]] = defaultdict(dict)
    for session_id, student_id, source, status, to_check, has_templates in rows:
        is_open = source != Mark.Source.MANUAL and (to_check or status in _SAYS_NOTHING)
        rolls[session_id][student_id] = RollState(student_id, is_open, to_check, has_templates)
    return rolls


def _faces(
    sessions: Sequence[ClassSession], rolls: dict[int, dict[int, RollState]]
) -> dict[int, list[OpenFace]]:
    """Faces without a person's word; along the way the rolls learn who is named in which photo."""
    sightings = (
        Sighting.objects.filter(snapshot__session__in=sessions, snapshot__state=Snapshot.State.DONE)
        .select_related("snapshot")
        .prefetch_related("reviews", "candidates")
        .defer("landmarks", "quality_details")
    )
    found: dict[int, list[OpenFace]] = defaultdict(list)
    named_on: dict[tuple[int, int], set[int]] = defaultdict(set)
    for sighting in sightings:
        session_id = sighting.snapshot.session_id
        reviews = list(sighting.reviews.all())
        face = standing_of(sighting, reviews)
        if face.standing is Standing.NAMED and face.student_id is not None:
            named_on[session_id, face.student_id].add(sighting.snapshot_id)
        if face.confirmed or face.standing in (Standing.STRANGER, Standing.NOT_A_FACE):
            continue
        rejected = {review.student_id for review in reviews if review.undone_at is None}
        state = rolls[session_id].get(face.student_id or 0)
        if face.standing is Standing.NAMED and not (state and state.to_check):
            continue
        found[session_id].append(_open_face(sighting, face.standing, face.student_id, rejected))
    for (session_id, student_id), photos in named_on.items():
        known = rolls[session_id].get(student_id)
        if known is not None:
            rolls[session_id][student_id] = RollState(
                known.student_id, known.open, known.to_check, known.has_templates, frozenset(photos)
            )
    return found


def _open_face(
    sighting: Sighting, standing: Standing, student_id: int | None, rejected: set[int | None]
) -> OpenFace:
    return OpenFace(
        sighting_id=sighting.pk,
        photo_id=sighting.snapshot_id,
        taken_at=sighting.snapshot.taken_at,
        named=student_id if standing is Standing.NAMED else None,
        unsure=standing is Standing.TO_CHECK,
        reason=sighting.reason,
        quality=sighting.quality,
        pixels=max(sighting.width, sighting.height),
        encoding=from_bytes(sighting.encoding) if sighting.encoding else None,
        candidates=tuple(
            Likeness(row.student_id, row.distance, row.score, row.probability)
            for row in sighting.candidates.all()
            if row.student_id not in rejected
        ),
        encoder_version=sighting.encoder_version,
    )


def _same_person_distance(faces: Sequence[OpenFace]) -> float:
    """Mean distance under which faces are grouped as one person, as measured for the engine that saw them."""
    return MatchPolicy.default_for(faces[0].encoder_version if faces else "").same_person_distance
