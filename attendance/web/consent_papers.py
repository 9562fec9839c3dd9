"""Slips of a course, made for paper: one for each student who has not answered, and what their picture leads to."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_POST

from attendance import (
    consent_overview,
    consent_slips,
    consent_texts,
    law,
    logos,
    permissions,
    places,
    schooltime,
)
from attendance.models import ConsentSlip, Student
from attendance.web.answers import page, user_of
from attendance.web.courses import course_to_ask

LANGUAGES = {"en": ["en"], "es": ["es"], "both": ["en", "es"]}


@dataclass(frozen=True, slots=True)
class SlipView:
    student: Student
    code: str
    picture: SafeString


@page
@require_POST
def make_slips(request: HttpRequest, course_id: int) -> HttpResponse:
    """From now on these students are asked; printing again keeps the numbers on the slips."""
    course = course_to_ask(request, course_id)
    places.check_recognition(course)
    wanted = [row.student for row in consent_overview.standings(course) if row.is_to_ask]
    consent_slips.prepare(wanted, user_of(request))
    shape = f"language={_language(request.POST)}&per={_per_page(request.POST)}"
    return redirect(f"{reverse('web:consent-slips', args=[course_id])}?{shape}")


@page
@require_GET
def slips(request: HttpRequest, course_id: int) -> HttpResponse:
    """The sheets, made for paper."""
    course = course_to_ask(request, course_id)
    rows = [row for row in consent_overview.standings(course) if row.is_to_ask and row.slip]
    language = _language(request.GET)
    version = consent_texts.current_version()
    texts = [(code, consent_texts.paragraphs(version, code)) for code in LANGUAGES[language]]
    longest = max(sum(map(len, parts)) for _code, parts in texts)
    halves = _per_page(request.GET) == 2 and language != "both" and longest <= consent_texts.HALF_A_PAGE
    context = {
        "course": course,
        "slips": [SlipView(row.student, row.slip_shown, _picture(request, row.slip)) for row in rows],
        "texts": texts,
        "version": version,
        "halves": halves,
        "language": language,
        "per": _per_page(request.GET),
        "too_long": _per_page(request.GET) == 2 and not halves,
        "school": schooltime.get_school(),
        "logo": logos.current(),
        "ask_whom": consent_texts.school_settings().ask_whom,
        "parents_decide": law.parents_decide(places.place_of(schooltime.get_school())),
        "sheets": -(-len(rows) // 2) if halves else len(rows),
    }
    return render(request, "web/consent/slips.html", context)


@page
@require_GET
def slip(request: HttpRequest, code: str) -> HttpResponse:
    """What the picture on a slip leads to: the page where its answer is recorded."""
    kept = get_object_or_404(
        ConsentSlip.objects.filter(student__in=permissions.students_for(request.user)),
        code=consent_slips.as_kept(code),
    )
    for course in permissions.courses_for(request.user).filter(
        roster_entries__student=kept.student_id, roster_entries__left_on__isnull=True
    ):
        if permissions.may_keep_consent(request.user, course):
            return redirect(
                f"{reverse('web:consent-return', args=[course.pk])}?{urlencode({'slip': kept.code})}"
            )
    return redirect("web:student", kept.student_id)


def _language(query: QueryDict) -> str:
    asked = query.get("language") or ""
    return asked if asked in LANGUAGES else "en"


def _per_page(query: QueryDict) -> int:
    return 1 if query.get("per") == "1" else 2


def _picture(request: HttpRequest, code: str) -> SafeString:
    """The address of the slip's page, drawn black on white; it names nobody."""
    path = reverse("web:consent-slip", args=[code])
    site = settings.ROLLCALL_SITE_URL
    address = f"{site}{path}" if site else request.build_absolute_uri(path)
    drawn = segno.make(address, error="m").svg_inline(omitsize=True, border=0, dark="#000", light="#fff")
    return mark_safe(drawn)  # noqa: S308 (no text of a person is in it)
