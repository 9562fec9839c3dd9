"""How long a course keeps what the school keeps, and what each run of the deletion did."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Course


class CourseRetention(models.Model):
    """Days of one course; what is empty is the school's."""

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="retention")
    photo_days = models.PositiveSmallIntegerField(_("days photos are kept"), null=True, blank=True)
    unknown_face_days = models.PositiveSmallIntegerField(
        _("days unknown faces are kept"), null=True, blank=True
    )
    template_days_after_term = models.PositiveSmallIntegerField(
        _("days templates are kept after the term"), null=True, blank=True
    )
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(photo_days__isnull=True) | Q(photo_days__gte=1, photo_days__lte=365))
                & (
                    Q(unknown_face_days__isnull=True)
                    | Q(unknown_face_days__gte=1, unknown_face_days__lte=365)
                )
                & (Q(template_days_after_term__isnull=True) | Q(template_days_after_term__lte=365)),
                name="course_keeps_for_a_year_at_most",
            )
        ]

    def __str__(self) -> str:
        return f"retention of course {self.course_id}"


class RetentionRun(models.Model):
    """One run of the deletion: what went, what could not. Numbers only."""

    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    """None while it runs, and where it was killed."""
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """None where the clock began it."""
    photos = models.PositiveIntegerField(default=0)
    unknown_faces = models.PositiveIntegerField(default=0)
    templates = models.PositiveIntegerField(default=0)
    files = models.PositiveIntegerField(default=0)
    """Reports and copies of a person's own data whose time was over."""
    compared_at = models.DateTimeField(null=True, blank=True)
    """When files and rows were compared, in this run; None where they were not."""
    strays_deleted = models.PositiveIntegerField(default=0)
    """Files no row knew."""
    strays_left = models.PositiveIntegerField(default=0)
    """Those that stayed: too many to be an accident of a killed program."""
    missing = models.PositiveIntegerField(default=0)
    """Rows whose file is not there."""
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"deletion of {self.started_at:%Y-%m-%d %H:%M}"
