"""Class sessions and their marks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Course, Room, Student


class ClassSession(models.Model):
    """One lesson of a course, with the policy its roll is taken by."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="sessions")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("room"))
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    state = models.CharField(max_length=8, choices=State, default=State.PLANNED)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    late_after_minutes = models.PositiveSmallIntegerField(_("late after (minutes)"), default=10)
    early_before_minutes = models.PositiveSmallIntegerField(
        _("left early before the end (minutes)"), default=10
    )
    min_sightings = models.PositiveSmallIntegerField(_("photos a student must be seen in"), default=2)
    min_usable_photos = models.PositiveSmallIntegerField(_("usable photos needed for a roll"), default=3)
    grace_minutes = models.PositiveSmallIntegerField(_("photos taken after closing (minutes)"), default=15)

    roll_version = models.PositiveIntegerField(default=1)
    """Raised by anything the session page shows; the page's ETag."""

    slot = models.ForeignKey(
        "attendance.TimetableSlot", on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions"
    )
    slot_day = models.DateField(null=True, blank=True)
    """The day of the slot this session stands for; it is made once, however often the timetable is applied."""
    imported_by = models.ForeignKey(
        "attendance.TimetableChange",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="imported",
    )
    import_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 (null: none, and unique)
    """Which event of a calendar file this session is: SHA-256 of its identity."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    """A cancelled session takes no photos and counts nowhere; its marks stay, in case it is restored."""
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cancel_reason = models.CharField(_("why it is cancelled"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="session_ends_after_start"),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "open", "closed"]), name="session_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_at__isnull=False), name="closed_session_has_a_time"
            ),
            models.CheckConstraint(condition=Q(min_sightings__gte=1), name="session_needs_a_sighting"),
            models.UniqueConstraint(fields=["slot", "slot_day"], name="one_session_a_slot_and_day"),
            models.UniqueConstraint(fields=["course", "import_key"], name="one_session_an_imported_event"),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(cancelled_by__isnull=False),
                name="session_was_cancelled_by_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["course", "starts_at"]),
            models.Index(fields=["state", "ends_at"]),
            models.Index(fields=["starts_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.course} {self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None


class Mark(models.Model):
    """What stands on the roll for one student in one session, beside what the machine would say."""

    class Status(models.TextChoices):
        PRESENT = "present", _("present")
        LATE = "late", _("late")
        LEFT_EARLY = "left_early", _("left early")
        EXCUSED = "excused", _("excused")
        ABSENT = "absent", _("absent")
        NOT_EVALUATED = "not_evaluated", _("not evaluated")

    class Source(models.TextChoices):
        RECOGNISED = "recognised", _("camera")
        REVIEWED = "reviewed", _("camera, checked by a person")
        MANUAL = "manual", _("person")

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="marks")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="marks")
    status = models.CharField(max_length=13, choices=Status, default=Status.NOT_EVALUATED)
    source = models.CharField(max_length=10, choices=Source, default=Source.RECOGNISED)
    reason = models.CharField(max_length=40, blank=True)
    minutes_late = models.PositiveSmallIntegerField(null=True, blank=True)
    minutes_early = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField()

    machine_status = models.CharField(max_length=13, choices=Status, default=Status.NOT_EVALUATED)
    machine_reason = models.CharField(max_length=40, blank=True)
    first_seen_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    seen_in = models.PositiveSmallIntegerField(default=0)
    """Usable photos the student was seen in."""
    to_check = models.BooleanField(default=False)
    """A person should look: an unsure face could change this mark."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "student"], name="one_mark_a_student_and_session"),
            models.CheckConstraint(
                condition=Q(source__in=["recognised", "reviewed", "manual"]), name="mark_has_a_source"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["present", "late", "left_early", "excused", "absent", "not_evaluated"],
                    machine_status__in=["present", "late", "left_early", "absent", "not_evaluated"],
                ),
                name="mark_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(source="manual") | Q(decided_by__isnull=False), name="manual_mark_has_a_person"
            ),
        ]
        indexes = [
            models.Index(fields=["student", "session"]),
            # Few of many: what waits for a person is found without going through a term's marks.
            models.Index(fields=["session"], condition=Q(to_check=True), name="mark_waits_for_a_person"),
            # Few of many as well: who was away lessons in a row.
            models.Index(
                fields=["session", "student"],
                condition=Q(status="absent", to_check=False),
                name="mark_says_absent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student}: {self.status}"


class MarkChange(models.Model):
    """A change of a mark by a person: kept for the history, and so that it can be undone. Never deleted."""

    mark = models.ForeignKey(Mark, on_delete=models.CASCADE, related_name="changes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    old_status = models.CharField(max_length=13)
    old_source = models.CharField(max_length=10)
    new_status = models.CharField(max_length=13)
    new_source = models.CharField(max_length=10)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="undone_mark_change_says_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old_status} to {self.new_status}"
