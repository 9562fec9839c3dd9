"""Every operation as everybody who may come by. An operation without a row here fails the last test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern
from rest_framework.test import APIClient

from attendance.api.urls import urlpatterns
from attendance.models import Contest, Portrait, ReportJob, Review
from tests import factories as make
from tests.api import calendar_rules
from tests.api.conftest import World

WHO = ("owner", "other", "registrar", "administrator", "camera", "far camera", "revoked camera", "nobody")
NO_CAMERAS = (403, 403, 401, 401)
MINE_READ = (200, 404, 200, 200, *NO_CAMERAS)
"""The teacher's own, and of those who see all courses; consent is written down by all of them."""


OWN_ONLY = (200, 404, 404, 404, *NO_CAMERAS)
"""Of the person who asked for it, and nobody else's."""


def mine_changed(good: int) -> tuple[int, ...]:
    """The teacher's own to change; registrars only read."""
    return (good, 404, 403, good, *NO_CAMERAS)


EVERY_PERSON = (200, 200, 200, 200, *NO_CAMERAS)
ADMINISTRATORS = (403, 403, 403)
NO_STAFF = (403, 403, 403, 403, *NO_CAMERAS)
"""For students' log-ins alone."""


@dataclass(frozen=True)
class Rule:
    method: str
    name: str
    """Of the address; its numbers are taken from the world."""
    answers: tuple[int, ...]
    body: Any = None
    content_type: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


