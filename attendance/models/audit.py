"""Who looked at whom and who changed what: entries are only ever added, each chained to the one before."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One look, change, export or sign-in. Holds numbers of rows, never a face, an encoding or a student's name."""

    class Verb(models.TextChoices):
        LOOKED = "looked", _("looked at")
        CHANGED = "changed", _("changed")
        EXPORTED = "exported", _("exported")
        SIGNED_IN = "signed_in", _("signed in")
        REFUSED = "refused", _("was refused")
        RAN = "ran", _("ran")

    number = models.PositiveBigIntegerField(unique=True)
    """From 1, without a gap."""
    at = models.DateTimeField(db_index=True)
    actor_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    """Of the user; stays when the user is deleted. None for the site itself and for cameras."""
    actor = models.CharField(max_length=150, blank=True)
    verb = models.CharField(max_length=10, choices=Verb)
    what = models.CharField(max_length=80)
    """The route, for example ``web:student``, or the task."""
    about = models.JSONField(default=dict)
    """Numbers of the rows it was about: ``{"student": 12, "session": 4}``."""
    student_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    """The student among them, to be searched by."""
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="audit_entries_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.actor} {self.verb} {self.what}"


class AuditHead(models.Model):
    """The end of the chain: how many entries there must be, and the last one's digest."""

    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="audit_has_one_end")]

    def __str__(self) -> str:
        return f"{self.number} entries"
