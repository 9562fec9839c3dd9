"""A class list in three steps: give it, look at it, confirm it. Until the last one nothing is stored."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from attendance import class_lists, errors, rosters
from attendance.web.answers import page, user_of
from attendance.web.carried import carried, carry
from attendance.web.courses import changeable_course
from attendance.web.forms import RosterFileForm

COLUMN_WORDS = {
    "number": gettext_lazy("student number"),
    "given_name": gettext_lazy("given name"),
    "family_name": gettext_lazy("family name"),
    "name": gettext_lazy("whole name"),
    "email": gettext_lazy("e-mail"),
}
SHOWN_ROWS = 500


@page
def roster_import(request: HttpRequest, course_id: int) -> HttpResponse:
    """Give a file or paste a list, and see what each row would do."""
    course = changeable_course(request, course_id)
    form = RosterFileForm(request.POST, request.FILES) if request.method == "POST" else RosterFileForm()
    if request.method == "POST":
        given = carried(request, errors.RosterFileRefused)
        if given is not None:
            return _preview(request, course_id, given, _columns(request))
        if form.is_valid():
            upload = form.cleaned_data["file"]
            data = upload.read(class_lists.MAX_BYTES + 1) if upload else form.cleaned_data["text"].encode()
            try:
                return _preview(request, course_id, data, None)
            except errors.RosterFileRefused as error:
                form.add_error(None, str(error.message))
    return render(
        request,
        "web/roster_import.html",
        {"course": course, "form": form},
        status=422 if form.errors else 200,
    )


@page
@require_POST
def confirm(request: HttpRequest, course_id: int) -> HttpResponse:
    """The user said yes: the importable rows are stored in one transaction."""
    course = changeable_course(request, course_id)
    data = carried(request, errors.RosterFileRefused)
    if data is None:
        return redirect("web:roster-import", course_id)
    user = user_of(request)
    result = rosters.import_rows(course, rosters.preview(course, data, _columns(request), by=user), by=user)
    text = _("%(created)d new, %(added)d added, %(changed)d changed, %(skipped)d left out.")
    messages.success(
        request,
        text
        % {
            "created": result.created,
            "added": result.added,
            "changed": result.changed,
            "skipped": result.skipped,
        },
    )
    return redirect("web:course", course_id)


def _preview(
    request: HttpRequest, course_id: int, data: bytes, columns: list[str | None] | None
) -> HttpResponse:
    course = changeable_course(request, course_id)
    seen = rosters.preview(course, data, columns, by=user_of(request))
    # Rows that need a look come first; a long list is cut on the page, not in the import.
    rows = sorted(seen.rows, key=lambda row: (row.verdict != rosters.Verdict.ERROR, row.line))
    context = {
        "course": course,
        "seen": seen,
        "rows": rows[:SHOWN_ROWS],
        "hidden_rows": max(len(rows) - SHOWN_ROWS, 0),
        "carried": carry(data),
        "columns": list(zip(seen.headers, seen.columns, strict=False)),
        "column_words": COLUMN_WORDS.items(),
        "counts": {str(verdict): seen.count(verdict) for verdict in rosters.Verdict},
    }
    return render(request, "web/roster_preview.html", context)


def _columns(request: HttpRequest) -> list[str | None] | None:
    chosen = request.POST.getlist("column")
    return [name if name in COLUMN_WORDS else None for name in chosen] or None
