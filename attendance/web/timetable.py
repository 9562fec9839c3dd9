"""A course's timetable: the lessons of its week, the sessions they make, and the way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import calendar_files, classes, errors, permissions, timetable_import, timetables
from attendance.models import ClassSession, Course, Holiday, Room, TimetableChange, TimetableSlot
from attendance.timetables import Applied
from attendance.web.answers import page, user_of
from attendance.web.calendar_forms import CalendarFileForm, SlotForm
from attendance.web.carried import carried, carry
from attendance.web.courses import changeable_course

SHOWN_SESSIONS = 12
SHOWN_ROWS = 400


def _course(request: HttpRequest, course_id: int) -> Course:
    return get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)


def _slot(course: Course, slot_id: int) -> TimetableSlot:
    slots = TimetableSlot.objects.select_related("room", "course")
    return get_object_or_404(slots, pk=slot_id, course=course, removed_at__isnull=True)


@page
@require_GET
def timetable(request: HttpRequest, course_id: int) -> HttpResponse:
    course = _course(request, course_id)
    return _page(request, course, SlotForm.for_course(course))


@page
@require_GET
def edit_slot(request: HttpRequest, course_id: int, slot_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    slot = _slot(course, slot_id)
    return _page(request, course, SlotForm.for_course(course, slot=slot), slot)


@page
@require_POST
def save_slot(request: HttpRequest, course_id: int, slot_id: int | None = None) -> HttpResponse:
    """First what the lesson would make, then, confirmed, the sessions themselves."""
    course = changeable_course(request, course_id)
    slot = _slot(course, slot_id) if slot_id else None
    form = SlotForm.for_course(course, request.POST, slot)
    if not form.is_valid():
        return _page(request, course, form, slot, status=422)
    if "confirm" not in request.POST:
        return _slot_preview(request, course, form, slot)
    values = form.values() | {"room": form.room_named(make=True)}
    if slot is None:
        _change, applied = timetables.add_slot(course, user_of(request), **values)
    else:
        _change, applied = timetables.change_slot(slot, user_of(request), **values)
    messages.success(request, said(applied))
    return redirect("web:course-timetable", course_id)


@page
@require_POST
def remove_slot(request: HttpRequest, course_id: int, slot_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    _change, applied = timetables.remove_slot(_slot(course, slot_id), user_of(request))
    messages.success(request, said(applied))
    return redirect("web:course-timetable", course_id)


@page
@require_POST
def undo(request: HttpRequest, course_id: int, change_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    change = get_object_or_404(TimetableChange, pk=change_id, course=course)
    imported = change.kind == TimetableChange.Kind.IMPORTED
    applied = timetable_import.undo(change) if imported else timetables.undo(change)
    messages.success(request, _("Taken back. %(what)s") % {"what": said(applied)})
    return redirect("web:course-timetable", course_id)


def said(applied: Applied) -> str:
    """``12 sessions made, 3 moved.``"""
    parts = [
        ngettext("%(n)d session made", "%(n)d sessions made", applied.created) % {"n": applied.created},
        ngettext("%(n)d moved", "%(n)d moved", applied.moved) % {"n": applied.moved},
        ngettext("%(n)d removed", "%(n)d removed", applied.removed) % {"n": applied.removed},
    ]
    kept = [
        part for part, n in zip(parts, (applied.created, applied.moved, applied.removed), strict=True) if n
    ]
    return ", ".join(kept) + "." if kept else _("No session changes.")


@page
def import_file(request: HttpRequest, course_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    form = CalendarFileForm(request.POST or None, request.FILES or None)
    data = carried(request, calendar_files.CalendarFileRefused)
    if data is not None:
        return _import_preview(request, course, data, request.POST.getlist("name"))
    if form.is_valid():
        data = form.cleaned_data["file"].read(calendar_files.MAX_BYTES + 1)
        return _import_preview(request, course, data, None)
    return render(request, "web/timetable_import.html", {"course": course, "form": form})


@page
@require_POST
def confirm_import(request: HttpRequest, course_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    data = carried(request, calendar_files.CalendarFileRefused)
    if data is None:
        return redirect("web:timetable-import", course_id)
    seen = timetable_import.preview(course, data, request.POST.getlist("name"))
    _change, counts = timetable_import.import_rows(course, seen, user_of(request))
    text = _("%(new)d new, %(moved)d moved, %(cancelled)d cancelled, %(left_out)d left out.")
    messages.success(request, text % counts)
    return redirect("web:course-timetable", course_id)


@page
@require_POST
def cancel_session(request: HttpRequest, session_id: int) -> HttpResponse:
    found = _changeable_session(request, session_id)
    classes.cancel(found, user_of(request), request.POST.get("reason", ""))
    messages.success(request, _("The session is cancelled. It counts nowhere; its marks are kept."))
    return redirect("web:session", session_id)


@page
@require_POST
def restore_session(request: HttpRequest, session_id: int) -> HttpResponse:
    classes.restore(_changeable_session(request, session_id))
    messages.success(request, _("The session takes place after all."))
    return redirect("web:session", session_id)


def _changeable_session(request: HttpRequest, session_id: int) -> ClassSession:
    found = get_object_or_404(permissions.sessions_for(request.user), pk=session_id)
    if not permissions.may_change_course(request.user, found.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    return found


def _slot_preview(
    request: HttpRequest, course: Course, form: SlotForm, slot: TimetableSlot | None
) -> HttpResponse:
    room = form.room_named(make=False)
    draft = TimetableSlot(pk=slot.pk if slot else None, course=course, **form.values() | {"room": None})
    if room is not None and room.pk:
        draft.room = room
    rows = timetables.preview(course, draft)
    context = {
        "course": course,
        "form": form,
        "slot": slot,
        "rows": rows[:SHOWN_ROWS],
        "hidden_rows": max(len(rows) - SHOWN_ROWS, 0),
        "new_room": room.name if room is not None and not room.pk else "",
        "counts": {str(one): sum(row.verdict == one for row in rows) for one in timetables.Verdict},
        "clashing": sum(bool(row.clashes) for row in rows),
        "changes": sum(row.verdict != timetables.Verdict.SAME for row in rows),
        "holidays": list(
            Holiday.objects.filter(first_day__lte=draft.last_day, last_day__gte=draft.first_day)
        ),
    }
    return render(request, "web/timetable_preview.html", context)


def _import_preview(
    request: HttpRequest, course: Course, data: bytes, names: list[str] | None
) -> HttpResponse:
    seen = timetable_import.preview(course, data, names)
    context = {
        "course": course,
        "seen": seen,
        "rows": seen.rows[:SHOWN_ROWS],
        "hidden_rows": max(len(seen.rows) - SHOWN_ROWS, 0),
        "carried": carry(data),
        "counts": {str(one): seen.count(one) for one in timetable_import.Verdict},
        "clashing": sum(bool(row.clashes) for row in seen.rows),
    }
    return render(request, "web/timetable_import_preview.html", context)


def _page(
    request: HttpRequest, course: Course, form: SlotForm, slot: TimetableSlot | None = None, status: int = 200
) -> HttpResponse:
    upcoming = course.sessions.filter(ends_at__gte=timezone.now()).select_related("room")
    context = {
        "course": course,
        "tab": "timetable",
        "may_change": permissions.may_change_course(request.user, course),
        "slots": course.slots.filter(removed_at__isnull=True).select_related("room"),
        "editing": slot,
        "form": form,
        "rooms": Room.objects.all(),
        "sessions": upcoming.order_by("starts_at")[:SHOWN_SESSIONS],
        "more": max(upcoming.count() - SHOWN_SESSIONS, 0),
        "change": timetables.undoable(course),
        "holidays": Holiday.objects.filter(
            last_day__gte=course.term.starts_on, first_day__lte=course.term.ends_on
        ),
    }
    return render(request, "web/course_timetable.html", context, status=status)
