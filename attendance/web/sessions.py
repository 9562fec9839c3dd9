"""The session page: photos and roll side by side, live; marks and faces settled in place."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import camera_watch, classes, errors, intake, marks, permissions, reviews, schooltime
from attendance.models import ClassSession, Course, Mark, Sighting, Snapshot, Student
from attendance.reports import csv, rolls
from attendance.web import session_screen
from attendance.web.answers import is_htmx, page, toast, user_of
from attendance.web.asked import number
from attendance.web.face_screen import face_screen
from attendance.web.forms import PlanForm
from attendance.web.words import KEYS, status_word


def _session(request: HttpRequest, session_id: int) -> ClassSession:
    return get_object_or_404(permissions.sessions_for(request.user), pk=session_id)


def _changeable(request: HttpRequest, session_id: int) -> ClassSession:
    session = _session(request, session_id)
    if not permissions.may_change_course(request.user, session.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    return session


def _photo_id(request: HttpRequest) -> int | None:
    return number(request.GET.get("photo"))


def _context(request: HttpRequest, session: ClassSession) -> dict[str, object]:
    photo_id = _photo_id(request)
    return {
        "session": session,
        "screen": session_screen.build(session, photo_id),
        "etag": session_screen.etag_of(session, photo_id, get_language() or ""),
        "may_change": permissions.may_change_course(request.user, session.course),
        "mark_keys": list(KEYS.items()),
        "camera_alerts": camera_watch.open_alerts(session),
    }


@page
@require_GET
def session(request: HttpRequest, session_id: int) -> HttpResponse:
    found = _session(request, session_id)
    return render(request, "web/session.html", _context(request, found))


@page
@require_GET
def live(request: HttpRequest, session_id: int) -> HttpResponse:
    """The part that changes; 304 while nothing did, so that asking every two seconds costs next to nothing."""
    found = _session(request, session_id)
    if request.GET.get("was", session_screen.stands(found)) != session_screen.stands(found):
        # The clock or a colleague opened or closed it: buttons and state of the whole page are out of date.
        return HttpResponse(headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
    etag = session_screen.etag_of(found, _photo_id(request), get_language() or "")
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = render(request, "web/session_live.html", _context(request, found))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


@page
@require_POST
def change_state(request: HttpRequest, session_id: int, action: str) -> HttpResponse:
    found = _changeable(request, session_id)
    if action == "open":
        classes.open_session(found)
    else:
        classes.close_session(found)
    return redirect("web:session", session_id)


@page
@require_POST
def take_roll_now(request: HttpRequest, course_id: int) -> HttpResponse:
    course = get_object_or_404(permissions.courses_for(request.user), pk=course_id)
    if not permissions.may_change_course(request.user, course):
        raise errors.RollcallError(_("You may look at this course, but not change it."))
    return redirect("web:session", classes.start_now(course).pk)


@page
def plan(request: HttpRequest, course_id: int) -> HttpResponse:
    course: Course = get_object_or_404(permissions.courses_for(request.user), pk=course_id)
    form = PlanForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not permissions.may_change_course(request.user, course):
            raise errors.RollcallError(_("You may look at this course, but not change it."))
        starts_at, ends_at = form.instants()
        classes.plan(course, starts_at, ends_at, form.cleaned_data["room"], **form.policy())
        return redirect("web:course-sessions", course_id)
    return render(request, "web/plan.html", {"course": course, "form": form})


@page
@require_GET
def roll_csv(request: HttpRequest, session_id: int) -> HttpResponse:
    found = _session(request, session_id)
    text = csv.roll_csv(rolls.roll_of(found), schooltime.school_zone())
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    day = schooltime.school_day(found.starts_at)
    name = f"roll {found.course.code} {day}.csv"
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or "attachment"
    )
    return response


@page
@require_POST
def add_photos(request: HttpRequest, session_id: int) -> HttpResponse:
    """Photos from the browser: one a request from the script, several from the plain form."""
    found = _changeable(request, session_id)
    user = user_of(request)
    receipts = [
        intake.receive(found, upload.read(settings.ROLLCALL_MAX_UPLOAD_BYTES + 1), user=user)
        for upload in request.FILES.getlist("photo")
    ]
    if "application/json" not in request.headers.get("Accept", ""):
        return redirect("web:session", session_id)
    if not receipts:
        raise errors.PhotoEmpty
    return JsonResponse(
        {
            "id": receipts[0].snapshot.pk,
            "message": "" if receipts[0].created else _("This photo is here already."),
        },
        status=202,
    )


@page
@require_POST
def photo_again(request: HttpRequest, session_id: int, snapshot_id: int) -> HttpResponse:
    found = _changeable(request, session_id)
    intake.send_again(get_object_or_404(Snapshot, session=found, pk=snapshot_id))
    return _after_change(request, found, _("The photo is sent again."))


@page
@require_POST
def set_mark(request: HttpRequest, session_id: int, student_id: int) -> HttpResponse:
    """A mark by hand. The answer is the student's line, the tally and a way back."""
    found = _changeable(request, session_id)
    student = get_object_or_404(Student, pk=student_id, marks__session=found)
    status = request.POST.get("status", "")
    marks.set_by_hand(found, student, status, user_of(request))
    if not is_htmx(request):
        return redirect(f"{reverse('web:session', args=[session_id])}#s{student_id}")
    said = _("%(name)s: %(status)s") % {"name": student.full_name, "status": status_word(status)}
    return toast(
        _line(request, found, student), said, undo=reverse("web:mark-undo", args=[session_id, student_id])
    )


