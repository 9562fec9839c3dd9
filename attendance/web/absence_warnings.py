"""Warnings of a course: looked at first, then sent by a person; and the school's words for them."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import absence_warnings, errors, mailing, permissions
from attendance.models import (
    Course,
    CourseWarnings,
    Student,
    StudentContact,
    WarningKind,
    WarningSent,
    WarningText,
)
from attendance.reports import documents
from attendance.reports.facts import course_rule
from attendance.web.answers import administrators_only, page, user_of


def _course(request: HttpRequest, course_id: int) -> Course:
    return get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)


def _changeable(request: HttpRequest, course_id: int) -> Course:
    course = _course(request, course_id)
    if not permissions.may_change_course(request.user, course):
        raise errors.RollcallError(_("You may look at this course, but not change it."))
    return course


@page
@require_GET
def warnings(request: HttpRequest, course_id: int) -> HttpResponse:
    """Who is due one, word for word; nothing goes by looking."""
    course = _course(request, course_id)
    found = absence_warnings.due_in(course)
    language = get_language() or settings.LANGUAGE_CODE
    context = {
        "course": course,
        "tab": "dashboard",
        "may_change": permissions.may_change_course(request.user, course),
        "rule_text": documents.rule_words(course_rule(course)),
        "due": absence_warnings.previews(course, [one for one in found if not one.sent], language),
        "ready": sum(not one.sent and bool(one.to) for one in found),
        "sent": WarningSent.objects.filter(course=course).select_related("student", "sent_by")[:50],
        "automatic": CourseWarnings.objects.filter(course=course).select_related("switched_by").first(),
        "mail_set_up": mailing.is_set_up(),
    }
    return render(request, "web/warnings/course.html", context)


@page
@require_POST
def send(request: HttpRequest, course_id: int) -> HttpResponse:
    course = _changeable(request, course_id)
    sent = absence_warnings.send(course, set(request.POST.getlist("warning")), user_of(request))
    words = ngettext("%(n)d warning is on its way.", "%(n)d warnings are on their way.", sent)
    messages.success(request, words % {"n": sent})
    return redirect("web:warnings", course_id)


@page
@require_POST
def automatic(request: HttpRequest, course_id: int) -> HttpResponse:
    course = _changeable(request, course_id)
    absence_warnings.switch_automatic(course, request.POST.get("on") == "1", user_of(request))
    return redirect("web:warnings", course_id)


@page
@require_POST
def add_contact(request: HttpRequest, course_id: int, student_id: int) -> HttpResponse:
    course = _changeable(request, course_id)
    student = get_object_or_404(Student, pk=student_id, roster_entries__course=course)
    absence_warnings.add_contact(student, request.POST.get("name", ""), request.POST.get("email", "")[:254])
    return redirect("web:warnings", course_id)


@page
@require_POST
def remove_contact(request: HttpRequest, course_id: int, contact_id: int) -> HttpResponse:
    course = _changeable(request, course_id)
    get_object_or_404(StudentContact, pk=contact_id, student__roster_entries__course=course).delete()
    return redirect("web:warnings", course_id)


@page
def texts(request: HttpRequest) -> HttpResponse:
    """The school's own words, in each language."""
    administrators_only(request)
    if request.method == "POST":
        say = request.POST.get
        absence_warnings.change_text(
            say("kind", ""), say("language", ""), say("subject", ""), say("body", ""), user_of(request)
        )
        messages.success(request, _("The text is stored."))
        return redirect("web:warning-texts")
    own = {(one.kind, one.language) for one in WarningText.objects.all()}
    context = {
        "texts": [
            (kind, label, code, name, *absence_warnings.text_of(kind, code), (kind, code) in own)
            for kind, label in WarningKind.choices
            for code, name in settings.LANGUAGES
        ],
        "places": absence_warnings.PLACES.items(),
    }
    return render(request, "web/warnings/texts.html", context)
