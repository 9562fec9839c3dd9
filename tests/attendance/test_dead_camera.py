"""A dead camera marks nobody absent: from the photos as they come in to what the teacher reads."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from attendance import classes, intake, pipeline
from attendance.models import ClassSession
from tests import factories as make
from tests.attendance.conftest import FakeEngine

pytestmark = pytest.mark.django_db


def photo(kind: str, number: int) -> bytes:
    """A room without a face, as a lens shows it that works, is covered, or is out of focus."""
    if kind == "good":
        return make.jpeg(number)
    level = {"black": 0, "blurred": 127}[kind]
    out = io.BytesIO()
    Image.fromarray(np.full((120, 160 + number, 3), level, np.uint8)).save(out, "JPEG")
    return out.getvalue()


def after(photos: list[str]) -> ClassSession:
    """A lesson of two enrolled students from which these photos came, closed."""
    course = make.course(make.teacher("grant"), students=2)
    for student in course.students.all():
        make.template(student)
    session = make.session(course)
    for number, kind in enumerate(photos):
        pipeline.process(intake.receive(session, photo(kind, number)).snapshot.pk)
    assert session.snapshots.filter(state="done").count() == len(photos)
    return classes.close_session(session)


@pytest.mark.parametrize(
    "photos",
    [
        [],
        ["good"],
        ["good"] * 2,
        ["black"] * 5,
        ["blurred"] * 5,
        ["good", "black", "good", "blurred", "black"],
    ],
    ids=["none", "one", "two", "black", "blurred", "two and three that prove nothing"],
)
def test_too_few_usable_photos_are_not_evaluated_and_the_teacher_is_told(
    photos: list[str], engine: FakeEngine, sent: Any, client: Client
) -> None:
    session = after(photos)
    assert set(session.marks.values_list("status", "reason")) == {("not_evaluated", "too_few_photos")}
    client.force_login(session.course.teachers.get(), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("web:session", args=[session.pk])).text
    assert page.count("too few usable photos") == 2


def test_enough_usable_photos_without_anybody_do_say_absent(engine: FakeEngine, sent: Any) -> None:
    session = after(["good", "black", "good", "good"])
    assert set(session.marks.values_list("status", flat=True)) == {"absent"}
