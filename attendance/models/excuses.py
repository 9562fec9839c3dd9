"""Why a student is, or will be, away."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Course, Student
from attendance.models.sessions import ClassSession


class Excuse(models.Model):
    """A student is excused for days or for given sessions, in one course or in all, once somebody approves it."""

    class Reason(models.TextChoices):
        ILLNESS = "illness", _("illness")
        MEDICAL = "medical", _("medical appointment")
        FAMILY = "family", _("family matter")
        BEREAVEMENT = "bereavement", _("bereavement")
        RELIGION = "religion", _("religious day")
        SCHOOL = "school", _("school event")
        TRAVEL = "travel", _("travel or transport")
        OTHER = "other", _("other reason")

    class State(models.TextChoices):
        ASKED = "asked", _("waiting for approval")
        APPROVED = "approved", _("approved")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="excuses")
    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, null=True, blank=True, related_name="excuses"
    )
    """None: every course of the student."""
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    by_session = models.BooleanField(default=False)
    """Only the sessions named in ``sessions`` are covered; the days say when those are."""
    sessions = models.ManyToManyField(ClassSession, related_name="excuses", blank=True)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    note = models.CharField(_("note"), max_length=300, blank=True)
    attachment = models.FileField(upload_to="", max_length=200, blank=True)
    """PDF or re-encoded picture under an unguessable name."""
    attachment_type = models.CharField(max_length=32, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-first_day", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="excuse_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "approved", "declined", "withdrawn"]),
                name="excuse_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "declined"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="excuse_was_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="excuse_was_withdrawn_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(attachment="", attachment_type="")
                | Q(attachment_type__in=["application/pdf", "image/jpeg"]) & ~Q(attachment=""),
                name="excuse_attachment_has_a_type",
            ),
        ]
        indexes = [models.Index(fields=["student", "state", "first_day"])]

    def __str__(self) -> str:
        return f"{self.student}: {self.reason}"
