"""A user's own switch for the daily e-mail about open reviews."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from attendance import digest, mailing
from attendance.web.answers import page, user_of


@page
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if request.method == "POST":
        on = request.POST.get("on") == "1"
        digest.switch(user, on)
        messages.success(
            request, _("You will be told by e-mail.") if on else _("No more e-mails about this.")
        )
        return redirect("web:digest")
    context = {"on": digest.is_on(user), "mail_set_up": mailing.is_set_up(), "hour": digest.HOUR}
    return render(request, "web/digest.html", context)
