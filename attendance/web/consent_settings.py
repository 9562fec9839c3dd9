"""For administrators: the text people agree to, when portraits are renewed, who answers questions."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from attendance import consent_texts
from attendance.errors import RollcallError
from attendance.web.answers import administrators_only, page, user_of
from attendance.web.asked import number


@page
@require_http_methods(["GET", "POST"])
def asking(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    problem = ""
    if request.method == "POST":
        try:
            _store(request)
            return redirect("web:consent-settings")
        except RollcallError as error:
            problem = str(error.message)
    version = consent_texts.current_version()
    own = consent_texts.own_texts(version)
    texts = []
    for code, name in settings.LANGUAGES:
        standard = "\n\n".join(consent_texts.paragraphs(version, code))
        texts.append((code, name, request.POST.get(f"text-{code}", own.get(code, "" if own else standard))))
    context = {
        "settings": consent_texts.school_settings(),
        "version": version,
        "is_own": bool(own),
        "texts": texts,
        "rule": consent_texts.renewal_rule(),
        "most": consent_texts.MOST_CHARACTERS,
        "problem": problem,
    }
    return render(request, "web/consent/settings.html", context, status=422 if problem else 200)


def _store(request: HttpRequest) -> None:
    say = request.POST.get
    if "text" in request.POST:
        before = consent_texts.current_version()
        texts = {code: say(f"text-{code}", "") for code, _name in settings.LANGUAGES}
        version = consent_texts.change_text(texts, user_of(request))
        if version == before:
            messages.success(request, _("These are the words in force; nothing was changed."))
        else:
            messages.success(request, _("Text %(version)s is in force from now on.") % {"version": version})
        return
    months, days = number(say("renew_after_months")), number(say("link_days"))
    if months is None or days is None:
        raise consent_texts.SettingRefused
    consent_texts.change_settings(months, days, say("ask_whom", ""))
    messages.success(request, _("Stored."))
