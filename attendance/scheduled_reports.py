"""Reports under a name, with days that move along, and their way to people by e-mail until somebody stops it."""

from __future__ import annotations

import calendar
import datetime as dt

from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, mailing, permissions, report_jobs, schooltime
from attendance.mailing import Attachment
from attendance.models import Course, ReportJob, SavedReport
from attendance.reports import orders
from attendance.reports.facts import Days
from attendance.reports.orders import Order

Span, Every = SavedReport.Span, SavedReport.Every
WHAT = ("course", "student", "missing", "summary", "absences", "away")
"""What makes sense again next week; one session does not change any more."""
AFTER_TERM = dt.timedelta(days=7)
"""How long after its term a course's report still goes out."""


class NameTaken(errors.RollcallError):
    code = "name_taken"
    status = 409
    message = _("You have a saved report of this name already.")


class NobodyToSendTo(errors.RollcallError):
    code = "nobody_to_send_to"
    status = 422
    message = _("Choose at least one person who has an e-mail address and may see this report.")


class BadSchedule(errors.RollcallError):
    code = "bad_schedule"
    status = 422
    message = _("Choose how often, a day and an hour.")


# --- saved ------------------------------------------------------------------------------------------
def save(owner: User, name: str, order: Order, span: str) -> SavedReport:
    """Keep a report under a name. Raises UnknownReport, NameTaken; ObjectDoesNotExist for somebody else's."""
    name = " ".join(name.split())[:100]
    if order.what not in WHAT or span not in Span.values or not name:
        raise orders.UnknownReport
    order.check()
    orders.courses_of(owner, order)
    if SavedReport.objects.filter(owner=owner, name=name).exists():
        raise NameTaken
    return SavedReport.objects.create(
        owner=owner, name=name, what=order.what, subject_id=order.subject_id, kind=order.kind, span=span,
        rule={"run": order.run, "rate": order.rate},
    )  # fmt: skip


def saved_for(user: User) -> QuerySet[SavedReport]:
    """A person's own, and those that are sent to them."""
    return SavedReport.objects.filter(Q(owner=user) | Q(recipients=user)).distinct()


def order_of(saved: SavedReport, today: dt.date) -> Order:
    """What it means today."""
    rule = saved.rule
    return Order(
        saved.what, saved.subject_id, saved.kind, days_of(saved, today), rule.get("run"), rule.get("rate")
    )


def days_of(saved: SavedReport, today: dt.date) -> Days:
    """The days it means today; of who will be away, also those to come, unless it is about a week or month past."""
    days = _span_of(saved, today)
    if saved.what == "away" and days.last == today:
        return Days(days.first, today + orders.AHEAD)
    return days


def _span_of(saved: SavedReport, today: dt.date) -> Days:
    if saved.span == Span.WEEK:
        return Days(today - dt.timedelta(days=6), today)
    if saved.span == Span.MONTH:
        return Days(today - dt.timedelta(days=29), today)
    if saved.span == Span.LAST_WEEK:
        monday = today - dt.timedelta(days=today.weekday() + 7)
        return Days(monday, monday + dt.timedelta(days=6))
    if saved.span == Span.LAST_MONTH:
        last = today.replace(day=1) - dt.timedelta(days=1)
        return Days(last.replace(day=1), last)
    term = _term_start(saved)
    return Days(min(term or today - dt.timedelta(days=90), today), today)


def _term_start(saved: SavedReport) -> dt.date | None:
    if saved.what == "course":
        return Course.objects.filter(pk=saved.subject_id).values_list("term__starts_on", flat=True).first()
    return None


# --- scheduled --------------------------------------------------------------------------------------
def may_receive(saved: SavedReport) -> list[User]:
    """Who has an address and may see the report: its owner, teachers of the course, and who sees all courses."""
    everybody = Q(groups__name__in=[permissions.ADMINISTRATORS, permissions.REGISTRARS]) | Q(
        is_superuser=True
    )
    wanted = Q(pk=saved.owner_id) | everybody
    if saved.what == "course":
        wanted |= Q(courses=saved.subject_id)
    people = User.objects.filter(wanted, is_active=True).exclude(email="").distinct().order_by("username")
    return [one for one in people if may_see(one, saved)]


def may_see(user: User, saved: SavedReport) -> bool:
    if not user.is_active or not user.email:
        return False
    try:
        return orders.courses_of(user, order_of(saved, schooltime.today())).exists()
    except ObjectDoesNotExist:
        return False


