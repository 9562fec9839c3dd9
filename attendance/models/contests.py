"""What students say about their own marks and faces, and what a teacher answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.capture import Sighting
from attendance.models.school import Student
from attendance.models.sessions import ClassSession, MarkChange


class Contest(models.Model):
    """A student's objection: about one face ("that wasn't me") or about the session's mark ("I was there")."""

    class Kind(models.TextChoices):
        NOT_ME = "not_me", _("That wasn't me")
        WAS_THERE = "was_there", _("I was there")

    class State(models.TextChoices):
        OPEN = "open", _("waiting for an answer")
        UPHELD = "upheld", _("put right")
        DECLINED = "declined", _("left as it is")
        TAKEN_BACK = "taken_back", _("taken back")

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="contests")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="contests")
    sighting = models.ForeignKey(
        Sighting, on_delete=models.CASCADE, null=True, blank=True, related_name="contests"
    )
    """The face that is said to be somebody else; None for "I was there"."""
    kind = models.CharField(max_length=9, choices=Kind)
    note = models.CharField(_("note"), max_length=300, blank=True)
    """The student's own words."""
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    """The teacher's words to the student."""
    batch = models.UUIDField(null=True, blank=True)
    """Of the review that upholding it wrote: taken back with it."""
    mark_change = models.ForeignKey(
        MarkChange, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """The change of the mark that upholding it made."""

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="not_me", sighting__isnull=False)
                | Q(kind="was_there", sighting__isnull=True),
                name="contest_is_about_a_face_or_a_mark",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["open", "taken_back"], settled_by__isnull=True, settled_at__isnull=True
                )
                | Q(state__in=["upheld", "declined"], settled_by__isnull=False, settled_at__isnull=False),
                name="settled_contest_says_who_and_when",
            ),
            models.UniqueConstraint(
                fields=["session", "student"],
                condition=Q(state="open", kind="was_there"),
                name="one_open_contest_of_a_mark",
            ),
            models.UniqueConstraint(
                fields=["sighting", "student"],
                condition=Q(state="open", kind="not_me"),
                name="one_open_contest_of_a_face",
            ),
        ]
        indexes = [models.Index(fields=["state", "session"])]

    def __str__(self) -> str:
        return f"{self.kind} of {self.student_id}: {self.state}"
