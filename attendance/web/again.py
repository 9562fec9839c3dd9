"""The password once more, before what a browser left open must not do; whoever signed in just now is not asked."""

from __future__ import annotations

import time

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from attendance.web import guesses
from attendance.web.answers import user_of

RECENT_SECONDS = 600
"""So long the password counts, in the browser it was typed in."""
GIVEN_AT = "password_given_at"
CARRIED = ("code", "next")
"""What the form said that was held up, handed on with the password."""


def is_recent(request: HttpRequest) -> bool:
    """Whether the password was typed in this browser within the last ten minutes."""
    since = time.time() - float(request.session.get(GIVEN_AT, 0))
    return 0 <= since < RECENT_SECONDS


def stopped(request: HttpRequest) -> HttpResponse | None:
    """The page that asks for the password; None once it was given. Wrong ones are counted as those at the door are."""
    if is_recent(request):
        return None
    words = ""
    if "password" in request.POST:
        if guesses.are_closed(request):
            return guesses.shut_out(request)
        if user_of(request).check_password(request.POST["password"]):
            _note(request)
            return None
        if guesses.count_one(request):
            return guesses.shut_out(request)
        words = _("This is not the password you have now.")
    carried = [(name, request.POST[name]) for name in CARRIED if name in request.POST]
    context = {"words": words, "carried": carried}
    response = render(request, "registration/again.html", context, status=403 if words else 200)
    response["Cache-Control"] = "no-store"
    return response


@receiver(user_logged_in)
def _signed_in(sender: object, request: HttpRequest | None = None, **_more: object) -> None:
    if request is not None and hasattr(request, "session"):
        _note(request)


def _note(request: HttpRequest) -> None:
    request.session[GIVEN_AT] = time.time()
