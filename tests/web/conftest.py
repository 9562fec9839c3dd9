"""Fixtures of the page tests: a school seen by everybody who might ask, and no queue behind it."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from attendance import accounts, intake, marks, schooltime
from attendance.models import (
    Camera,
    ClassSession,
    Contest,
    Course,
    FaceTemplate,
    Portrait,
    Review,
    Sighting,
    Snapshot,
    Student,
)
from tests import factories as make

PEOPLE = ("owner", "stranger", "registrar", "administrator", "pupil", "nobody")


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Slow hashes protect real accounts; here they would only make the tests slow."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """Tasks that would have been queued: (name, arguments)."""
    log: list[tuple[str, tuple[Any, ...]]] = []

    def publish(task: Any, *arguments: Any, priority: int | None = None) -> bool:
        log.append((task.name.rsplit(".", 1)[-1], arguments))
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log


@dataclasses.dataclass(frozen=True)
class SchoolFixture:
    """One of everything a page can show, and a client for each person."""

    owner: User
    clients: dict[str, Client]
    course: Course
    session: ClassSession
    student: Student
    without_consent: Student
    snapshot: Snapshot
    failed: Snapshot
    sighting: Sighting
    unsure: Sighting
    template: FaceTemplate
    held: Portrait
    review: Review
    camera: Camera
    contest: Contest

    def client(self, person: str = "owner") -> Client:
        return self.clients[person]


def add_class(course: Course, session: ClassSession, students: int) -> None:
    """Students with everything a page reads: consent, templates, faces in a photo, marks."""
    snapshot = make.snapshot(session, 5, width=800, height=600, faces=students)
    for index in range(students):
        student = make.student(course)
        make.template(student)
        make.sighting(snapshot, student, "uncertain" if index % 3 == 2 else "recognised", index)


def build_school() -> SchoolFixture:
    people = {"owner": make.teacher("owner"), "stranger": make.teacher("stranger")}
    people |= {"registrar": make.registrar(), "administrator": make.administrator()}
    clients = {"nobody": Client()}
    for name, user in people.items():
        clients[name] = Client()
        clients[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    owner = people["owner"]
    course = make.course(owner)
    make.course(people["stranger"], students=1)
    student, unseen, without_consent = (make.student(course) for _ in range(3))
    people["pupil"] = accounts.give_login(student, people["administrator"]).user
    for name, user in people.items():
        clients[name] = Client()
        clients[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    template = make.template(student)
    make.consent(unseen)
    room = make.room()
    session = make.session(course, room=room)
    snapshot = make.snapshot(session, 5, width=800, height=600)
    failed = make.snapshot(session, 8, state="failed", attempts=3, error="OSError: no such model")
    sighting = make.sighting(snapshot, student, "recognised", 0)
    unsure = make.sighting(snapshot, unseen, "uncertain", 1)
    review = Review.objects.create(
        sighting=make.sighting(snapshot, None, "unknown", 2),
        verdict="not_in_class",
        by=owner,
        at=timezone.now(),
    )
    held = Portrait.objects.create(
        student=unseen, image=make.stored("portraits", make.jpeg(7)), sha256="7" * 64, state="held",
        problems=["looks_like_another"], looks_like=student, uploaded_by=owner, uploaded_at=timezone.now(),
    )  # fmt: skip
    camera = Camera.objects.create(
        name="Ceiling", room=room, key_hash="0" * 64, key_prefix="rcam_Ab3d", created_by=people["administrator"],
        last_seen_at=timezone.now() - dt.timedelta(days=2),
    )  # fmt: skip
    contest = Contest.objects.create(
        session=session, student=unseen, kind="was_there", note="I sat at the back", at=timezone.now()
    )
    marks.recompute(session.pk)
    return SchoolFixture(
        owner, clients, course, session, student, without_consent, snapshot, failed, sighting, unsure, template,
        held, review, camera, contest,
    )  # fmt: skip


@pytest.fixture(scope="module")
def _school_of_this_file(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SchoolFixture, Path]]:
    """Built once for a file, in a transaction that is taken back after it; no test here commits anything."""
    folder, held = tmp_path_factory.mktemp("school"), transaction.atomic()
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=folder):
        held.__enter__()
        try:
            built = build_school()
        except BaseException:
            held.__exit__(*sys.exc_info())
            raise
    yield built, folder
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        held.__exit__(None, None, None)


@pytest.fixture
def school(
    db: None, quick_passwords: None, settings: Any, _school_of_this_file: tuple[SchoolFixture, Path]
) -> SchoolFixture:
    """A copy for each test, with files of its own; what it changes in the database is taken back after it."""
    built, folder = _school_of_this_file
    shutil.copytree(folder, settings.MEDIA_ROOT, dirs_exist_ok=True)
    schooltime.school_zone()  # remembered for a minute, as it is on a site that is used
    return copy.deepcopy(built)
