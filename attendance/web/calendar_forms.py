"""Forms of timetable, holidays, excuses and rules. They check shape; what is allowed is the services' business."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from attendance import rules, schooltime
from attendance.models import Course, Excuse, Room, TimetableSlot
from attendance.timetables import SLOT_FIELDS


class DayInput(forms.DateInput):
    def __init__(self) -> None:
        super().__init__({"type": "date"}, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    def __init__(self) -> None:
        super().__init__({"type": "time"}, format="%H:%M")


class SlotForm(forms.Form):
    """A lesson of the week. A room the school does not know yet is made when the lesson is stored."""

    weekday = forms.TypedChoiceField(label=_("Weekday"), choices=TimetableSlot.Weekday.choices, coerce=int)
    starts = forms.TimeField(label=_("From"), widget=TimeInput())
    ends = forms.TimeField(label=_("To"), widget=TimeInput())
    room = forms.CharField(
        label=_("Room"),
        max_length=100,
        required=False,
        widget=forms.TextInput({"list": "rooms", "autocomplete": "off"}),
    )
    first_day = forms.DateField(label=_("First day"), widget=DayInput())
    last_day = forms.DateField(label=_("Last day"), widget=DayInput())
    every_weeks = forms.TypedChoiceField(
        label=_("How often"),
        choices=[
            (1, _("every week")),
            (2, _("every 2 weeks")),
            (3, _("every 3 weeks")),
            (4, _("every 4 weeks")),
        ],
        coerce=int,
        initial=1,
    )

    @classmethod
    def for_course(cls, course: Course, data: Any = None, slot: TimetableSlot | None = None) -> SlotForm:
        today = schooltime.today()
        if slot is not None:
            initial = {name: getattr(slot, name) for name in SLOT_FIELDS} | {
                "room": slot.room.name if slot.room else ""
            }
        else:
            first = max(course.term.starts_on, today)
            initial = {
                "weekday": today.weekday() if today.weekday() < 5 else 0,
                "first_day": first,
                "last_day": max(course.term.ends_on, first),
            }
        return cls(data, initial=initial)

    def values(self) -> dict[str, Any]:
        """Fields of a slot; ``room`` stays a name."""
        return dict(self.cleaned_data)

    def room_named(self, *, make: bool) -> Room | None:
        """The room of that name, whatever its capitals."""
        name = " ".join(self.cleaned_data["room"].split())
        if not name:
            return None
        found = Room.objects.filter(name__iexact=name).first()
        if found is None:
            found = Room.objects.create(name=name) if make else Room(name=name)
        return found


class CalendarFileForm(forms.Form):
    file = forms.FileField(label=_("A calendar file (.ics)"), allow_empty_file=True)


class HolidayForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    first_day = forms.DateField(label=_("First day"), widget=DayInput())
    last_day = forms.DateField(
        label=_("Last day"), required=False, widget=DayInput(), help_text=_("Empty: one day only.")
    )

    def days(self) -> tuple[str, dt.date, dt.date]:
        data = self.cleaned_data
        return data["name"], data["first_day"], data["last_day"] or data["first_day"]


class ExcuseForm(forms.Form):
    """Days or single sessions, in one course or in all."""

    course = forms.ModelChoiceField(
        Course.objects.none(), label=_("Course"), required=False, empty_label=_("all courses")
    )
    first_day = forms.DateField(label=_("First day"), required=False, widget=DayInput())
    last_day = forms.DateField(
        label=_("Last day"), required=False, widget=DayInput(), help_text=_("Empty: one day only.")
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=Excuse.Reason.choices)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    attachment = forms.FileField(
        label=_("Letter"),
        required=False,
        allow_empty_file=True,
        help_text=_("PDF, JPEG or PNG, up to 8 MB."),
        widget=forms.FileInput({"accept": ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png"}),
    )

    def __init__(self, courses: Any, data: Any = None, files: Any = None, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        field = self.fields["course"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = courses
        self.fields["first_day"].initial = schooltime.today()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        sessions = self.data.getlist("session") if hasattr(self.data, "getlist") else []
        if not data.get("first_day") and not sessions and "first_day" not in self.errors:
            raise ValidationError(_("Choose the days, or tick sessions."))
        return data


class RulesForm(forms.Form):
    """The rules of the school or of a course; an empty field takes what stands above."""

    late_after_minutes = forms.IntegerField(label=_("Late after (minutes)"), required=False)
    early_before_minutes = forms.IntegerField(label=_("Left early before the end (minutes)"), required=False)
    min_sightings = forms.IntegerField(label=_("Photos a student must be seen in"), required=False)
    min_usable_photos = forms.IntegerField(label=_("Usable photos needed for a roll"), required=False)
    late_counts = forms.IntegerField(label=_("A late arrival counts as (% of a lesson)"), required=False)
    early_counts = forms.IntegerField(label=_("Leaving early counts as (% of a lesson)"), required=False)
    least_percent = forms.IntegerField(
        label=_("At risk under (%)"), required=False, help_text=_("0 switches this part off.")
    )
    from_lessons = forms.IntegerField(label=_("once so many lessons count"), required=False)
    in_a_row = forms.IntegerField(
        label=_("or with absences in a row"), required=False, help_text=_("0 switches this part off.")
    )
    window_absences = forms.IntegerField(
        label=_("or with absences"), required=False, help_text=_("0 switches this part off.")
    )
    window_lessons = forms.IntegerField(label=_("among the last lessons that count"), required=False)
    by_clock = forms.TypedChoiceField(
        label=_("Lessons of the timetable open and close by themselves"),
        choices=[("", _("as above")), ("1", _("yes")), ("0", _("no"))],
        coerce=lambda text: {"1": True, "0": False}.get(text),
        empty_value=None,
        required=False,
    )

    def __init__(self, data: Any = None, *, above: rules.RuleSet, own: rules.Values | None = None) -> None:
        initial: dict[str, Any] = dict(own or {})
        if initial.get("by_clock") is not None:
            initial["by_clock"] = "1" if initial["by_clock"] else "0"
        super().__init__(data, initial=initial)
        for name, (least, most) in rules.LIMITS.items():
            field = self.fields[name]
            assert isinstance(field, forms.IntegerField)
            field.min_value, field.max_value = least, most
            field.validators += [
                MinValueValidator(least),
                MaxValueValidator(most),
            ]
            field.widget.attrs |= {"min": least, "max": most, "placeholder": str(getattr(above, name))}
        clock = self.fields["by_clock"]
        assert isinstance(clock, forms.TypedChoiceField)
        word = _("yes") if above.by_clock else _("no")
        clock.choices = [("", _("as above (%(word)s)") % {"word": word}), ("1", _("yes")), ("0", _("no"))]
