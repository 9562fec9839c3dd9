"""The plan of a lesson agrees with the rules of the roll: whoever is seen as planned gets the planned mark."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance import rollcall
from attendance.demo import lesson
from attendance.demo.errors import FolderRefused
from attendance.demo.people import Cast, FacePhoto, Person

START = dt.datetime(2026, 3, 12, 9, 0, tzinfo=dt.UTC)


def person(name: str) -> Person:
    return Person(name, "", (FacePhoto(Path(f"{name}-1.jpg")),), (FacePhoto(Path(f"{name}-2.jpg")),))


def roll_of(plan: lesson.Plan) -> dict[str, rollcall.Line]:
    """The roll if every face is recognised as it is, and unclear ones are left to a person."""
    photos = [
        rollcall.Photo(number, START + dt.timedelta(minutes=minute), usable=True)
        for number, minute in enumerate(plan.minutes)
    ]
    seen = [
        rollcall.Seen(student, number, certain=number not in part.unclear)
        for student, part in enumerate(plan.students)
        for number in part.photos
    ]
    facts = rollcall.SessionFacts(
        START,
        START + lesson.LENGTH,
        final=True,
        policy=rollcall.Policy(min_sightings=min(2, len(photos)), min_usable_photos=min(3, len(photos))),
    )
    members = [rollcall.RosterMember(student) for student in range(len(plan.students))]
    lines = rollcall.take_roll(facts, members, photos, seen)
    return {part.person.name: line for part, line in zip(plan.students, lines, strict=True)}


def test_the_built_in_lesson_has_one_student_of_each_kind() -> None:
    plan = lesson.built_in(Cast(*(person(name) for name in "abcdef")), seed=1)
    lines = roll_of(plan)
    expected = {part.person.name: (part.expected, part.to_check) for part in plan.students}
    assert {name: (line.status, line.to_check) for name, line in lines.items()} == expected
    assert {status for status, _check in expected.values()} == {*rollcall.Status}
    assert sum(len(part.unclear) for part in plan.parts) == 2
    assert [part.person.name for part in plan.parts if not part.enrolled] == ["f"]


@settings(deadline=None)
@given(
    students=st.integers(1, 40),
    strangers=st.integers(0, 4),
    photos=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_a_lesson_of_a_folder_can_come_out_as_planned(
    students: int, strangers: int, photos: int, seed: int
) -> None:
    everybody = [person(str(number)) for number in range(50)]
    plan = lesson.of_folder(everybody, students=students, strangers=strangers, photos=photos, seed=seed)
    lines = roll_of(plan)
    wrong = {
        part.person.name: lines[part.person.name].status
        for part in plan.students
        if lines[part.person.name].status != part.expected
    }
    assert wrong == {}
    assert len({part.seat for part in plan.parts}) == students + strangers
    assert plan == lesson.of_folder(
        everybody, students=students, strangers=strangers, photos=photos, seed=seed
    )


def test_a_class_of_thirty_has_all_kinds_of_marks() -> None:
    everybody = [person(str(number)) for number in range(33)]
    plan = lesson.of_folder(everybody, students=30, strangers=3, photos=6, seed=1)
    kinds = Counter(part.expected for part in plan.students)
    assert kinds == {"present": 21, "late": 3, "left_early": 3, "absent": 3}


def test_too_few_people_are_refused_with_both_numbers() -> None:
    with pytest.raises(FolderRefused, match=r"2 people .* 5 students and 1 strangers"):
        lesson.of_folder([person("a"), person("b")], students=5, strangers=1, photos=6, seed=1)
