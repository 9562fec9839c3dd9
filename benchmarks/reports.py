"""How long reports take and how much memory, by the number of marks.

    python -m benchmarks.reports --students 10000 --lessons 200

Makes one course of that size in a database of its own (deleted afterwards) and writes its reports as a worker does;
each in a process of its own, because memory is only ever counted at its highest. A PDF is made of as many students
as one may hold.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import peak_mib

CASES = {
    "marks of all courses, CSV": ("summary", "sis"),
    "all courses, one line each, CSV": ("summary", "csv"),
    "course, CSV": ("course", "csv"),
    "course, XLSX": ("course", "xlsx"),
    "course, JSON": ("course", "json"),
    "course, one line a mark": ("course", "sis"),
    "course, Moodle grades": ("course", "moodle-grades"),
    "course, PDF": ("course", "pdf"),
}
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
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from attendance.models import ClassSession, Course, RosterEntry, Student, Term

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("registrar")
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
    from django.contrib.auth.models import User

    from attendance.models import Course
    from attendance.reports import orders
    from attendance.reports.facts import Days

    what, kind = CASES[case]
    course = Course.objects.get()
    days = Days(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    order = orders.Order(what, course.pk if what == "course" else 0, kind, days)
    viewer = User.objects.get()
    marks = course.roster_entries.count() * course.sessions.count()
    if kind == "pdf" and marks > orders.PDF_MOST:
        print(f"| {case} | refused over {orders.PDF_MOST} marks | | | |", flush=True)
        return
    before, start = peak_mib(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile(dir=folder) as out:
        orders.write(viewer, order, out, Path(folder), FIRST)
        size = out.tell()
    seconds, peak = time.perf_counter() - start, peak_mib()
    print(
        f"| {case} | {size / 1e6:.1f} MB | {seconds:.1f} s | {peak:.0f} MB | {peak - before:.0f} MB |",
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
            print(f"{given.students} students, {given.lessons} lessons")
            print(
                "| report | size | time | most memory | more than before |\n|---|---|---|---|---|", flush=True
            )
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
