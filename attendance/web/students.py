"""A student: consent first, then portraits, each answered with what is wrong or the crop that is used."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import (
    accounts,
    consent_scans,
    consent_texts,
    consents,
    enrolment,
    errors,
    offers,
    permissions,
    privacy,
    renewals,
    schooltime,
)
from attendance.engines import from_bytes
from attendance.models import Consent, FaceTemplate, Mark, Portrait, Student
from attendance.web import offers as offered
from attendance.web import own_data
from attendance.web.answers import is_htmx, page, toast, user_of
from attendance.web.excuses import rows_of
from attendance.web.faces import portrait_urls
from attendance.web.forms import ConsentForm
from attendance.web.words import PORTRAIT_PROBLEMS, in_words
from recognition.enrolled import unlike_the_others

ENOUGH_PORTRAITS = 3
"""Portraits of different pose and light from which recognition gains little more."""


@dataclass(frozen=True, slots=True)
class PortraitView:
    portrait: Portrait
    picture_url: str
    crop_url: str
    quality: int | None
    problems: list[str]
    twin_url: str = ""
    is_old: bool = False
    """Longer ago than the school lets portraits stand before it asks for new ones."""
    is_unlike: bool = False
    """It differs so much from the student's other portraits that it may show somebody else."""


@dataclass(frozen=True, slots=True)
class PortraitsScreen:
    accepted: list[PortraitView]
    answers: list[PortraitView]
    """What needs a look: refused, held, or still being looked at; newest first."""
    waiting: int
    enough: int
    due_since: dt.datetime | None
    """When the newest was taken, where that is too long ago."""

    @property
    def in_doubt(self) -> bool:
        return any(view.is_unlike for view in self.accepted)

    @property
    def steps(self) -> list[bool]:
        return [step < len(self.accepted) for step in range(self.enough)]


def _student(request: HttpRequest, student_id: int) -> Student:
    return get_object_or_404(permissions.students_for(request.user), pk=student_id)


def _changeable(request: HttpRequest, student_id: int) -> Student:
    """The student, for a teacher of one of their courses or an administrator."""
    student = _student(request, student_id)
    mine = permissions.courses_for(request.user).filter(roster_entries__student=student)
    if not any(permissions.may_change_course(request.user, course) for course in mine):
        raise errors.RollcallError(_("You may look at this student, but not change anything."))
    return student


def _asked_about(request: HttpRequest, student_id: int) -> Student:
    """The student, for somebody who may write down what was said about consent."""
    student = _student(request, student_id)
    if not permissions.may_keep_consent_of(request.user, student):
        raise errors.RollcallError(_("You may look at this student, but not change anything."))
    return student


def portraits_screen(student: Student) -> PortraitsScreen:
    portraits = list(
        student.portraits.select_related("looks_like")
        .prefetch_related("templates")
        .order_by("-uploaded_at", "-pk")
    )
    twins = portrait_urls(portrait.looks_like_id for portrait in portraits if portrait.looks_like_id)
    limit = renewals.older_than()
    views = [_portrait_view(portrait, twins, limit) for portrait in portraits]
    accepted = _compared([view for view in views if view.portrait.state == Portrait.State.ACCEPTED])
    return PortraitsScreen(
        accepted=sorted(accepted, key=lambda view: -(view.quality or 0)),
        answers=[view for view in views if view.portrait.state != Portrait.State.ACCEPTED],
        waiting=sum(view.portrait.state == Portrait.State.RECEIVED for view in views),
        enough=ENOUGH_PORTRAITS,
        due_since=renewals.due_of(portraits, limit),
    )


def _latest_template(portrait: Portrait) -> FaceTemplate | None:
    return max(portrait.templates.all(), key=lambda each: each.pk, default=None)


def _compared(accepted: list[PortraitView]) -> list[PortraitView]:
    """The views, those marked that are unlike the student's others; templates of one encoder alone are compared."""
    latest = {place: _latest_template(view.portrait) for place, view in enumerate(accepted)}
    templates = {place: template for place, template in latest.items() if template and template.encoding}
    versions = {template.encoder_version for template in templates.values()}
    if len(versions) != 1:
        return accepted
    odd = unlike_the_others([from_bytes(template.encoding or b"") for template in templates.values()])
    doubted = {list(templates)[row] for row in odd}
    return [replace(view, is_unlike=place in doubted) for place, view in enumerate(accepted)]


def _portrait_view(portrait: Portrait, twins: dict[int, str], limit: dt.datetime | None) -> PortraitView:
    template = _latest_template(portrait)
    return PortraitView(
        portrait=portrait,
        picture_url=reverse("web:portrait", args=[portrait.pk]) if portrait.image else "",
        crop_url=reverse("web:template-crop", args=[template.pk]) if template else "",
        quality=round(template.quality * 100) if template else None,
        problems=[in_words(PORTRAIT_PROBLEMS, code) for code in portrait.problems],
        twin_url=twins.get(portrait.looks_like_id, "") if portrait.looks_like_id else "",
        is_old=limit is not None and portrait.uploaded_at < limit,
    )


@page
@require_GET
def student(request: HttpRequest, student_id: int) -> HttpResponse:
    return _page(request, _student(request, student_id), ConsentForm())


