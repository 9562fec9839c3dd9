"""Kept figures: few counted at once, many by a worker that is asked once and overwrites nothing newer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from attendance import figures, intake
from attendance.figures import Kind
from attendance.models import KeptFigures
from tests import factories as make

pytestmark = pytest.mark.django_db


@dataclass
class Faces:
    """Something that is counted: how much there is, what tells of changes, and what happens while it is counted."""

    few: bool = False
    number: int = 5
    said: str = "one"
    counted: int = 0
    meanwhile: list[Any] = field(default_factory=list)

    def count(self, _course_id: int | None) -> int:
        self.counted += 1
        for act in self.meanwhile:
            act()
        return self.number

    @property
    def kind(self) -> Kind[int]:
        return Kind(
            "faces",
            lambda _c: self.few,
            self.count,
            lambda _c: self.said,
            lambda n: {"n": n},
            lambda f: int(f["n"]),
        )

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        return {"faces": self.kind}


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that workers were asked to work out; what is done once a transaction is committed is done at once."""
    asked: list[int] = []

    def publish(_task: Any, pk: int, **_more: Any) -> bool:
        asked.append(pk)
        return True

    monkeypatch.setattr(intake, "publish", publish)
    monkeypatch.setattr(transaction, "on_commit", lambda act, **_more: act())
    return asked


@pytest.fixture
def faces() -> Faces:
    return Faces()


def row() -> KeptFigures:
    return KeptFigures.objects.get()


def older(**by: Any) -> None:
    KeptFigures.objects.update(as_of=timezone.now() - dt.timedelta(**by))


def test_few_are_counted_each_time_and_nothing_is_kept(faces: Faces, queued: list[int]) -> None:
    faces.few = True
    for number in (5, 6):
        faces.number = number
        found = figures.read(faces.kind)
        assert (found.found, found.as_of, found.working) == (number, None, False)
        assert figures.count_now(faces.kind) == number
    figures.outdated(faces.kind)
    assert not KeptFigures.objects.exists()
    assert not queued


def test_many_are_worked_out_once_by_whoever_asks_first(faces: Faces, queued: list[int]) -> None:
    for _ in range(3):
        waiting = figures.read(faces.kind)
        assert (waiting.found, waiting.as_of, waiting.working, waiting.failed) == (None, None, True, False)
    assert queued == [row().pk]
    before = timezone.now()
    assert figures.work(faces.kinds, row().pk)
    assert not figures.work(faces.kinds, row().pk), "nobody wants them any more"
    kept = figures.read(faces.kind)
    assert (kept.found, kept.working, faces.counted) == (5, False, 1)
    assert kept.as_of is not None
    assert before <= kept.as_of <= timezone.now()
    assert kept.today
    assert len(queued) == 1


def test_old_figures_are_shown_while_a_worker_looks_whether_anything_is_new(
    faces: Faces, queued: list[int]
) -> None:
    figures.count_now(faces.kind)
    faces.number = 6
    older(minutes=16)
    shown = figures.read(faces.kind)
    assert (shown.found, shown.working) == (5, True)
    figures.work(faces.kinds, row().pk)
    assert faces.counted == 1, "nothing was said since"
    assert timezone.now() - (row().as_of or timezone.now()) < dt.timedelta(minutes=1)
    faces.said = "two"
    older(minutes=16)
    figures.read(faces.kind)
    figures.work(faces.kinds, row().pk)
    assert (faces.counted, figures.read(faces.kind).found) == (2, 6)
    assert len(queued) == 2


def test_asked_anew_they_are_counted_whatever_seems_to_have_changed(faces: Faces, queued: list[int]) -> None:
    figures.count_now(faces.kind)
    figures.ask(row(), anew=True)
    figures.ask(row(), anew=True)
    assert len(queued) == 1
    figures.work(faces.kinds, row().pk)
    assert faces.counted == 2


def test_what_became_outdated_while_it_was_counted_is_not_kept(faces: Faces, queued: list[int]) -> None:
    figures.read(faces.kind)
    faces.meanwhile = [lambda: figures.outdated(faces.kind)]
    assert figures.work(faces.kinds, row().pk)
    assert row().as_of is None
    faces.meanwhile, faces.number = [], 7
    assert figures.work(faces.kinds, row().pk)
    assert figures.read(faces.kind).found == 7
    assert len(queued) == 2


def test_a_killed_workers_figures_are_queued_again(faces: Faces, queued: list[int]) -> None:
    figures.read(faces.kind)
    figures._claim(row().pk)
    assert not figures.work(faces.kinds, row().pk), "somebody is at it"
    assert figures.sweep() == 0
    assert figures.sweep(timezone.now() + figures.LEASE * 2) == 1
    KeptFigures.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert figures.work(faces.kinds, row().pk)
    assert figures.read(faces.kind).found == 5


def test_figures_that_fail_say_so_and_are_tried_again(faces: Faces, queued: list[int]) -> None:
    def fall_over() -> None:
        raise ValueError("of a test")

    faces.meanwhile = [fall_over]
    figures.read(faces.kind)
    for _ in range(figures.MAX_ATTEMPTS):
        assert not figures.read(faces.kind).failed
        assert not figures.work(faces.kinds, row().pk)
    stuck = figures.read(faces.kind)
    assert (stuck.failed, stuck.working, stuck.found) == (True, False, None)
    assert figures.keep_fresh() == figures.sweep() == 0
    assert figures.keep_fresh(timezone.now() + figures.TRIED_AGAIN * 2) == 1
    faces.meanwhile = []
    assert figures.work(faces.kinds, row().pk)
    assert not figures.read(faces.kind).failed


def test_the_clock_keeps_fresh_what_is_looked_at_and_forgets_the_rest(
    faces: Faces, queued: list[int]
) -> None:
    figures.count_now(faces.kind)
    assert figures.keep_fresh() == 0
    now = timezone.now()
    assert figures.keep_fresh(now + figures.FRESH) == 1
    figures.work(faces.kinds, row().pk)
    assert figures.keep_fresh(now + figures.WATCHED * 2) == 0
    assert KeptFigures.objects.exists()
    KeptFigures.objects.update(looked_at=now - dt.timedelta(days=3))
    figures.read(faces.kind)
    assert now - row().looked_at < dt.timedelta(minutes=1)
    figures.keep_fresh(now + figures.FORGOTTEN * 2)
    assert not KeptFigures.objects.exists()


def test_a_course_has_its_own_and_takes_them_with_it(faces: Faces, queued: list[int]) -> None:
    course = make.course()
    figures.count_now(faces.kind)
    faces.number = 9
    figures.count_now(faces.kind, course.pk)
    assert [figures.read(faces.kind, pk).found for pk in (None, course.pk)] == [5, 9]
    course.delete()
    assert row().course_id is None


def test_figures_of_another_version_of_the_program_are_dropped(faces: Faces, queued: list[int]) -> None:
    figures.read(faces.kind)
    assert not figures.work({}, row().pk)
    assert not KeptFigures.objects.exists()


@pytest.mark.parametrize("of_a_course", [True, False])
def test_the_database_keeps_one_row_of_each(of_a_course: bool) -> None:
    course, now = make.course() if of_a_course else None, timezone.now()
    KeptFigures.objects.create(name="faces", course=course, looked_at=now)
    for changed in ({}, {"name": "others", "as_of": now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            KeptFigures.objects.create(**{"name": "faces", "course": course, "looked_at": now, **changed})