@page
@require_POST
def set_rest(request: HttpRequest, session_id: int) -> HttpResponse:
    """One mark for everybody who has none yet."""
    found = _changeable(request, session_id)
    status = request.POST.get("status", "")
    count = marks.set_rest_by_hand(found, status, user_of(request))
    text = ngettext("%(n)d student set to %(status)s.", "%(n)d students set to %(status)s.", count)
    return _after_change(request, found, text % {"n": count, "status": status_word(status)})


@page
@require_POST
def undo_mark(request: HttpRequest, session_id: int, student_id: int) -> HttpResponse:
    found = _changeable(request, session_id)
    student = get_object_or_404(Student, pk=student_id, marks__session=found)
    marks.undo(get_object_or_404(Mark, session=found, student=student), user_of(request))
    if not is_htmx(request):
        return redirect(f"{reverse('web:session', args=[session_id])}#s{student_id}")
    return toast(_line(request, found, student), _("Undone: %(name)s") % {"name": student.full_name})


@page
@require_GET
def face(request: HttpRequest, session_id: int, sighting_id: int) -> HttpResponse:
    """What recognition made of one face, and what a person can say about it."""
    found = _session(request, session_id)
    sighting = get_object_or_404(
        permissions.sightings_for(request.user), pk=sighting_id, snapshot__session=found
    )
    context = {
        "session": found,
        "face": face_screen(found, sighting),
        "may_change": permissions.may_change_course(request.user, found.course),
    }
    return render(request, "web/face.html" if is_htmx(request) else "web/face_page.html", context)


@page
@require_POST
def decide(request: HttpRequest, session_id: int, sighting_id: int) -> HttpResponse:
    """A person's word about one face."""
    found = _changeable(request, session_id)
    sighting: Sighting = get_object_or_404(
        permissions.sightings_for(request.user), pk=sighting_id, snapshot__session=found
    )
    chosen = number(request.POST.get("student"))
    verdict = request.POST.get("verdict") or "is"
    student = get_object_or_404(Student, pk=chosen, marks__session=found) if chosen else None
    review = reviews.decide(sighting, verdict, user_of(request), student)
    undo = reverse("web:review-undo", args=[session_id, review.pk])
    words = {
        "is": _("This is %(name)s."),
        "is_not": _("This is not %(name)s."),
        "not_in_class": _("Not in this class."),
        "not_a_face": _("Not a face."),
    }[verdict] % {"name": student.full_name if student else ""}
    return _after_change(request, found, words, undo=undo)


@page
@require_POST
def undo_review(request: HttpRequest, session_id: int, review_id: int) -> HttpResponse:
    found = _changeable(request, session_id)
    review = get_object_or_404(
        permissions.reviews_for(request.user), pk=review_id, sighting__snapshot__session=found
    )
    reviews.undo(review, user_of(request))
    return _after_change(request, found, _("Undone."))


def _line(request: HttpRequest, found: ClassSession, student: Student) -> HttpResponse:
    found.refresh_from_db()
    context = {
        "session": found,
        "row": session_screen.row_of(found, student),
        "tally": session_screen.tally_of(found.marks.all()),
        "may_change": True,
        "mark_keys": list(KEYS.items()),
    }
    return render(request, "web/session_row.html", context)


def _after_change(request: HttpRequest, found: ClassSession, words: str, *, undo: str = "") -> HttpResponse:
    """The live part anew with a sentence, or the whole page for a browser without scripts."""
    if not is_htmx(request):
        return redirect("web:session", found.pk)
    found.refresh_from_db()
    return toast(render(request, "web/session_live.html", _context(request, found)), words, undo=undo)