@page
@require_POST
def record_consent(request: HttpRequest, student_id: int) -> HttpResponse:
    found = _asked_about(request, student_id)
    form = ConsentForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    data = form.cleaned_data
    answer = consents.Answer(
        yes=data["answer"] != "no",
        given_by=data["given_by"],
        name=data["given_by_name"],
        method=data["method"],
        relation=data["relation"],
        signed_on=data["signed_on"],
    )
    upload = data["scan"]
    scan = upload.read(consent_scans.MOST_BYTES + 1) if upload is not None else None
    consents.record(found, answer, user_of(request), scan)
    if answer.yes:
        messages.success(request, _("Consent is recorded. Photos can be added now."))
    else:
        messages.success(request, _("The no is recorded. The student is marked by hand."))
    return redirect("web:student", student_id)


@page
@require_POST
def withdraw_consent(request: HttpRequest, student_id: int) -> HttpResponse:
    """Ends at once what exists about the face; the student number is typed because it cannot be undone."""
    found = _asked_about(request, student_id)
    if request.POST.get("number", "").strip() != found.number:
        messages.error(request, _("Nothing was deleted: the student number did not match."))
        return redirect("web:student", student_id)
    privacy.withdraw_consent(found, user_of(request))
    messages.success(
        request, _("Consent is withdrawn. Photos, crops and encodings of this face are deleted.")
    )
    return redirect("web:student", student_id)


@page
@require_POST
def add_portraits(request: HttpRequest, student_id: int) -> HttpResponse:
    found = _changeable(request, student_id)
    received = [
        enrolment.receive_portrait(
            found, upload.read(settings.ROLLCALL_MAX_UPLOAD_BYTES + 1), user_of(request), upload.name or ""
        )
        for upload in request.FILES.getlist("photo")
    ]
    if "application/json" not in request.headers.get("Accept", ""):
        return redirect("web:student", student_id)
    if not received:
        raise errors.PhotoEmpty
    return JsonResponse({"id": received[0].pk, "message": ""}, status=202)


@page
@require_GET
def portraits(request: HttpRequest, student_id: int) -> HttpResponse:
    """The part of the page that changes while portraits are looked at."""
    found = _student(request, student_id)
    screen = portraits_screen(found)
    states = ".".join(
        f"{view.portrait.pk}{view.portrait.state}" for view in [*screen.accepted, *screen.answers]
    )
    etag = f'"{found.pk}-{states}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = render(request, "web/student_portraits.html", _portrait_context(request, found, screen))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


@page
@require_POST
def remove_portrait(request: HttpRequest, portrait_id: int) -> HttpResponse:
    portrait = get_object_or_404(permissions.portraits_for(request.user), pk=portrait_id)
    found = _changeable(request, portrait.student_id)
    enrolment.remove_portrait(portrait)
    return _portraits_again(request, found, _("The photo is deleted."))


@page
@require_POST
def accept_portrait(request: HttpRequest, portrait_id: int) -> HttpResponse:
    """A person compared the two students and says that they are two people."""
    portrait = get_object_or_404(permissions.portraits_for(request.user), pk=portrait_id)
    found = _changeable(request, portrait.student_id)
    enrolment.accept_held(portrait)
    return _portraits_again(request, found, _("The photo is looked at once more."))


def _portraits_again(request: HttpRequest, found: Student, words: str) -> HttpResponse:
    if not is_htmx(request):
        return redirect("web:student", found.pk)
    context = _portrait_context(request, found, portraits_screen(found))
    return toast(render(request, "web/student_portraits.html", context), words)


def _portrait_context(request: HttpRequest, found: Student, screen: PortraitsScreen) -> dict[str, object]:
    return {"student": found, "screen": screen, "may_change": True}


def _page(request: HttpRequest, found: Student, form: ConsentForm, status: int = 200) -> HttpResponse:
    screen = portraits_screen(found)
    courses = (
        permissions.courses_for(request.user).filter(roster_entries__student=found).select_related("term")
    )
    marks = (
        Mark.objects.filter(student=found, session__in=permissions.sessions_for(request.user))
        .select_related("session", "session__course")
        .order_by("-session__starts_at")[:12]
    )
    best = screen.accepted[0].crop_url if screen.accepted else ""
    consent = Consent.objects.filter(student=found).first()
    version = schooltime.get_school().consent_text_version
    earlier = consent_texts.is_earlier(consent, version)
    context = {
        **_portrait_context(request, found, screen),
        "consent": consent,
        "is_earlier_text": earlier,
        "asks_again": consent_texts.renewal_rule() if earlier else None,
        "consent_parts": consent_texts.paragraphs(version, get_language() or settings.LANGUAGE_CODE),
        "portrait_due": screen.due_since,
        "account": accounts.account_of(found),
        "offers": offered.views(offers.offers_for(found)),
        "declined_offers": offered.declined(found),
        "events": found.consent_events.select_related("recorded_by", "scan")[:10],
        "form": form,
        "courses": courses,
        "marks": marks,
        "portrait_url": best,
        "excuses": rows_of(
            permissions.excuses_for(request.user).filter(student=found)[:20], user_of(request)
        ),
        "may_excuse": permissions.may_enter_excuse(request.user, found, None),
        "school": schooltime.get_school(),
        **own_data.context_for(request, found),
        "may_change": any(permissions.may_change_course(request.user, course) for course in courses),
        "may_record": permissions.may_keep_consent_of(request.user, found),
    }
    return render(request, "web/student.html", context, status=status)
