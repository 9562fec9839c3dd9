"""How long reports take and how much memory, by the number of marks.

    python -m benchmarks.reports --students 10000 --lessons 200

Makes one course of that size in a database of its own (deleted afterwards) and writes its marks as the streamed
file of all courses, the summary, and the matrix as CSV and XLSX; each in a process of its own, because memory
is only ever counted at its highest.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time

CASES = ("stream", "summary", "csv", "xlsx")
FIRST = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
MARKS = """
    INSERT INTO attendance_mark (session_id, student_id, status, source, reason, note, decided_at,
                                 machine_status, machine_reason, seen_in, to_check)
    SELECT s.id, r.student_id,
           CASE (s.id * 7919 + r.student_id * 104729) % 10 WHEN 0 THEN 'absent' WHEN 1 THEN 'late' ELSE 'present' END,
           'recognised', '', '', s.starts_at, 'present', '', 3, 0
    FROM attendance_classsession s JOIN attendance_rosterentry r ON r.course_id = s.course_id
"""


def fill(students: int, lessons: int) -> None:
    """One course with a mark for every student in every lesson."""
    from django.core.management import call_command
    from django.db import connection

    from attendance.models import ClassSession, Course, RosterEntry, Student, Term

    call_command("migrate", verbosity=0)
    term = Term.objects.create(name="Term", starts_on=dt.date(2026, 1, 1), ends_on=dt.date(2026, 12, 31))
    course = Course.objects.create(code="BIG", name="Big", term=term)
    Student.objects.bulk_create(
        Student(number=f"S{n:05d}", given_name=f"Given {n}", family_name=f"Family {n}")
        for n in range(students)
    )
    RosterEntry.objects.bulk_create(
        RosterEntry(course=course, student=one, enrolled_on=term.starts_on) for one in Student.objects.all()
    )
    for lesson in range(lessons):
        start = FIRST + dt.timedelta(days=lesson)
        end = start + dt.timedelta(minutes=50)
        ClassSession.objects.create(
            course=course, starts_at=start, ends_at=end, state="closed", closed_at=end
        )
    with connection.cursor() as cursor:
        cursor.execute(MARKS)


def one(case: str) -> None:
    """Write one report and say what it took."""
    from attendance.models import Course
    from attendance.reports import documents, files
    from attendance.reports.facts import Days

    days = Days(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    if case == "stream":
        _name, pieces = files.all_marks_for_sis(Course.objects.all(), days)
        size = sum(len(piece) for piece in pieces)
    elif case == "summary":
        size = len(files.written(files.summary_document(Course.objects.all(), days), "csv", FIRST).content)
    else:
        course = Course.objects.select_related("term").get()
        document = documents.course(files.course_matrix(course, days), days)
        size = len(files.written(document, case, FIRST).content)
    seconds = time.perf_counter() - start
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{case}: {size / 1e6:.1f} MB in {seconds:.1f} s, {more:.0f} MB of memory more than before",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--lessons", type=int, default=200)
    parser.add_argument("--case", choices=("fill", *CASES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case is None:
        size = ["--students", str(given.students), "--lessons", str(given.lessons)]
        with tempfile.TemporaryDirectory(prefix="rollcall-reports-") as folder:
            database = {"ROLLCALL_DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
            for case in ("fill", *CASES):
                command = [sys.executable, "-m", "benchmarks.reports", "--case", case, *size]
                subprocess.run(command, check=True, env={**os.environ, **database})
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if given.case == "fill":
        fill(given.students, given.lessons)
    else:
        one(given.case)


if __name__ == "__main__":
    main()
