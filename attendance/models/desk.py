"""What people said at the review desk beyond single faces: who belongs together, who is missing, who is a guest."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.capture import Sighting
from attendance.models.school import Student
from attendance.models.sessions import ClassSession, MarkChange


class DeskFact(models.Model):
    """One key press at the desk that is no word about a single face. Added and undone, never edited."""

    class Kind(models.TextChoices):
        TOGETHER = "together", _("the same person")
        APART = "apart", _("different people")
        ABSENT = "absent", _("really absent")
        GUEST = "guest", _("a guest of another course")
        ON_ROSTER = "on_roster", _("put on the roster")

    kind = models.CharField(max_length=9, choices=Kind)
    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="desk_facts")
    student = models.ForeignKey(
        Student, on_delete=models.CASCADE, null=True, blank=True, related_name="desk_facts"
    )
    batch = models.UUIDField(default=uuid.uuid4, db_index=True)
    """Shared with the reviews of the same key press: undone together."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    shown = models.JSONField(default=dict, blank=True)
    """What the person had before them: codes and numbers, without names or encodings."""
    changed = models.JSONField(default=list, blank=True)
    """Marks that changed by it: ``[{"student": id, "from": status, "to": status}]``."""
    mark_change = models.ForeignKey(
        MarkChange, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """The change of the mark that it made."""
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["together", "apart"], student__isnull=True)
                | Q(kind__in=["absent", "guest", "on_roster"], student__isnull=False),
                name="desk_fact_names_a_student_when_it_must",
            ),
            models.UniqueConstraint(
                fields=["session", "student"],
                condition=Q(undone_at__isnull=True, kind="absent"),
                name="one_standing_word_about_a_missing_student",
            ),
        ]
        indexes = [models.Index(fields=["session", "kind"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.student_id or ''}".strip()


class DeskFactFace(models.Model):
    """A face a desk fact is about; ``side`` 1 are those split off from the others."""

    fact = models.ForeignKey(DeskFact, on_delete=models.CASCADE, related_name="faces")
    sighting = models.ForeignKey(Sighting, on_delete=models.CASCADE, related_name="desk_facts")
    side = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fact", "sighting"], name="face_once_in_a_desk_fact"),
            models.CheckConstraint(condition=Q(side__in=[0, 1]), name="desk_fact_has_two_sides"),
        ]

    def __str__(self) -> str:
        return f"face {self.sighting_id} of fact {self.fact_id}"
