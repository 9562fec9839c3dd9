"""The samples of ``docs/samples``: one invented class in every format that is text.

Write them anew with ``.venv/bin/python -m tests.reports.samples`` after a format has changed.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "samples"
NAMES = ("Adams, Ruth", "Cruz, Ana", "Cruz, Ana", "O'Neil, Sinéad", "=SUM(A1)")
ROWS = [
    ["present", "present", "late", "present"],
    ["absent", "absent", "absent", "not_evaluated"],
    ["present", "left_early", "present", "to_check"],
    ["excused", "present", "absent", "present"],
    ["", "", "present", "present"],
]


def made() -> dict[str, str]:
    """File name -> content, for a course of five students and four lessons."""
    from attendance.reports import documents, lms, matrix
    from attendance.reports.csv import document_csv
    from attendance.reports.facts import Days
    from attendance.reports.json import document_json
    from attendance.reports.tables import MarkFact
    from tests.reports.test_tables import facts

    days = Days(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    found = matrix.build(facts([list(row) for row in ROWS], list(NAMES)))
    course = documents.course(found, days)
    roll = [
        MarkFact(
            line.student.number, line.student.sort_name, line.student.email, cell.status, "recognised", "",
            cell.minutes_late, None, None, None, 0, "", cell.to_check,
        )
        for line in found.lines
        if (cell := line.cells[2]) is not None
    ]  # fmt: skip
    canvas = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Attendance (123)\r\n"
        "    Points Possible,,,,,20\r\n"
        '"Adams, Ruth",81,S000,,ALG,\r\n"Cruz, Ana",82,,s1@school.example,ALG,\r\n'
    )
    return {
        "course.csv": document_csv(course),
        "course.json": document_json(course),
        "sis.csv": document_csv(documents.marks_for_sis(found, days), bom=False),
        "moodle-attendance.csv": lms.moodle_marks(roll),
        "moodle-grades.csv": lms.moodle_grades(found),
        "canvas-new.csv": lms.canvas_gradebook(found),
        "canvas-exported.csv": canvas,
        "canvas-filled.csv": lms.fill_canvas(canvas, found).text,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="")
