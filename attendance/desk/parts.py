"""What the desk works with: kinds of items, the roll, what students reported. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from attendance.desk.groups import Bond, Likeness, OpenFace


class Kind(StrEnum):
    REPORT = "report"
    """A student said: that wasn't me; or: I was there."""
    DISAGREEMENT = "disagreement"
    """The two networks name different students."""
    UNCERTAIN = "uncertain"
    CLAIMED_TWICE = "claimed_twice"
    SEEN_TOO_SELDOM = "seen_too_seldom"
    STRANGER = "stranger"
    NEVER_SEEN = "never_seen"
    """An enrolled student whom no camera ever recognised: one of the unnamed faces?"""


@dataclass(frozen=True, slots=True)
class RollState:
    """What is known of a student on the roll of the session."""

    student_id: int
    open: bool
    """A decision could change the mark: nobody set it by hand and it says nothing good yet."""
    to_check: bool
    seen_on: frozenset[int] = field(default_factory=frozenset)
    """Photos in which this student is named already."""
    early_until: dt.datetime | None = None
    """Marked late by the camera: a face before this instant could change that."""
    gone_from: dt.datetime | None = None
    """Marked as having left early by the camera: a face after this instant could change that."""
    missing: bool = False
    """The session is over, the student was not recognised, and nobody has said anything."""
    never_seen: bool = False
    """Could have been recognised, and was in no session of the course of late."""

    def could_change(self, faces: Iterable[OpenFace]) -> bool:
        """Whether being told that these faces are the student could change the mark."""
        if self.open:
            return True
        times = [face.taken_at for face in faces]
        early = self.early_until is not None and any(time < self.early_until for time in times)
        return early or (self.gone_from is not None and any(time > self.gone_from for time in times))


@dataclass(frozen=True, slots=True)
class Report:
    """A student's objection; ``sighting_id`` None for "I was there"."""

    contest_id: int
    student_id: int
    sighting_id: int | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class SessionFaces:
    """Everything the desk knows of one session."""

    faces: Sequence[OpenFace]
    roll: Mapping[int, RollState]
    same_person_distance: float
    bonds: Sequence[Bond] = ()
    reports: Sequence[Report] = ()
    visitors: Sequence[OpenFace] = ()
    """Faces of the course that a person said are of nobody of the class."""


@dataclass(frozen=True, slots=True)
class ItemCandidate:
    likeness: Likeness
    open: bool
    """Choosing this student could change a mark."""
    already_in_photo: bool
    """Named on another face of one of the same photos: it cannot well be both."""
    seen_in: int
    """Photos of the session in which this student is named."""

    @property
    def possible(self) -> bool:
        return self.open and not self.already_in_photo


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    kind: Kind
    faces: tuple[OpenFace, ...]
    """Best first; the first one is shown large. Empty where the item is about a student."""
    candidates: tuple[ItemCandidate, ...]
    worth: float
    """Marks a decision is expected to change, 0 to 1."""
    reasons: tuple[str, ...]
    student_id: int | None = None
    """Whom it is about: a student never seen, or one who reported."""
    groups: tuple[tuple[OpenFace, ...], ...] = ()
    """Unnamed people of the session who may be that student, likeliest first."""
    report: Report | None = None

    @property
    def probe(self) -> OpenFace:
        return self.faces[0]

    @property
    def photos(self) -> int:
        return len({face.photo_id for face in self.faces})

    @property
    def address(self) -> str:
        """Finds this item again, also after its group has grown: ``face-12``, ``student-7``, ``report-3``."""
        if self.report is not None:
            return f"report-{self.report.contest_id}"
        if self.faces:
            return f"face-{min(face.sighting_id for face in self.faces)}"
        return f"student-{self.student_id}"

    def answers_to(self, address: str) -> bool:
        """Whether ``address`` means this item: any face of a group means its group."""
        return address == self.address or any(address == f"face-{face.sighting_id}" for face in self.faces)
