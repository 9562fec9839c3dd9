"""Signing in to a lesson by the code on the projector: no camera, no face."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.school import Student
from attendance.models.sessions import ClassSession


class SignInWindow(models.Model):
    """The code of a session is shown, by a person who answers for the marks made through it."""

    session = models.OneToOneField(ClassSession, on_delete=models.CASCADE, related_name="sign_in")
    secret = models.CharField(max_length=64)
    """Of this window: 32 random bytes as hex. A new window makes every older code worthless."""
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    tickets = models.BooleanField(default=False)
    """Numbers on paper are asked for from students without a log-in of their own."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(secret=""), name="sign_in_window_has_a_secret"),
        ]

    def __str__(self) -> str:
        return f"sign-in to {self.session}"


class SignInTicket(models.Model):
    """A number on paper, handed to one student for one session, used once."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="sign_in_tickets")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="+")
    pin_hash = models.CharField(max_length=128)
    made_at = models.DateTimeField()
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "student"], name="one_ticket_a_student_and_session")
        ]

    def __str__(self) -> str:
        return f"ticket of {self.student}"


class SignInArrival(models.Model):
    """A student came by the code."""

    class Via(models.TextChoices):
        LOGIN = "login"
        TICKET = "ticket"

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="arrivals")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    via = models.CharField(max_length=6, choices=Via)
    device = models.CharField(max_length=64)
    """SHA-256 of a random cookie of this browser and the session: one device, one student."""
    counted = models.BooleanField(default=True)
    """False where a person had already said something else, which stands."""

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["session", "student"], name="one_arrival_a_student_and_session"),
            models.UniqueConstraint(fields=["session", "device"], name="one_arrival_a_device_and_session"),
            models.CheckConstraint(condition=Q(via__in=["login", "ticket"]), name="arrival_way_known"),
        ]

    def __str__(self) -> str:
        return f"{self.student} at {self.at:%H:%M}"
