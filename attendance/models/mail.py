"""E-mail that was set up: who was sent what and when. Content stands here only until it has gone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Student


class MailMessage(models.Model):
    """One message to one address."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    template = models.CharField(max_length=60)
    to = models.EmailField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    token = models.UUIDField(null=True, blank=True)
    """Whoever holds it sends; a worker that comes late finds another."""
    lease_until = models.DateTimeField(null=True, blank=True)
    """Before it nobody else tries: the lease of a sender, or the pause after a failure."""
    content = models.JSONField(default=dict, blank=True)
    """``{"subject", "text", "html", "files": [[name, type, stored name]]}`` until it has gone, then empty."""
    about = models.ForeignKey(Student, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    """Whom the message is about; it goes when they are deleted."""

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "sent", "failed"]), name="mail_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(content={}, sent_at__isnull=False),
                name="sent_mail_keeps_no_content",
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.template} to {self.to}"


class ReaderLanguage(models.Model):
    """The language somebody last used the pages in, and so reads e-mail in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.language
