"""For administrators: the school's rules, words and logo, and what a course does otherwise."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import labels, logos, rules, schooltime
from attendance.models import AttendanceRules, Course, Mark
from attendance.reports import documents, facts, what_if
from attendance.web.answers import administrators_only, page, user_of
from attendance.web.calendar_forms import RulesForm


@page
def school_rules(request: HttpRequest) -> HttpResponse:
    return _rules(request, None)


@page
def course_rules(request: HttpRequest, course_id: int) -> HttpResponse:
    administrators_only(request)
    return _rules(request, get_object_or_404(Course.objects.select_related("term"), pk=course_id))


def _rules(request: HttpRequest, course: Course | None) -> HttpResponse:
    """The form; given anew, first what it would change, then, confirmed, stored."""
    administrators_only(request)
    above = rules.school_rules() if course else rules.RuleSet()
    form = RulesForm(request.POST or None, above=above, own=rules.own_values(course))
    would = effect = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            would = rules.with_values(course, values)
            if "confirm" in request.POST:
                return _stored(request, course, values)
            effect = what_if.effect(course, values)
        except rules.RulesRefused as error:
            form.add_error(None, str(error.message))
    now = rules.rules_for(course) if course else rules.school_rules()
    context = {
        "course": course,
        "form": form,
        "stated": documents.rule_words(facts.rule_of(now)),
        "would": documents.rule_words(facts.rule_of(would)) if would and effect else "",
        "effect": effect,
        "differing": Course.objects.filter(rules__isnull=False).select_related("term"),
        "courses": Course.objects.filter(rules__isnull=True).select_related("term"),
        "labels": [
            (status, label, labels.in_force().get(status, "")) for status, label in Mark.Status.choices
        ],
        "logo": logos.current(),
        "school": schooltime.get_school(),
    }
    return render(request, "web/rules.html", context, status=422 if form.errors else 200)


def _stored(request: HttpRequest, course: Course | None, values: rules.Values) -> HttpResponse:
    followed = rules.change(course, values, user_of(request))
    text = ngettext(
        "The rules are stored; %(n)d planned session follows them.",
        "The rules are stored; %(n)d planned sessions follow them.",
        followed,
    )
    messages.success(request, text % {"n": followed})
    return redirect("web:rules-course", course.pk) if course else redirect("web:rules")


@page
@require_POST
def as_school(request: HttpRequest, course_id: int) -> HttpResponse:
    """The course goes by the school's rules again."""
    administrators_only(request)
    course = get_object_or_404(Course, pk=course_id)
    rules.change(course, {}, user_of(request))
    AttendanceRules.objects.filter(course=course).delete()
    messages.success(request, _("%(course)s goes by the school's rules again.") % {"course": course.name})
    return redirect("web:rules")


@page
@require_POST
def set_labels(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    labels.set_labels({status: request.POST.get(f"label-{status}", "") for status in Mark.Status.values})
    messages.success(request, _("The words for the marks are stored."))
    return redirect("web:rules")


@page
@require_POST
def set_school(request: HttpRequest) -> HttpResponse:
    """The school's name and logo."""
    administrators_only(request)
    name = " ".join(request.POST.get("name", "").split())[:200]
    if name:
        school = schooltime.get_school()
        school.name = name
        school.save(update_fields=["name"])
    upload = request.FILES.get("logo")
    if upload is not None:
        logos.set_logo(upload.read(logos.MAX_BYTES + 1), user_of(request))
    messages.success(request, _("The school's name and logo are stored."))
    return redirect("web:rules")


@page
@require_POST
def remove_logo(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    logos.remove_logo()
    messages.success(request, _("The logo is removed."))
    return redirect("web:rules")


@login_required
@require_GET
def logo(request: HttpRequest) -> HttpResponse:
    png = logos.png()
    if png is None:
        raise Http404
    response = HttpResponse(png, content_type="image/png")
    response["Cache-Control"] = "private, max-age=300"
    return response
