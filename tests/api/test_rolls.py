"""Sessions and their rolls through the API."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest

from attendance import marks, schooltime
from attendance.models import ClassSession, Mark
from tests import factories as make
from tests.api.conftest import World


def test_a_session_is_planned_opened_and_closed(world: World) -> None:
    client = world.client("owner")
    wanted = {
        "course": world.course.pk,
        "room": world.room.pk,
        "starts_at": "2026-03-12T09:00:00+01:00",
        "ends_at": "2026-03-12T09:50:00+01:00",
        "min_sightings": 3,
    }
    planned = client.post("/api/sessions/", wanted, format="json")
    address = planned["Location"]
    assert (planned.status_code, planned.json()["state"], planned.json()["min_sightings"]) == (
        201,
        "planned",
        3,
    )
    assert client.post(f"{address}close/").status_code == 409
    assert client.post(f"{address}open/").json()["state"] == "open"
    assert client.post(f"{address}open/").status_code == 409
    closed = client.post(f"{address}close/").json()
    assert closed["state"] == "closed"
    assert closed["closed_at"] is not None
    assert closed["roll"] == {
        "total": 3, "attended": 0, "absent": 0, "excused": 0, "not_evaluated": 3, "to_check": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"starts_at": "soon"}, "#/starts_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "#/starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-12:00"}, "#/ends_at"),
        ({"course": 10**9}, "#/course"),
        ({"room": 10**9}, "#/room"),
        ({"min_sightings": 0}, "#/min_sightings"),
        ({"grace_minutes": 10**6}, "#/grace_minutes"),
        ({"late_after_minutes": -1}, "#/late_after_minutes"),
    ],
)
def test_a_session_that_cannot_be_is_refused_by_field(
    world: World, change: dict[str, Any], pointer: str
) -> None:
    wanted = {
        "course": world.course.pk, "starts_at": "2026-03-12T09:00Z", "ends_at": "2026-03-12T10:00Z", **change
    }  # fmt: skip
    answer = world.client("owner").post("/api/sessions/", wanted, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_session_that_ends_before_it_starts_is_refused(world: World) -> None:
    wanted = {"course": world.course.pk, "starts_at": "2026-03-12T09:00Z", "ends_at": "2026-03-12T08:00Z"}
    assert world.client("owner").post("/api/sessions/", wanted, format="json").status_code == 409
    assert ClassSession.objects.count() == 1


def test_times_without_an_offset_are_on_the_schools_clock(world: World) -> None:
    schooltime.set_school_zone("Asia/Tokyo")
    wanted = {"course": world.course.pk, "starts_at": "2026-03-12T09:00", "ends_at": "2026-03-12T10:00"}
    made = world.client("owner").post("/api/sessions/", wanted, format="json").json()
    assert ClassSession.objects.get(pk=made["id"]).starts_at == dt.datetime(2026, 3, 12, 0, 0, tzinfo=dt.UTC)
    assert made["starts_at"] == "2026-03-12T09:00:00+09:00"


def test_the_roll_lists_everybody_in_the_order_of_class_lists(world: World) -> None:
    make.student(world.course, given_name="Ada", family_name="Aaron")
    marks.recompute(world.session.pk)
    roll = world.client("owner").get(f"/api/sessions/{world.session.pk}/roll/").json()
    assert roll["count"] == 4
    assert roll["results"][0]["student"]["name"] == "Ada Aaron"
    assert {line["status"] for line in roll["results"]} == {"not_evaluated"}


def test_a_mark_set_by_hand_stands_beside_what_the_camera_says(world: World) -> None:
    marks.recompute(world.session.pk)
    client = world.client("owner")
    address = f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/"
    line = client.put(address, {"status": "excused", "note": "dentist"}, format="json").json()
    assert (line["status"], line["source"], line["note"]) == ("excused", "manual", "dentist")
    assert (line["machine_status"], line["decided_by"]) == ("not_evaluated", world.owner.username)
    marks.recompute(world.session.pk)
    assert client.get(address).json()["status"] == "excused"
    again = client.put(address, {"status": "present"}, format="json").json()
    assert (again["status"], again["note"]) == ("present", "dentist")
    assert client.post(f"{address}undo/").json()["status"] == "excused"
    assert client.post(f"{address}undo/").json()["source"] == "recognised"
    assert client.post(f"{address}undo/").status_code == 409


def test_somebody_of_another_class_gets_no_mark(world: World) -> None:
    stranger = make.student(make.course(world.owner))
    address = f"/api/sessions/{world.session.pk}/roll/{stranger.pk}/"
    answer = world.client("owner").put(address, {"status": "present"}, format="json")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rollcall:problem:not-on-roster")
    assert world.client("owner").get(address).status_code == 404


def test_one_call_marks_everybody_who_is_not_evaluated(world: World) -> None:
    marks.recompute(world.session.pk)
    client = world.client("owner")
    client.put(
        f"/api/sessions/{world.session.pk}/roll/{world.students[0].pk}/", {"status": "absent"}, format="json"
    )
    answer = client.post(f"/api/sessions/{world.session.pk}/roll/rest/", {"status": "present"}, format="json")
    assert answer.json() == {"changed": 2}
    statuses = world.session.marks.order_by("student__number").values_list("status", flat=True)
    assert list(statuses) == ["absent", "present", "present"]


@pytest.mark.parametrize(
    ("query", "found"),
    [("status=absent", 1), ("source=manual", 1), ("to_check=true", 0), ("to_check=false", 3)],
)
def test_a_roll_is_narrowed_by_what_stands_on_it(world: World, query: str, found: int) -> None:
    marks.recompute(world.session.pk)
    marks.set_by_hand(world.session, world.students[0], "absent", world.owner)
    roll = world.client("owner").get(f"/api/sessions/{world.session.pk}/roll/?{query}").json()
    assert roll["count"] == found


@pytest.mark.parametrize("how", [{"path": "?format=csv"}, {"headers": {"Accept": "text/csv"}}])
def test_the_roll_as_csv_has_one_clean_header_and_nothing_a_spreadsheet_would_run(
    world: World, how: dict[str, Any]
) -> None:
    make.student(world.course, number="=1+1", given_name='=HYPERLINK("http://x")', family_name="")
    type(world.course).objects.update(code='M/1 "x"\r\nX: y')
    marks.recompute(world.session.pk)
    address = f"/api/sessions/{world.session.pk}/roll/{how.get('path', '')}"
    answer = world.client("owner").get(address, headers=how.get("headers", {}))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="roll-M-1-x-X-y-')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == Mark.objects.count() == 4
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_the_csv_holds_more_lines_than_a_page(world: World) -> None:
    for _ in range(210):
        make.student(world.course)
    marks.recompute(world.session.pk)
    client = world.client("owner")
    page = client.get(f"/api/sessions/{world.session.pk}/roll/?page_size=1000000").json()
    assert (page["count"], len(page["results"])) == (213, 200)
    text = client.get(f"/api/sessions/{world.session.pk}/roll/?format=csv").content.decode()
    assert len(text.splitlines()) == 214
