"""What lists can be narrowed by."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.fields import IsoDateTimeField

from attendance.api.serializers.fields import BIGGEST_ID, FIRST_YEAR, LAST_YEAR
from attendance.models import ClassSession, Contest, Course, Mark, RosterEntry, Snapshot, Student


class _InstantFormField(IsoDateTimeField):  # type: ignore[misc]
    def clean(self, value: Any) -> dt.datetime | None:
        instant: dt.datetime | None = super().clean(value)
        if instant is not None and not FIRST_YEAR <= instant.year <= LAST_YEAR:
            raise ValidationError(_("The year must lie between 2000 and 2100."))
        return instant


class InstantFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    """ISO 8601; without an offset, on the school's clock."""

    field_class = _InstantFormField


class _IdFormField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("decimal_places", None)
        super().__init__(**(kwargs | {"min_value": 1, "max_value": BIGGEST_ID}))


class IdFilter(django_filters.NumberFilter):  # type: ignore[misc]
    """The id of something."""

    field_class = _IdFormField

    def get_max_validator(self) -> None:
        """The field bounds itself."""


class StrictForm(forms.Form):
    """A filter that says nothing would leave a list wider than was meant: it is refused."""

    def clean(self) -> dict[str, Any] | None:
        for name in self.fields:
            if name in self.data and name not in self.errors and not self.data.get(name):
                self.add_error(name, _("A value is needed."))
        return super().clean()


class _FlagFormField(forms.Field):
    words = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}

    def to_python(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        if value not in self.words:
            raise ValidationError(_("Say true or false."))
        return self.words[value]


class FlagFilter(django_filters.BooleanFilter):  # type: ignore[misc]
    """``true`` or ``false``, and nothing that is neither."""

    field_class = _FlagFormField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=forms.TextInput, **kwargs)


class CourseFilter(django_filters.FilterSet):  # type: ignore[misc]
    term = IdFilter(field_name="term_id")
    code = django_filters.CharFilter(max_length=40)

    class Meta:
        model = Course
        fields: list[str] = []
        form = StrictForm


class ContestFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=Contest.State.choices)
    session = IdFilter(field_name="session_id")
    course = IdFilter(field_name="session__course_id")

    class Meta:
        model = Contest
        fields: list[str] = []
        form = StrictForm


class SessionFilter(django_filters.FilterSet):  # type: ignore[misc]
    course = IdFilter(field_name="course_id")
    room = IdFilter(field_name="room_id")
    state = django_filters.ChoiceFilter(choices=ClassSession.State.choices)
    starts_after = InstantFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = InstantFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = ClassSession
        fields: list[str] = []
        form = StrictForm


class SnapshotFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=Snapshot.State.choices)
    camera = IdFilter(field_name="camera_id")
    taken_after = InstantFilter(field_name="taken_at", lookup_expr="gte")
    taken_before = InstantFilter(field_name="taken_at", lookup_expr="lt")

    class Meta:
        model = Snapshot
        fields: list[str] = []
        form = StrictForm


class MarkFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=Mark.Status.choices)
    source = django_filters.ChoiceFilter(choices=Mark.Source.choices)
    to_check = FlagFilter()

    class Meta:
        model = Mark
        fields: list[str] = []
        form = StrictForm


class RosterFilter(django_filters.FilterSet):  # type: ignore[misc]
    current = FlagFilter(
        field_name="left_on", lookup_expr="isnull", label="On the roster now; false: has left."
    )

    class Meta:
        model = RosterEntry
        fields: list[str] = []
        form = StrictForm


class StudentFilter(django_filters.FilterSet):  # type: ignore[misc]
    number = django_filters.CharFilter(max_length=40)
    course = IdFilter(method="on_roster_of", label="Now on the roster of this course.")
    search = django_filters.CharFilter(
        method="name_or_number", max_length=100, label="Part of a name or number."
    )

    class Meta:
        model = Student
        fields: list[str] = []
        form = StrictForm

    def on_roster_of(self, students: QuerySet[Student], name: str, value: int) -> QuerySet[Student]:
        entries = RosterEntry.objects.filter(course_id=value, left_on__isnull=True)
        return students.filter(pk__in=entries.values("student_id"))

    def name_or_number(self, students: QuerySet[Student], name: str, value: str) -> QuerySet[Student]:
        for word in value.split()[:5]:
            students = students.filter(
                Q(number__icontains=word) | Q(given_name__icontains=word) | Q(family_name__icontains=word)
            )
        return students
