"""Every refusal is problem JSON with a sentence (RFC 9457), whatever was asked and in whatever form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from attendance.api.throttles import CameraThrottle, PersonThrottle
from tests import factories as make
from tests.api.conftest import World


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == status
    assert body["type"].startswith("urn:rollcall:problem:")
    assert body["detail"]
    return body


def test_a_refused_field_is_named_with_its_reason(world: World) -> None:
    answer = world.client("owner").put(
        f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/", {"status": "asleep"}, format="json"
    )
    body = is_problem(answer, 400)
    assert body["instance"] == f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/"
    assert body["errors"][0]["pointer"] == "#/status"
    assert body["errors"][0]["code"] == "invalid_choice"


def test_an_address_that_does_not_exist_is_a_problem_for_any_method(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        is_problem(client.generic(method, "/api/nowhere/"), 404)
    body = is_problem(client.generic("POST", "/api/sessions/1/snapshots", b"x", "image/jpeg"), 404)
    assert "slash" in body["detail"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_is_not_there_is_a_405(world: World, method: str) -> None:
    answer = world.client("owner").generic(method, "/api/courses/")
    is_problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_a_form_of_answer_that_is_not_there_is_a_406_or_404(world: World) -> None:
    is_problem(world.client("owner").get("/api/courses/", headers={"Accept": "application/xml"}), 406)
    is_problem(world.client("owner").get("/api/courses/?format=xml"), 404)


def test_a_refusal_is_json_also_where_csv_or_a_picture_was_asked_for(world: World) -> None:
    is_problem(world.client("other").get(f"/api/sessions/{world.session.pk}/roll/?format=csv"), 404)
    answer = world.client("other").get(
        f"/api/snapshots/{world.snapshot.pk}/image/", headers={"Accept": "image/jpeg"}
    )
    is_problem(answer, 404)


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"\xff\xfe\x00", b'{"status": NaN}', b"[" * 60_000, b'{"a":' * 10_000, b"null", b"[]", b'"present"', b"3",
        b'{"status": null}', b'{"status": ["present"]}', b'{"status": {"a": 1}}', b'{"status": "present\\u0000"}',
        b'{"status": "present", "note": "a\\u0000b"}', b'{"status": "\\ud800"}',
    ],
)  # fmt: skip
def test_json_that_cannot_be_used_is_a_400(world: World, body: bytes) -> None:
    answer = world.client("owner").generic(
        "PUT",
        f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/",
        body,
        content_type="application/json",
    )
    is_problem(answer, 400)


@pytest.mark.parametrize("charset", ["utf-16", "nonsense", "zlib"])
def test_json_in_another_charset_is_a_400(world: World, charset: str) -> None:
    answer = world.client("owner").generic(
        "PUT",
        f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/",
        b'{"status": "present"}',
        content_type=f"application/json; charset={charset}",
    )
    assert answer.status_code in (200, 400)


def test_json_longer_than_anybody_needs_is_a_413(world: World) -> None:
    answer = world.client("owner").generic(
        "PUT",
        f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/",
        b" " * 70_000,
        content_type="application/json",
    )
    is_problem(answer, 413)


@pytest.mark.parametrize(
    "number", ["1e400", "-1", "0", "99999999999999999999", '"x"', "1.5", "true", "[]", "{}"]
)
def test_an_id_that_is_none_is_a_400(world: World, number: str) -> None:
    for field in ("course", "room"):
        body = {
            "course": str(world.course.pk), "room": str(world.room.pk),
            "starts_at": '"2026-03-12T09:00Z"', "ends_at": '"2026-03-12T10:00Z"',
        } | {field: number}  # fmt: skip
        text = "{" + ", ".join(f'"{key}": {value}' for key, value in body.items()) + "}"
        answer = world.client("owner").generic(
            "POST", "/api/sessions/", text, content_type="application/json"
        )
        is_problem(answer, 400)


@pytest.mark.parametrize(
    "query",
    [
        "sessions/?course=x", "sessions/?course=1e400", "sessions/?course=99999999999999999999999", "sessions/?state=x",
        "sessions/?starts_after=0001-01-01T00:00:00%2B14:00", "sessions/?starts_after=soon", "sessions/?room=-1",
        "sessions/?starts_before=9999-12-31T23:59:59-12:00", "students/?search=%00", "students/?course=NaN",
        "courses/?term=inf", "courses/?code=%00",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_a_400(world: World, query: str) -> None:
    is_problem(world.client("owner").get(f"/api/{query}"), 400)


@pytest.mark.parametrize("page", ["0", "-1", "99999999999999999999999", "x", "1e3", "%00"])
def test_a_page_that_is_not_there_is_a_404(world: World, page: str) -> None:
    is_problem(world.client("owner").get(f"/api/courses/?page={page}"), 404)


def test_a_camera_gone_wild_is_slowed_and_others_are_not(
    world: World, upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CameraThrottle, "THROTTLE_RATES", {"camera": "3/min"})
    answers = [upload(world.client("camera"), world.session.pk, make.jpeg(n)) for n in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    is_problem(answers[-1], 429)
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert upload(world.client("far camera"), world.session.pk, make.jpeg(1)).status_code == 404
    assert upload(world.client("owner"), world.session.pk, make.jpeg(9)).status_code == 202


def test_a_person_who_asks_without_end_is_slowed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PersonThrottle, "THROTTLE_RATES", {"user": "2/min"})
    codes = [world.client("owner").get("/api/courses/").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert world.client("other").get("/api/courses/").status_code == 200


def test_sentences_come_in_the_readers_language(world: World) -> None:
    answer = world.client("owner").get("/api/sessions/0/", headers={"Accept-Language": "es"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "No encontrado."


def test_no_answer_is_kept_by_a_cache(world: World) -> None:
    for path in ("courses/", f"snapshots/{world.snapshot.pk}/image/", "sessions/0/"):
        assert world.client("owner").get(f"/api/{path}")["Cache-Control"] == "no-store"
