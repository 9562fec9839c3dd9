"""What another strictness would have made of lessons that are over: stored candidates through the policy. Pure.

The machine alone is replayed: people's words are what its answers are compared with, never part of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from attendance import rollcall
from attendance.learned.facts import Face, Session
from recognition import evidence
from recognition.policy import Calibration, MatchPolicy

BY_SCORE = frozenset({"clear", "middle_band", "close_runner_up", "too_far", ""})
"""Reasons that thresholds alone decide; a face held back for another reason is never given a name by a replay."""
HERE = frozenset({rollcall.Status.PRESENT, rollcall.Status.LATE, rollcall.Status.LEFT_EARLY})

ENOUGH_SETTLED = 50
"""Settled faces from which a threshold is suggested: with none of 50 wrong, the rate is below 7 % (Wilson, 95 %)."""
ENOUGH_NOT_THEM = 10
"""Of these, faces that were not their likeliest student: without them nothing speaks against generosity."""
STEPS = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
"""Strictness tried, in decades of the false match rate: up to ten times as strict or as generous as measured."""
WORTH_IT = 3
"""Fewer reviews saved than this are no reason to change anything."""


def shifted(policy: MatchPolicy, shift: float) -> MatchPolicy:
    """The policy with every threshold moved by ``shift`` in score, and the probabilities with them."""
    calibration = policy.calibration
    if calibration is not None:
        moved = calibration.intercept - calibration.slope * shift
        calibration = Calibration(calibration.slope, moved)
    return replace(
        policy, accept=policy.accept + shift, review=policy.review + shift, calibration=calibration
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the machine alone makes of some lessons."""

    shift: float
    marks: Mapping[tuple[int, int], str]
    """(session, student) -> status."""
    reviews: int
    """Marks a person would be asked about."""
    wrong_marks: int
    """Marks that contradict what a person said."""
    wrong_names: int
    """Settled faces that are given somebody else's name."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A strictness that does better on what people have settled so far, and what it would have changed."""

    shift: float
    now: Outcome
    then: Outcome

    @property
    def marks_changed(self) -> int:
        return sum(self.then.marks[key] != status for key, status in self.now.marks.items())

    @property
    def reviews_saved(self) -> int:
        return self.now.reviews - self.then.reviews


def replay(sessions: Sequence[Session], policy: MatchPolicy, shift: float) -> Outcome:
    """The rolls of these lessons as they would read with every threshold moved by ``shift``."""
    moved = shifted(policy, shift)
    marks: dict[tuple[int, int], str] = {}
    reviews = wrong_marks = wrong_names = 0
    for session in sessions:
        named = _names(session, moved)
        truths = {face.sighting_id: face for face in session.faces}
        for sighting_id, (student_id, certain) in named.items():
            face = truths[sighting_id]
            wrong = (face.settled and face.truth != student_id) or student_id in face.rejected
            wrong_names += certain and wrong
        for line in _roll(session, named, moved):
            marks[session.session_id, line.student_id] = str(line.status)
            reviews += line.to_check
            wrong_marks += _contradicts(line, session.said)
    return Outcome(shift, marks, reviews, wrong_marks, wrong_names)


def suggest(sessions: Sequence[Session], policy: MatchPolicy, current: float = 0.0) -> Suggestion | None:
    """The strictness with the fewest wrong marks, then the fewest reviews; None where none is worth a change.

    Never one that gives more wrong names or wrong marks than now; and a more generous one only where one step
    further would still give none more, so that nobody stands just beyond the threshold. Ask ``missing`` first.
    """
    now = replay(sessions, policy, current)
    step = abs(STEPS[1] - STEPS[0]) * policy.step_per_decade
    tried = [replay(sessions, policy, each * policy.step_per_decade) for each in STEPS]
    reserve = [replay(sessions, policy, tried[0].shift - step), *tried[:-1]]

    def no_worse(outcome: Outcome) -> bool:
        return outcome.wrong_marks <= now.wrong_marks and outcome.wrong_names <= now.wrong_names

    fit = [
        each
        for each, beyond in zip(tried, reserve, strict=True)
        if no_worse(each) and (each.shift >= current or no_worse(beyond))
    ]
    if not fit:
        return None
    best = min(fit, key=lambda each: (each.wrong_marks, each.wrong_names, each.reviews, abs(each.shift)))
    fewer_errors = (best.wrong_marks, best.wrong_names) < (now.wrong_marks, now.wrong_names)
    if abs(best.shift - current) < 1e-9 or not (fewer_errors or now.reviews - best.reviews >= WORTH_IT):
        return None
    return Suggestion(best.shift, now, best)


