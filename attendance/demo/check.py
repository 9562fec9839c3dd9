"""The demo's roll and faces against the truth, which the demo knows because it made the photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from attendance.demo.people import Box
from attendance.models import ClassSession, Mark, Sighting


@dataclass(frozen=True, slots=True)
class TrueFace:
    """A face that is in a photo. ``student`` None: a stranger; ``box`` None: it is not known where."""

    student: int | None
    box: Box | None
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class TruePhoto:
    sha256: str
    faces: tuple[TrueFace, ...]


@dataclass(frozen=True, slots=True)
class TrueMark:
    student: int
    status: str
    to_check: bool = False


@dataclass(frozen=True, slots=True)
class RollLine:
    name: str
    expected: str
    found: str

    @property
    def right(self) -> bool:
        return self.expected == self.found


@dataclass(slots=True)
class FaceCounts:
    """What became of the faces of the photos."""

    students: Counter[str] = field(default_factory=Counter)
    """Of students: ``right``, ``wrong`` (another name), ``to check``, ``not named``, ``not found``."""
    unclear: Counter[str] = field(default_factory=Counter)
    """The same for faces made unclear on purpose."""
    strangers: Counter[str] = field(default_factory=Counter)
    """Of strangers: ``named``, ``to check``, ``unknown``, ``not found``."""
    elsewhere: Counter[str] = field(default_factory=Counter)
    """Found where nobody is known to be: ``named``, ``to check``, ``unknown``."""

    @property
    def wrong(self) -> int:
        named = self.strangers["named"] + self.elsewhere["named"]
        return self.students["wrong"] + self.unclear["wrong"] + named


@dataclass(frozen=True, slots=True)
class Verdict:
    roll: tuple[RollLine, ...]
    faces: FaceCounts

    @property
    def right(self) -> bool:
        """Every line of the roll is right and no face has a wrong name; without a roll, every face has its name."""
        named = self.faces.students["right"] == self.faces.students.total()
        return all(line.right for line in self.roll) and self.faces.wrong == 0 and (bool(self.roll) or named)


def judge(session: ClassSession, photos: Sequence[TruePhoto], marks: Iterable[TrueMark]) -> Verdict:
    """Compare what was recognised and marked with what is true."""
    counts = FaceCounts()
    for photo in photos:
        _judge_photo(session, photo, counts)
    return Verdict(tuple(_roll_lines(session, marks)), counts)


def _roll_lines(session: ClassSession, truth: Iterable[TrueMark]) -> list[RollLine]:
    found = {mark.student_id: mark for mark in Mark.objects.filter(session=session).select_related("student")}
    lines = []
    for expected in truth:
        mark = found[expected.student]
        lines.append(
            RollLine(
                mark.student.full_name,
                _word(expected.status, expected.to_check),
                _word(mark.status, mark.to_check),
            )
        )
    return lines


def _word(status: str, to_check: bool) -> str:
    return "to check" if to_check else str(Mark.Status(status).label)


def _judge_photo(session: ClassSession, photo: TruePhoto, counts: FaceCounts) -> None:
    sightings = list(Sighting.objects.filter(snapshot__session=session, snapshot__sha256=photo.sha256))
    for face in sorted(photo.faces, key=lambda face: face.box is None):
        sighting = _find(face, sightings)
        if sighting is not None:
            sightings.remove(sighting)
        if face.student is None:
            counts.strangers[_outcome_of_stranger(sighting)] += 1
        else:
            (counts.unclear if face.unclear else counts.students)[_outcome(face.student, sighting)] += 1
    for rest in sightings:
        counts.elsewhere[_outcome_of_stranger(rest)] += 1


def _find(face: TrueFace, sightings: Sequence[Sighting]) -> Sighting | None:
    """The found face whose middle lies nearest within the true one; without a place, one with the right name."""
    if face.box is None:
        ours = [sighting for sighting in sightings if sighting.student_id == face.student]
        return min(ours, key=lambda sighting: sighting.decision != Sighting.Decision.RECOGNISED, default=None)
    left, top, right, bottom = face.box
    x, y = (left + right) / 2, (top + bottom) / 2

    def offset(sighting: Sighting) -> float:
        across = abs(sighting.left + sighting.width / 2 - x) / (right - left)
        down = abs(sighting.top + sighting.height / 2 - y) / (bottom - top)
        return max(across, down)

    nearest = min(sightings, key=offset, default=None)
    return nearest if nearest is not None and offset(nearest) < 0.5 else None


def _outcome(student: int, sighting: Sighting | None) -> str:
    if sighting is None:
        return "not found"
    if sighting.decision == Sighting.Decision.UNCERTAIN:
        return "to check"
    if sighting.decision == Sighting.Decision.UNKNOWN:
        return "not named"
    return "right" if sighting.student_id == student else "wrong"


def _outcome_of_stranger(sighting: Sighting | None) -> str:
    if sighting is None:
        return "not found"
    return {
        str(Sighting.Decision.RECOGNISED): "named",
        str(Sighting.Decision.UNCERTAIN): "to check",
    }.get(sighting.decision, "unknown")


def table(verdict: Verdict) -> list[str]:
    """The verdict as lines of text."""
    lines = [f"{'student':24} {'is':15} {'roll says':15}"] if verdict.roll else []
    lines += [
        f"{line.name[:24]:24} {line.expected:15} {line.found:15} {'' if line.right else '<- wrong'}".rstrip()
        for line in verdict.roll
    ]
    good = sum(line.right for line in verdict.roll)
    if verdict.roll:
        lines += [f"roll: {good} of {len(verdict.roll)} lines right", ""]
    faces = verdict.faces
    for title, counter, outcomes in (
        ("students", faces.students, ("right", "wrong", "to check", "not named", "not found")),
        ("unclear on purpose", faces.unclear, ("right", "wrong", "to check", "not named", "not found")),
        ("strangers", faces.strangers, ("unknown", "named", "to check", "not found")),
        ("where nobody is", faces.elsewhere, ("unknown", "named", "to check")),
    ):
        if counter:
            told = ", ".join(f"{counter[outcome]} {outcome}" for outcome in outcomes)
            lines.append(f"faces of {title}: {counter.total()} = {told}" if title != "where nobody is" else
                         f"faces found where nobody is: {counter.total()} = {told}")  # fmt: skip
    return lines
