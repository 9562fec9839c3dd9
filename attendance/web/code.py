"""The code on the projector, and what a student's phone shows after scanning it."""

from __future__ import annotations

import secrets

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attendance import errors, permissions, signin
from attendance.models import ClassSession, SignInArrival, SignInWindow, Student
from attendance.web.answers import page, user_of

DEVICE_COOKIE = "here"
SHOWN = 8
LOCAL = ("localhost", "127.0.0.1", "[::1]")


# --- the projector ------------------------------------------------------------------------------------
def _session(request: HttpRequest, session_id: int) -> ClassSession:
    found = get_object_or_404(permissions.sessions_for(request.user), pk=session_id)
    if not permissions.may_change_course(request.user, found.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    return found


@page
@require_GET
def code(request: HttpRequest, session_id: int) -> HttpResponse:
    """Full screen: the code, how many have come, and the latest names."""
    found = _session(request, session_id)
    return _no_store(render(request, "web/code/screen.html", _screen(request, found)))


@page
@require_GET
def code_live(request: HttpRequest, session_id: int) -> HttpResponse:
    found = _session(request, session_id)
    return _no_store(render(request, "web/code/live.html", _screen(request, found)))


@page
@require_POST
def show(request: HttpRequest, session_id: int) -> HttpResponse:
    signin.open_window(_session(request, session_id), user_of(request))
    return redirect("web:code", session_id)


@page
@require_POST
def stop(request: HttpRequest, session_id: int) -> HttpResponse:
    signin.close_window(_session(request, session_id))
    return redirect("web:session", session_id)


@page
@require_POST
def tickets(request: HttpRequest, session_id: int) -> HttpResponse:
    """Numbers on paper, shown on the answer to this and never again."""
    found = _session(request, session_id)
    return _no_store(
        render(request, "web/code/tickets.html", {"session": found, "tickets": signin.make_tickets(found)})
    )


def _screen(request: HttpRequest, session: ClassSession) -> dict[str, object]:
    window = SignInWindow.objects.filter(session=session).select_related("session").first()
    arrivals = SignInArrival.objects.filter(session=session).select_related("student")
    shown = window is not None and signin.is_open(window)
    address = _address(request, window) if window and shown else ""
    return {
        "session": session,
        "window": window if shown else None,
        "picture": _picture(address) if address else "",
        "left": signin.seconds_left(),
        "arrived": arrivals.count(),
        "expected": session.marks.count(),
        "latest": list(arrivals[:SHOWN]),
        "only_here": request.get_host().rsplit(":", 1)[0] in LOCAL and not settings.ROLLCALL_SITE_URL,
    }


def _address(request: HttpRequest, window: SignInWindow) -> str:
    path = reverse("web:here-code", args=[signin.code_now(window)])
    site = settings.ROLLCALL_SITE_URL
    return f"{site}{path}" if site else request.build_absolute_uri(path)


def _picture(address: str) -> SafeString:
    """Drawn by the library from an address of our own making; the colours are black on white in every theme."""
    drawn = segno.make(address, error="m").svg_inline(omitsize=True, border=3, dark="#000", light="#fff")
    return mark_safe(drawn)  # noqa: S308 (no text of a person is in it)


# --- the phone ----------------------------------------------------------------------------------------
def _no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


def _sorry(request: HttpRequest, error: errors.RollcallError) -> HttpResponse:
    return _no_store(render(request, "web/code/sorry.html", {"words": error.message}, status=error.status))


@require_GET
def here_code(request: HttpRequest, code: str) -> HttpResponse:
    """What the picture leads to: from here on this browser has three minutes."""
    device = request.COOKIES.get(DEVICE_COOKIE) or secrets.token_urlsafe(18)
    try:
        claim = signin.open_code(code, device, request.META["REMOTE_ADDR"])
    except signin.SignInRefused as error:
        return _sorry(request, error)
    response = redirect(f"{reverse('web:here')}?{urlencode({'claim': claim})}")
    response.set_cookie(
        DEVICE_COOKIE, device, max_age=24 * 3600, secure=request.is_secure(), httponly=True, samesite="Lax"
    )
    return _no_store(response)


@require_http_methods(["GET", "POST"])
def here(request: HttpRequest) -> HttpResponse:
    """Who is it? Their own log-in, or number and ticket."""
    device = request.COOKIES.get(DEVICE_COOKIE, "")
    claim = (request.POST if request.method == "POST" else request.GET).get("claim", "")
    try:
        window, _claim = signin.window_of(claim, device)
        if request.method == "POST":
            return _arrived(request, _arrival(request, claim, device))
    except signin.WrongTicket as error:
        return _who(request, window, claim, error)
    except signin.SignInRefused as error:
        return _sorry(request, error)
    return _who(request, window, claim)


def _who(
    request: HttpRequest, window: SignInWindow, claim: str, error: errors.RollcallError | None = None
) -> HttpResponse:
    back = f"{reverse('web:here')}?{urlencode({'claim': claim})}"
    context = {
        "session": window.session,
        "claim": claim,
        "student": _student(request),
        "staff": request.user.is_authenticated and not permissions.is_student(request.user),
        "sign_in": f"{reverse('web:login')}?{urlencode({'next': back})}",
        "error": error.message if error else "",
        "number": request.POST.get("number", "")[:40],
    }
    return _no_store(render(request, "web/code/here.html", context, status=error.status if error else 200))


def _arrival(request: HttpRequest, claim: str, device: str) -> SignInArrival:
    address = request.META["REMOTE_ADDR"]
    student = _student(request)
    if student is not None:
        return signin.arrive_by_login(claim, device, student, address)
    number, pin = request.POST.get("number", "")[:40], request.POST.get("pin", "")[:12]
    return signin.arrive_by_ticket(claim, device, number, pin, address)


def _arrived(request: HttpRequest, arrival: SignInArrival) -> HttpResponse:
    mark = arrival.session.marks.filter(student=arrival.student).first()
    context = {"arrival": arrival, "student": arrival.student, "session": arrival.session, "mark": mark}
    return _no_store(render(request, "web/code/arrived.html", context))


def _student(request: HttpRequest) -> Student | None:
    """The student behind a log-in of their own."""
    if not permissions.is_student(request.user):
        return None
    return Student.objects.filter(account__user=user_of(request)).first()
