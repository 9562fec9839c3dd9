"""Somebody else's things named in the body of a request, at an address that is one's own: they are not there."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from attendance.models import (
    CalendarFeed,
    ClassSession,
    Contest,
    Excuse,
    Mark,
    PairingCode,
    ReportJob,
    Review,
    SavedReport,
)
from tests import factories as make

from .conftest import SchoolFixture

KEPT = (CalendarFeed, ClassSession, Contest, Excuse, Mark, PairingCode, ReportJob, Review, SavedReport)
DAY = "2026-11-20"


class Stranger:
    """A teacher of another course of the same school, with a session, a student and a face of their own."""

    def __init__(self, school: SchoolFixture) -> None:
        self.user = User.objects.get(username="stranger")
        self.course = self.user.courses.get()
        self.session = make.session(self.course)
        self.student = self.course.students.get()
        make.consent(self.student)
        self.sighting = make.sighting(make.snapshot(self.session, 1), None, "unknown")
        self.page = school.client("stranger")
        self.api = APIClient()
        self.api.force_authenticate(self.user)


@pytest.fixture
def stranger(school: SchoolFixture) -> Stranger:
    return Stranger(school)


def standing() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in KEPT]


def page_bodies(s: SchoolFixture, me: Stranger) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is asked for, and where; ``s`` is what belongs to somebody else."""
    excuse = {"reason": "illness", "first_day": DAY, "last_day": DAY}
    desk = {"session": me.session.pk, "face": me.sighting.pk}
    at = reverse
    to = at("web:desk-settle")
    return {
        "name a face as a student elsewhere": (
            at("web:face-decide", args=[me.session.pk, me.sighting.pk]), {"student": s.student.pk, "verdict": "is"}),
        "a face that is elsewhere": (
            at("web:face-decide", args=[me.session.pk, s.unsure.pk]), {"verdict": "not_a_face"}),
        "the desk: another's session": (to, {**desk, "session": s.session.pk, "verdict": "not_a_face"}),
        "the desk: another's face": (to, {**desk, "face": s.unsure.pk, "verdict": "not_a_face"}),
        "the desk: another's student": (to, {**desk, "student": s.student.pk, "verdict": "is"}),
        "the desk: a guest": (to, {**desk, "guest": s.student.pk}),
        "the desk: onto the roster": (to, {**desk, "on_roster": s.student.pk}),
        "the desk: another's report": (to, {**desk, "report": s.contest.pk, "verdict": "uphold"}),
        "many at once": (
            at("web:desk-bulk"), {"offer": f"{s.session.pk}-face-{s.unsure.pk}|{s.student.pk}|{s.unsure.pk}"}),
        "an excuse for another's course": (
            at("web:excuse-new", args=[me.student.pk]), {**excuse, "course": s.course.pk}),
        "an excuse for another's lesson": (
            at("web:excuse-new", args=[me.student.pk]), {"reason": "illness", "session": s.session.pk}),
        "a report on another's course": (
            at("web:report-ask"), {"what": "course", "subject": s.course.pk, "kind": "csv", "query": ""}),
        "a report on another's student": (
            at("web:report-ask"), {"what": "student", "subject": s.student.pk, "kind": "csv", "query": ""}),
        "a saved report": (at("web:report-save"), {
            "name": "A", "what": "course", "subject": s.course.pk, "kind": "csv", "span": "week", "query": ""}),
        "a calendar": (at("web:calendar-new"), {"course": s.course.pk}),
        "a code for another's room": (at("web:camera-pair"), {"room": s.session.room_id or 0}),
        "a new key for another's camera": (at("web:camera-pair"), {"camera": s.camera.pk}),
    }  # fmt: skip


