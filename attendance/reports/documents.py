"""The reports there are, each as a document. Every format writes the same document."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from attendance.models import Course, Mark
from attendance.reports.document import (
    CANCELLED,
    LETTERS,
    Column,
    Document,
    Kind,
    Row,
    Value,
    percent_text,
    word,
)
from attendance.reports.facts import CourseSummary, Days, Lesson
from attendance.reports.matrix import CellFact, Matrix, Missing, Rule, SessionFact, StudentLine
from attendance.reports.tables import TALLIED, MarkFact, Tally, count, effective, tally

TALLY_KINDS = (*TALLIED, "counted", "attended")


def days_text(days: Days) -> str:
    return f"{date_format(days.first)} – {date_format(days.last)}"


def _tally_columns() -> tuple[Column, ...]:
    titles = {key: word(key) for key in TALLIED} | {
        "counted": _("lessons counted"),
        "attended": _("attended"),
    }
    return (
        Column("attended_percent", _("attended %"), Kind.PERCENT),
        *(Column(key, titles[key], Kind.NUMBER) for key in TALLY_KINDS),
    )


def _tally_values(numbers: Tally) -> Row:
    return (numbers.rate, *(getattr(numbers, key) for key in TALLY_KINDS))


def legend() -> str:
    letters = ", ".join(f"{letter} {word(status)}" for status, letter in LETTERS.items())
    return _("%(letters)s. Excused, not evaluated and to check count neither for nor against.") % {
        "letters": letters
    }


def roll(session: SessionFact, course: Course, marks: Sequence[MarkFact]) -> Document:
    """The roll of one session."""
    numbers = count(marks)
    columns = (
        Column("student_number", _("Number")),
        Column("name", _("Name")),
        Column("email", _("E-mail")),
        Column("status", _("Mark"), Kind.STATUS),
        Column("minutes_late", _("Minutes late"), Kind.NUMBER),
        Column("minutes_early", _("Minutes early"), Kind.NUMBER),
        Column("first_seen", _("First seen"), Kind.TIME),
        Column("last_seen", _("Last seen"), Kind.TIME),
        Column("seen_in_photos", _("Seen in photos"), Kind.NUMBER),
        Column("source", _("Marked by")),
        Column("note", _("Note")),
    )
    zone = session.starts_at.tzinfo
    rows = [
        (
            mark.student_number, mark.sort_name, mark.email, effective(mark.status, mark.to_check),
            mark.minutes_late, mark.minutes_early,
            mark.first_seen_at and mark.first_seen_at.astimezone(zone),
            mark.last_seen_at and mark.last_seen_at.astimezone(zone),
            mark.seen_in, mark.source, mark.note,
        )
        for mark in marks
    ]  # fmt: skip
    when = (
        f"{date_format(session.starts_at, 'DATE_FORMAT')}, {session.starts_at:%H:%M}–{session.ends_at:%H:%M}"
    )
    present = _("%(here)d of %(all)d, %(check)d to check") % {
        "here": numbers.attended, "all": numbers.total, "check": numbers.to_check,
    }  # fmt: skip
    facts = (
        (_("Course"), f"{course.name} ({course.code})"),
        (_("Session"), when),
        (_("Room"), session.room or "–"),
    )
    return Document(
        f"roll {course.code} {session.starts_at:%Y-%m-%d}",
        _("Roll: %(course)s") % {"course": course.name},
        (*facts, (_("Present"), present)),
        columns,
        rows,
        notes=(_sources(),),
        signature=True,
        frozen=2,
    )


def _sources() -> str:
    return ", ".join(f"{value}: {label}" for value, label in Mark.Source.choices)


def _session_keys(sessions: Sequence[SessionFact]) -> list[str]:
    """``2026-03-12 09:00``; lessons that begin together get a number."""
    seen: Counter[str] = Counter()
    keys = []
    for session in sessions:
        key = f"{session.starts_at:%Y-%m-%d %H:%M}"
        seen[key] += 1
        numbered = key if seen[key] == 1 else f"{key} ({seen[key]})"
        keys.append(f"{numbered} {CANCELLED}" if session.cancelled else numbered)
    return keys


def _session_title(session: SessionFact) -> str:
    when = f"{date_format(session.starts_at, 'j M')} {session.starts_at:%H:%M}"
    return _("%(when)s cancelled") % {"when": when} if session.cancelled else when


def course(matrix: Matrix, days: Days) -> Document:
    """Students by sessions, with every student's numbers and the class's."""
    sessions = [column.session for column in matrix.columns]
    columns = (
        Column("student_number", _("Number")),
        Column("name", _("Name")),
        Column("email", _("E-mail")),
        *(
            Column(key, _session_title(one), Kind.LETTER, struck=one.cancelled)
            for key, one in zip(_session_keys(sessions), sessions, strict=True)
        ),
        *_tally_columns(),
        Column("absences_in_a_row", _("absences in a row"), Kind.NUMBER),
        Column("at_risk", _("at risk")),
    )
    rows: list[Row] = [
        (
            line.student.number, line.student.sort_name, line.student.email,
            *(cell.effective if cell else "" for cell in line.cells),
            *_tally_values(line.tally), line.in_a_row, "yes" if line.at_risk else "no",
        )
        for line in matrix.lines
    ]  # fmt: skip
    rates: list[Value] = [column.tally.rate for column in matrix.columns]
    totals: Row = (
        "", _("Total"), "", *rates, *_tally_values(matrix.total), None, str(sum(line.at_risk for line in matrix.lines)),
    )  # fmt: skip
    facts = (
        (_("Course"), f"{matrix.course.name} ({matrix.course.code})"),
        (_("Term"), matrix.course.term),
        (_("Days"), days_text(days)),
    )
    return Document(
        f"attendance {matrix.course.code} {days.first} {days.last}",
        _("Attendance: %(course)s") % {"course": matrix.course.name},
        facts, columns, rows, totals, (legend(), rule_text(matrix)), signature=True, frozen=2,
    )  # fmt: skip


def rule_text(matrix: Matrix) -> str:
    return rule_words(matrix.rule)


def rule_words(rule: Rule) -> str:
    """The rule as it is stated wherever its numbers stand: who is at risk, and what lateness costs."""
    parts = []
    if rule.in_a_row:
        parts.append(_("%(run)d absences in a row") % {"run": rule.in_a_row})
    if rule.least_rate:
        words = _("under %(rate)d %% once %(lessons)d lessons count")
        parts.append(words % {"rate": round(rule.least_rate * 100), "lessons": rule.from_lessons})
    if rule.window_absences:
        words = _("%(absences)d absences among the last %(lessons)d lessons that count")
        parts.append(words % {"absences": rule.window_absences, "lessons": rule.window_lessons})
    sentences = [
        _("At risk: %(rules)s.") % {"rules": _(", or ").join(parts)}
        if parts
        else _("Nobody counts as at risk.")
    ]
    for status, counts in (("late", rule.credit.late), ("left_early", rule.credit.left_early)):
        if counts < 100:
            words = _("A lesson marked %(mark)s counts %(percent)d %% as attended.")
            sentences.append(words % {"mark": word(status), "percent": counts})
    return " ".join(sentences)


def risk_words(line: StudentLine) -> str:
    """Why a student is at risk, in words."""
    words = []
    if line.by_run:
        words.append(_("%(n)d absences in a row") % {"n": line.in_a_row})
    if line.by_window:
        words.append(_("%(n)d absences lately") % {"n": line.in_window})
    if line.by_rate and line.tally.rate is not None:
        words.append(_("%(percent)s %% attended") % {"percent": percent_text(line.tally.rate)})
    return ", ".join(words)


def student(name: str, number: str, lessons: Sequence[Lesson], days: Days) -> Document:
    """One student's lessons in every course the reader may see."""
    columns = (
        Column("date", _("Date"), Kind.DATE),
        Column("starts", _("Starts")),
        Column("course_code", _("Code")),
        Column("course", _("Course")),
        Column("status", _("Mark"), Kind.STATUS),
        Column("minutes_late", _("Minutes late"), Kind.NUMBER),
        Column("minutes_early", _("Minutes early"), Kind.NUMBER),
        Column("note", _("Note")),
    )
    rows: list[Row] = [
        (
            one.session.starts_at.date(), f"{one.session.starts_at:%H:%M}", one.course_code, one.course_name,
            CANCELLED if one.session.cancelled else one.cell.effective, one.cell.minutes_late,
            one.cell.minutes_early, one.note,
        )
        for one in lessons
    ]  # fmt: skip
    numbers = sum((tally([one.counts_as], one.credit) for one in lessons), Tally())
    rate = f"{percent_text(numbers.rate)} %" if numbers.rate is not None else "–"
    counts = ", ".join(f"{word(key)} {getattr(numbers, key)}" for key in TALLIED if getattr(numbers, key))
    facts = (
        (_("Student"), name),
        (_("Number"), number),
        (_("Days"), days_text(days)),
        (_("Attended"), f"{rate} ({numbers.attended}/{numbers.counted})"),
        (_("Marks"), counts or "–"),
    )
    lessons = [one for one in lessons if not one.session.cancelled]
    late = sum(one.cell.minutes_late or 0 for one in lessons)
    early = sum(one.cell.minutes_early or 0 for one in lessons)
    totals: Row = (None, "", "", _("Total"), "", late, early, "")
    return Document(
        f"student {number} {days.first} {days.last}",
        name,
        facts,
        columns,
        rows,
        totals,
        signature=True,
        frozen=1,
    )


