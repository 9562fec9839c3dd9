"""Many items confirmed with one press, after a look at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from attendance import permissions
from attendance.desk import queue
from attendance.desk.bulk import Offer, Wanted, confirm, offers
from attendance.models import Course, Student
from attendance.web import desk, desk_filters, desk_screen
from attendance.web.answers import page, user_of
from attendance.web.asked import number
from attendance.web.desk_acts import Done
from attendance.web.desk_evidence import enrolled_crops, percent

LEVELS = (99, 95, 90, 80)
USUAL = 95
FACES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class OfferView:
    value: str
    """What the form sends back: the item, the student and the faces that were seen here."""
    student: Student
    enrolled: tuple[str, ...]
    faces: list[str]
    count: int
    chance: str
    offer: Offer

    @property
    def extra(self) -> int:
        """Faces that are not shown."""
        return self.count - len(self.faces)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def bulk(request: HttpRequest) -> HttpResponse:
    """What would be confirmed, with faces; then all of it at once."""
    if request.method == "POST":
        return _confirm(request)
    chosen, level = desk_filters.of(request), _level(request)
    found = _offers(request, level)
    context = {
        "offers": _views(found),
        "faces": sum(len(offer.sighting_ids) for offer in found),
        "level": level,
        "levels": LEVELS,
        "query": urlencode(chosen.query),
        "chosen": chosen,
    }
    return render(request, "web/desk_bulk.html", context)


def _confirm(request: HttpRequest) -> HttpResponse:
    """Only what was shown and ticked, and only where it still stands."""
    wanted = [_wanted(value) for value in request.POST.getlist("offer")]
    done = confirm(wanted, _offers(request, _level(request)), user_of(request))
    if done.faces:
        undo = reverse("web:desk-undo", args=[done.batch])
        desk.remember(request, Done("", undo, done.faces, done.marks))
        words = ngettext(
            "%(n)d face confirmed; U takes it back.", "%(n)d faces confirmed; U takes them back.", done.faces
        )
        messages.success(request, words % {"n": done.faces})
    if done.overtaken:
        messages.error(
            request,
            _("Some were settled by somebody else in the meantime, or have changed; they were left alone."),
        )
    query = {**desk_filters.of(request).query, "run": "on"}
    return redirect(f"{reverse('web:desk')}?{urlencode(query)}")


def _wanted(value: str) -> Wanted:
    """``12-face-7|34|7,8``; what cannot be read wants nothing."""
    key, student, faces = [*value.split("|"), "", ""][:3]
    ids = (number(face) for face in faces.split(","))
    return Wanted(key, number(student) or 0, frozenset(pk for pk in ids if pk))


def _level(request: HttpRequest) -> int:
    wanted = number(request.GET.get("at"))
    return wanted if wanted in LEVELS else USUAL


def _offers(request: HttpRequest, level: int) -> list[Offer]:
    """Of courses this person may change."""
    items = queue.items_for(desk.sessions_of(request), desk_filters.of(request).kind)
    courses: dict[int, Course] = {each.session.course_id: each.session.course for each in items}
    may = {pk for pk, course in courses.items() if permissions.may_change_course(request.user, course)}
    return offers([each for each in items if each.session.course_id in may], level / 100)


def _views(found: Sequence[Offer]) -> list[OfferView]:
    students = Student.objects.in_bulk({offer.student_id for offer in found})
    enrolled = enrolled_crops(students, None)
    crops = desk_screen.crop_urls(offer.desk_item.item.faces for offer in found)
    return [
        OfferView(
            value=f"{offer.desk_item.key}|{offer.student_id}|{','.join(map(str, offer.sighting_ids))}",
            student=students[offer.student_id],
            enrolled=enrolled[offer.student_id].urls[:2] if offer.student_id in enrolled else (),
            faces=[crops[pk] for pk in offer.sighting_ids[:FACES_SHOWN]],
            count=len(offer.sighting_ids),
            chance=percent(offer.chance),
            offer=offer,
        )
        for offer in found
    ]
