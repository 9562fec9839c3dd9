"""What people said about faces. Facts are added and undone, never edited."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.capture import Sighting
from attendance.models.school import Student


class Review(models.Model):
    """A person's word about one face."""

    class Verdict(models.TextChoices):
        IS = "is", _("it is this student")
        IS_NOT = "is_not", _("it is not this student")
        NOT_IN_CLASS = "not_in_class", _("nobody of this class")
        NOT_A_FACE = "not_a_face", _("not a face")

    sighting = models.ForeignKey(Sighting, on_delete=models.CASCADE, related_name="reviews")
    verdict = models.CharField(max_length=12, choices=Verdict)
    student = models.ForeignKey(Student, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    batch = models.UUIDField(default=uuid.uuid4, db_index=True)
    """Words said with one key press, about all faces of a group: undone together."""
    shown = models.JSONField(default=dict, blank=True)
    """What the person had before them: kind, candidates and reasons, without names or encodings."""
    changed = models.JSONField(default=list, blank=True)
    """Marks that changed by it: ``[{"student": id, "from": status, "to": status}]``; on one word of a batch."""
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(verdict__in=["is", "is_not"]) & Q(student__isnull=False))
                | (Q(verdict__in=["not_in_class", "not_a_face"]) & Q(student__isnull=True)),
                name="review_names_a_student_when_it_must",
            ),
            models.UniqueConstraint(
                fields=["sighting"],
                condition=Q(undone_at__isnull=True, verdict__in=["is", "not_in_class", "not_a_face"]),
                name="one_standing_word_about_a_face",
            ),
            models.UniqueConstraint(
                fields=["sighting", "student"],
                condition=Q(undone_at__isnull=True, verdict="is_not"),
                name="one_standing_rejection_of_a_student",
            ),
        ]
        indexes = [
            # The latest people who are nobody of the class, among all that was ever said.
            models.Index(
                fields=["at"],
                condition=Q(verdict="not_in_class", undone_at__isnull=True),
                name="strangers_of_late",
            )
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.student_id or ''}".strip()