def summary(courses: Sequence[CourseSummary], days: Days) -> Document:
    """Every course in one line."""
    columns = (
        Column("course_code", _("Code")),
        Column("course", _("Course")),
        Column("term", _("Term")),
        Column("students", _("Students"), Kind.NUMBER),
        Column("rolls_taken", _("Rolls taken"), Kind.NUMBER),
        Column("rolls_missing", _("Rolls missing"), Kind.NUMBER),
        *_tally_columns(),
    )
    rows: list[Row] = [
        (one.code, one.name, one.term, one.students, one.taken, one.missing, *_tally_values(one.tally))
        for one in courses
    ]
    numbers = sum((one.tally for one in courses), Tally())
    totals: Row = (
        "", _("Total"), "", None, sum(one.taken for one in courses), sum(one.missing for one in courses),
        *_tally_values(numbers),
    )  # fmt: skip
    return Document(
        f"courses {days.first} {days.last}", _("All courses"), ((_("Days"), days_text(days)),), columns, rows, totals,
        frozen=2,
    )  # fmt: skip


WHY: dict[str, str | Promise] = {
    "not_taken": gettext_lazy("roll not taken"),
    "left_open": gettext_lazy("over, but still open"),
    "not_evaluated": gettext_lazy("not evaluated: too few usable photos"),
}


