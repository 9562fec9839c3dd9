"""E-mail on the site page: a test to oneself, and what failed sent once more."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from attendance import errors, mailing
from attendance.models import MailMessage
from attendance.web.answers import administrators_only, page, user_of


@receiver(user_logged_in)
def remember_language(sender: object, user: object, **_more: object) -> None:
    """E-mail comes in the language somebody last signed in with."""
    if isinstance(user, User):
        mailing.remember_language(user, get_language() or "")


@page
@require_POST
def test_mail(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    address = user_of(request).email
    if not address:
        raise errors.RollcallError(_("Your account has no e-mail address to send a test to."))
    mailing.send("test", [address], {})
    messages.success(request, _("A test is on its way to %(address)s.") % {"address": address})
    return redirect("web:site")


@page
@require_POST
def send_again(request: HttpRequest, message_id: int) -> HttpResponse:
    administrators_only(request)
    mailing.send_again(get_object_or_404(MailMessage, pk=message_id))
    return redirect("web:site")
