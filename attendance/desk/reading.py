"""From the database to what the desk works with: a fixed number of queries, however many sessions wait.

Most faces are recognised and settle nothing, so they are only counted; encodings and candidates are read for the
faces that are still open.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone

from attendance.contests import open_contests
from attendance.desk.items import Bond, Likeness, OpenFace, Report, RollState, SecondSays, SessionFaces
from attendance.engines import from_bytes
from attendance.faces import FaceStanding, Standing, standing_of
from attendance.models import (
    Candidate,
    ClassSession,
    DeskFact,
    FaceTemplate,
    Mark,
    Review,
    SecondOpinion,
    Sighting,
    Snapshot,
)
from recognition.policy import MatchPolicy

LOOKS_BACK = dt.timedelta(days=30)
SESSIONS_NEVER_SEEN = 2
"""A student is asked about as *never seen* after so many lessons without being recognised once."""
VISITORS_KEPT = 300
"""At most so many faces that are of nobody of the class are compared with, the latest first."""

SAYS_NOTHING = (Mark.Status.NOT_EVALUATED, Mark.Status.ABSENT)

Rolls = dict[int, dict[int, RollState]]


def open_marks() -> Q:
    """Marks that a face could change: no person set them, and they say nothing good yet."""
    return ~Q(source=Mark.Source.MANUAL) & (Q(to_check=True) | Q(status__in=SAYS_NOTHING))


def read(sessions: Sequence[ClassSession]) -> dict[int, SessionFaces]:
    """What there is to decide in each of these sessions, by its id."""
    rolls = _rolls(sessions)
    standings = _standings(sessions, rolls)
    reports = _reports(sessions)
    faces = _open_faces(standings, reports)
    bonds = _bonds(sessions)
    visitors = _visitors(sessions)
    return {
        session.pk: SessionFaces(
            faces=faces[session.pk],
            roll=rolls[session.pk],
            same_person_distance=_same_person_distance(faces[session.pk]),
            bonds=bonds[session.pk],
            reports=reports[session.pk],
            visitors=_of_one_engine(visitors[session.course_id], faces[session.pk]),
        )
        for session in sessions
    }


# --- the roll -------------------------------------------------------------------------------------
def _rolls(sessions: Sequence[ClassSession]) -> Rolls:
    templates = FaceTemplate.objects.filter(student_id=OuterRef("student_id"))
    marks = (
        Mark.objects.filter(session__in=sessions)
        .annotate(has_templates=Exists(templates))
        .defer("note")
        .order_by("pk")
    )
    rolls: Rolls = defaultdict(dict)
    course_of = {session.pk: session.course_id for session in sessions}
    never = _never_seen(sessions)
    for mark in marks:
        never_seen = (course_of[mark.session_id], mark.student_id) in never
        rolls[mark.session_id][mark.student_id] = _state(mark, mark.has_templates, never_seen)
    return rolls


def _state(mark: Mark, has_templates: bool, never_seen: bool) -> RollState:
    by_hand = mark.source == Mark.Source.MANUAL
    late = mark.status == Mark.Status.LATE and not by_hand
    left = mark.status == Mark.Status.LEFT_EARLY and not by_hand
    return RollState(
        mark.student_id,
        open=not by_hand and (mark.to_check or mark.status in SAYS_NOTHING),
        to_check=mark.to_check,
        has_templates=has_templates,
        early_until=mark.first_seen_at if late else None,
        gone_from=mark.last_seen_at if left else None,
        missing=not by_hand and has_templates and mark.machine_status == Mark.Status.ABSENT,
        never_seen=never_seen,
    )


def _never_seen(sessions: Sequence[ClassSession]) -> set[tuple[int, int]]:
    """(course, student) pairs that the camera missed in several lessons and saw in none."""
    rows = (
        Mark.objects.filter(
            session__course__in={session.course_id for session in sessions},
            session__starts_at__gte=timezone.now() - LOOKS_BACK,
        )
        .values("session__course_id", "student_id")
        .annotate(missed=Count("pk", filter=Q(machine_status=Mark.Status.ABSENT)), seen=Max("seen_in"))
        .filter(missed__gte=SESSIONS_NEVER_SEEN, seen=0)
        .values_list("session__course_id", "student_id")
    )
    return set(rows)


# --- faces ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Brief:
    """What says how a face stands."""

    pk: int
    session_id: int
    snapshot_id: int
    decision: str
    student_id: int | None


def _standings(
    sessions: Sequence[ClassSession], rolls: Rolls
) -> dict[int, tuple[FaceStanding, frozenset[int | None]]]:
    """How each face that is still open stands, and who it is not; the rolls learn who is named in which photo."""
    words: dict[int, list[Review]] = defaultdict(list)
    standing_words = Review.objects.filter(sighting__snapshot__session__in=sessions, undone_at__isnull=True)
    for review in standing_words.only("sighting_id", "verdict", "student_id", "undone_at"):
        words[review.sighting_id].append(review)
    rows = Sighting.objects.filter(
        snapshot__session__in=sessions, snapshot__state=Snapshot.State.DONE
    ).values_list("pk", "snapshot__session_id", "snapshot_id", "decision", "student_id")
    named_on: dict[tuple[int, int], set[int]] = defaultdict(set)
    found = {}
    for row in rows:
        brief = _Brief(*row)
        face = standing_of(brief, words[brief.pk])
        if face.standing is Standing.NAMED and face.student_id is not None:
            named_on[brief.session_id, face.student_id].add(brief.snapshot_id)
        if _is_open(face, rolls[brief.session_id]):
            found[brief.pk] = face, frozenset(word.student_id for word in words[brief.pk])
    for (session_id, student_id), photos in named_on.items():
        known = rolls[session_id].get(student_id)
        if known is not None:
            rolls[session_id][student_id] = replace(known, seen_on=frozenset(photos))
    return found


def _is_open(face: FaceStanding, roll: Mapping[int, RollState]) -> bool:
    if face.confirmed or face.standing in (Standing.STRANGER, Standing.NOT_A_FACE):
        return False
    state = roll.get(face.student_id or 0)
    return face.standing is not Standing.NAMED or (state is not None and state.to_check)


def _open_faces(
    standings: Mapping[int, tuple[FaceStanding, frozenset[int | None]]],
    reports: Mapping[int, Sequence[Report]],
) -> dict[int, list[OpenFace]]:
    about = {each.sighting_id: each for own in reports.values() for each in own if each.sighting_id}
    found: dict[int, list[OpenFace]] = defaultdict(list)
    for sighting, face in _full({*standings, *about}):
        standing, rejected = standings.get(sighting.pk, (None, frozenset()))
        report = about.get(sighting.pk)
        named = standing.student_id if standing and standing.standing is Standing.NAMED else None
        found[sighting.snapshot.session_id].append(
            replace(
                face,
                named=report.student_id if report else named,
                unsure=standing is not None and standing.standing is Standing.TO_CHECK,
                candidates=tuple(each for each in face.candidates if each.student_id not in rejected),
            )
        )
    return found


def _full(ids: Collection[int]) -> list[tuple[Sighting, OpenFace]]:
    """These faces with everything that is known of them: three queries."""
    rows = list(
        Sighting.objects.filter(pk__in=ids)
        .select_related("snapshot")
        .defer("landmarks", "chip", "snapshot__image", "snapshot__error")
        .order_by("pk")
    )
    near: dict[int, list[Likeness]] = defaultdict(list)
    for sighting_id, student_id, distance, score, probability in (
        Candidate.objects.filter(sighting__in=rows)
        .order_by("sighting_id", "rank")
        .values_list("sighting_id", "student_id", "distance", "score", "probability")
    ):
        near[sighting_id].append(Likeness(student_id, distance, score, probability))
    second = {
        sighting_id: SecondSays(student_id, probability, agreement)
        for sighting_id, student_id, probability, agreement in SecondOpinion.objects.filter(
            sighting__in=rows
        ).values_list("sighting_id", "student_id", "probability", "agreement")
    }
    return [
        (
            row,
            OpenFace(
                sighting_id=row.pk,
                photo_id=row.snapshot_id,
                taken_at=row.snapshot.taken_at,
                named=None,
                unsure=False,
                reason=row.reason,
                quality=row.quality,
                pixels=max(row.width, row.height),
                encoding=from_bytes(row.encoding) if row.encoding else None,
                candidates=tuple(near[row.pk]),
                encoder_version=row.encoder_version,
                second=second.get(row.pk),
                quality_parts=row.quality_details,
            ),
        )
        for row in rows
    ]


def _visitors(sessions: Sequence[ClassSession]) -> dict[int, list[OpenFace]]:
    """Faces of each course that a person said are of nobody of the class."""
    said = Review.objects.filter(
        verdict=Review.Verdict.NOT_IN_CLASS,
        undone_at__isnull=True,
        sighting__snapshot__session__course__in={session.course_id for session in sessions},
        sighting__encoding__isnull=False,
    ).order_by("-at", "-pk")
    rows = said.values_list(
        "sighting_id",
        "sighting__snapshot_id",
        "sighting__snapshot__session__course_id",
        "at",
        "sighting__encoding",
        "sighting__encoder_version",
    )
    found: dict[int, list[OpenFace]] = defaultdict(list)
    for pk, photo, course, at, encoding, version in rows[:VISITORS_KEPT]:
        vector = from_bytes(encoding or b"")
        found[course].append(OpenFace(pk, photo, at, None, False, "", 0.0, 0.0, vector, (), version))
    return found


def _of_one_engine(visitors: Sequence[OpenFace], faces: Sequence[OpenFace]) -> list[OpenFace]:
    """Encodings of two engines cannot be compared."""
    version = faces[0].encoder_version if faces else ""
    return [face for face in visitors if face.encoder_version == version]


def _same_person_distance(faces: Sequence[OpenFace]) -> float:
    """Mean distance under which faces are grouped as one person, as measured for the engine that saw them."""
    return MatchPolicy.default_for(faces[0].encoder_version if faces else "").same_person_distance


# --- what people and students said --------------------------------------------------------------------
def _bonds(sessions: Sequence[ClassSession]) -> dict[int, list[Bond]]:
    """Who belongs together and who does not, in the order it was said."""
    facts = (
        DeskFact.objects.filter(
            session__in=sessions,
            kind__in=[DeskFact.Kind.TOGETHER, DeskFact.Kind.APART],
            undone_at__isnull=True,
        )
        .order_by("at", "pk")
        .prefetch_related("faces")
    )
    found: dict[int, list[Bond]] = defaultdict(list)
    for fact in facts:
        sides = [frozenset(f.sighting_id for f in fact.faces.all() if f.side == side) for side in (0, 1)]
        found[fact.session_id].append(Bond(fact.kind == DeskFact.Kind.TOGETHER, sides[0], sides[1]))
    return found


def _reports(sessions: Sequence[ClassSession]) -> dict[int, list[Report]]:
    found: dict[int, list[Report]] = defaultdict(list)
    for contest in open_contests(sessions):
        found[contest.session_id].append(
            Report(contest.pk, contest.student_id, contest.sighting_id, contest.note)
        )
    return found
