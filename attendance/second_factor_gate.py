"""Middleware: a browser that owes its second factor reaches nothing but the page that asks for it.

One rule for every route, also for sessions that were there before it was asked for: until the code is given the request
is nobody's. Programs with a token are judged by ``api.authentication``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from attendance import second_factor
from attendance.second_factor import Due

PAGES = {Due.CODE: "web:second-factor", Due.SET_UP: "web:second-factor-setup"}
ALWAYS_OPEN = frozenset({"web:login", "web:logout", "set_language"})
READING = frozenset({"GET", "HEAD"})


class SecondFactorGate:
    """After ``OTPMiddleware``, which knows whether this browser has given a code."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        match, user = request.resolver_match, request.user
        if match is None or match.view_name in ALWAYS_OPEN or not isinstance(user, User):
            return None
        due = second_factor.due(user, user.is_verified())  # type: ignore[attr-defined]
        if due is None or match.view_name == PAGES[due]:
            return None
        request.user = AnonymousUser()
        if match.app_name == "api" and match.url_name != "docs":
            request.second_factor_due = due  # type: ignore[attr-defined]
            return None
        return _lead_to(PAGES[due], request)


def _lead_to(name: str, request: HttpRequest) -> HttpResponseBase:
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(reverse(name))
    if request.method in READING:
        return redirect(f"{reverse(name)}?{urlencode({'next': request.get_full_path()})}")
    return redirect(name)
