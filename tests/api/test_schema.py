"""The OpenAPI schema: complete, without warnings, and shown by a page that asks nobody outside."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import jsonschema
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from attendance import marks, pairing, privacy
from attendance.api.urls import urlpatterns
from tests import factories as make
from tests.api.conftest import World


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    made: dict[str, Any] = json.loads(out.getvalue())
    return made


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, ops in schema["paths"].items() for method, op in ops.items()]


def test_every_address_is_in_the_schema(schema: dict[str, Any]) -> None:
    unseen = {"schema", "docs", "nothing-here"}
    addresses = {
        "/api/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        for pattern in urlpatterns
        if pattern.name not in unseen
    }
    assert set(schema["paths"]) == addresses


def test_every_operation_says_what_it_does_and_how_it_refuses(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for _path, _method, operation in operations(schema)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(schema):
        assert operation["description"], (path, method)
        assert any(status[0] == "2" for status in operation["responses"])
        for status, response in operation["responses"].items():
            if status[0] not in "23":
                assert list(response["content"]) == ["application/problem+json"], (path, method, status)
        for status in ("400", "401", "403", "429", "default"):
            assert status in operation["responses"]


def test_an_upload_is_described_with_its_forms_headers_and_refusals(schema: dict[str, Any]) -> None:
    upload = schema["paths"]["/api/sessions/{session_id}/snapshots/"]["post"]
    assert set(upload["requestBody"]["content"]) == {
        "multipart/form-data", "image/*", "application/octet-stream"
    }  # fmt: skip
    headers = {parameter["name"] for parameter in upload["parameters"] if parameter["in"] == "header"}
    assert headers == {"Idempotency-Key", "X-Taken-At"}
    assert "Location" in upload["responses"]["202"]["headers"]
    assert {"202", "409", "411", "413", "415", "422", "507"} <= set(upload["responses"])
    assert {"cameraKey": []} in upload["security"]


def as_json_schema(part: Any) -> Any:
    """OpenAPI 3.0 says ``nullable``; JSON Schema says that null is one of the kinds."""
    if isinstance(part, list):
        return [as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: as_json_schema(value) for key, value in part.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if part.get("nullable") is True else made


def test_answers_are_what_the_schema_says(world: World, schema: dict[str, Any]) -> None:
    components = as_json_schema(schema["components"])
    make.template(world.students[0])
    make.consent(world.students[1])
    privacy.withdraw_consent(world.students[1], world.owner)
    marks.recompute(world.session.pk)
    client = world.client("administrator")
    for path, component in {
        f"courses/{world.course.pk}/": "Course",
        f"courses/{world.course.pk}/roster/": "PaginatedRosterEntryList",
        f"sessions/{world.session.pk}/": "SessionDetail",
        f"sessions/{world.session.pk}/roll/": "PaginatedMarkList",
        f"snapshots/{world.snapshot.pk}/": "Snapshot",
        f"snapshots/{world.snapshot.pk}/sightings/": "PaginatedSightingList",
        f"sightings/{world.sighting.pk}/": "Sighting",
        f"students/{world.students[0].pk}/": "Student",
        f"students/{world.students[0].pk}/consent/": "Consent",
        f"students/{world.students[1].pk}/consent/": "Consent",
        f"students/{world.students[2].pk}/consent/": "Consent",
        f"students/{world.students[0].pk}/portraits/": "PaginatedPortraitList",
        f"cameras/{world.camera.pk}/": "Camera",
        "cameras/0/": "Problem",
        "camera/schedule/": "Problem",
        "courses/?term=x": "Problem",
    }.items():
        answer = client.get(f"/api/{path}").json()
        jsonschema.validate(answer, {"components": components, "$ref": f"#/components/schemas/{component}"})
        assert set(answer) <= set(components["schemas"][component]["properties"]), component


def test_agents_are_answered_as_the_schema_says(world: World, schema: dict[str, Any]) -> None:
    components = as_json_schema(schema["components"])
    client = world.client("camera")
    _row, code = pairing.make_code(world.administrator, room=world.room)
    for answer, component in (
        (client.get("/api/camera/schedule/"), "Schedule"),
        (client.post("/api/camera/heartbeat/", {"capturing": True}, format="json"), "HeartbeatAnswer"),
        (APIClient().post("/api/camera/pair/", {"code": code}, format="json"), "Paired"),
        (APIClient().post("/api/camera/pair/", {"code": code}, format="json"), "Problem"),
    ):
        jsonschema.validate(
            answer.json(), {"components": components, "$ref": f"#/components/schemas/{component}"}
        )
        assert set(answer.json()) <= set(components["schemas"][component]["properties"]), component
    assert schema["paths"]["/api/camera/pair/"]["post"].get("security", [{}]) == [{}]
    assert "304" in schema["paths"]["/api/camera/schedule/"]["get"]["responses"]


def test_the_schema_is_served_as_yaml_and_as_json(world: World) -> None:
    client = world.client("owner")
    assert client.get("/api/schema/")["Content-Type"].startswith("application/vnd.oai.openapi")
    answer = client.get("/api/schema/?format=json")
    assert json.loads(answer.content)["openapi"].startswith("3.")


def test_the_page_is_behind_the_login_and_asks_nobody_outside(world: World) -> None:
    client = Client()
    assert client.get("/api/docs/")["Location"].startswith("/sign-in/")
    client.force_login(world.owner)
    page = client.get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(addresses) == 6
    for address in addresses:
        assert address.startswith("/")
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/"))
    script = client.get(next(address for address in addresses if "script" in address))
    assert script["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in script.content.decode()


def test_the_page_keeps_to_the_strict_policy_for_scripts(world: World) -> None:
    client = Client()
    client.force_login(world.owner)
    page = client.get("/api/docs/")
    policy = page["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    text = page.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert not re.search(r"\son\w+=", text)
