"""From the database to what the desk works with: a fixed number of queries, however many sessions wait.

Most faces are recognised and settle nothing, so they stay in the database: what is read are the faces that are still
open, those a person spoke of, and where the students they could be are named already.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone

from attendance.contests import open_contests
from attendance.desk import rolls
from attendance.desk.items import Bond, Likeness, OpenFace, Report, SecondSays, SessionFaces
from attendance.desk.rolls import OfSession
from attendance.engines import from_bytes
from attendance.faces import FaceStanding, Standing, standing_of
from attendance.models import Candidate, ClassSession, DeskFact, Review, Sighting, Snapshot
from attendance.retention import periods
from recognition.policy import MatchPolicy

VISITORS_KEPT = 300
"""At most so many faces that are of nobody of the class are compared with, the latest first."""
SLACK = dt.timedelta(days=2)
"""Until a photo whose days are over has surely lost its faces."""


def read(sessions: Sequence[ClassSession]) -> dict[int, SessionFaces]:
    """What there is to decide in each of these sessions, by its id."""
    reports = _reports(sessions)
    judged = _judged(sessions, rolls.to_check(sessions))
    faces = _open_faces(judged.open, reports)
    students = _students(faces, reports)
    roll = rolls.read(sessions, students, _seen_on(sessions, students, judged))
    bonds = _bonds(sessions)
    visitors = _visitors(sessions, faces)
    return {
        session.pk: SessionFaces(
            faces=faces[session.pk],
            roll=roll[session.pk],
            same_person_distance=_same_person_distance(faces[session.pk]),
            bonds=bonds[session.pk],
            reports=reports[session.pk],
            visitors=_of_one_engine(visitors[session.course_id], faces[session.pk]),
        )
        for session in sessions
    }


def _students(faces: Mapping[int, Sequence[OpenFace]], reports: Mapping[int, Sequence[Report]]) -> set[int]:
    """Everybody these faces could be, or a report is about."""
    known = [face for own in faces.values() for face in own]
    found = {near.student_id for face in known for near in face.candidates}
    found |= {face.named for face in known if face.named is not None}
    return found | {report.student_id for own in reports.values() for report in own}


# --- faces ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Brief:
    """What says how a face stands."""

    session_id: int
    snapshot_id: int
    decision: str
    student_id: int | None


@dataclass(frozen=True, slots=True)
class _Word:
    """What a person said of a face, and has not taken back."""

    verdict: str
    student_id: int | None
    undone_at: None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """The faces that recognition alone does not settle."""

    ids: Collection[int]
    open: Mapping[int, tuple[FaceStanding, frozenset[int | None]]]
    """How each one that is still open stands, and who it is not."""
    named_on: Mapping[OfSession, set[int]]
    """In which photos the others name a student."""


def _of(sessions: Sequence[ClassSession]) -> QuerySet[Sighting]:
    return Sighting.objects.filter(
        snapshot__session__in=sessions, snapshot__state=Snapshot.State.DONE
    ).order_by()


def _judged(sessions: Sequence[ClassSession], waiting: Collection[OfSession]) -> _Judged:
    """``waiting``: students whose marks are to be checked; a face that is recognised as one of them may be open."""
    standing_words = FilteredRelation("reviews", condition=Q(reviews__undone_at__isnull=True))
    rows = (
        _of(sessions)
        .annotate(said=standing_words)
        .filter(
            Q(said__isnull=False)
            | Q(student__isnull=True)
            | ~Q(decision=Sighting.Decision.RECOGNISED)
            | Q(student__in={student for _session, student in waiting})
        )
        .values_list(
            "pk",
            "snapshot__session_id",
            "snapshot_id",
            "decision",
            "student_id",
            "said__verdict",
            "said__student_id",
        )
    )
    briefs: dict[int, _Brief] = {}
    words: dict[int, list[_Word]] = defaultdict(list)
    for pk, session_id, snapshot_id, decision, student_id, verdict, about in rows:
        briefs[pk] = _Brief(session_id, snapshot_id, decision, student_id)
        if verdict is not None:
            words[pk].append(_Word(verdict, about))
    found, named_on = {}, defaultdict(set)
    for pk, brief in briefs.items():
        face = standing_of(brief, words[pk])
        if face.standing is Standing.NAMED and face.student_id is not None:
            named_on[brief.session_id, face.student_id].add(brief.snapshot_id)
        if _is_open(face, (brief.session_id, face.student_id or 0) in waiting):
            found[pk] = face, frozenset(word.student_id for word in words[pk])
    return _Judged(briefs.keys(), found, named_on)


def _is_open(face: FaceStanding, waits: bool) -> bool:
    if face.confirmed or face.standing in (Standing.STRANGER, Standing.NOT_A_FACE):
        return False
    return face.standing is not Standing.NAMED or waits


def _seen_on(
    sessions: Sequence[ClassSession], students: Collection[int], judged: _Judged
) -> Mapping[OfSession, set[int]]:
    """The photos in which each of these students is named, by session and student."""
    found = defaultdict(set, judged.named_on)
    rows = _of(sessions).filter(decision=Sighting.Decision.RECOGNISED, student__in=students)
    for pk, session_id, student_id, snapshot_id in rows.values_list(
        "pk", "snapshot__session_id", "student_id", "snapshot_id"
    ):
        if pk not in judged.ids:
            found[session_id, student_id].add(snapshot_id)
    return found


def _open_faces(
    standings: Mapping[int, tuple[FaceStanding, frozenset[int | None]]],
    reports: Mapping[int, Sequence[Report]],
) -> dict[int, list[OpenFace]]:
    about = {each.sighting_id: each for own in reports.values() for each in own if each.sighting_id}
    found: dict[int, list[OpenFace]] = defaultdict(list)
    for session_id, face in _full({*standings, *about}):
        standing, rejected = standings.get(face.sighting_id, (None, frozenset()))
        report = about.get(face.sighting_id)
        named = standing.student_id if standing and standing.standing is Standing.NAMED else None
        found[session_id].append(
            replace(
                face,
                named=report.student_id if report else named,
                unsure=standing is not None and standing.standing is Standing.TO_CHECK,
                candidates=tuple(each for each in face.candidates if each.student_id not in rejected),
            )
        )
    return found


def _full(ids: Collection[int]) -> list[tuple[int, OpenFace]]:
    """These faces with everything that is known of them, each with its session: two queries."""
    near: dict[int, list[Likeness]] = defaultdict(list)
    for sighting_id, student_id, distance, score, probability in (
        Candidate.objects.filter(sighting__in=ids)
        .order_by("sighting_id", "rank")
        .values_list("sighting_id", "student_id", "distance", "score", "probability")
    ):
        near[sighting_id].append(Likeness(student_id, distance, score, probability))
    rows = (
        Sighting.objects.filter(pk__in=ids)
        .order_by("pk")
        .values_list(
            "pk", "snapshot__session_id", "snapshot_id", "snapshot__taken_at", "reason", "quality", "width", "height",
            "encoding", "encoder_version", "quality_details",
            "second_opinion__student_id", "second_opinion__probability", "second_opinion__agreement",
        )
    )  # fmt: skip
    return [
        (
            session_id,
            OpenFace(
                sighting_id=pk,
                photo_id=photo_id,
                taken_at=taken_at,
                named=None,
                unsure=False,
                reason=reason,
                quality=quality,
                pixels=max(width, height),
                encoding=from_bytes(encoding) if encoding else None,
                candidates=tuple(near[pk]),
                encoder_version=version,
                second=SecondSays(second, chance, agreement) if agreement is not None else None,
                quality_parts=parts,
            ),
        )
        for (
            pk, session_id, photo_id, taken_at, reason, quality, width, height, encoding, version, parts,
            second, chance, agreement,
        ) in rows
    ]  # fmt: skip


def _visitors(
    sessions: Sequence[ClassSession], faces: Mapping[int, Sequence[OpenFace]]
) -> dict[int, list[OpenFace]]:
    """Faces that a person said are of nobody of the class, of each course in which nobody recognises somebody.

    No face is kept longer than its photo, and nobody speaks of it before it is there: older words are not looked at.
    """
    courses = {
        session.course_id
        for session in sessions
        if any(face.named is None and not face.unsure for face in faces[session.pk])
    }
    said = Review.objects.filter(
        verdict=Review.Verdict.NOT_IN_CLASS,
        undone_at__isnull=True,
        at__gte=timezone.now() - dt.timedelta(days=periods.longest("photo_days")) - SLACK,
        sighting__snapshot__session__course__in=courses,
        sighting__snapshot__expired_at__isnull=True,
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
