"""Reports by a worker: progress, killed workers, links that end, and nothing left of somebody who is deleted."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from attendance import errors, intake, privacy, report_jobs
from attendance.models import ReportJob
from attendance.reports import chunks, files, orders
from attendance.reports.facts import Days
from attendance.reports.orders import Order
from tests import factories as make

from .conftest import Term

DAYS = Days(dt.date(2026, 3, 1), dt.date(2026, 6, 30))


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    log: list[str] = []

    def publish(_task: Any, pk: str, priority: int | None = None) -> bool:
        log.append(pk)
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    monkeypatch.setattr(chunks, "AT_ONCE", 2)
    monkeypatch.setattr(report_jobs, "SAID_EACH_SECONDS", 0.0)
    settings.DATA_DIR = tmp_path


def order(term: Term, kind: str = "csv") -> Order:
    return Order("course", term.course.pk, kind, DAYS)


def made(term: Term, kind: str = "csv") -> ReportJob:
    job = report_jobs.ask(term.owner, order(term, kind), "en")
    assert report_jobs.work(job.pk)
    job.refresh_from_db()
    return job


def read(job: ReportJob, term: Term) -> bytes:
    with report_jobs.open_file(job, term.owner) as file:
        return bytes(file.read())


def test_made_by_a_worker_it_says_what_the_page_says(term: Term) -> None:
    job = made(term)
    document = orders.document(term.owner, order(term))
    assert read(job, term) == files.written(document, "csv", timezone.localtime()).content
    assert (job.state, job.done, job.total) == ("done", 5, 5)
    assert job.size == len(read(job, term))
    assert job.file_name == f"attendance ALG {DAYS.first} {DAYS.last}.csv"
    assert job.expires_at is not None
    assert job.expires_at - timezone.now() > dt.timedelta(days=6, hours=23)


@pytest.mark.parametrize("kind", ["xlsx", "pdf", "json", "moodle-grades", "canvas", "sis"])
def test_every_format(term: Term, kind: str) -> None:
    content = read(made(term, kind), term)
    assert content
    if kind == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(content)).active.max_row == 7


def test_the_link_cannot_be_guessed(term: Term) -> None:
    job = report_jobs.ask(term.owner, order(term), "en")
    assert job.pk.version == 4
    assert job.file == ""


def test_the_same_report_is_made_once(
    term: Term, django_capture_on_commit_callbacks: Any, queued: list[str]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = report_jobs.ask(term.owner, order(term), "en")
        again = report_jobs.ask(term.owner, order(term), "en")
        report_jobs.ask(term.registrar, order(term), "en")
    assert first == again
    assert len(queued) == 2


def test_a_person_has_some_at_once(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_jobs, "MAX_UNFINISHED", 1)
    report_jobs.ask(term.owner, order(term), "en")
    with pytest.raises(report_jobs.TooManyReports):
        report_jobs.ask(term.owner, order(term, "json"), "en")


def test_what_is_not_yours_is_not_made(term: Term) -> None:
    from django.core.exceptions import ObjectDoesNotExist

    with pytest.raises(ObjectDoesNotExist):
        report_jobs.ask(term.stranger, order(term), "en")
    assert not ReportJob.objects.exists()


class Killed(BaseException):
    """As a worker ends that is killed: nothing of ours runs after it."""


def killed_after(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    plain = chunks.CourseInChunks.part
    seen = 0

    def part(self: chunks.CourseInChunks, students: Any) -> Any:
        nonlocal seen
        seen += bool(students)
        if seen > parts:
            raise Killed
        return plain(self, students)

    monkeypatch.setattr(chunks.CourseInChunks, "part", part)


def test_a_killed_worker_is_followed_by_another(
    term: Term, monkeypatch: pytest.MonkeyPatch, queued: list[str]
) -> None:
    job = report_jobs.ask(term.owner, order(term), "en")
    with monkeypatch.context() as patched:
        killed_after(patched, 2)
        with pytest.raises(Killed):
            report_jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("working", 4, 5)
    assert not report_jobs.work(job.pk), "its lease still runs"
    assert report_jobs.sweep() == 0
    assert report_jobs.sweep(timezone.now() + report_jobs.LEASE + dt.timedelta(seconds=1)) == 1
    ReportJob.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert report_jobs.work(job.pk)


def test_after_three_tries_it_is_given_up(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    job = report_jobs.ask(term.owner, order(term), "es")
    killed_after(monkeypatch, 0)
    for _ in range(3):
        with pytest.raises(Killed):
            report_jobs.work(job.pk)
        ReportJob.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert not report_jobs.work(job.pk)
    report_jobs.sweep()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "administra" in job.error


def test_an_error_is_tried_again(term: Term, monkeypatch: pytest.MonkeyPatch, queued: list[str]) -> None:
    job = report_jobs.ask(term.owner, order(term), "en")
    with monkeypatch.context() as patched:
        patched.setattr(orders, "write", lambda *_args: 1 / 0)
        assert not report_jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 1)
    assert queued == [str(job.pk)]
    assert report_jobs.work(job.pk)


def test_a_worker_that_wakes_up_late_writes_nothing(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    job = report_jobs.ask(term.owner, order(term), "en")
    plain = orders.write

    def overtaken(*arguments: Any) -> str:
        name = plain(*arguments)
        monkeypatch.setattr(orders, "write", plain)
        ReportJob.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        assert report_jobs.work(job.pk)
        return name

    monkeypatch.setattr(orders, "write", overtaken)
    assert not report_jobs.work(job.pk)
    job.refresh_from_db()
    assert job.state == "done"
    _folders, kept = stored()
    assert kept == 1


def stored() -> tuple[int, int]:
    from django.conf import settings

    found = [path for path in (settings.MEDIA_ROOT / "reports").rglob("*") if path.is_file()]
    work = settings.DATA_DIR / "reports-in-work"
    return len(list(work.iterdir())) if work.exists() else 0, len(found)


def test_files_of_a_killed_worker_are_cleared_up(term: Term) -> None:
    from django.conf import settings

    left = settings.DATA_DIR / "reports-in-work" / "of-a-killed-one"
    left.mkdir(parents=True)
    (left / "rows").write_text("Adams, Ruth")
    report_jobs.sweep()
    assert stored() == (0, 0)


def test_no_longer_yours(term: Term) -> None:
    job = made(term)
    term.course.teachers.remove(term.owner)
    with pytest.raises(report_jobs.ReportGone):
        read(job, term)
    waiting = report_jobs.ask(term.registrar, order(term, "json"), "en")
    term.registrar.groups.clear()
    assert not report_jobs.work(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("failed", "This report is no longer yours to see.")


def test_one_course_of_all_is_no_longer_yours(term: Term) -> None:
    second = make.course(term.owner)
    job = report_jobs.ask(term.owner, Order("summary", 0, "csv", DAYS), "en")
    assert report_jobs.work(job.pk)
    job.refresh_from_db()
    assert read(job, term)
    second.teachers.remove(term.owner)
    with pytest.raises(report_jobs.ReportGone):
        read(job, term)


def test_nobody_elses(term: Term) -> None:
    job = made(term)
    with pytest.raises(report_jobs.ReportGone):
        report_jobs.open_file(job, term.registrar)


def test_it_expires_and_is_deleted(term: Term) -> None:
    job = made(term)
    ReportJob.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    job.refresh_from_db()
    with pytest.raises(report_jobs.ReportGone):
        read(job, term)
    assert stored()[1] == 1


def test_beat_deletes_what_expired(term: Term, django_capture_on_commit_callbacks: Any) -> None:
    job = made(term)
    with django_capture_on_commit_callbacks(execute=True):
        assert report_jobs.purge(timezone.now() + report_jobs.KEPT + dt.timedelta(minutes=1)) == 1
    job.refresh_from_db()
    assert (job.state, job.file, stored()) == ("expired", "", (0, 0))
    report_jobs.purge(timezone.now() + report_jobs.RECORD_KEPT + dt.timedelta(days=1))
    assert not ReportJob.objects.exists()


@pytest.mark.parametrize(
    "forget",
    [
        lambda term: privacy.delete_student(term.students[0]),
        lambda term: privacy.delete_course(term.course),
        lambda term: ReportJob.objects.all().delete(),
    ],
)
def test_nothing_stays_of_somebody_deleted(
    term: Term, forget: Callable[[Term], None], django_capture_on_commit_callbacks: Any
) -> None:
    made(term)
    assert stored()[1] == 1
    with django_capture_on_commit_callbacks(execute=True):
        forget(term)
    assert stored()[1] == 0
    assert not ReportJob.objects.filter(state="done").exists()


def test_a_deletion_while_it_is_made(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    job = report_jobs.ask(term.owner, order(term), "en")
    plain = orders.write

    def deleted_behind(*arguments: Any) -> str:
        name = plain(*arguments)
        privacy.delete_student(term.students[0])
        return name

    monkeypatch.setattr(orders, "write", deleted_behind)
    assert not report_jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, stored()) == ("queued", (0, 0))
    monkeypatch.setattr(orders, "write", plain)
    assert report_jobs.work(job.pk)
    job.refresh_from_db()
    assert term.students[0].number.encode() not in read(job, term)


def test_a_pdf_that_is_too_large_is_refused_when_asked(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "PDF_MOST", 3)
    with pytest.raises(errors.RollcallError, match="too large for a PDF"):
        report_jobs.ask(term.owner, order(term, "pdf"), "en")


def test_a_file_stands_only_with_a_time_to_go(term: Term) -> None:
    job = made(term)
    for change in ({"expires_at": None}, {"file": ""}, {"state": "expired"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReportJob.objects.filter(pk=job.pk).update(**change)
