"""Wrong passwords and codes of somebody who is signed in: counted and limited as those at the door are."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import logout
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from attendance.web.answers import user_of


def are_closed(request: HttpRequest) -> bool:
    """Whether this name and address have guessed wrong too often."""
    return not AxesProxyHandler.is_allowed(request, _credentials(request))


def count_one(request: HttpRequest) -> bool:
    """One more wrong guess, which stands in the log as one; whether that was one too many."""
    user_login_failed.send(__name__, credentials=_credentials(request), request=request)
    return bool(getattr(request, "axes_locked_out", False))


def shut_out(request: HttpRequest) -> HttpResponse:
    """The session ends; the password is asked for again, and not before a quarter of an hour has passed."""
    logout(request)
    return render(request, "registration/locked.html", status=429)


def _credentials(request: HttpRequest) -> dict[str, str]:
    return {"username": user_of(request).get_username()}
