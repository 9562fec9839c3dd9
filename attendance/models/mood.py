"""The mood of a class: sums over the faces of one photo, never anything about one of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from attendance.models.capture import Snapshot


class SnapshotMood(models.Model):
    """What the emotion network read in all faces of a photo together."""

    snapshot = models.OneToOneField(Snapshot, on_delete=models.CASCADE, related_name="mood")
    faces = models.PositiveSmallIntegerField()
    read = models.JSONField()
    """Probabilities added up over the faces, in the order of ``emotion.CHALLENGE``."""
    classifier_version = models.CharField(max_length=60)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(faces__gte=3), name="mood_is_of_a_group")]

    def __str__(self) -> str:
        return f"mood of photo {self.snapshot_id}"
