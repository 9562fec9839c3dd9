"""Faces offered as templates: a step of its own, on the student's page and in the course's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from attendance import errors, offers, permissions
from attendance.models import DeclinedOffer, Sighting, Student
from attendance.offers import Offer
from attendance.web.answers import back, page, user_of
from attendance.web.words import OFFER_ADDS, in_words


@dataclass(frozen=True, slots=True)
class OfferView:
    """One offered face as it is shown."""

    student: Student
    sighting: Sighting
    crop_url: str
    adds: str
    quality: int


def views(found: Sequence[Offer]) -> list[OfferView]:
    return [
        OfferView(
            offer.student,
            offer.sighting,
            reverse("web:face-crop", args=[offer.sighting.pk]),
            ", ".join(in_words(OFFER_ADDS, code) for code in offer.adds),
            round(offer.sighting.quality * 100),
        )
        for offer in found
    ]


def declined(student: Student) -> list[DeclinedOffer]:
    """The latest few that were not wanted, so that it can be undone."""
    return list(student.declined_offers.select_related("sighting__snapshot").order_by("-at")[:3])


def _asked(request: HttpRequest, student_id: int, sighting_id: int) -> tuple[Student, Sighting]:
    student = get_object_or_404(permissions.students_for(request.user), pk=student_id)
    sighting = get_object_or_404(permissions.sightings_for(request.user), pk=sighting_id)
    if not permissions.may_change_student(request.user, student):
        raise errors.RollcallError(_("You may look at this student, but not change anything."))
    return student, sighting


@page
@require_POST
def accept(request: HttpRequest, student_id: int, sighting_id: int) -> HttpResponse:
    student, sighting = _asked(request, student_id, sighting_id)
    offers.accept(sighting, student, user_of(request))
    messages.success(
        request,
        _("The face is a template of %(name)s now. Delete it among the enrolled photos to undo this.")
        % {"name": student.full_name},
    )
    return back(request, reverse("web:student", args=[student_id]))


@page
@require_POST
def decline(request: HttpRequest, student_id: int, sighting_id: int) -> HttpResponse:
    student, sighting = _asked(request, student_id, sighting_id)
    offers.decline(sighting, student, user_of(request))
    messages.success(request, _("It is not offered again. The student's page can undo this."))
    return back(request, reverse("web:student", args=[student_id]))


@page
@require_POST
def offer_again(request: HttpRequest, student_id: int, sighting_id: int) -> HttpResponse:
    student, sighting = _asked(request, student_id, sighting_id)
    offers.undo_decline(sighting, student)
    return back(request, reverse("web:student", args=[student_id]))
