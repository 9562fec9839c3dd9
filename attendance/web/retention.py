"""What is kept, how long, and what goes when: for administrators to set, for teachers of a course to read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from attendance import intake, permissions, schooltime
from attendance.models import Course, CourseRetention, RetentionRun
from attendance.retention import due, periods
from attendance.retention.periods import NAMES, WORDS, Periods, RetentionRefused
from attendance.web.answers import administrators_only, page, user_of

RUNS_SHOWN = 12


class DaysForm(forms.Form):
    """Three numbers of days; ``above``: of a course, what the school says, shown where nothing is given."""

    def __init__(self, data: Any, initial: dict[str, Any], above: Periods | None) -> None:
        super().__init__(data, initial=initial)
        for name in NAMES:
            least, most = periods.LIMITS[name]
            words = periods.between(name)
            self.fields[name] = forms.IntegerField(
                label=str(WORDS[name]),
                required=above is None,
                min_value=least,
                max_value=most,
                help_text=_("empty: %(days)d, as the school") % {"days": getattr(above, name)}
                if above
                else "",
                error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), words),
            )


class SchoolDaysForm(DaysForm):
    courses_may_keep_longer = forms.BooleanField(
        label=gettext_lazy("Courses may keep things longer than the school"),
        help_text=gettext_lazy("Parents must then be told the longest time."),
        required=False,
    )


@page
@require_http_methods(["GET", "POST"])
def site(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    school = schooltime.get_school()
    now = {name: getattr(school, name) for name in (*NAMES, "courses_may_keep_longer")}
    form = SchoolDaysForm(request.POST if request.method == "POST" else None, now, None)
    if form.is_valid():
        given = dict(form.cleaned_data)
        periods.set_school(
            Periods(*(given[name] for name in NAMES)),
            courses_may_keep_longer=given["courses_may_keep_longer"],
        )
        messages.success(request, _("Stored. What is due by it goes with the next run."))
        return redirect("web:retention")
    context = {
        "form": form,
        "days": [form[name] for name in NAMES],
        "outlook": due.outlook(),
        "own": CourseRetention.objects.select_related("course__term").order_by("course__name", "pk"),
        "courses": Course.objects.filter(retention__isnull=True)
        .select_related("term")
        .only("code", "name", "term__name"),
        "runs": RetentionRun.objects.select_related("by")[:RUNS_SHOWN],
        "school": school,
    }
    return render(request, "web/retention.html", context, status=422 if form.errors else 200)


@page
@require_POST
def run_now(request: HttpRequest) -> HttpResponse:
    """A worker does it: a year of photos takes longer than a page may."""
    administrators_only(request)
    from attendance.tasks import purge_expired

    if intake.publish(purge_expired, user_of(request).pk):
        messages.success(request, _("A worker deletes what is due now; look again in a minute."))
    else:
        messages.error(request, _("Redis does not answer, so no worker hears of it. Nothing was deleted."))
    return redirect("web:retention")


@page
@require_http_methods(["GET", "POST"])
def course(request: HttpRequest, course_id: int) -> HttpResponse:
    """Read by whoever sees the course, set by administrators."""
    found = get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)
    if request.method == "POST":
        administrators_only(request)
    row = CourseRetention.objects.filter(course=found).first()
    initial = {name: getattr(row, name) for name in NAMES} if row else {}
    form = DaysForm(request.POST if request.method == "POST" else None, initial, periods.of_school())
    if form.is_valid():
        try:
            periods.set_course(found, form.cleaned_data, user_of(request))
            messages.success(request, _("Stored. What is due by it goes with the next run."))
            return redirect("web:course-retention", found.pk)
        except RetentionRefused as error:
            form.add_error(error.field, str(error.message))
    context = {
        "course": found,
        "tab": "retention",
        "form": form,
        "days": [form[name] for name in NAMES],
        "holding": [(WORDS[name], getattr(periods.of_course(found), name)) for name in NAMES],
        "outlook": due.outlook(course=found),
        "may_change": permissions.may_change_course(request.user, found),
        "may_set": permissions.is_administrator(request.user),
    }
    return render(request, "web/course_retention.html", context, status=422 if form.errors else 200)
