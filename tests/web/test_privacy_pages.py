"""Pages of what is kept and how long, and of a person's own data: who sees them, what they take, what they say."""

from __future__ import annotations

import datetime as dt
import zipfile
from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from attendance import report_jobs
from attendance.models import AuditEntry, CourseRetention, ReportJob, Snapshot
from attendance.own_data import faces
from attendance.retention import periods, purge
from attendance.retention.periods import Periods
from tests import factories as make
from tests.web.conftest import SchoolFixture

GOOD = {"photo_days": "20", "unknown_face_days": "5", "template_days_after_term": "0"}


# --- what is kept, how long -----------------------------------------------------------------------------
def test_an_administrator_sets_the_days(school: SchoolFixture) -> None:
    client = school.client("administrator")
    response = client.post(reverse("web:retention"), GOOD, follow=True)
    assert "Stored." in response.text
    assert periods.of_school() == Periods(20, 5, 0)


@pytest.mark.parametrize("days", ["0", "-3", "366", "99999999999999999999", "", "many", "7.5", "1e3", "７"])
def test_days_that_make_no_sense_get_a_sentence(days: str, school: SchoolFixture) -> None:
    response = school.client("administrator").post(reverse("web:retention"), GOOD | {"photo_days": days})
    if days == "７":
        assert periods.of_school().photo_days == 7, "a number in other digits is a number"
        return
    assert response.status_code == 422
    assert "Give a whole number of days, from 1 to 365." in response.text
    assert periods.of_school() == Periods(30, 7, 30)


def test_a_course_may_be_shorter_and_not_longer(school: SchoolFixture) -> None:
    client, path = school.client("administrator"), reverse("web:course-retention", args=[school.course.pk])
    response = client.post(path, {"photo_days": "31"})
    assert response.status_code == 422
    assert "not longer" in response.text
    client.post(path, {"photo_days": "3"})
    assert periods.of_course(school.course) == Periods(3, 7, 30)
    assert school.course.name in client.get(reverse("web:retention")).text
    client.post(path, {})
    assert not CourseRetention.objects.exists()


def test_a_teacher_reads_and_does_not_set(school: SchoolFixture) -> None:
    path = reverse("web:course-retention", args=[school.course.pk])
    page = school.client("owner").get(path).text
    assert "An administrator sets these days." in page
    assert 'name="photo_days"' not in page
    for person in ("owner", "registrar", "stranger", "pupil"):
        assert school.client(person).post(path, {"photo_days": "3"}).status_code == 404
    assert not CourseRetention.objects.exists()


def test_what_is_late_stands_first_and_says_why(school: SchoolFixture) -> None:
    Snapshot.objects.update(received_at=timezone.now() - dt.timedelta(days=40))
    page = school.client("administrator").get(reverse("web:retention")).text
    assert "Overdue:" in page
    assert "never run" in page
    purge.run()
    page = school.client("administrator").get(reverse("web:retention")).text
    assert "Overdue:" not in page


def test_run_now_has_a_worker_do_it(school: SchoolFixture, sent: list[Any]) -> None:
    response = school.client("administrator").post(reverse("web:retention-run"), follow=True)
    assert "A worker deletes what is due now" in response.text
    assert [name for name, _arguments in sent] == ["purge_expired"]


# --- a person's own data --------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "find", lambda photo: [])


@pytest.mark.parametrize(
    ("person", "may"),
    [("registrar", True), ("administrator", True), ("pupil", True), ("owner", False), ("stranger", False)],
)
def test_who_may_ask(person: str, may: bool, school: SchoolFixture, sent: list[Any]) -> None:
    client, pk = school.client(person), school.student.pk
    assert client.get(reverse("web:own-data", args=[pk])).status_code == (200 if may else 404)
    assert client.post(reverse("web:own-data-ask", args=[pk])).status_code == (302 if may else 404)
    assert ReportJob.objects.count() == may
    if person in ("owner", "registrar", "administrator"):
        assert ("Own data" in client.get(reverse("web:student", args=[pk])).text) == may


def test_a_student_asks_for_nobody_else(school: SchoolFixture) -> None:
    other = school.without_consent.pk
    assert school.client("pupil").get(reverse("web:own-data", args=[other])).status_code == 404
    assert school.client("pupil").post(reverse("web:own-data-ask", args=[other])).status_code == 404


def test_asked_for_made_taken_removed(school: SchoolFixture, sent: list[Any]) -> None:
    client, pk = school.client("pupil"), school.student.pk
    page = client.post(reverse("web:own-data-ask", args=[pk]), follow=True)
    assert "It is being made" in page.text
    job = ReportJob.objects.get()
    take = reverse("web:own-data-file", args=[pk, job.pk])
    assert client.get(take, follow=True).status_code in (200, 410), "nothing there yet"
    assert report_jobs.work(job.pk)
    assert "Take the file" in client.get(reverse("web:my-data")).text
    response = client.get(take)
    with zipfile.ZipFile(BytesIO(b"".join(response.streaming_content))) as file:
        assert "data.json" in file.namelist()
    assert response["Cache-Control"] == "private, no-store"
    for person in ("owner", "registrar", "administrator", "stranger"):
        assert school.client(person).get(take).status_code == 404, person
    assert school.client("nobody").get(take).status_code == 302
    written = list(AuditEntry.objects.filter(what__contains="own-data").values_list("what", "student_id"))
    assert ("web:own-data-ask", pk) in written
    assert ("web:own-data-file", pk) in written
    client.post(reverse("web:own-data-remove", args=[pk, job.pk]))
    job.refresh_from_db()
    assert (job.state, job.file, job.file_name) == ("expired", "", "")


def test_it_stands_on_the_students_page_and_not_among_reports(school: SchoolFixture, sent: list[Any]) -> None:
    client = school.client("registrar")
    client.post(reverse("web:own-data-ask", args=[school.student.pk]))
    job = ReportJob.objects.get()
    assert str(job.pk) not in client.get(reverse("web:report-jobs")).text
    assert client.post(reverse("web:report-job-again", args=[job.pk])).status_code == 404
    assert client.get(reverse("web:report-job-file", args=[job.pk])).status_code == 404


def test_a_photo_for_somebody_else_is_no_way_in(school: SchoolFixture, sent: list[Any]) -> None:
    client = school.client("registrar")
    client.post(reverse("web:own-data-ask", args=[school.student.pk]))
    job = ReportJob.objects.get()
    assert report_jobs.work(job.pk)
    other = make.student()
    assert client.get(reverse("web:own-data-file", args=[other.pk, job.pk])).status_code == 404
