"""Pages of what is learned: empty, with figures, a suggestion applied by an administrator and undone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from attendance import marks, policies, reviews
from attendance.models import Candidate, PolicyOverride
from recognition.policy import MatchPolicy
from tests import factories as make

from .conftest import SchoolFixture


def page(school: SchoolFixture, person: str = "owner") -> str:
    return school.client(person).get(reverse("web:course-learned", args=[school.course.pk])).text


@pytest.fixture
def room(school: SchoolFixture) -> SchoolFixture:
    """A dozen lessons: five students each seen twice a little short of certain, one stranger far below."""
    students = [make.student(school.course) for _ in range(6)]
    for student in students:
        make.template(student)
    for day in range(1, 13):
        start = timezone.now() - dt.timedelta(days=day)
        session = make.session(school.course, "closed", start, min_sightings=1)
        for minute in (5, 25):
            photo = make.snapshot(session, minute, camera=school.camera)
            for index, student in enumerate(students):
                stranger = index == 5
                decision, reason = ("uncertain", "middle_band") if stranger else ("recognised", "clear")
                face = make.sighting(
                    photo,
                    student,
                    decision,
                    index,
                    reason=reason,
                    quality_details={"face_pixels": 30.0, "light": 0.9},
                )
                score = -0.54 if stranger else -0.34
                Candidate.objects.create(
                    sighting=face, student=student, rank=0, distance=-score, score=score, probability=0.9
                )
                if stranger:
                    reviews.decide(face, "not_in_class", school.owner)
                elif index < 2:
                    reviews.decide(face, "is", school.owner, student)
        for student in students[:5]:
            marks.set_by_hand(session, student, "present", school.owner)
    return school


def test_too_little_says_how_much_is_missing(school: SchoolFixture) -> None:
    text = page(school)
    assert "50 more settled faces are needed" in text
    assert "Nothing to learn from yet" in text
    assert "No face that recognition had somebody in mind for" in text


def test_figures_with_their_intervals_and_advice(room: SchoolFixture) -> None:
    text = page(room)
    assert "From 72 faces that people settled and 72 that were named" in text
    assert "0 of 120" in text
    assert "Many faces are small" in text
    assert "An administrator can apply it." in text


def test_applied_by_an_administrator_and_undone(room: SchoolFixture) -> None:
    administrator, shown = room.client("administrator"), page(room, "administrator")
    assert "times more generous" in shown
    shift = shown.split('name="shift" value="')[1].split('"')[0]
    apply = reverse("web:learned-apply", args=[room.course.pk])
    assert room.client("owner").post(apply, {"shift": shift}).status_code == 404
    stale = administrator.post(apply, {"shift": "-0.050000"}, follow=True).text
    assert "has changed since this page was opened" in stale
    assert not PolicyOverride.objects.exists()

    administrator.post(apply, {"shift": shift})
    override = PolicyOverride.objects.get()
    assert override.shown["reviews_now"] > override.shown["reviews_then"]
    measured = MatchPolicy.default_for(make.ENGINE)
    assert policies.policy_for(room.course.pk, make.ENGINE).accept < measured.accept
    assert "Back to what was measured" in page(room, "administrator")
    assert "Back to what was measured" not in page(room)

    administrator.post(reverse("web:learned-undo", args=[room.course.pk]))
    assert policies.policy_for(room.course.pk, make.ENGINE) == measured
    assert "as measured" in page(room)


def test_the_site_page_pools_all_courses(room: SchoolFixture) -> None:
    text = room.client("administrator").get(reverse("web:learned")).text
    assert "From 72 faces" in text
    assert reverse("web:course-learned", args=[room.course.pk]) in text
