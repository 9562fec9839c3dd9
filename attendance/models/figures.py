"""Numbers that went through very many rows, kept so that no page has to count them again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from attendance.models.school import Course


class KeptFigures(models.Model):
    """What one kind of figures came to, for the site or for one course. Numbers and codes only: nothing about a person.

    ``as_of`` null: not worked out yet. ``wanted_at``: since when somebody waits for a worker, null where nobody does.
    A worker holds ``token`` until ``lease_until``; one that lost it writes nothing.
    """

    name = models.CharField(max_length=60)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    facts = models.JSONField(default=dict, blank=True)
    counted_from = models.CharField(max_length=300, blank=True)
    """What tells cheaply whether anything was said, closed or deleted since; of no meaning beside that."""
    as_of = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    """How long counting took."""
    looked_at = models.DateTimeField()
    """To a day: what nobody looks at is not counted anew, and is forgotten."""
    wanted_at = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """Since they are wanted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "course"],
                condition=Q(course__isnull=False),
                name="figures_once_a_course",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(course__isnull=True), name="figures_once_for_the_site"
            ),
            models.CheckConstraint(
                condition=Q(as_of__isnull=True, seconds__isnull=True)
                | Q(as_of__isnull=False, seconds__isnull=False),
                name="figures_that_stand_say_how_long_they_took",
            ),
        ]
        indexes = [models.Index(fields=["wanted_at"])]

    def __str__(self) -> str:
        return f"{self.name} of {'the site' if self.course_id is None else f'course {self.course_id}'}"