def missing(sessions: Sequence[Session]) -> tuple[int, int]:
    """How many settled faces, and how many of these that were not their likeliest student, a suggestion waits for."""
    settled = [face for session in sessions for face in session.faces if face.settled]
    not_them = sum(bool(face.candidates) and face.truth != face.candidates[0].student_id for face in settled)
    return max(0, ENOUGH_SETTLED - len(settled)), max(0, ENOUGH_NOT_THEM - not_them)


def _names(session: Session, policy: MatchPolicy) -> dict[int, tuple[int, bool]]:
    """Sighting -> (student, certain) for every face that stands for somebody; nobody twice in one photo."""
    accept, review = policy.thresholds(max(session.enrolled, 1))
    named: dict[int, tuple[int, bool]] = {}
    taken: dict[tuple[int, int], float] = {}
    for face in sorted(session.faces, key=lambda each: -each.candidates[0].score if each.candidates else 0.0):
        if not face.candidates or face.reason == "consent_withdrawn" or face.candidates[0].score < review:
            continue
        best = face.candidates[0]
        alone = len(face.candidates) < 2 or face.candidates[1].score <= best.score - policy.margin
        certain = face.reason in BY_SCORE and best.score >= accept and alone
        if (face.photo_id, best.student_id) in taken:
            certain = False
        if certain:
            taken[face.photo_id, best.student_id] = best.score
        named[face.sighting_id] = (best.student_id, certain)
    return named


def _roll(
    session: Session, named: Mapping[int, tuple[int, bool]], policy: MatchPolicy
) -> Iterable[rollcall.Line]:
    faces = {face.sighting_id: face for face in session.faces}
    seen = [
        rollcall.Seen(student_id, faces[sighting_id].photo_id, certain=certain)
        for sighting_id, (student_id, certain) in named.items()
    ]
    photos = [
        rollcall.Photo(each.photo_id, each.taken_at, each.usable, each.camera_id) for each in session.photos
    ]
    facts = rollcall.SessionFacts(
        session.starts_at, session.ends_at, final=True, policy=rollcall.Policy(**session.policy)
    )
    roster = [
        rollcall.RosterMember(student_id, templates) for student_id, templates in session.roster.items()
    ]
    return rollcall.take_roll(facts, roster, photos, seen, _evidence(session, faces, named, photos, policy))


def _evidence(
    session: Session,
    faces: Mapping[int, Face],
    named: Mapping[int, tuple[int, bool]],
    photos: Sequence[rollcall.Photo],
    policy: MatchPolicy,
) -> dict[int, rollcall.Evidence]:
    """As ``marks`` weighs a student's sightings, with probabilities from the policy at hand."""
    moment_of = rollcall.moments(photos)
    weights: dict[int, list[evidence.SightingEvidence]] = defaultdict(list)
    for sighting_id, (student_id, _certain) in named.items():
        face = faces[sighting_id]
        chance = policy.probability(face.candidates[0].score, max(session.enrolled, 1))
        stored = face.candidates[0].probability
        if face.reason not in BY_SCORE and chance is not None and stored is not None:
            chance = min(chance, stored)  # held back for a reason that is no threshold's
        if chance is not None and face.photo_id in moment_of:
            weights[student_id].append(evidence.SightingEvidence(moment_of[face.photo_id], chance))
    return {
        student_id: rollcall.Evidence(evidence.presence(own, policy).decision)
        for student_id, own in weights.items()
    }


def _contradicts(line: rollcall.Line, said: Mapping[int, bool]) -> bool:
    if line.student_id not in said or line.to_check:
        return False
    if said[line.student_id]:
        return line.status is rollcall.Status.ABSENT
    return line.status in HERE
