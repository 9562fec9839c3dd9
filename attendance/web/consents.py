"""A course's consent: who was asked, slips to print, and what came back, recorded with a few keys each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import (
    consent_overview,
    consent_scans,
    consent_slips,
    consent_texts,
    consents,
    errors,
    law,
    mailing,
    permissions,
    places,
    schooltime,
)
from attendance.consent_events import What
from attendance.consent_overview import Standing
from attendance.models import Consent, ConsentEvent, ConsentScan, ConsentSlip, Course, Student
from attendance.web.answers import is_htmx, page, toast, user_of
from attendance.web.asked import numbers
from attendance.web.courses import course_to_ask
from attendance.web.media import paper

RECORDED_SHOWN = 40


@dataclass(frozen=True, slots=True)
class OpenSlip:
    """A line of the page where answers are recorded."""

    row: Standing
    codes: list[str]
    """Of every slip printed for this student."""
    signer: str
    """Who signs most likely: the guardian that is known, blank where none is."""


@page
@require_GET
def overview(request: HttpRequest, course_id: int) -> HttpResponse:
    course = get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)
    rows = consent_overview.standings(course)
    context = {
        "course": course,
        "tab": "consent",
        "rows": rows,
        "counts": consent_overview.counts(rows),
        "to_ask": sum(row.is_to_ask for row in rows),
        "version": consent_texts.current_version(),
        "asks_again": consent_texts.renewal_rule(),
        "parents_decide": law.parents_decide(places.place_of(schooltime.get_school())),
        "months": consent_texts.school_settings().renew_after_months,
        "mail_set_up": mailing.is_set_up(),
        "may_change": permissions.may_change_course(request.user, course),
        "may_record": permissions.may_keep_consent(request.user, course),
    }
    return render(request, "web/consent/overview.html", context)


# --- what came back ---------------------------------------------------------------------------------
@page
@require_GET
def returned(request: HttpRequest, course_id: int) -> HttpResponse:
    course = course_to_ask(request, course_id)
    context = {**_returned(request, course), "tab": "consent", "slip": request.GET.get("slip", "")[:40]}
    return render(request, "web/consent/returned.html", context)


@page
@require_POST
def record(request: HttpRequest, course_id: int) -> HttpResponse:
    """One answer, or the same answer of several ticked students; what cannot be recorded is said in words."""
    course = course_to_ask(request, course_id)
    students = _named(request, course)
    if not students:
        raise consents.AnswerRefused(_("Choose a student first."))
    single = len(students) == 1
    upload = request.FILES.get("scan") if single else None
    scan = upload.read(consent_scans.MOST_BYTES + 1) if upload else None
    printed = consent_slips.all_slips_of(students)
    code = consent_slips.as_kept(request.POST.get("slip", ""))
    done: list[ConsentEvent] = []
    problems: list[str] = []
    for student in students:
        try:
            mine = printed.get(student.pk, [])
            answer = _answer(request, student, _slip(mine, code))
            done.append(consents.record(student, answer, user_of(request), scan))
        except errors.RollcallError as error:
            if single:
                raise
            problems.append(f"{student.sort_name}: {error.message}")
    return _recorded(request, course, done, problems)


@page
@require_POST
def undo(request: HttpRequest, course_id: int, event_id: int) -> HttpResponse:
    course = course_to_ask(request, course_id)
    event = get_object_or_404(
        ConsentEvent.objects.select_related("student"),
        pk=event_id,
        student__roster_entries__course=course,
        student__roster_entries__left_on__isnull=True,
    )
    consents.undo(event, user_of(request))
    return _again(request, course, _("Taken back: %(name)s.") % {"name": event.student.full_name})


@page
@require_GET
def scan(request: HttpRequest, event_id: int) -> HttpResponse:
    """The scan."""
    found = get_object_or_404(
        ConsentScan.objects.select_related("event__student"),
        event=event_id,
        event__student__in=permissions.students_for(request.user),
    )
    event = found.event
    return paper(found.file.name, found.content_type, f"{event.student.number} {event.recorded_at:%Y-%m-%d}")


def _named(request: HttpRequest, course: Course) -> list[Student]:
    """The students in the form, those of this course's roster alone, in the form's order."""
    wanted = numbers(request.POST.getlist("student"))
    found = Student.objects.filter(
        pk__in=wanted, roster_entries__course=course, roster_entries__left_on__isnull=True
    ).in_bulk()
    return [found[pk] for pk in dict.fromkeys(wanted) if pk in found]


def _answer(request: HttpRequest, student: Student, slip: ConsentSlip | None) -> consents.Answer:
    """Raises AnswerRefused."""
    said = request.POST.get("answer", "")
    if said not in ("yes", "no"):
        raise consents.AnswerRefused
    day = request.POST.get("signed_on", "").strip()
    try:
        signed_on = dt.date.fromisoformat(day) if day else None
    except ValueError as error:
        raise consents.AnswerRefused(_("The day of the signature cannot be read.")) from error
    return consents.Answer(
        yes=said == "yes",
        given_by=request.POST.get("given_by", Consent.GivenBy.GUARDIAN),
        name=request.POST.get(f"name-{student.pk}", request.POST.get("name", "")),
        relation=request.POST.get("relation", ""),
        signed_on=signed_on,
        slip=slip,
    )


def _slip(printed: Sequence[ConsentSlip], code: str) -> ConsentSlip | None:
    """The one whose code was typed, else the one printed last."""
    return next((one for one in printed if one.code == code), printed[0] if printed else None)


def _recorded(
    request: HttpRequest, course: Course, done: Sequence[ConsentEvent], problems: Sequence[str]
) -> HttpResponse:
    if len(done) == 1:
        words = _("%(name)s: %(answer)s.") % {
            "name": done[0].student.full_name, "answer": done[0].get_state_display(),
        }  # fmt: skip
        undo_at = reverse("web:consent-undo", args=[course.pk, done[0].pk])
    else:
        words = ngettext("%(n)d answer is recorded.", "%(n)d answers are recorded.", len(done))
        words, undo_at = words % {"n": len(done)}, ""
    return _again(request, course, words, undo_at, problems)


def _again(
    request: HttpRequest, course: Course, words: str, undo_at: str = "", problems: Sequence[str] = ()
) -> HttpResponse:
    if not is_htmx(request):
        messages.success(request, words)
        for problem in problems:
            messages.error(request, problem)
        return redirect("web:consent-return", course.pk)
    context = {**_returned(request, course), "problems": problems}
    response = render(request, "web/consent/returned_live.html", context)
    return toast(response, words, undo=undo_at)


def _returned(request: HttpRequest, course: Course) -> dict[str, object]:
    rows = consent_overview.standings(course)
    lately = (
        ConsentEvent.objects.filter(
            student__in=[row.student.pk for row in rows], state__in=[What.GIVEN, What.REFUSED],
            recorded_by=user_of(request), recorded_at__gt=timezone.now() - consents.UNDONE_WITHIN,
            undone_by=None,
        )
        .select_related("student", "scan")
        .order_by("-pk")[:RECORDED_SHOWN]
    )  # fmt: skip
    return {
        "course": course,
        "outstanding": _open_slips([row for row in rows if row.is_to_ask]),
        "counts": consent_overview.counts(rows),
        "lately": lately,
        "relations": ConsentEvent.Relation.choices,
        "today": schooltime.today(),
        "parents_decide": law.parents_decide(places.place_of(schooltime.get_school())),
        "may_change": permissions.may_change_course(request.user, course),
    }


def _open_slips(rows: Sequence[Standing]) -> list[OpenSlip]:
    printed = consent_slips.all_slips_of([row.student for row in rows])
    found = []
    for row in rows:
        guardians = [one.name for one in row.student.contacts.all() if one.name]
        known = row.consent.given_by_name if row.consent else ""
        codes = [one.code for one in printed.get(row.student.pk, [])]
        found.append(OpenSlip(row, codes, known or (guardians[0] if guardians else "")))
    return found
