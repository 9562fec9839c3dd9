"""Reports that a worker makes, reports kept under a name, and their schedules."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Course


class What(models.TextChoices):
    COURSE = "course", _("a course: students and sessions")
    SESSION = "session", _("a session: the roll")
    STUDENT = "student", _("a student: every lesson")
    MISSING = "missing", _("rolls that are missing")
    SUMMARY = "summary", _("all courses, one line each")
    ABSENCES = "absences", _("absences in a row")
    AWAY = "away", _("excused absences, also to come")


OWN_DATA = "own_data"
"""A file with everything held about one student, for them: no report, and so none of the choices."""


class SavedReport(models.Model):
    """A report under a name, with days that move along; sent by e-mail where somebody asked for that."""

    class Span(models.TextChoices):
        TERM = "term", _("the term so far")
        WEEK = "week", _("the last seven days")
        MONTH = "month", _("the last thirty days")
        LAST_WEEK = "last_week", _("last week, Monday to Sunday")
        LAST_MONTH = "last_month", _("last calendar month")

    class Every(models.TextChoices):
        NEVER = "", _("not sent")
        WEEK = "week", _("every week")
        MONTH = "month", _("every month")

    class By(models.TextChoices):
        ATTACHMENT = "attachment", _("as an attachment")
        LINK = "link", _("as a link")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_reports"
    )
    name = models.CharField(_("name"), max_length=100)
    what = models.CharField(max_length=8, choices=What)
    subject_id = models.PositiveBigIntegerField(default=0)
    """Of the course or student; 0 for reports about all courses."""
    kind = models.CharField(_("format"), max_length=16)
    span = models.CharField(_("days"), max_length=10, choices=Span, default=Span.TERM)
    rule = models.JSONField(default=dict, blank=True)
    every = models.CharField(_("how often"), max_length=5, choices=Every, blank=True, default=Every.NEVER)
    day = models.PositiveSmallIntegerField(_("day"), default=1)
    """Of the week (1 is Monday) or of the month; a month that is shorter takes its last day."""
    hour = models.PositiveSmallIntegerField(_("hour"), default=7)
    by = models.CharField(_("sent"), max_length=10, choices=By, default=By.LINK)
    recipients = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="reports_received", blank=True, verbose_name=_("to")
    )
    next_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_report_name_once_an_owner"),
            models.CheckConstraint(
                condition=Q(what__in=What.values),
                name="saved_report_is_about_something",
            ),
            models.CheckConstraint(
                condition=Q(every="", next_at__isnull=True)
                | Q(every__in=["week", "month"], next_at__isnull=False),
                name="scheduled_report_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(day__gte=1, day__lte=31, hour__lte=23), name="report_day_and_hour"
            ),
        ]
        indexes = [models.Index(fields=["next_at"])]

    def __str__(self) -> str:
        return self.name


class ReportJob(models.Model):
    """One file made by a worker for one person. Its id is the link's secret: 122 random bits."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        WORKING = "working", _("being made")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="report_jobs"
    )
    what = models.CharField(max_length=8, choices=What)
    subject_id = models.PositiveBigIntegerField(default=0)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    """Of a report about one course or session: the file goes with it."""
    kind = models.CharField(max_length=16)
    first_day = models.DateField()
    last_day = models.DateField()
    options = models.JSONField(default=dict, blank=True)
    """``{"run", "rate", "bom"}`` as the address had them."""
    language = models.CharField(max_length=10, default="en")
    saved = models.ForeignKey(
        SavedReport, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs"
    )
    mail = models.BooleanField(default=False)
    """Sent to who asked once it is ready."""

    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    """Students (or lines) written, and how many there are; 0 while that is not known."""
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    file = models.CharField(max_length=200, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "working", "done", "failed", "expired"]),
                name="report_job_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="done", expires_at__isnull=False) & ~Q(file="")
                | ~Q(state="done") & Q(file=""),
                name="report_file_only_while_done_and_expiring",
            ),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="report_days_in_order"),
        ]
        indexes = [
            models.Index(fields=["state", "lease_until"]),
            models.Index(fields=["state", "expires_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.subject_id} as {self.kind}"
