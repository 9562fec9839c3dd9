"""How often each mark stands in a session, kept so that a report about all courses need not go through every mark."""

from __future__ import annotations

from django.db import models

from attendance.models.sessions import ClassSession


class SessionTally(models.Model):
    """Marks of a closed session by status; those that wait for a person are in ``to_check`` and nowhere else.

    Good only while ``roll_version`` is the session's: whatever changes a mark raises that one in the same transaction.
    """

    session = models.OneToOneField(
        ClassSession, on_delete=models.CASCADE, primary_key=True, related_name="kept_tally"
    )
    roll_version = models.PositiveIntegerField()
    present = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    left_early = models.PositiveIntegerField()
    excused = models.PositiveIntegerField()
    absent = models.PositiveIntegerField()
    not_evaluated = models.PositiveIntegerField()
    to_check = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.session_id} as of {self.roll_version}"
