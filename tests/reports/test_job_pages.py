"""The reports page and its files: large ones by a worker, saved ones by name and by e-mail; each to its own person."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from attendance import intake, mailing, report_jobs, scheduled_reports
from attendance.models import MailMessage, ReportJob, SavedReport
from attendance.reports import orders
from attendance.reports.facts import Days
from attendance.reports.orders import Order
from tests import factories as make

from .conftest import Term

DAYS = "from=2026-03-01&to=2026-04-30"
MAY = dt.datetime(2026, 5, 4, 8, tzinfo=dt.UTC)
MARCH = Days(dt.date(2026, 3, 1), dt.date(2026, 4, 30))


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> list[Any]:
    log: list[Any] = []

    def publish(_task: Any, pk: Any, priority: int | None = None) -> bool:
        log.append(pk)
        return True

    monkeypatch.setattr(intake, "publish", publish)
    settings.DATA_DIR = tmp_path
    return log


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "LARGE", 3)


@pytest.fixture
def set_up(settings: Any) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"


def with_address(user: User) -> User:
    user.email = f"{user.username}@school.example"
    user.save()
    return user


def form(term: Term, **more: str) -> dict[str, str]:
    return {"what": "course", "subject": str(term.course.pk), "kind": "csv", "query": DAYS, **more}


def test_a_large_report_goes_to_a_worker_by_itself(term: Term, large: None) -> None:
    client = term.client()
    page = client.get(reverse("web:reports") + f"?what=course&course={term.course.pk}&{DAYS}").text
    assert "This is a large report" in page
    assert 'name="kind" value="xlsx"' in page
    address = reverse("web:report-file", args=["course", term.course.pk, "csv"]) + f"?{DAYS}"
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].endswith("#jobs")
    client.get(address)
    (job,) = ReportJob.objects.all()
    assert (job.first_day, job.last_day, job.kind) == (MARCH.first, MARCH.last, "csv")


def test_progress_then_the_file(term: Term) -> None:
    client = term.client()
    part = client.post(reverse("web:report-ask"), form(term), headers={"HX-Request": "true"})
    assert "Waiting for a worker" in part.text
    assert 'hx-trigger="every 2s"' in part.text
    job = ReportJob.objects.get()
    ReportJob.objects.update(state="working", done=4000, total=10000)
    assert "4000 of 10000 students (40 %)" in client.get(reverse("web:report-jobs")).text
    ReportJob.objects.update(state="queued")
    assert report_jobs.work(job.pk)
    part = client.get(reverse("web:report-jobs"))
    assert "hx-trigger" not in part.text
    path = re.search(r'href="(/reports/jobs/[^"]+/file/)"', part.text)
    assert path
    file = client.get(path[1])
    assert file["Content-Disposition"].startswith("attachment")
    assert file["Cache-Control"] == "private, no-store"
    plain = client.get(reverse("web:report-file", args=["course", term.course.pk, "csv"]) + f"?{DAYS}")
    assert b"".join(file.streaming_content) == plain.content
    assert "attachment" in plain["Content-Disposition"]


@pytest.mark.parametrize("name", ["report-job-file", "report-job-again", "report-job-remove"])
def test_a_job_is_its_persons_own(name: str, term: Term) -> None:
    job = report_jobs.ask(term.owner, Order("course", term.course.pk, "csv", MARCH), "en")
    path = reverse(f"web:{name}", args=[job.pk])
    for user in (term.stranger, term.registrar, make.administrator()):
        client = term.client(user)
        answer = client.get(path) if name == "report-job-file" else client.post(path)
        assert answer.status_code == 404
    assert ReportJob.objects.get().state == "queued"
    anonymous = term.client()
    anonymous.logout()
    assert "/sign-in/" in anonymous.get(path)["Location"]


def test_what_is_not_yours_is_not_there(term: Term) -> None:
    client = term.client(term.stranger)
    for name in ("report-ask", "report-save"):
        assert client.post(reverse(f"web:{name}"), form(term, name="a", span="term")).status_code == 404
        student = form(term, what="student", subject=str(term.students[1].pk), name="a", span="term")
        assert client.post(reverse(f"web:{name}"), student).status_code == 404
    assert not ReportJob.objects.exists()
    assert not SavedReport.objects.exists()


@pytest.mark.parametrize(
    "given", [{}, {"what": "x", "kind": "y"}, {"what": "course", "subject": "9" * 30, "kind": "csv"},
              {"what": "summary", "subject": "-3", "kind": "exe", "query": "%%%"}],
)  # fmt: skip
def test_nonsense_is_answered_in_words(given: dict[str, str], term: Term) -> None:
    for name in ("report-ask", "report-save"):
        answer = term.client().post(reverse(f"web:{name}"), {**given, "name": "a"})
        assert answer.status_code in (302, 404)


def test_a_link_that_ended_says_so(term: Term) -> None:
    client = term.client()
    client.post(reverse("web:report-ask"), form(term))
    job = ReportJob.objects.get()
    assert report_jobs.work(job.pk)
    ReportJob.objects.update(expires_at=timezone.now())
    page = client.get(reverse("web:report-job-file", args=[job.pk]), follow=True)
    assert "This file is no longer kept" in page.text
    client.post(reverse("web:report-job-again", args=[job.pk]))
    assert sorted(ReportJob.objects.values_list("state", flat=True)) == ["expired", "queued"]
    client.post(reverse("web:report-job-remove", args=[ReportJob.objects.get(state="queued").pk]))
    assert set(ReportJob.objects.values_list("state", flat=True)) == {"expired"}


# --- saved and scheduled ----------------------------------------------------------------------------
def saved(term: Term, **more: Any) -> SavedReport:
    order = Order("course", term.course.pk, "csv", MARCH)
    found = scheduled_reports.save(term.owner, "Weekly", order, "term")
    for name, value in more.items():
        setattr(found, name, value)
    found.save()
    return found


def test_saved_under_a_name_and_found_again(term: Term) -> None:
    client = term.client()
    made = client.post(
        reverse("web:report-save"), form(term, name=" My  list ", span="last_week"), follow=True
    )
    assert "“My list” is saved." in made.text
    assert "E-mail is not set up" in made.text
    again = client.post(reverse("web:report-save"), form(term, name="My list", span="week"), follow=True)
    assert "saved report of this name already" in again.text
    assert "My list" in client.get(reverse("web:reports")).text
    assert "My list" not in term.client(term.registrar).get(reverse("web:reports")).text
    report = SavedReport.objects.get()
    client.post(reverse("web:saved-make", args=[report.pk]))
    assert ReportJob.objects.get().kind == "csv"
    client.post(reverse("web:saved-remove", args=[report.pk]))
    assert not SavedReport.objects.exists()


@pytest.mark.parametrize("what", ["absences", "away", "missing", "summary"])
def test_every_report_about_all_courses_can_be_saved_and_scheduled(
    what: str, term: Term, set_up: None
) -> None:
    report = scheduled_reports.save(term.owner, what, Order(what, 0, "csv", MARCH), "month")
    page = term.client().get(reverse("web:saved-report", args=[report.pk])).text
    assert "· CSV" in page
    assert '<p class="lede">–' not in page, "it is called by its name"
    scheduled_reports.schedule(report, "week", 1, 7, "link", [with_address(term.owner)])
    report.refresh_from_db()
    assert report.next_at is not None


def test_a_saved_report_of_who_is_away_looks_ahead(term: Term) -> None:
    report = scheduled_reports.save(term.owner, "away", Order("away", 0, "csv", MARCH), "week")
    today = dt.date(2026, 3, 12)
    assert scheduled_reports.days_of(report, today).last == dt.date(2026, 4, 11)
    report.span = "last_week"
    assert scheduled_reports.days_of(report, today).last == dt.date(2026, 3, 8)


@pytest.mark.parametrize(
    "name", ["saved-report", "saved-schedule", "saved-stop", "saved-make", "saved-remove"]
)
def test_a_saved_report_is_its_owners(name: str, term: Term) -> None:
    path = reverse(f"web:{name}", args=[saved(term).pk])
    for user in (term.stranger, term.registrar, make.administrator()):
        client = term.client(user)
        assert (client.get(path) if name == "saved-report" else client.post(path)).status_code == 404


def test_scheduled_for_those_who_may_see_it(term: Term, set_up: None) -> None:
    with_address(term.owner), with_address(term.registrar), with_address(term.stranger)
    report = saved(term)
    client = term.client()
    page = client.get(reverse("web:saved-report", args=[report.pk])).text
    assert term.owner.email in page
    assert term.registrar.email in page
    assert term.stranger.email not in page
    wanted = {"every": "week", "weekday": "5", "month_day": "9", "hour": "7", "by": "attachment"}
    people = [term.owner.pk, term.stranger.pk]
    client.post(reverse("web:saved-schedule", args=[report.pk]), {**wanted, "to": people})
    report.refresh_from_db()
    assert (report.every, report.day, report.hour, report.by) == ("week", 5, 7, "attachment")
    assert list(report.recipients.all()) == [term.owner]
    assert report.next_at is not None
    nobody = client.post(
        reverse("web:saved-schedule", args=[report.pk]), {**wanted, "to": [term.stranger.pk]}, follow=True
    )
    assert "Choose at least one person" in nobody.text
    for bad in ({"every": "day"}, {"weekday": "9"}, {"hour": "24"}, {"by": "pigeon"}):
        answer = client.post(
            reverse("web:saved-schedule", args=[report.pk]), {**wanted, **bad, "to": people}, follow=True
        )
        assert "Choose how often, a day and an hour." in answer.text


def due(term: Term, by: str = "link") -> SavedReport:
    report = saved(term, every="week", day=1, hour=7, by=by, next_at=timezone.now() - dt.timedelta(days=20))
    report.recipients.set([term.owner, term.registrar, term.stranger])
    return report


def test_what_is_due_goes_once_to_each_as_they_may_see_it(
    term: Term, set_up: None, django_capture_on_commit_callbacks: Any
) -> None:
    for user in (term.owner, term.registrar, term.stranger):
        with_address(user)
    mailing.remember_language(term.registrar, "es")
    report = due(term)
    SavedReport.objects.update(next_at=MAY - dt.timedelta(days=20))
    assert scheduled_reports.send_due(MAY) == 2, "the stranger may not see it"
    assert scheduled_reports.send_due(MAY) == 0, "what was missed goes out once"
    report.refresh_from_db()
    assert report.next_at == dt.datetime(2026, 5, 11, 7, tzinfo=dt.UTC)
    for job in ReportJob.objects.all():
        assert report_jobs.work(job.pk)
    sent = {one.to: one.content for one in MailMessage.objects.all()}
    assert set(sent) == {term.owner.email, term.registrar.email}
    mine = ReportJob.objects.get(asked_by=term.owner)
    link = f"https://rollcall.school.example{reverse('web:report-job-file', args=[mine.pk])}"
    assert link in sent[term.owner.email]["text"]
    assert "Weekly" in sent[term.owner.email]["subject"]
    assert "mayo" in sent[term.registrar.email]["subject"]
    assert term.client().get(link.removeprefix("https://rollcall.school.example")).status_code == 200


def test_as_an_attachment(term: Term, set_up: None) -> None:
    with_address(term.owner)
    due(term, by="attachment")
    SavedReport.objects.update(next_at=MAY - dt.timedelta(days=20))
    assert scheduled_reports.send_due(MAY) == 1
    job = ReportJob.objects.get()
    assert report_jobs.work(job.pk)
    message = MailMessage.objects.get()
    assert mailing.deliver(message.pk)
    name, content, _type = mail.outbox[0].attachments[0]
    assert name.endswith(".csv")
    assert term.students[1].number in (content.decode() if isinstance(content, bytes) else content)
    assert "attached" in mail.outbox[0].body


def test_stopping(term: Term, set_up: None) -> None:
    report = due(term)
    with_address(term.registrar)
    reader = term.client(term.registrar)
    assert "Weekly" in reader.get(reverse("web:reports")).text
    reader.post(reverse("web:saved-stop", args=[report.pk]))
    report.refresh_from_db()
    assert report.every == "week"
    assert term.registrar not in report.recipients.all()
    reader.get(reverse("web:reports"))  # says that it is stopped
    assert "Weekly" not in reader.get(reverse("web:reports")).text
    term.client().post(reverse("web:saved-stop", args=[report.pk]))
    report.refresh_from_db()
    assert (report.every, report.next_at) == ("", None)


def test_after_its_term_a_course_sends_nothing(term: Term, set_up: None) -> None:
    with_address(term.owner)
    report = due(term)
    assert scheduled_reports.send_due(dt.datetime(2027, 3, 1, 8, tzinfo=dt.UTC)) == 0
    report.refresh_from_db()
    assert report.every == ""


@pytest.mark.parametrize(
    ("every", "day", "hour", "after", "expected"),
    [
        ("week", 1, 7, "2026-03-02T05:59:00+00:00", "2026-03-02T06:00:00+00:00"),  # Monday 07:00 in Madrid
        ("week", 1, 7, "2026-03-02T06:00:00+00:00", "2026-03-09T06:00:00+00:00"),
        ("week", 7, 7, "2026-03-26T12:00:00+00:00", "2026-03-29T05:00:00+00:00"),  # the clocks went forward
        ("month", 31, 7, "2026-02-01T00:00:00+00:00", "2026-02-28T06:00:00+00:00"),
        ("month", 31, 0, "2026-02-28T12:00:00+00:00", "2026-03-30T22:00:00+00:00"),
        ("month", 15, 23, "2026-12-31T00:00:00+00:00", "2027-01-15T22:00:00+00:00"),
    ],
)
def test_the_next_time_on_the_schools_clock(
    every: str, day: int, hour: int, after: str, expected: str
) -> None:
    import zoneinfo

    found = scheduled_reports.next_time(
        every, day, hour, dt.datetime.fromisoformat(after), zoneinfo.ZoneInfo("Europe/Madrid")
    )
    assert found == dt.datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("term", "2026-01-01", "2026-03-12"), ("week", "2026-03-06", "2026-03-12"),
        ("month", "2026-02-11", "2026-03-12"), ("last_week", "2026-03-02", "2026-03-08"),
        ("last_month", "2026-02-01", "2026-02-28"),
    ],
)  # fmt: skip
def test_days_move_along(span: str, first: str, last: str, term: Term) -> None:
    found = scheduled_reports.days_of(saved(term, span=span), dt.date(2026, 3, 12))
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)
