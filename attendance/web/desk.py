"""The review desk: one item after the other, settled by one key."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import contests, errors, permissions
from attendance.desk import queue
from attendance.desk import undo as desk_undo
from attendance.desk.elsewhere import students_elsewhere
from attendance.desk.items import Kind
from attendance.models import ClassSession
from attendance.web import desk_acts, desk_filters, desk_screen
from attendance.web.answers import administrators_only, is_htmx, page, toast, user_of
from attendance.web.asked import number

RUN = "desk_run"
"""The run in the browser's session: when it began, what was settled, skipped and changed."""
REMEMBERED = 50


@page
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """A new run begins when the page is opened; the filters and the item stand in the address."""
    if "run" not in request.GET:  # back from the page that confirms many: the same run goes on
        request.session[RUN] = _new_run()
    return _desk(request, "web/desk.html")


@page
@require_POST
def settle(request: HttpRequest) -> HttpResponse:
    """One key press. Who comes second is told, and shown what is next."""
    try:
        done = desk_acts.act(request)
    except (errors.AlreadyDecided, errors.ContestSettled) as error:
        return _next(request, str(error.message), status=error.status)
    remember(request, done)
    return _next(request, done.words, undo=done.undo)


@page
@require_POST
def skip(request: HttpRequest) -> HttpResponse:
    """Come back to this one another time: it stays in the queue of the next run."""
    run = _run(request)
    run["skipped"] = [*run["skipped"], request.POST.get("key", "")[:60]][-500:]
    request.session.modified = True
    return _next(request, "")


@page
@require_GET
def elsewhere(request: HttpRequest) -> HttpResponse:
    """Students of other courses by name or number, for administrators."""
    administrators_only(request)
    wanted = number(request.GET.get("session"))
    session = get_object_or_404(permissions.sessions_for(request.user), pk=wanted)
    found = students_elsewhere(session, request.GET.get("q", ""))
    return render(request, "web/desk_elsewhere.html", {"students": found})


@page
@require_POST
def undo(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """Take back one key press; the item comes up again."""
    press = desk_undo.press_of(batch)
    own = permissions.sessions_for(request.user).filter(pk__in=press.sessions if press else ())
    if press is None or own.count() != len(press.sessions):
        raise Http404
    if not all(permissions.may_change_course(request.user, session.course) for session in own):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    desk_undo.undo(batch, user_of(request))
    _forget(request, reverse("web:desk-undo", args=[batch]))
    return _next(request, _("Undone."))


@page
@require_POST
def undo_report(request: HttpRequest, contest_id: int) -> HttpResponse:
    """Take back the answer to a student's report."""
    found = get_object_or_404(
        permissions.contests_for(request.user).select_related("session__course"), pk=contest_id
    )
    if not permissions.may_change_course(request.user, found.session.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    contests.reopen(found, user_of(request))
    _forget(request, reverse("web:desk-report-undo", args=[contest_id]))
    return _next(request, _("Undone."))


def sessions_of(request: HttpRequest) -> QuerySet[ClassSession]:
    """Sessions this person may see, narrowed by the address."""
    return desk_filters.narrow(permissions.sessions_for(request.user), desk_filters.of(request))


def remember(request: HttpRequest, done: desk_acts.Done) -> None:
    """The run counts what was done, and knows the way back."""
    run = _run(request)
    if done.undo in [press["undo"] for press in run["presses"]]:
        return  # the same key pressed twice
    press = {"undo": done.undo, "settled": done.settled, "moved": done.moved}
    run["presses"] = [*run["presses"], press][-REMEMBERED:]
    run["settled"] += done.settled
    run["moved"] += done.moved
    request.session.modified = True


def _forget(request: HttpRequest, undo: str) -> None:
    run = _run(request)
    for press in [press for press in run["presses"] if press["undo"] == undo]:
        run["presses"].remove(press)
        run["settled"] = max(0, run["settled"] - press["settled"])
        run["moved"] = max(0, run["moved"] - press["moved"])
    request.session.modified = True


def _desk(request: HttpRequest, template: str) -> HttpResponse:
    run, chosen = _run(request), desk_filters.of(request)
    everything = queue.items_for(sessions_of(request), chosen.kind)
    items = [each for each in everything if not any(_is(each, key) for key in run["skipped"])]
    wanted = request.GET.get("item", "") if template == "web/desk.html" else ""
    # A deep link: its item first, the others as ever.
    items.sort(key=lambda each: not _is(each, wanted))
    context = {
        "screen": desk_screen.build(items),
        "filters": desk_filters.screen(request, chosen),
        "query": urlencode(chosen.query),
        "gone": bool(wanted) and not any(_is(each, wanted) for each in items),
        "last_undo": run["presses"][-1]["undo"] if run["presses"] else "",
        "summary": _summary(run),
        "skipped": len(everything) - len(items),
        "elsewhere": permissions.is_administrator(request.user),
        "kinds": [(str(kind), desk_screen.KINDS[kind]) for kind in Kind],
    }
    return render(request, template, context)


def _is(desk_item: queue.DeskItem, key: str) -> bool:
    """Whether ``12-face-7`` means this item."""
    session, _dash, address = key.partition("-")
    return session == str(desk_item.session.pk) and desk_item.item.answers_to(address)


def _next(request: HttpRequest, words: str, *, undo: str = "", status: int = 200) -> HttpResponse:
    if not is_htmx(request):
        if status != 200:
            messages.error(request, words)
        return redirect(f"{reverse('web:desk')}?{urlencode(desk_filters.of(request).query)}")
    response = _desk(request, "web/desk_item.html")
    response.status_code = status
    way_back = f"{undo}?{urlencode(desk_filters.of(request).query)}" if undo else ""
    kind = "good" if status == 200 else "bad"
    return toast(response, words, kind=kind, undo=way_back) if words else response


def _new_run() -> dict[str, Any]:
    return {"began": time.time(), "settled": 0, "moved": 0, "skipped": [], "presses": []}


def _run(request: HttpRequest) -> dict[str, Any]:
    run: dict[str, Any] = request.session.setdefault(RUN, _new_run())
    return run if "presses" in run else request.session.setdefault(RUN, _new_run())


def _summary(run: dict[str, Any]) -> str:
    """``5 faces checked in 21 s. 3 marks changed.``"""
    if not run["presses"]:
        return ""
    seconds = max(1, round(time.time() - run["began"]))
    faces = ngettext("%(n)d face checked", "%(n)d faces checked", run["settled"]) % {"n": run["settled"]}
    changed = ngettext("%(n)d mark changed.", "%(n)d marks changed.", run["moved"]) % {"n": run["moved"]}
    return _("%(faces)s in %(seconds)d s. %(changed)s") % {
        "faces": faces,
        "seconds": seconds,
        "changed": changed,
    }