def missing(found: Sequence[tuple[Course, Missing]], days: Days) -> Document:
    """Lessons that are over without a usable roll."""
    columns = (
        Column("date", _("Date"), Kind.DATE),
        Column("starts", _("Starts")),
        Column("ends", _("Ends")),
        Column("course_code", _("Code")),
        Column("course", _("Course")),
        Column("room", _("Room")),
        Column("why", _("What is missing")),
    )
    rows: list[Row] = [
        (
            one.session.starts_at.date(), f"{one.session.starts_at:%H:%M}", f"{one.session.ends_at:%H:%M}",
            of.code, of.name, one.session.room, str(WHY[one.why]),
        )
        for of, one in found
    ]  # fmt: skip
    return Document(
        f"missing rolls {days.first} {days.last}", _("Rolls that are missing"), ((_("Days"), days_text(days)),),
        columns, rows,
    )  # fmt: skip


SIS_KEYS = (
    "student_number", "course_code", "date", "starts", "ends", "status", "minutes_late", "minutes_early",
)  # fmt: skip


def sis_row(number: str, code: str, starts: dt.datetime, ends: dt.datetime, cell: CellFact) -> Row:
    """One mark for a student information system; the instants are on the school's clock."""
    return (
        number, code, f"{starts:%Y-%m-%d}", f"{starts:%H:%M}", f"{ends:%H:%M}", cell.effective,
        cell.minutes_late, cell.minutes_early,
    )  # fmt: skip


def marks_for_sis(matrix: Matrix, days: Days) -> Document:
    """One line a mark, for student information systems."""
    rows: list[Row] = [
        sis_row(
            line.student.number, matrix.course.code, column.session.starts_at, column.session.ends_at, cell
        )
        for line in matrix.lines
        for column, cell in zip(matrix.columns, line.cells, strict=True)
        if cell is not None
    ]
    columns = tuple(Column(key, key) for key in SIS_KEYS)
    return Document(f"marks {matrix.course.code} {days.first} {days.last}", "", (), columns, rows)