def api_bodies(s: SchoolFixture, me: Stranger) -> dict[str, tuple[str, dict[str, Any]]]:
    desk = {"session": me.session.pk, "act": "is", "faces": [me.sighting.pk], "student": s.student.pk}
    job = {"kind": "csv", "first_day": DAY, "last_day": DAY}
    return {
        "a session of another's course": ("sessions/", {
            "course": s.course.pk, "starts_at": "2026-11-23T10:00:00Z", "ends_at": "2026-11-23T11:00:00Z"}),
        "a review": (f"sightings/{me.sighting.pk}/reviews/", {"verdict": "is", "student": s.student.pk}),
        "the desk: student": ("desk/decisions/", desk),
        "the desk: session": ("desk/decisions/", {**desk, "session": s.session.pk}),
        "the desk: faces": ("desk/decisions/", {"session": me.session.pk, "act": "not_a_face", "faces": [s.unsure.pk]}),
        "the desk: split": ("desk/decisions/", {
            "session": me.session.pk, "act": "split", "faces": [me.sighting.pk], "off": [s.unsure.pk]}),
        "the desk: guest": ("desk/decisions/", {**desk, "act": "guest"}),
        "undo": ("desk/undo/", {"batch": str(s.review.batch or uuid.UUID(int=1))}),
        "an excuse: course": (f"students/{me.student.pk}/excuses/", {
            "reason": "illness", "first_day": DAY, "course": s.course.pk}),
        "an excuse: sessions": (f"students/{me.student.pk}/excuses/", {
            "reason": "illness", "course": me.course.pk, "sessions": [s.session.pk]}),
        "a report: course": ("report-jobs/", {**job, "what": "course", "subject": s.course.pk}),
        "a report: session": ("report-jobs/", {**job, "what": "session", "subject": s.session.pk}),
        "a report: student": ("report-jobs/", {**job, "what": "student", "subject": s.student.pk}),
    }  # fmt: skip


def test_pages_do_not_know_what_is_not_one_s_own(school: SchoolFixture, stranger: Stranger) -> None:
    for what, (address, body) in page_bodies(school, stranger).items():
        before = standing()
        answer = stranger.page.post(address, body)
        assert answer.status_code in (302, 404, 409, 422), (what, answer.status_code)
        assert standing() == before, what


def test_the_api_does_not_know_what_is_not_one_s_own(school: SchoolFixture, stranger: Stranger) -> None:
    for what, (address, body) in api_bodies(school, stranger).items():
        before = standing()
        answer = stranger.api.post(f"/api/{address}", body, format="json")
        assert answer.status_code in (400, 403, 404, 409, 422), (what, answer.status_code)
        assert standing() == before, what
        assert school.student.family_name not in answer.content.decode(), what


def test_fields_that_are_not_asked_for_are_not_taken(school: SchoolFixture, stranger: Stranger) -> None:
    """Mass assignment: what stands beside the fields of a body changes nothing."""
    more = {"id": 1, "pk": 1, "is_staff": True, "is_superuser": True, "teachers": [stranger.user.pk], "owner": 1,
            "state": "open", "status": "present", "asked_by": 1, "course_id": 1, "roll_version": 99}  # fmt: skip
    made = stranger.api.post(
        "/api/sessions/",
        {
            "course": stranger.course.pk,
            "starts_at": "2026-11-23T10:00:00Z",
            "ends_at": "2026-11-23T11:00:00Z",
            **more,
        },
        format="json",
    )
    session = ClassSession.objects.get(pk=json.loads(made.content)["id"])
    assert (session.course_id, session.state) == (stranger.course.pk, "planned")
    added = stranger.api.post(
        f"/api/courses/{stranger.course.pk}/roster/",
        {"number": "Z9", "given_name": "Ada", **more},
        format="json",
    )
    assert added.status_code == 201
    stranger.user.refresh_from_db()
    assert not stranger.user.is_staff
    assert not stranger.user.is_superuser
    assert stranger.user.courses.count() == 1


def test_a_session_of_before_signing_in_is_worth_nothing_afterwards(school: SchoolFixture) -> None:
    """Session fixation: signing in gives another key, signing out ends it."""
    client = Client()
    client.get("/sign-in/")
    client.session.save()
    client.cookies["sessionid"] = "fixedfixedfixedfixedfixedfixed00"
    client.post("/sign-in/", {"username": "owner", "password": make.PASSWORD})
    key = client.cookies["sessionid"].value
    assert key != "fixedfixedfixedfixedfixedfixed00"
    assert client.get(reverse("web:course", args=[school.course.pk])).status_code == 200
    client.post("/sign-out/")
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get(reverse("web:course", args=[school.course.pk])).status_code == 302
