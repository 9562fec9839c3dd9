"""Report jobs over the API: the file says what the page's file says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from attendance import report_jobs
from attendance.models import ReportJob
from tests.api.conftest import World


@pytest.fixture(autouse=True)
def workplace(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


def wanted(world: World, **more: object) -> dict[str, object]:
    return {
        "what": "course", "subject": world.course.pk, "kind": "csv",
        "first_day": "2026-01-01", "last_day": "2026-12-31",
    } | more  # fmt: skip


def test_asked_for_watched_and_taken(world: World) -> None:
    client = world.client("owner")
    answer = client.post("/api/report-jobs/", wanted(world), format="json")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["state"], job["file_url"], answer["Location"]) == ("queued", None, job["url"])
    assert client.post("/api/report-jobs/", wanted(world), format="json").json()["id"] == job["id"]
    assert client.get(job["url"] + "file/").status_code == 410
    assert report_jobs.work(uuid.UUID(job["id"]))
    done = client.get(job["url"]).json()
    assert (done["state"], done["done"]) == ("done", done["total"])
    for accept in ("*/*", "text/csv", "application/json"):
        file = client.get(done["file_url"], headers={"Accept": accept})
        assert file.status_code == 200
        assert file["Content-Type"] == "text/csv; charset=utf-8"
        assert file["Cache-Control"] == "no-store"
    page = world.client("owner")
    page.force_login(world.owner, backend="django.contrib.auth.backends.ModelBackend")
    shown = page.get(
        reverse("web:report-file", args=["course", world.course.pk, "csv"]) + "?from=2026-01-01&to=2026-12-31"
    )
    assert b"".join(client.get(done["file_url"]).streaming_content) == shown.content
    assert client.get("/api/report-jobs/").json()["results"][0]["id"] == job["id"]
    assert client.delete(job["url"]).status_code == 204
    assert client.get(job["url"]).json()["state"] == "expired"
    assert client.get(done["file_url"]).status_code == 410


@pytest.mark.parametrize(
    "bad",
    [{"what": "x"}, {"kind": "exe"}, {"kind": "moodle"}, {"subject": -1}, {"subject": 0}, {"subject": 2**70},
     {"last_day": "2025-01-01"}, {"first_day": "soon"}, {"run": 0}, {"rate": 101}],
)  # fmt: skip
def test_nonsense_is_refused_in_words(world: World, bad: dict[str, object]) -> None:
    answer = world.client("owner").post("/api/report-jobs/", wanted(world, **bad), format="json")
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"
    assert not ReportJob.objects.exists()


def test_a_file_that_expired(world: World) -> None:
    client = world.client("owner")
    job = client.post("/api/report-jobs/", wanted(world), format="json").json()
    report_jobs.work(uuid.UUID(job["id"]))
    ReportJob.objects.update(expires_at=timezone.now())
    answer = client.get(job["url"] + "file/")
    assert (answer.status_code, answer.json()["status"]) == (410, 410)