CONSENT = {"given_by": "guardian", "given_by_name": "A Parent", "method": "paper"}
CSV = "number,name\nZ1,Ada Lovelace\n"
RULES = [
    Rule("GET", "rooms", EVERY_PERSON),
    Rule("GET", "courses", EVERY_PERSON),
    Rule("GET", "course", MINE_READ),
    Rule("GET", "roster", MINE_READ),
    Rule("POST", "roster", mine_changed(201), {"number": "Z1", "given_name": "Ada"}),
    Rule("POST", "roster-preview", mine_changed(200), CSV, "text/csv"),
    Rule("POST", "roster-import", mine_changed(200), CSV, "text/csv"),
    Rule("DELETE", "roster-entry", mine_changed(204)),
    Rule("GET", "students", EVERY_PERSON),
    Rule("GET", "student", MINE_READ),
    Rule("GET", "consent", MINE_READ),
    Rule("PUT", "consent", MINE_READ, CONSENT),
    Rule("DELETE", "consent", MINE_READ),
    Rule("GET", "portraits", mine_changed(200)),
    Rule("POST", "portraits", mine_changed(202), make.jpeg(1), "image/jpeg"),
    Rule("GET", "portrait", mine_changed(200)),
    Rule("DELETE", "portrait", mine_changed(204)),
    Rule("POST", "portrait-accept", mine_changed(409)),
    Rule("GET", "sessions", EVERY_PERSON),
    Rule("POST", "sessions", (201, 400, 403, 201, *NO_CAMERAS), "a session"),
    Rule("GET", "session", MINE_READ),
    Rule("POST", "session-open", mine_changed(409)),
    Rule("POST", "session-close", mine_changed(200)),
    Rule("GET", "session-snapshots", MINE_READ),
    Rule("POST", "session-snapshots", (202, 404, 403, 202, 202, 404, 401, 401), make.jpeg(1), "image/jpeg"),
    Rule("GET", "roll", MINE_READ),
    Rule("POST", "roll-rest", mine_changed(200), {"status": "present"}),
    Rule("GET", "mark", MINE_READ),
    Rule("PUT", "mark", mine_changed(200), {"status": "excused", "note": "dentist"}),
    Rule("POST", "mark-undo", mine_changed(409)),
    Rule("GET", "snapshot", MINE_READ),
    Rule("GET", "snapshot-image", MINE_READ),
    Rule("POST", "snapshot-retry", mine_changed(409)),
    Rule("GET", "snapshot-sightings", MINE_READ),
    Rule("GET", "sighting", MINE_READ),
    Rule("GET", "sighting-chip", MINE_READ),
    Rule("GET", "sighting-reviews", MINE_READ),
    Rule("POST", "sighting-reviews", mine_changed(201), {"verdict": "not_a_face"}),
    Rule("POST", "review-undo", mine_changed(200)),
    Rule("GET", "desk", EVERY_PERSON),
    Rule("POST", "desk-decisions", (201, 400, 403, 201, *NO_CAMERAS), "a decision"),
    Rule("POST", "desk-undo", mine_changed(204), "a batch"),
    Rule("GET", "desk-many", EVERY_PERSON),
    Rule("POST", "desk-many", (201, 201, 201, 201, *NO_CAMERAS), {"offers": []}),
    Rule("POST", "camera-snapshots", (403, 403, 403, 403, 202, 409, 401, 401), make.jpeg(1), "image/jpeg"),
    Rule("GET", "camera-snapshot", (403, 403, 403, 403, 200, 404, 401, 401)),
    Rule("POST", "camera-pair", (404,) * 8, {"code": "AAAA-AAAA"}),
    Rule("GET", "camera-schedule", (403, 403, 403, 403, 200, 200, 401, 401)),
    Rule("POST", "camera-heartbeat", (403, 403, 403, 403, 200, 200, 401, 401), {"capturing": True}),
    Rule("GET", "models", (*ADMINISTRATORS, 200, *NO_CAMERAS)),
    Rule("GET", "cameras", (*ADMINISTRATORS, 200, *NO_CAMERAS)),
    Rule("POST", "cameras", (*ADMINISTRATORS, 201, *NO_CAMERAS), "a camera"),
    Rule("GET", "camera", (*ADMINISTRATORS, 200, *NO_CAMERAS)),
    Rule("POST", "camera-rotate", (*ADMINISTRATORS, 200, *NO_CAMERAS)),
    Rule("POST", "camera-revoke", (*ADMINISTRATORS, 200, *NO_CAMERAS)),
    Rule("GET", "mark-history", MINE_READ),
    Rule("GET", "offers", mine_changed(200)),
    Rule("POST", "offer-accept", mine_changed(409)),
    Rule("POST", "offer-decline", mine_changed(204)),
    Rule("DELETE", "offer-decline", mine_changed(409)),
    Rule("GET", "learned", (*ADMINISTRATORS, 200, *NO_CAMERAS)),
    Rule("GET", "course-learned", MINE_READ),
    Rule("PUT", "course-policy", (*ADMINISTRATORS, 200, *NO_CAMERAS), {"shift": 0.02}),
    Rule("DELETE", "course-policy", (*ADMINISTRATORS, 409, *NO_CAMERAS)),
    Rule("GET", "my-lessons", NO_STAFF),
    Rule("GET", "my-face", NO_STAFF),
    Rule("GET", "my-contests", NO_STAFF),
    Rule("POST", "my-contests", NO_STAFF, {"session": 999_999}),
    Rule("DELETE", "my-contest", NO_STAFF),
    Rule("GET", "contests", EVERY_PERSON),
    Rule("POST", "contest-settle", mine_changed(200), {"verdict": "decline", "answer": "It stays."}),
    Rule("POST", "contest-reopen", mine_changed(409)),
    Rule("GET", "report-jobs", EVERY_PERSON),
    Rule("POST", "report-jobs", (202, 404, 202, 202, *NO_CAMERAS), "a report"),
    Rule("GET", "report-job", OWN_ONLY),
    Rule("GET", "report-job-file", (410, 404, 404, 404, *NO_CAMERAS)),
    Rule("DELETE", "report-job", (204, 404, 404, 404, *NO_CAMERAS)),
    Rule("GET", "schema", EVERY_PERSON),
    Rule("GET", "docs", (302,) * 8),
    Rule("GET", "nothing-here", (404,) * 8),
]


RULES += [Rule(*one) for one in calendar_rules.RULES]


@pytest.fixture
def numbers(world: World) -> dict[str, Any]:
    """What fills the addresses."""
    from attendance import marks

    marks.recompute(world.session.pk)
    portrait = make.template(world.students[0]).portrait
    review = Review.objects.create(
        sighting=world.sighting, verdict="not_in_class", by=world.owner, at=world.session.starts_at
    )
    contest = Contest.objects.create(
        session=world.session, student=world.students[2], kind="was_there", at=world.session.starts_at
    )
    job = ReportJob.objects.create(
        asked_by=world.owner, what="course", subject_id=world.course.pk, kind="csv", first_day="2026-03-01",
        last_day="2026-03-31", created_at=world.session.starts_at,
    )  # fmt: skip
    return {
        "contest_id": contest.pk,
        "course_id": world.course.pk,
        "session_id": world.session.pk,
        "student_id": world.students[0].pk,
        "snapshot_id": world.snapshot.pk,
        "sighting_id": world.sighting.pk,
        "portrait_id": portrait.pk,
        "review_id": review.pk,
        "job_id": job.pk,
        "batch": review.batch,
        "camera_id": world.camera.pk,
        **calendar_rules.numbers(world),
        "rest": "elsewhere/",
    }


