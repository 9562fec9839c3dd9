"""The review desk: one face after the other, settled by one key."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, permissions, reviews
from attendance.desk import queue
from attendance.desk.settle import settle as settle_item
from attendance.models import ClassSession, Student
from attendance.web import desk_screen
from attendance.web.answers import is_htmx, page, toast, user_of

RUN = "desk_run"
"""The run in the browser's session: when it began, what was settled, skipped and changed."""


@page
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """A new run begins when the page is opened; the filters stand in the address."""
    request.session[RUN] = _new_run()
    return _desk(request, "web/desk.html")


@page
@require_POST
def settle(request: HttpRequest) -> HttpResponse:
    """One key press: all faces of the item, or only the large one."""
    session = get_object_or_404(_sessions(request), pk=_number(request.POST.get("session")))
    if not permissions.may_change_course(request.user, session.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    ids = [number for value in request.POST.getlist("face") if (number := _number(value))]
    if request.POST.get("whole_group") != "1":
        ids = ids[:1]
    chosen = _number(request.POST.get("student"))
    student = get_object_or_404(Student, pk=chosen, marks__session=session) if chosen else None
    verdict = request.POST.get("verdict") or "is"
    decision = settle_item(
        session, ids, verdict, user_of(request), student, shown={"kind": request.POST.get("kind", "")[:20]}
    )
    run = _run(request)
    run["settled"] += len(decision.reviews)
    run["moved"] += len(decision.moved)
    run["batches"] = [*run["batches"], str(decision.batch)][-50:]
    request.session.modified = True
    words = {
        "is": _("This is %(name)s."),
        "is_not": _("This is not %(name)s."),
        "not_in_class": _("Not in this class."),
        "not_a_face": _("Not a face."),
    }[verdict] % {"name": student.full_name if student else ""}
    return _next(request, words, undo=reverse("web:desk-undo", args=[decision.batch]))


@page
@require_POST
def skip(request: HttpRequest) -> HttpResponse:
    """Come back to this one another time: it stays in the queue of the next run."""
    run = _run(request)
    run["skipped"] = [*run["skipped"], _number(request.POST.get("face"))][-500:]
    request.session.modified = True
    return _next(request, "")


@page
@require_POST
def undo(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """Take back one key press; the item comes up again."""
    own = permissions.reviews_for(request.user).filter(batch=batch)
    review = get_object_or_404(own.select_related("sighting__snapshot__session__course")[:1])
    if not permissions.may_change_course(request.user, review.sighting.snapshot.session.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    reviews.undo_batch(batch, user_of(request))
    run = _run(request)
    if str(batch) in run["batches"]:
        run["batches"].remove(str(batch))
        run["settled"] = max(0, run["settled"] - own.count())
        run["moved"] = max(0, run["moved"] - len(review.changed))
        request.session.modified = True
    return _next(request, _("Undone."))


def _desk(request: HttpRequest, template: str) -> HttpResponse:
    run = _run(request)
    skipped = set(run["skipped"])
    items = [
        each
        for each in queue.items_for(_sessions(request))
        if not skipped & {face.sighting_id for face in each.item.faces}
    ]
    context = {
        "screen": desk_screen.build(items),
        "query": urlencode(_filters(request)),
        "number": run["done"] + 1,
        "last_undo": reverse("web:desk-undo", args=[run["batches"][-1]]) if run["batches"] else "",
        "summary": _summary(run),
        "skipped": len(skipped),
    }
    return render(request, template, context)


def _next(request: HttpRequest, words: str, *, undo: str = "") -> HttpResponse:
    if not is_htmx(request):
        return redirect(f"{reverse('web:desk')}?{urlencode(_filters(request))}")
    response = _desk(request, "web/desk_item.html")
    return toast(response, words, undo=undo) if words else response


def _sessions(request: HttpRequest) -> QuerySet[ClassSession]:
    """Sessions this person may see, narrowed by the address (``?course=``, ``?session=``)."""
    sessions = permissions.sessions_for(request.user)
    filters = _filters(request)
    if "course" in filters:
        sessions = sessions.filter(course_id=filters["course"])
    if "session" in filters:
        sessions = sessions.filter(pk=filters["session"])
    return sessions


def _filters(request: HttpRequest) -> dict[str, int]:
    query: QueryDict = request.GET
    return {name: number for name in ("course", "session") if (number := _number(query.get(name)))}


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) < 19 else None


def _new_run() -> dict[str, Any]:
    return {"began": time.time(), "settled": 0, "moved": 0, "done": 0, "skipped": [], "batches": []}


def _run(request: HttpRequest) -> dict[str, Any]:
    run: dict[str, Any] = request.session.setdefault(RUN, _new_run())
    run["done"] = len(run["batches"]) + len(run["skipped"])
    return run


def _summary(run: dict[str, Any]) -> str:
    """``5 faces checked in 21 s. 3 marks changed.``"""
    if not run["settled"]:
        return ""
    seconds = max(1, round(time.time() - run["began"]))
    faces = ngettext("%(n)d face checked", "%(n)d faces checked", run["settled"]) % {"n": run["settled"]}
    changed = ngettext("%(n)d mark changed.", "%(n)d marks changed.", run["moved"]) % {"n": run["moved"]}
    return _("%(faces)s in %(seconds)d s. %(changed)s") % {
        "faces": faces,
        "seconds": seconds,
        "changed": changed,
    }
