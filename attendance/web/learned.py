"""What is learned from corrections, for a course's teachers and for administrators."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, offers, permissions, policies
from attendance.learned import reading, service
from attendance.learned.rates import Band, Rates, Share
from attendance.models import Course
from attendance.web import offers as offered
from attendance.web.answers import administrators_only, page, user_of
from attendance.web.words import CAMERA_ADVICE, in_words


@dataclass(frozen=True, slots=True)
class BandView:
    """One band of confidence as a row: how sure it was, and how often that was right."""

    words: str
    right: int
    wrong: int
    share: str
    low: str
    high: str
    """Ends of the interval in per cent, as text that no locale touches: they are coordinates."""


def _bands(found: list[Band]) -> list[BandView]:
    return [
        BandView(
            f"{band.low * 100:.0f}–{band.high * 100:.0f} %",
            band.right.hits,
            band.right.trials - band.right.hits,
            percent(band.right),
            f"{band.right.low * 100:.1f}",
            f"{band.right.high * 100:.1f}",
        )
        for band in found
        if band.right.trials
    ]


def percent(share: Share) -> str:
    """``2.4 %``; blank where nothing was tried. Never 0 or 100 to more digits than the trials carry."""
    if share.value is None:
        return ""
    digits = 0 if share.trials < 100 else 1 if share.trials < 10_000 else 2
    return f"{share.value * 100:.{digits}f} %"


def interval(share: Share) -> str:
    """``1–4 %``: 95 %, with as many digits as tell the ends apart."""
    digits = 1 if share.high < 0.1 else 0
    digits = 2 if share.high < 0.01 else digits
    return f"{share.low * 100:.{digits}f}–{share.high * 100:.{digits}f} %"


def _context(learned: service.Learned) -> dict[str, object]:
    counted = learned.counted
    return {
        "learned": learned,
        "counted": counted,
        "figures": learned.figures,
        "first": _bands(counted.first) if counted else [],
        "second": _bands(counted.second) if counted else [],
        "rates": _rates(counted.rates) if counted else [],
        "cameras": [
            {
                "camera": camera,
                "faces": faces,
                "small": percent(faces.small),
                "blurred": percent(faces.blurred),
                "dark": percent(faces.dark),
                "advice": [in_words(CAMERA_ADVICE, code) for code in faces.advice],
            }
            for camera, faces in learned.cameras
        ],
    }


def _rates(rates: Rates) -> list[dict[str, object]]:
    return [
        {"name": name, "what": what, "share": share, "value": percent(share), "interval": interval(share)}
        for name, what, share in (
            (
                _("Given somebody else's name"),
                _("faces that were named and that a person then gave another name or none"),
                rates.wrong_names,
            ),
            (
                _("Not recognised (FNMR)"),
                _("comparisons with the right student that stayed below the threshold"),
                rates.false_non_match,
            ),
            (
                _("Taken for somebody else (FMR)"),
                _("comparisons with another student that reached the threshold"),
                rates.false_match,
            ),
        )
    ]


@page
@require_GET
def site(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    courses = Course.objects.select_related("term").order_by("name", "code")
    return render(request, "web/learned_site.html", {**_context(service.of_site()), "courses": courses})


@page
@require_GET
def course(request: HttpRequest, course_id: int) -> HttpResponse:
    found = get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)
    may_change = permissions.may_change_course(request.user, found)
    about = service.of_course(found)
    context = {
        **_context(about.learned),
        "course": found,
        "tab": "learned",
        "about": about,
        "course_figures": about.about,
        "may_change": may_change,
        "offers": offered.views(offers.offers_in(found)) if may_change else [],
        "suggested": _times(about.decades(about.suggestion.shift)) if about.suggestion else "",
        "standing": _times(about.decades(about.override.shift)) if about.override else "",
        "history": [(each, _times(about.decades(each.shift))) for each in about.history],
    }
    return render(request, "web/learned_course.html", context)


@page
@require_POST
def apply(request: HttpRequest, course_id: int) -> HttpResponse:
    """The suggestion as it is now; another one than was shown is not applied unseen."""
    found = _of_administrators(request, course_id)
    version, suggestion = service.suggested_now(found)
    if suggestion is None or f"{suggestion.shift:.6f}" != request.POST.get("shift"):
        raise errors.SuggestionChanged
    policies.apply(found, version, suggestion.shift, user_of(request), service.shown(suggestion))
    service.strictness_changed(found)
    messages.success(request, _("Applied. It holds for photos from now on; marks that stand stay."))
    return redirect("web:course-learned", course_id)


@page
@require_POST
def undo(request: HttpRequest, course_id: int) -> HttpResponse:
    found = _of_administrators(request, course_id)
    policies.undo(found, reading.engine_of(found.pk), user_of(request))
    service.strictness_changed(found)
    messages.success(request, _("Recognition is as strict as it was measured again."))
    return redirect("web:course-learned", course_id)


def _of_administrators(request: HttpRequest, course_id: int) -> Course:
    if not permissions.is_administrator(request.user):
        raise Http404
    return get_object_or_404(Course, pk=course_id)


def _times(decades: float) -> str:
    """``2 times stricter``: decades of the false match rate as people say it."""
    times = f"{10 ** abs(decades):.1f}".rstrip("0").rstrip(".")
    if decades > 0:
        return _("%(times)s times stricter") % {"times": times}
    return _("%(times)s times more generous") % {"times": times}
