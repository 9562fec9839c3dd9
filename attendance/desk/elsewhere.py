"""Students of other courses, found by name: only ever named by an administrator, never compared with."""

from __future__ import annotations

from django.db.models import F, Q

from attendance import marks
from attendance.models import ClassSession, Student

SHOWN = 8
MOST_WORDS = 5


def students_elsewhere(session: ClassSession, words: str) -> list[Student]:
    """At most eight, each with ``elsewhere``, the name of a course; nobody for less than two letters."""
    parts = words.split()[:MOST_WORDS]
    if len(words.strip()) < 2:
        return []
    here = marks.roster_on_day(session).values("student_id")
    found = Student.objects.filter(roster_entries__isnull=False).exclude(pk__in=here)
    for part in parts:
        found = found.filter(
            Q(number__icontains=part) | Q(given_name__icontains=part) | Q(family_name__icontains=part)
        )
    rows = found.exclude(roster_entries__course=session.course_id).annotate(
        elsewhere=F("roster_entries__course__name")
    )
    unique: dict[int, Student] = {student.pk: student for student in rows[: SHOWN * 4]}
    return list(unique.values())[:SHOWN]
