"""Warnings about absence: their texts, whom they go to, and which have gone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.mail import MailMessage
from attendance.models.school import Course, Student


class WarningKind(models.TextChoices):
    RUN = "run", _("absences in a row")
    RATE = "rate", _("low attendance")


class StudentContact(models.Model):
    """Somebody beside the student whom warnings go to: a parent or guardian."""

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"))

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["student", "email"], name="contact_once_a_student")]

    def __str__(self) -> str:
        return self.name or self.email


class WarningText(models.Model):
    """The school's own words of a kind of warning in a language, with places such as ``{student}``."""

    kind = models.CharField(max_length=4, choices=WarningKind)
    language = models.CharField(max_length=10)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), max_length=4000)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "language"], name="one_warning_text_a_kind_and_language")
        ]

    def __str__(self) -> str:
        return self.subject


class CourseWarnings(models.Model):
    """Warnings of this course go by themselves: a person switched that on."""

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="warnings")
    switched_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    switched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"warnings of {self.course}"


class WarningSent(models.Model):
    """A warning that went, once for its reason."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="warnings_sent")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="warnings_sent")
    kind = models.CharField(max_length=4, choices=WarningKind)
    reason = models.CharField(max_length=60)
    """What it was about: ``run:<id of the first session missed>`` or ``rate:<per cent of the rule>``."""
    to = models.JSONField(default=list)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """None where it went by itself."""
    sent_at = models.DateTimeField()
    messages = models.ManyToManyField(MailMessage, related_name="+", blank=True)

    class Meta:
        ordering = ["-sent_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["course", "student", "kind", "reason"], name="one_warning_a_reason"
            ),
            models.CheckConstraint(condition=Q(kind__in=["run", "rate"]), name="warning_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.student}: {self.reason}"
