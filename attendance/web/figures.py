"""Kept figures as pages show them: as of when, being worked out, and worked out anew when somebody asks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from attendance import figures, permissions
from attendance.figure_kinds import KINDS
from attendance.models import KeptFigures
from attendance.web.answers import administrators_only, back, page


@page
@require_GET
def state(request: HttpRequest, figures_id: int) -> HttpResponse:
    """What a waiting page asks: nothing yet, or have the page loaded anew."""
    row = _visible(request, figures_id)
    if figures.Reading(None, row).working:
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()


@page
@require_POST
def anew(request: HttpRequest, figures_id: int) -> HttpResponse:
    figures.ask(_visible(request, figures_id), anew=True)
    messages.success(request, _("The figures are being worked out anew. You can leave this page."))
    return back(request, "/")


def _visible(request: HttpRequest, figures_id: int) -> KeptFigures:
    """Figures are seen by whoever sees their page: of a course by its people, of the site by administrators."""
    row = get_object_or_404(KeptFigures, pk=figures_id)
    kind = KINDS.get(row.name)
    if row.course_id is None or kind is None or kind.for_administrators:
        administrators_only(request)
    else:
        get_object_or_404(permissions.courses_for(request.user), pk=row.course_id)
    return row
