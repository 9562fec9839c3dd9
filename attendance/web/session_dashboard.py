"""A lesson in numbers: who stands how, when they came, in which photos each was seen. From the reports' own matrix."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from attendance import permissions
from attendance.models import Snapshot
from attendance.reports import files
from attendance.reports.document import percent_text
from attendance.web import session_screen
from attendance.web.answers import page
from attendance.web.course_dashboard import arrival_steps


@page
@require_GET
def dashboard(request: HttpRequest, session_id: int) -> HttpResponse:
    session = get_object_or_404(permissions.sessions_for(request.user), pk=session_id)
    found = files.session_matrix(session)
    arrivals, without_time = arrival_steps(found)
    screen = session_screen.build(session)
    usable = session.snapshots.filter(state=Snapshot.State.DONE, unusable="").order_by("taken_at", "pk")
    photos = list(usable.values_list("pk", "taken_at"))
    seen = [sum(row.dots[at] == "on" for row in screen.rows if row.dots) for at in range(len(photos))]
    so_far = [sum(one.students for one in arrivals[: at + 1]) for at in range(len(arrivals))]
    context = {
        "session": session,
        "total": found.total,
        "rate": percent_text(found.total.rate),
        "rows": screen.rows,
        "photos": [(pk, taken_at, number) for (pk, taken_at), number in zip(photos, seen, strict=True)],
        "arrivals": list(zip(arrivals, so_far, strict=True)),
        "arrived": sum(one.students for one in arrivals),
        "without_time": without_time,
        "mood": screen.mood,
        "mood_prohibited": screen.mood_prohibited,
    }
    return render(request, "web/dashboard/session.html", context)
