"""What is learned from people's corrections: a course's own strictness, and crops nobody wants as templates."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.capture import Sighting
from attendance.models.school import Course, Student

WIDEST_SHIFT = 0.2


class PolicyOverride(models.Model):
    """An administrator made recognition stricter or more generous for one course; undone, never edited."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="policy_overrides")
    engine_version = models.CharField(max_length=120)
    shift = models.FloatField()
    """Added to the thresholds, in units of the score; below 0 is more generous."""
    shown = models.JSONField(default=dict, blank=True)
    """What the administrator was told it would change."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["course", "engine_version"],
                condition=Q(undone_at__isnull=True),
                name="one_standing_policy_a_course_and_engine",
            ),
            models.CheckConstraint(
                condition=Q(shift__gte=-WIDEST_SHIFT, shift__lte=WIDEST_SHIFT),
                name="policy_shift_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shift:+.2f} for course {self.course_id}"


class DeclinedOffer(models.Model):
    """A face that was offered as a template and is not wanted: it is not offered again."""

    sighting = models.OneToOneField(Sighting, on_delete=models.CASCADE, related_name="declined_offer")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="declined_offers")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"face {self.sighting_id} not wanted for {self.student_id}"
