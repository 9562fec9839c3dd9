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
    """What the machine alone makes of some lessons, in numbers."""

    shift: float
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
    marks_changed: int

    @property
    def reviews_saved(self) -> int:
        return self.now.reviews - self.then.reviews


class Replays:
    """Lessons that are replayed at many strictnesses: what no threshold moves is worked out once, a student's line
    only for clues that no other strictness gave, and each strictness once."""

    def __init__(self, sessions: Sequence[Session], policy: MatchPolicy) -> None:
        self._policy = policy
        self._lessons = [_Lesson(session) for session in sessions]
        self._found: dict[float, tuple[Outcome, list[rollcall.Line]]] = {}

    def at(self, shift: float) -> Outcome:
        """The rolls of these lessons as they would read with every threshold moved by ``shift``."""
        return self._at(shift)[0]

    def marks_changed(self, one: float, other: float) -> int:
        """Marks whose status differs between two strictnesses."""
        pairs = zip(self._at(one)[1], self._at(other)[1], strict=True)
        return sum(line.status != changed.status for line, changed in pairs)

    def _at(self, shift: float) -> tuple[Outcome, list[rollcall.Line]]:
        key = round(shift, 9)
        if key not in self._found:
            self._found[key] = self._replay(shift)
        return self._found[key]

    def _replay(self, shift: float) -> tuple[Outcome, list[rollcall.Line]]:
        moved = shifted(self._policy, shift)
        lines: list[rollcall.Line] = []
        wrong_marks = wrong_names = 0
        for lesson in self._lessons:
            named = names(lesson.ranked, lesson.enrolled, moved)
            wrong_names += sum(certain and _is_wrong(face, student) for face, student, certain in named)
            own = lesson.roll(named, moved)
            wrong_marks += sum(_contradicts(line, lesson.said) for line in own)
            lines += own
        return Outcome(shift, sum(line.to_check for line in lines), wrong_marks, wrong_names), lines


def suggest(sessions: Sequence[Session], policy: MatchPolicy, current: float = 0.0) -> Suggestion | None:
    """The strictness with the fewest wrong marks, then the fewest reviews; None where none is worth a change.

    Never one that gives more wrong names or wrong marks than now; and a more generous one only where one step
    further would still give none more, so that nobody stands just beyond the threshold. Ask ``missing`` first.
    """
    replays = Replays(sessions, policy)
    now = replays.at(current)
    step = abs(STEPS[1] - STEPS[0]) * policy.step_per_decade
    tried = [replays.at(each * policy.step_per_decade) for each in STEPS]
    reserve = [replays.at(tried[0].shift - step), *tried[:-1]]

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
    return Suggestion(best.shift, now, best, replays.marks_changed(current, best.shift))


def missing(sessions: Sequence[Session]) -> tuple[int, int]:
    """How many settled faces, and how many of these that were not their likeliest student, a suggestion waits for."""
    settled = [face for session in sessions for face in session.faces if face.settled]
    not_them = sum(bool(face.candidates) and face.truth != face.candidates[0].student_id for face in settled)
    return max(0, ENOUGH_SETTLED - len(settled)), max(0, ENOUGH_NOT_THEM - not_them)


Named = tuple[Face, int, bool]
"""A face, the student it stands for, and whether it does so for certain."""


def names(ranked: Iterable[Face], enrolled: int, policy: MatchPolicy) -> list[Named]:
    """Every face that stands for somebody; nobody twice in one photo. ``ranked``: the clearest first."""
    accept, review = policy.thresholds(enrolled)
    named: list[Named] = []
    taken: set[tuple[int, int]] = set()
    for face in ranked:
        best = face.candidates[0]
        if best.score < review:
            break
        alone = len(face.candidates) < 2 or face.candidates[1].score <= best.score - policy.margin
        certain = face.reason in BY_SCORE and best.score >= accept and alone
        if (face.photo_id, best.student_id) in taken:
            certain = False
        if certain:
            taken.add((face.photo_id, best.student_id))
        named.append((face, best.student_id, certain))
    return named


Clue = tuple[frozenset[tuple[int, bool]], rollcall.Evidence | None]
"""All that a student's line depends on: photos and whether certainly seen there, and what the sightings weigh."""


class _Lesson:
    """One lesson with what no threshold moves."""

    def __init__(self, session: Session) -> None:
        known = [face for face in session.faces if face.candidates and face.reason != "consent_withdrawn"]
        self.ranked = sorted(known, key=lambda face: -face.candidates[0].score)
        self.enrolled = max(session.enrolled, 1)
        self.said = session.said
        self._photos = [
            rollcall.Photo(each.photo_id, each.taken_at, each.usable, each.camera_id)
            for each in session.photos
        ]
        self._moment_of = rollcall.moments(self._photos)
        self._facts = rollcall.SessionFacts(
            session.starts_at, session.ends_at, final=True, policy=rollcall.Policy(**session.policy)
        )
        self._roster = [
            rollcall.RosterMember(student_id, templates) for student_id, templates in session.roster.items()
        ]
        self._lines: dict[tuple[int, Clue], rollcall.Line] = {}

    def roll(self, named: Sequence[Named], policy: MatchPolicy) -> list[rollcall.Line]:
        """One line for each student of the roster. Lines do not depend on each other, so known ones are not made
        again."""
        seen: dict[int, set[tuple[int, bool]]] = defaultdict(set)
        for face, student_id, certain in named:
            seen[student_id].add((face.photo_id, certain))
        weighed = self._evidence(named, policy)
        keys = [
            (member.student_id, (frozenset(seen[member.student_id]), weighed.get(member.student_id)))
            for member in self._roster
        ]
        new = [member for member, key in zip(self._roster, keys, strict=True) if key not in self._lines]
        if new:
            sightings = [
                rollcall.Seen(member.student_id, photo_id, certain=certain)
                for member in new
                for photo_id, certain in seen[member.student_id]
            ]
            for line in rollcall.take_roll(self._facts, new, self._photos, sightings, weighed):
                clue = (frozenset(seen[line.student_id]), weighed.get(line.student_id))
                self._lines[line.student_id, clue] = line
        return [self._lines[key] for key in keys]

    def _evidence(self, named: Sequence[Named], policy: MatchPolicy) -> dict[int, rollcall.Evidence]:
        """As ``marks`` weighs a student's sightings, with probabilities from the policy at hand."""
        weights: dict[int, list[evidence.SightingEvidence]] = defaultdict(list)
        for face, student_id, _certain in named:
            chance = policy.probability(face.candidates[0].score, self.enrolled)
            stored = face.candidates[0].probability
            if face.reason not in BY_SCORE and chance is not None and stored is not None:
                chance = min(chance, stored)  # held back for a reason that is no threshold's
            if chance is not None and face.photo_id in self._moment_of:
                weights[student_id].append(evidence.SightingEvidence(self._moment_of[face.photo_id], chance))
        return {
            student_id: rollcall.Evidence(evidence.presence(own, policy).decision)
            for student_id, own in weights.items()
        }


def _is_wrong(face: Face, student_id: int) -> bool:
    return (face.settled and face.truth != student_id) or student_id in face.rejected


def _contradicts(line: rollcall.Line, said: Mapping[int, bool]) -> bool:
    if line.student_id not in said or line.to_check:
        return False
    if said[line.student_id]:
        return line.status is rollcall.Status.ABSENT
    return line.status in HERE
