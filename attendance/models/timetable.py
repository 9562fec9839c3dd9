"""The school's calendar: weekly slots, what was changed on a timetable, holidays, calendar feeds."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Course, Room


class TimetableSlot(models.Model):
    """A lesson that comes again: every n weeks on one weekday, on the school's clock, from one day to another."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="slots")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("to"))
    """Not after ``starts``: the lesson ends on the day after."""
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("room"))
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    every_weeks = models.PositiveSmallIntegerField(_("every how many weeks"), default=1)
    """Counted from the week of ``first_day``."""
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["weekday", "starts", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__gte=0, weekday__lte=6), name="slot_weekday_known"),
            models.CheckConstraint(condition=~Q(ends=F("starts")), name="slot_takes_time"),
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="slot_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(every_weeks__gte=1, every_weeks__lte=8), name="slot_comes_again"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course}: {self.get_weekday_display()} {self.starts:%H:%M}"


class TimetableChange(models.Model):
    """One change of a course's timetable, kept so that it can be taken back."""

    class Kind(models.TextChoices):
        ADDED = "added", _("slot added")
        CHANGED = "changed", _("slot changed")
        REMOVED = "removed", _("slot removed")
        IMPORTED = "imported", _("calendar file imported")

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="timetable_changes")
    kind = models.CharField(max_length=8, choices=Kind)
    slot = models.ForeignKey(TimetableSlot, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    before = models.JSONField(default=dict)
    """The slot's fields before a change."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="imported") | Q(slot__isnull=False), name="timetable_change_has_its_slot"
            )
        ]

    def __str__(self) -> str:
        return f"{self.course}: {self.kind}"


class Holiday(models.Model):
    """Days without lessons, for the whole school."""

    name = models.CharField(_("name"), max_length=120)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))

    class Meta:
        ordering = ["first_day", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="holiday_ends_after_it_begins"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="holiday_has_a_name"),
            models.UniqueConstraint(fields=["name", "first_day", "last_day"], name="holiday_once"),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarFeed(models.Model):
    """An unguessable address that gives one person's lessons, or one course's, to a calendar. No student names."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feeds"
    )
    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, null=True, blank=True, related_name="calendar_feeds"
    )
    """None: all courses the owner teaches."""
    token_hash = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token in the address; the token itself is shown once and kept nowhere."""
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"calendar of {self.owner}"
