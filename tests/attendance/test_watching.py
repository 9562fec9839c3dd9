"""What machines are told, and what the doctor says."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from attendance import doctor, health, places
from attendance.sealing import new_key
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _parts_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis and the models have tests of their own."""
    monkeypatch.setattr(health, "check", lambda: [health.Part("database", True, "works", True)])
    monkeypatch.setattr(doctor, "_engine", lambda: doctor.Finding("recognition", True, "test"))


def values(client: Client, token: str) -> dict[tuple[str, str], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_photos_faces_and_what_is_left_to_a_person(
    client: Client, settings: Any, django_assert_max_num_queries: Any
) -> None:
    settings.ROLLCALL_METRICS_TOKEN = "watch"
    session = make.session(make.course(make.teacher(), students=2))
    make.snapshot(session, state="received")
    make.snapshot(session, 1, state="failed")
    for minute in range(2, 5):
        make.snapshot(session, minute)
    with django_assert_max_num_queries(25):
        found = values(client, "watch")
    assert found["rollcall_photos", "done"] == 3
    assert found["rollcall_photos", "failed"] == 1
    assert found["rollcall_photos_waiting_most", ""] == 20_000
    assert found["rollcall_sessions_open", ""] == 1
    assert found["rollcall_part_ok", "database"] == 1
    assert ("rollcall_uncertain_share", "") in found


@pytest.mark.parametrize(
    ("token", "given"), [("", ""), ("", "Bearer "), ("watch", "Bearer other"), ("watch", "watch")]
)
def test_without_the_token_there_is_no_such_page(
    client: Client, settings: Any, token: str, given: str
) -> None:
    settings.ROLLCALL_METRICS_TOKEN = token
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_metrics_name_nobody(client: Client, settings: Any) -> None:
    settings.ROLLCALL_METRICS_TOKEN = "watch"
    course = make.course(make.teacher("ada"), students=1, name="Secret Studies")
    student = course.students.get()
    text = client.get("/metrics", headers={"Authorization": "Bearer watch"}).text
    for word in ("ada", "Secret", student.given_name, student.number):
        assert word not in text


def test_the_doctor_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="2 parts"):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "There is no administrator." in said
    assert "-> ./run manage createsuperuser" in said
    make.administrator()
    places.set_place("NZ")
    call_command("doctor")
    assert "BAD" not in capsys.readouterr().out


def test_the_doctor_finds_a_missing_key(settings: Any) -> None:
    student = make.student(make.course(make.teacher()))
    make.template(student, make.encoding(1))
    settings.ROLLCALL_KEYS = [new_key()]
    found = {finding.part: finding for finding in doctor.examine()}
    assert not found["keys"].ok
    assert "Put the key" in found["keys"].next_step
    settings.ROLLCALL_KEYS = []
    assert not next(f for f in doctor.examine() if f.part == "keys").ok
