"""A course in numbers: who came when, how it goes, who is at risk. All from the reports' own matrix."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from attendance import moods, permissions
from attendance.models import ClassSession, Course
from attendance.reports import documents, files, matrix, orders, tables
from attendance.reports.chunks import CourseInChunks
from attendance.reports.document import percent_text
from attendance.reports.matrix import Matrix, SessionColumn
from attendance.web.answers import page
from attendance.web.heat import heat_rows
from attendance.web.mood_screen import engagement_percent
from attendance.web.report_params import days_of, order_of, rule_of

MOST_AT_RISK = 200
"""Lines of the list of those at risk; the files have them all."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    column: SessionColumn
    percent: str
    """Blank where nothing counts: the line has a gap there."""
    trend: str


@dataclass(frozen=True, slots=True)
class Arrival:
    first: int
    last: int | None
    """Minutes after the start; None for the last step, which is open."""
    students: int


def rate_points(found: Matrix) -> list[RatePoint]:
    """The rate of each session, and the straight line through them."""
    rates = [column.tally.rate for column in found.columns]
    line = tables.trend(rates)
    points = []
    for at, column in enumerate(found.columns):
        along = line[0] + (line[1] - line[0]) * at / (len(rates) - 1) if line else None
        within = None if along is None else min(max(along, 0.0), 1.0)
        points.append(RatePoint(column, percent_text(column.tally.rate), percent_text(within)))
    return points


@dataclass(frozen=True, slots=True)
class MoodPoint:
    """A session's attendance beside the class's engagement, in per cent; blank where nothing is known."""

    column: SessionColumn
    percent: str
    low: str
    engagement: str
    high: str


def mood_points(course: Course, points: list[RatePoint]) -> list[MoodPoint]:
    """Empty where mood is off, or was never read in these sessions."""
    found = moods.by_session(course, [one.column.session.id for one in points])
    if not found:
        return []
    rows = []
    for one in points:
        mood = found.get(one.column.session.id)
        low, value, high = engagement_percent(mood.engagement) if mood else ("", "", "")
        rows.append(MoodPoint(one.column, one.percent, low, value, high))
    return rows


def arrival_steps(found: Matrix) -> tuple[list[Arrival], int]:
    steps, unknown = matrix.arrivals(found)
    last = matrix.ARRIVAL_LAST
    rows = [
        Arrival(step, None if step == last else step + matrix.ARRIVAL_STEP, number) for step, number in steps
    ]
    return rows, unknown


@page
@require_GET
def dashboard(request: HttpRequest, course_id: int) -> HttpResponse:
    course = get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)
    asked = request.GET.dict()
    days, rule = days_of(asked, course), rule_of(asked, course)
    large = orders.marks_in(request.user, order_of(asked, "course", course.pk, "csv", course)) > orders.LARGE
    # Of a course that fills no screen only the numbers are held, not every mark.
    found = (
        CourseInChunks.read(course, days, rule).without_cells()
        if large
        else files.course_matrix(course, days, rule)
    )
    arrivals, without_time = ([], 0) if large else arrival_steps(found)
    late = None if large else matrix.usual_lateness(found)
    points = rate_points(found)
    first, last = (points[0].trend, points[-1].trend) if points else ("", "")
    context = {
        "course": course,
        "tab": "dashboard",
        "may_change": permissions.may_change_course(request.user, course),
        "days": days,
        "rule": rule,
        "least_percent": round(rule.least_rate * 100),
        "rule_text": documents.rule_text(found),
        "query": urlencode(
            {
                "from": days.first.isoformat(), "to": days.last.isoformat(),
                "run": rule.in_a_row, "rate": round(rule.least_rate * 100),
            }
        ),
        "matrix": found,
        "rate": percent_text(found.total.rate),
        "lessons": sum(not column.session.cancelled for column in found.columns),
        "not_evaluated": sum(column.not_evaluated for column in found.columns),
        "still_open": sum(
            one.state == ClassSession.State.OPEN and not one.cancelled for one in found.course.sessions
        ),
        "late_minutes": None if late is None else round(late),
        "at_risk": [
            (line, documents.risk_words(line), percent_text(line.tally.rate)) for line in found.at_risk[:MOST_AT_RISK]
        ],
        "risky": len(found.at_risk),
        "large": large,
        "students": len(found.lines),
        "rows": [] if large else heat_rows(found),
        "mood": mood_points(course, points),
        "points": points,
        "trend_change": float(last) - float(first) if first and last else None,
        "trend_fall": float(first) - float(last) if first and last else None,
        "arrivals": arrivals,
        "arrived": sum(one.students for one in arrivals),
        "without_time": without_time,
    }  # fmt: skip
    return render(request, "web/dashboard/course.html", context)
