"""Everything a person can say at the desk, by its name: pages and API ask here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User

from attendance import errors, reviews
from attendance.desk import facts
from attendance.desk.settle import settle
from attendance.models import ClassSession, DeskFact, Student


class Act(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    NOT_IN_CLASS = "not_in_class"
    NOT_A_FACE = "not_a_face"
    ABSENT = "absent"
    """Of a student: none of the faces is theirs."""
    MERGE = "merge"
    SPLIT = "split"
    GUEST = "guest"
    ON_ROSTER = "on_roster"


ELSEWHERE = (Act.GUEST, Act.ON_ROSTER)
"""About students of other courses: administrators only."""

ABOUT_A_STUDENT = (Act.IS, Act.IS_NOT, Act.ABSENT, *ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one key press did; ``batch`` takes it back."""

    batch: uuid.UUID
    faces: int
    moved: tuple[reviews.MarkMoved, ...]


def decide(
    session: ClassSession,
    act: str,
    by: User,
    *,
    faces: Sequence[int] = (),
    student: Student | None = None,
    off: Sequence[int] = (),
    shown: dict[str, Any] | None = None,
) -> Outcome:
    """Record what a person said about faces (sighting ids) or a student of a session, and take the roll again.

    ``off``: of a split, the faces of somebody else. Whether ``by`` may is asked before. Raises UnknownStatus for
    an act there is not or that lacks its student, and what ``settle`` and ``facts`` raise.
    """
    if act not in set(Act) or (act in ABOUT_A_STUDENT) != (student is not None):
        raise errors.UnknownStatus
    if act == Act.MERGE:
        return _of_fact(facts.merge(session, faces, by))
    if act == Act.SPLIT:
        return _of_fact(facts.split(session, faces, off, by))
    if student is not None and act == Act.ABSENT:
        return _of_fact(facts.really_absent(session, student, by, shown=shown))
    if student is not None and act == Act.GUEST:
        return _of_decision(facts.guest(session, faces, student, by, shown=shown))
    if student is not None and act == Act.ON_ROSTER:
        return _of_decision(facts.put_on_roster(session, faces, student, by, shown=shown))
    return _of_decision(settle(session, faces, act, by, student, shown=shown))


def _of_fact(fact: DeskFact) -> Outcome:
    moved = tuple(reviews.MarkMoved(row["student"], row["from"], row["to"]) for row in fact.changed)
    return Outcome(fact.batch, 0, moved)


def _of_decision(decision: reviews.Decision) -> Outcome:
    return Outcome(decision.batch, len(decision.reviews), decision.moved)
