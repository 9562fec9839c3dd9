"""The second factor: asked for at sign-in, switched on and off, taken off for somebody who lost the phone."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp import login as give_factor

from attendance import audit, schooltime, second_factor
from attendance.models import AuditEntry
from attendance.web import again, guesses
from attendance.web.answers import administrators_only, page, user_of


@page
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The code after the password; leads to where the person wanted to go."""
    user = user_of(request)
    if second_factor.due(user, _is_verified(request)) is not second_factor.Due.CODE:
        return redirect(_where_to(request))
    words, status = "", 200
    if request.method == "POST":
        if guesses.are_closed(request):
            return guesses.shut_out(request)
        try:
            device = second_factor.check(user, request.POST.get("code", ""))
        except (second_factor.WrongCode, second_factor.TooSoon) as error:
            words, status = str(error.message), error.status
            if isinstance(error, second_factor.WrongCode) and guesses.count_one(request):
                return guesses.shut_out(request)
        else:
            _let_in(request, device)
            audit.record(AuditEntry.Verb.SIGNED_IN, "web:second-factor", by=user)
            return redirect(_where_to(request))
    context = {
        "words": words,
        "recovery": "recovery" in request.GET,
        "next": request.POST.get("next", request.GET.get("next", "")),
    }
    return _unkept(render(request, "registration/second_factor.html", context, status=status))


@page
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """The key for the app; a first code of it switches the second factor on and shows the recovery codes once.

    Before the key is shown the password is asked for: whoever finds a browser left open sets up no phone of theirs.
    """
    user = user_of(request)
    if second_factor.has(user):
        return redirect("web:account")
    if stop := again.stopped(request):
        return stop
    words, status = "", 200
    if "code" in request.POST:
        try:
            device, codes = second_factor.switch_on(user, request.POST.get("code", ""))
        except (second_factor.WrongCode, second_factor.TooSoon) as error:
            words, status = str(error.message), error.status
        else:
            _let_in(request, device)
            return _show_codes(request, codes, first=True)
    device = second_factor.offered(user)
    address = second_factor.address_of(device, schooltime.get_school().name)
    context = {
        "words": words,
        "needed": second_factor.needed(user),
        "letters": [device.letters[at : at + 4] for at in range(0, len(device.letters), 4)],
        "address": address,
        "picture": _qr(address),
        "next": request.GET.get("next", ""),
    }
    return _unkept(render(request, "web/second_factor_setup.html", context, status=status))


@page
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    if stop := again.stopped(request):
        return stop
    codes = second_factor.renew_codes(user_of(request), request.POST.get("code", ""))
    return _show_codes(request, codes, first=False)


@page
@require_POST
def switch_off(request: HttpRequest) -> HttpResponse:
    if stop := again.stopped(request):
        return stop
    second_factor.switch_off(user_of(request), request.POST.get("code", ""))
    messages.success(request, _("The second factor is off."))
    return redirect("web:account")


@page
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Who has a second factor, for administrators."""
    administrators_only(request)
    holders = second_factor.holders()
    context = {
        "holders": holders,
        "without": sum(each.administrator and each.since is None for each in holders),
        "required": second_factor.needed(user_of(request)),
    }
    return render(request, "web/second_factors.html", context)


@page
@require_POST
def take_off(request: HttpRequest, user_id: int) -> HttpResponse:
    """For a colleague who lost the phone and the recovery codes."""
    administrators_only(request)
    colleague = get_object_or_404(User, pk=user_id)
    if stop := again.stopped(request):
        return stop
    second_factor.take_off_for(colleague, by=user_of(request))
    name = colleague.get_full_name() or colleague.get_username()
    messages.success(
        request, _("%(name)s signs in with the password alone until it is set up again.") % {"name": name}
    )
    return redirect("web:second-factors")


def _let_in(request: HttpRequest, device: Any) -> None:
    """From now on this browser has given its second factor, under a new session key."""
    request.session.cycle_key()
    give_factor(request, device)


def _show_codes(request: HttpRequest, codes: list[str], *, first: bool) -> HttpResponse:
    where = _where_to(request) if request.POST.get("next") else reverse("web:account")
    context = {"codes": codes, "first": first, "where": where}
    return _unkept(render(request, "web/recovery_codes.html", context))


def _where_to(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is a page of ours."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    # A bare word would be taken for the name of a page.
    return wanted if ours and wanted.startswith(("/", "http")) else reverse("web:today")


def _is_verified(request: HttpRequest) -> bool:
    return bool(request.user.is_verified())  # type: ignore[union-attr]


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def _qr(text: str) -> SafeString:
    """Drawn by the library; black on white in both themes, since phones read no other."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", border=3, light="#fff", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True
    )
    return mark_safe(out.getvalue().decode())  # noqa: S308 (no text of a person reaches the drawing as text)