def address_of(name: str, numbers: dict[str, Any]) -> str:
    found = next(pattern for pattern in urlpatterns if pattern.name == name)
    path = str(found.pattern)
    for key, value in numbers.items():
        for kind in ("int", "path", "uuid"):
            path = path.replace(f"<{kind}:{key}>", str(value))
    return f"/api/{path}"


def ask(client: APIClient, rule: Rule, world: World, numbers: dict[str, Any]) -> Any:
    body = {
        "a session": {
            "course": world.course.pk, "room": world.room.pk,
            "starts_at": "2026-03-12T09:00:00+01:00", "ends_at": "2026-03-12T09:50:00+01:00",
        },
        "a camera": {"name": "new", "room": world.room.pk},
        "a report": {
            "what": "course", "subject": world.course.pk, "kind": "csv",
            "first_day": "2026-03-01", "last_day": "2026-03-31",
        },
        "a decision": {"session": world.session.pk, "act": "absent", "student": world.students[1].pk},
        "a batch": {"batch": str(numbers["batch"])},
    }.get(rule.body if isinstance(rule.body, str) else "", rule.body)  # fmt: skip
    data = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
    return client.generic(rule.method, address_of(rule.name, numbers), data, content_type=rule.content_type)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_operation_answers_each_person_as_its_rule_says(
    world: World, numbers: dict[str, Any], rule: Rule
) -> None:
    for who, status in zip(WHO, rule.answers, strict=True):
        before = transaction.savepoint()
        answer = ask(world.client(who), rule, world, numbers)
        transaction.savepoint_rollback(before)
        assert (who, answer.status_code) == (who, status)
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code


def test_what_is_refused_changes_nothing(world: World, numbers: dict[str, Any]) -> None:
    from attendance.models import Camera, ClassSession, Consent, Mark, RosterEntry, Snapshot, Student

    tables = (Camera, ClassSession, Consent, Mark, Portrait, Review, RosterEntry, Snapshot, Student)

    def everything() -> list[list[dict[str, Any]]]:
        seen_at = "last_seen_at"
        return [
            [{k: v for k, v in row.items() if k != seen_at} for row in table.objects.order_by("pk").values()]
            for table in tables
        ]

    before = everything()
    for rule in RULES:
        for who, status in zip(WHO, rule.answers, strict=True):
            if status in (401, 403, 404):
                ask(world.client(who), rule, world, numbers)
    assert everything() == before


def test_numbers_that_nothing_has_are_a_404_and_never_a_500(world: World, numbers: dict[str, Any]) -> None:
    with_numbers = {str(p.name) for p in urlpatterns if "<int:" in str(p.pattern)}
    for rule in RULES:
        for number in (0, 2**31, 2**63, 10**60) if rule.name in with_numbers else ():
            who = "camera" if rule.name == "camera-snapshot" else "administrator"
            client = world.client("pupil" if rule.answers == NO_STAFF else who)
            answer = ask(client, rule, world, dict.fromkeys(numbers, number))
            assert (str(rule), number, answer.status_code) == (str(rule), number, 404)


def test_a_students_log_in_opens_their_own_and_nothing_of_the_staff(
    world: World, numbers: dict[str, Any]
) -> None:
    theirs = {
        "GET my-lessons": 200,
        "GET my-face": 404,  # a person said that it is nobody of this class
        "GET my-contests": 200,
        "GET docs": 302,
    }
    refused = (403, 404)
    for rule in RULES:
        answer = ask(world.client("pupil"), rule, world, numbers)
        allowed = [theirs[str(rule)]] if str(rule) in theirs else refused
        assert answer.status_code in allowed, (str(rule), answer.status_code)


def test_every_operation_has_a_rule() -> None:
    ruled = {(rule.method, rule.name) for rule in RULES}
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = getattr(pattern.callback, "view_class", None)
        methods = [
            method.upper()
            for method in getattr(view, "http_method_names", ["get"])
            if view is None or (hasattr(view, method) and method not in ("head", "options"))
        ]
        for method in methods:
            assert (method, str(pattern.name)) in ruled, f"{method} {pattern.name} has no rule"
