"""What the desk keeps about a person's face, gone with their consent."""

from __future__ import annotations

from typing import Any

from attendance.models import DeskFact, DeskFactFace, Review, Student

WHO_IT_IS = (DeskFact.Kind.GUEST, DeskFact.Kind.ON_ROSTER)


def faces_named(student: Student) -> list[int]:
    """Sightings somebody said at the desk are this student of another course."""
    faces = DeskFactFace.objects.filter(fact__student=student, fact__kind__in=WHO_IT_IS)
    return list(faces.values_list("sighting_id", flat=True))


def forget_student(student: Student) -> None:
    """Who said that a face is the student, and how alike faces were to theirs. That they were absent stays."""
    DeskFact.objects.filter(student=student, kind__in=WHO_IT_IS).delete()
    courses = student.roster_entries.values("course_id")
    words = Review.objects.filter(sighting__snapshot__session__course__in=courses).exclude(shown={})
    facts = DeskFact.objects.filter(session__course__in=courses).exclude(shown={})
    for word in words.only("pk", "shown").iterator():
        words.filter(pk=word.pk).update(shown=_without(word.shown, student.pk))
    for fact in facts.only("pk", "shown").iterator():
        facts.filter(pk=fact.pk).update(shown=_without(fact.shown, student.pk))


def forget_row_number(student: Student) -> None:
    """Marks of a student who is being deleted, in the records of what a key press changed for others too."""
    courses = student.marks.values("session__course_id")
    words = Review.objects.filter(sighting__snapshot__session__course__in=courses).exclude(changed=[])
    facts = DeskFact.objects.filter(session__course__in=courses).exclude(changed=[])
    for rows in (words, facts):
        for row in rows.only("pk", "changed").iterator():
            left = [line for line in row.changed if line.get("student") != student.pk]
            if len(left) < len(row.changed):
                rows.model._default_manager.filter(pk=row.pk).update(changed=left)


def _without(shown: dict[str, Any], student_id: int) -> dict[str, Any]:
    """The same without the student's lines, which begin with their id."""
    return {
        name: [line for line in value if not (isinstance(line, list) and line[:1] == [student_id])]
        if name in ("candidates", "second")
        else value
        for name, value in shown.items()
    }