def schedule(
    saved: SavedReport, every: str, day: int, hour: int, by: str, recipients: list[User]
) -> SavedReport:
    """Send it from now on. Raises MailNotSetUp, BadSchedule, NobodyToSendTo."""
    if not mailing.is_set_up():
        raise errors.MailNotSetUp
    most = {Every.WEEK: 7, Every.MONTH: 31}.get(Every(every) if every in Every.values else Every.NEVER, 0)
    if not (1 <= day <= most and 0 <= hour <= 23 and by in SavedReport.By.values):
        raise BadSchedule
    people = [one for one in recipients if may_see(one, saved)]
    if not people:
        raise NobodyToSendTo
    with transaction.atomic():
        saved.every, saved.day, saved.hour, saved.by = every, day, hour, by
        saved.next_at = next_time(every, day, hour, timezone.now())
        saved.save()
        saved.recipients.set(people)
    return saved


def stop(saved: SavedReport, user: User) -> None:
    """The owner stops it for everybody, somebody else for themselves."""
    if saved.owner_id != user.pk:
        saved.recipients.remove(user)
    if saved.owner_id == user.pk or not saved.recipients.exists():
        _switch_off(saved)


def _switch_off(saved: SavedReport) -> None:
    SavedReport.objects.filter(pk=saved.pk).update(every=Every.NEVER, next_at=None)


def next_time(
    every: str, day: int, hour: int, after: dt.datetime, zone: dt.tzinfo | None = None
) -> dt.datetime:
    """The first such hour on the school's clock after ``after``. A month that is shorter takes its last day."""
    zone = zone or schooltime.school_zone()
    at = after.astimezone(zone).date()
    for ahead in range(63):
        found = at + dt.timedelta(days=ahead)
        length = calendar.monthrange(found.year, found.month)[1]
        if found.isoweekday() == day if every == Every.WEEK else found.day == min(day, length):
            instant = dt.datetime.combine(found, dt.time(hour), tzinfo=zone).astimezone(dt.UTC)
            if instant > after:
                return instant
    raise BadSchedule


def send_due(now: dt.datetime | None = None) -> int:
    """Have what is due made for each recipient, as each of them may see it; how many files that is.

    What was missed while nothing ran goes out once.
    """
    now = now or timezone.now()
    asked = 0
    for saved in SavedReport.objects.filter(next_at__lte=now).select_related("owner"):
        ahead = next_time(saved.every, saved.day, saved.hour, now)
        if not SavedReport.objects.filter(pk=saved.pk, next_at=saved.next_at).update(
            next_at=ahead, last_at=now
        ):
            continue  # somebody else is at it
        if _is_over(saved, now):
            _switch_off(saved)
        elif mailing.is_set_up():
            order = order_of(saved, schooltime.school_day(now))
            for reader in saved.recipients.all():
                if may_see(reader, saved):
                    report_jobs.ask(reader, order, mailing.language_of(reader.email), saved=saved, mail=True)
                    asked += 1
    return asked


def _is_over(saved: SavedReport, now: dt.datetime) -> bool:
    """A course that is gone, or whose term ended a while ago."""
    if saved.what != "course":
        return False
    last = Course.objects.filter(pk=saved.subject_id).values_list("term__ends_on", flat=True).first()
    return last is None or last + AFTER_TERM < schooltime.school_day(now)


def mail(job: ReportJob) -> None:
    """Send a finished file to who it was made for: attached where that was asked for and it fits, else as a link."""
    saved, reader = job.saved, job.asked_by
    if saved is None or not reader.email or not mailing.is_set_up():
        return
    attached = []
    if saved.by == SavedReport.By.ATTACHMENT and job.size <= mailing.MAX_ATTACHED_BYTES:
        with default_storage.open(job.file) as file:
            attached = [Attachment(job.file_name, file.read(), "application/octet-stream")]
    context = {
        "name": saved.name, "first": job.first_day, "last": job.last_day, "attached": bool(attached),
        "link": mailing.link_to(reverse("web:report-job-file", args=[job.pk])), "expires_at": job.expires_at,
        "stop": mailing.link_to(f"{reverse('web:reports')}#saved"),
    }  # fmt: skip
    mailing.send("report", [reader.email], context, attached, language=job.language)
