"""Asking by e-mail, and the page that a link leads to: public, without a log-in, for one answer."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attendance import (
    absence_warnings,
    consent_events,
    consent_links,
    consent_overview,
    consent_texts,
    consents,
    law,
    mailing,
    permissions,
    places,
    schooltime,
)
from attendance.consent_links import Reader
from attendance.consent_overview import Standing
from attendance.models import Consent, ConsentEvent, ConsentLink, Student
from attendance.web.answers import page, user_of
from attendance.web.courses import course_to_ask


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody a link can go to; ``key`` names them in the form."""

    key: str
    reader: Reader
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class AskRow:
    row: Standing
    addresses: list[Address]
    last: ConsentLink | None


@page
@require_GET
def ask(request: HttpRequest, course_id: int) -> HttpResponse:
    """Whom a link would go to; nothing goes by looking."""
    course = course_to_ask(request, course_id)
    rows = _rows([row for row in consent_overview.standings(course) if row.is_to_ask])
    context = {
        "course": course,
        "tab": "consent",
        "rows": rows,
        "mail_set_up": mailing.is_set_up(),
        "ticked": sum(one.is_ticked for row in rows for one in row.addresses),
        "without": sum(not row.addresses for row in rows),
        "days": consent_texts.school_settings().link_days,
        "languages": settings.LANGUAGES,
        "students_consent": _students_consent(),
        "may_change": permissions.may_change_course(request.user, course),
    }
    return render(request, "web/consent/ask.html", context)


@page
@require_POST
def send(request: HttpRequest, course_id: int) -> HttpResponse:
    course = course_to_ask(request, course_id)
    places.check_recognition(course)
    wanted = set(request.POST.getlist("to"))
    language = request.POST.get("language", "")
    language = language if language in dict(settings.LANGUAGES) else ""
    sent = held = 0
    for row in _rows([row for row in consent_overview.standings(course) if row.is_to_ask]):
        for address in row.addresses:
            if address.key in wanted:
                link = consent_links.send(row.row.student, address.reader, user_of(request), language)
                sent, held = sent + (link is not None), held + (link is None)
    words = ngettext("%(n)d link is on its way.", "%(n)d links are on their way.", sent)
    messages.success(request, words % {"n": sent})
    if held:
        words = ngettext(
            "%(n)d address got three links today already and gets no more before tomorrow.",
            "%(n)d addresses got three links today already and get no more before tomorrow.",
            held,
        )
        messages.error(request, words % {"n": held})
    return redirect("web:consent-ask", course_id)


@page
@require_POST
def add_address(request: HttpRequest, course_id: int, student_id: int) -> HttpResponse:
    """A guardian's address, where none was known."""
    course = course_to_ask(request, course_id)
    student = get_object_or_404(Student, pk=student_id, roster_entries__course=course)
    absence_warnings.add_contact(student, request.POST.get("name", ""), request.POST.get("email", "")[:254])
    return redirect("web:consent-ask", course_id)


# --- the reader's side --------------------------------------------------------------------------------
@csrf_protect
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """The text, a yes and a no, and afterwards what was said. Looking changes nothing."""
    asked = request.GET.get("language", "")
    try:
        found = consent_links.find(token, request.META["REMOTE_ADDR"])
    except consent_links.LinkRefused as error:
        language = asked if asked in dict(settings.LANGUAGES) else translation.get_language() or ""
        with translation.override(language or settings.LANGUAGE_CODE):
            return _sorry(request, error)
    with translation.override(asked if asked in dict(settings.LANGUAGES) else found.language):
        if request.method == "POST":
            return _said(request, found, token)
        return _shown(request, found)


def _said(request: HttpRequest, link: ConsentLink, token: str) -> HttpResponse:
    say = request.POST.get
    try:
        if say("withdraw") == "1":
            consent_links.withdraw(link)
        elif say("answer") in ("yes", "no"):
            consent_links.answer(
                link, yes=say("answer") == "yes", name=say("name", ""), relation=say("relation", "")
            )
        else:
            raise consents.AnswerRefused(_("Please choose yes or no."))
    except (consents.AnswerRefused, consent_events.SomebodySaidNo) as error:
        return _shown(request, link, str(error.message), error.status)
    except consent_links.LinkRefused as error:
        return _sorry(request, error)
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return _no_store(redirect(f"{request.path}{query}"))


def _shown(request: HttpRequest, link: ConsentLink, problem: str = "", status: int = 200) -> HttpResponse:
    language = translation.get_language() or link.language
    consent = Consent.objects.filter(student=link.student).first()
    context = {
        "link": link,
        "student": link.student,
        "school": schooltime.get_school(),
        "parts": consent_texts.paragraphs(link.text_version, language),
        "relations": ConsentEvent.Relation.choices if link.reader == Consent.GivenBy.GUARDIAN else [],
        "ask_whom": consent_texts.school_settings().ask_whom,
        "may_withdraw": link.answer == "given" and link.withdrawn_at is None,
        "stands": consent is not None and consent.state == Consent.State.GIVEN,
        "parents_decide": law.parents_decide(places.place_of(schooltime.get_school())),
        "problem": problem,
        "typed": request.POST.get("name", "")[:200] or link.reader_name,
        "other_languages": [one for one in settings.LANGUAGES if one[0] != language],
    }
    return _no_store(render(request, "web/consent/link.html", context, status=status))


def _sorry(request: HttpRequest, error: consent_links.LinkRefused) -> HttpResponse:
    context = {
        "words": error.message,
        "expired": isinstance(error, consent_links.LinkExpired),
        "ask_whom": consent_texts.school_settings().ask_whom,
        "school": schooltime.get_school(),
    }
    return _no_store(render(request, "web/consent/link_sorry.html", context, status=error.status))


def _no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


def _rows(found: list[Standing]) -> list[AskRow]:
    students = _students_consent()
    rows = []
    for row in found:
        links = list(row.student.consent_links.all())
        addresses = [
            Address(
                f"{row.student.pk}:{number}",
                reader,
                reader.given_by == Consent.GivenBy.GUARDIAN or students,
            )
            for number, reader in enumerate(consent_links.readers_of(row.student))
        ]
        rows.append(AskRow(row, addresses, links[0] if links else None))
    return rows


def _students_consent() -> bool:
    """Whether students of this kind of institution answer for themselves as a rule."""
    kind = schooltime.get_school().institution
    return kind in (law.Institution.COLLEGE, law.Institution.UNIVERSITY)
