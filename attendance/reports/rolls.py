"""Reads a session's marks into facts for the tables; one query however long the roll is."""

from __future__ import annotations

from attendance import excuses
from attendance.models import ClassSession
from attendance.reports.facts import noted
from attendance.reports.tables import MarkFact, roll_rows


def roll_of(session: ClassSession) -> list[MarkFact]:
    """The roll as it stands now, in the order of class lists; an excuse's reason stands in the note."""
    why = excuses.covering_session(session)
    return roll_rows(
        MarkFact(
            student_number=mark.student.number,
            sort_name=mark.student.sort_name,
            email=mark.student.email,
            status=mark.status,
            source=mark.source,
            reason=mark.reason,
            minutes_late=mark.minutes_late,
            minutes_early=mark.minutes_early,
            first_seen_at=mark.first_seen_at,
            last_seen_at=mark.last_seen_at,
            seen_in=mark.seen_in,
            note=noted(mark, why.get(mark.student_id)),
            to_check=mark.to_check,
        )
        for mark in session.marks.select_related("student")
    )
