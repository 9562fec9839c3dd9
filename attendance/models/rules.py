"""The school's rules and a course's own, its words for the marks, and its logo."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Course, School
from attendance.models.sessions import Mark


class AttendanceRules(models.Model):
    """The rules of the school or of one course; what is empty is taken from the level above."""

    school = models.OneToOneField(
        School, on_delete=models.CASCADE, null=True, blank=True, related_name="rules"
    )
    course = models.OneToOneField(
        Course, on_delete=models.CASCADE, null=True, blank=True, related_name="rules"
    )
    late_after_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    early_before_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    min_sightings = models.PositiveSmallIntegerField(null=True, blank=True)
    min_usable_photos = models.PositiveSmallIntegerField(null=True, blank=True)
    late_counts = models.PositiveSmallIntegerField(null=True, blank=True)
    """Per cent of a lesson that a late arrival counts as attended."""
    early_counts = models.PositiveSmallIntegerField(null=True, blank=True)
    """Per cent of a lesson that counts as attended where the student left early."""
    least_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    """At risk below this attendance; 0 never."""
    from_lessons = models.PositiveSmallIntegerField(null=True, blank=True)
    """Lessons that must count before a rate says anything."""
    in_a_row = models.PositiveSmallIntegerField(null=True, blank=True)
    """At risk with this many absences in a row; 0 never."""
    window_absences = models.PositiveSmallIntegerField(null=True, blank=True)
    """At risk with this many absences among the last ``window_lessons`` that count; 0 never."""
    window_lessons = models.PositiveSmallIntegerField(null=True, blank=True)
    by_clock = models.BooleanField(null=True, blank=True)
    """Sessions of the timetable open and close by themselves."""
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(school__isnull=True, course__isnull=False)
                | Q(school__isnull=False, course__isnull=True),
                name="rules_of_one_thing",
            ),
            models.CheckConstraint(
                condition=(Q(late_counts__isnull=True) | Q(late_counts__lte=100))
                & (Q(early_counts__isnull=True) | Q(early_counts__lte=100))
                & (Q(least_percent__isnull=True) | Q(least_percent__lte=100)),
                name="rules_per_cent_in_range",
            ),
            models.CheckConstraint(
                condition=Q(min_sightings__isnull=True) | Q(min_sightings__gte=1),
                name="rules_need_a_sighting",
            ),
            models.CheckConstraint(
                condition=Q(window_absences__isnull=True)
                | Q(window_lessons__isnull=True)
                | Q(window_absences__lte=F("window_lessons")),
                name="rules_window_can_be_reached",
            ),
        ]

    def __str__(self) -> str:
        return f"rules of {self.course or 'the school'}"


class StatusLabel(models.Model):
    """The school's own word for a mark, such as *tardy*."""

    status = models.CharField(max_length=13, choices=Mark.Status, unique=True)
    label = models.CharField(_("word"), max_length=24)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(label=""), name="status_label_has_a_word")]

    def __str__(self) -> str:
        return self.label


class SchoolLogo(models.Model):
    """The one logo of this site: a re-encoded PNG."""

    image = models.FileField(upload_to="", max_length=200)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="logo_is_one_row")]

    def __str__(self) -> str:
        return "logo"
