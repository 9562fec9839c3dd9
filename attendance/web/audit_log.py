"""Who looked at whom: the log, searched, exported, and its chain verified. For administrators."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from attendance import audit, schooltime
from attendance.models import AuditEntry, Student
from attendance.reports.csv import stream_csv
from attendance.web.answers import administrators_only, page

PER_PAGE = 100
FIELDS = ("number", "at", "actor", "verb", "what", "about", "previous", "digest")
"""Of an entry, in the order of the exported file; ``at`` to the microsecond, ``about`` as JSON with sorted keys."""


class SearchForm(forms.Form):
    actor = forms.CharField(label=_("Who"), required=False, max_length=150)
    verb = forms.ChoiceField(
        label=_("Did what"), required=False, choices=[("", _("anything")), *AuditEntry.Verb.choices]
    )
    number = forms.CharField(label=_("Student number"), required=False, max_length=40)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def entries(self) -> audit.Entries:
        """What fits; nothing for a student number that nobody has. For valid forms only."""
        given = self.cleaned_data
        student_id = None
        if given["number"]:
            found = Student.objects.filter(number=given["number"]).values_list("pk", flat=True).first()
            student_id = -1 if found is None else found
        return audit.search(
            actor=given["actor"],
            verb=given["verb"],
            student_id=student_id,
            since=schooltime.day_bounds(given["since"])[0] if given["since"] else None,
            until=schooltime.day_bounds(given["until"])[1] if given["until"] else None,
        )


@page
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    form = SearchForm(request.GET)
    found = form.entries() if form.is_valid() else AuditEntry.objects.none()
    context = {
        "form": form,
        "entries": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "verdict": audit.verify() if "verify" in request.GET else None,
        "query": _query(request),
    }
    return render(request, "web/audit_log.html", context)


@page
@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """The entries of a search, oldest first, with what is needed to verify them elsewhere."""
    administrators_only(request)
    form = SearchForm(request.GET)
    if not form.is_valid():
        return render(request, "web/audit_log.html", {"form": form, "entries": []}, status=422)
    response = StreamingHttpResponse(
        stream_csv(FIELDS, _rows(form.entries())), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _rows(entries: audit.Entries) -> Iterator[list[str | int]]:
    for number, at, actor, verb, what, about, previous, digest in audit.oldest_first(entries, *FIELDS):
        facts = json.dumps(about, sort_keys=True)
        yield [number, at.isoformat(), actor, verb, what, facts, previous, digest]


def _query(request: HttpRequest) -> str:
    given = request.GET.copy()
    for key in ("page", "verify"):
        given.pop(key, None)
    return given.urlencode()
