"""Log-ins beyond the staff's, and what a person asked to be told by e-mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from attendance.models.school import Student


class StudentAccount(models.Model):
    """The log-in of a student: opens their own marks and faces, and nothing else."""

    student = models.OneToOneField(Student, on_delete=models.CASCADE, related_name="account")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="student_account"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"log-in of student {self.student_id}"


class ReviewDigest(models.Model):
    """A user wants a daily e-mail with how much waits for review; without a row there is none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_digest"
    )
    switched_on_at = models.DateTimeField()
    last_sent_on = models.DateField(null=True, blank=True)
    """The school's day of the latest one."""

    def __str__(self) -> str:
        return f"review digest of user {self.user_id}"
