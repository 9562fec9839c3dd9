"""Several people at the desk at the same moment, each with a connection of their own to a real database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stress.site import Site, site_in

NO_REDIS = "redis://127.0.0.1:1/0"
ROUNDS = 6

PREPARE = """
from attendance import marks
from tests import factories as make
from tests.attendance.test_desk import unsure_faces
one, two = make.teacher(), make.teacher()
course = make.course(one, students=2)
course.teachers.add(two)
student = course.students.first()
rounds = []
for _ in range(V["rounds"]):
    session = make.session(course)
    rounds.append([session.pk, [face.pk for face in unsure_faces(session, student, 3)]])
answer({"people": [one.pk, two.pk], "student": student.pk, "rounds": rounds})
"""

TOGETHER = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.contrib.auth.models import User
from django.db import connection
from attendance import errors
from attendance.desk import acts
from attendance.desk.undo import undo
from attendance.models import ClassSession, Review, Student

student = Student.objects.get(pk=V["student"])
people = list(User.objects.filter(pk__in=V["people"]).order_by("pk"))

def together(*calls):
    gate = Barrier(len(calls))
    def run(call):
        gate.wait()
        try:
            return call()
        except errors.RollcallError as error:
            return error.code
        finally:
            connection.close()
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))

def say(session, faces, by, act, who=None):
    return lambda: str(acts.decide(session, act, by, faces=faces, student=who).batch)
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, dict[str, Any]]]:
    """A site, two teachers of one course and lessons with an item each; every test takes lessons of its own."""
    with site_in(tmp_path_factory.mktemp("site"), NO_REDIS) as site:
        yield site, site.python(PREPARE, rounds=2 * ROUNDS + 1)


def some(made: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    return {**made, "rounds": made["rounds"][start:end]}


def test_two_reviewers_on_one_item_one_wins_and_the_other_is_told(desk: tuple[Site, dict[str, Any]]) -> None:
    site, made = desk
    rounds: list[Any] = site.python(
        TOGETHER
        + """
said = []
for pk, faces in V["rounds"]:
    session = ClassSession.objects.get(pk=pk)
    answers = together(say(session, faces, people[0], "is", student), say(session, faces, people[1], "not_in_class"))
    standing = Review.objects.filter(sighting__in=faces, undone_at__isnull=True)
    mark = session.marks.get(student=student)
    said.append([answers, sorted(set(standing.values_list("verdict", flat=True))), standing.count(), mark.status])
answer(said)
""",
        **some(made, 0, ROUNDS),
    )
    assert len(rounds) == ROUNDS
    for answers, verdicts, words, status in rounds:
        assert answers.count("already_decided") == 1
        assert (len(verdicts), words) == (1, 3)
        assert status == ("present" if verdicts == ["is"] else "not_evaluated")


def test_one_key_pressed_four_times_at_once_is_one_word(desk: tuple[Site, dict[str, Any]]) -> None:
    site, made = desk
    rounds = site.python(
        TOGETHER
        + """
said = []
for pk, faces in V["rounds"]:
    session = ClassSession.objects.get(pk=pk)
    batches = together(*[say(session, faces, people[0], "is", student)] * 4)
    words = Review.objects.filter(sighting__in=faces)
    undone = together(*[lambda: undo(batches[0], people[0])] * 3)
    standing = words.filter(undone_at__isnull=True).count()
    mark = session.marks.get(student=student)
    said.append([len(set(batches)), words.count(), sorted(map(str, undone)), standing, mark.to_check])
answer(said)
""",
        **some(made, ROUNDS, 2 * ROUNDS),
    )
    assert rounds == [[1, 3, ["None", "nothing_to_undo", "nothing_to_undo"], 0, True]] * ROUNDS


def test_a_withdrawal_while_the_item_is_open_leaves_no_name(desk: tuple[Site, dict[str, Any]]) -> None:
    site, made = desk
    rounds = site.python(
        TOGETHER
        + """
from attendance import privacy
from attendance.models import Candidate, FaceTemplate, Sighting
pk, faces = V["rounds"][0]
session = ClassSession.objects.get(pk=pk)
answers = together(say(session, faces, people[0], "is", student), lambda: privacy.withdraw_consent(student, people[1]))
left = Sighting.objects.filter(pk__in=faces)
answer([
    answers[1], left.filter(student=student).count(), left.filter(encoding__isnull=False).count(),
    Candidate.objects.filter(student=student).count(), FaceTemplate.objects.filter(student=student).count(),
])
""",
        **some(made, 2 * ROUNDS, 2 * ROUNDS + 1),
    )
    assert rounds == [None, 0, 0, 0, 0]
