"""Forms of the pages. They check shape; what is allowed is the services' business."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import schooltime
from attendance.models import Camera, Consent, ConsentEvent, Course, Room, Student, Term


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("The name or the password is not right. Capital letters matter."),
        "inactive": _("This account is switched off. Please ask the administrator."),
    }


class FirstPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """The password a student chooses with the link they were given."""

    new_password1 = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least ten characters, and nothing others would guess."),
    )
    new_password2 = forms.CharField(
        label=_("The same again"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


class OwnPasswordForm(PasswordChangeForm):
    """The old password, and the new one twice."""

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": _("This is not the password you have now."),
    }
    old_password = forms.CharField(
        label=_("The password you have now"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    new_password1 = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least ten characters, and nothing others would guess."),
    )
    new_password2 = forms.CharField(
        label=_("The same again"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


class StudentForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Student
        fields = ["given_name", "family_name", "number", "email"]
        widgets = {"number": forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"})}

    def validate_unique(self) -> None:
        """A number that is known already is the same student, added to this roster."""


class CourseForm(forms.ModelForm):  # type: ignore[type-arg]
    """A course in a term that is there, or in a new one named in the same step."""

    term = forms.ModelChoiceField(
        Term.objects.all(), label=_("Term"), required=False, empty_label=_("a new term")
    )
    term_name = forms.CharField(label=_("Name of the new term"), max_length=100, required=False)
    term_starts = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput({"type": "date"})
    )
    term_ends = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput({"type": "date"}))

    class Meta:
        model = Course
        fields = ["name", "code", "term"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = Term.objects.filter(ends_on__gte=schooltime.today()).order_by("starts_on").first()
        if current:
            self.initial.setdefault("term", current.pk)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("term"):
            return data
        name, starts, ends = (data.get(field) for field in ("term_name", "term_starts", "term_ends"))
        if not (name and starts and ends):
            raise ValidationError(_("Choose a term, or name a new one with its first and last day."))
        if ends < starts:
            raise ValidationError(_("A term must end after it starts."))
        if Term.objects.filter(name=name).exists():
            raise ValidationError(_("There is a term of this name already; choose it in the list."))
        return data

    def _get_validation_exclusions(self) -> set[str]:
        """A term that is made with the course cannot be checked before it is there."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded if self.cleaned_data.get("term") else excluded | {"term"}

    def save(self, commit: bool = True) -> Course:
        data = self.cleaned_data
        with transaction.atomic():
            if not data["term"]:
                self.instance.term = Term.objects.create(
                    name=data["term_name"], starts_on=data["term_starts"], ends_on=data["term_ends"]
                )
            course: Course = super().save(commit)
        return course


class PlanForm(forms.Form):
    """A session on one day of the school's clock, with its policy."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    starts = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(label=_("To"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    room = forms.ModelChoiceField(
        Room.objects.all(), label=_("Room"), required=False, empty_label=_("no room: photos come from people")
    )
    late_after_minutes = forms.IntegerField(
        label=_("Late after (minutes)"), initial=10, min_value=0, max_value=240
    )
    min_sightings = forms.IntegerField(
        label=_("Photos a student must be seen in"), initial=2, min_value=1, max_value=50
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"].initial = schooltime.today()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("starts") and data.get("ends") and data["starts"] == data["ends"]:
            raise ValidationError(_("A session must end after it starts."))
        return data

    def instants(self) -> tuple[dt.datetime, dt.datetime]:
        """Start and end as instants; an end before the start is after midnight."""
        zone = timezone.get_current_timezone()
        day, starts, ends = (self.cleaned_data[name] for name in ("day", "starts", "ends"))
        last_day = day if ends > starts else day + dt.timedelta(days=1)
        return dt.datetime.combine(day, starts, tzinfo=zone), dt.datetime.combine(last_day, ends, tzinfo=zone)

    def policy(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in ("late_after_minutes", "min_sightings")}


class ConsentForm(forms.Form):
    """What somebody said on one student's page: a yes with its text read, or a no."""

    answer = forms.ChoiceField(choices=[("yes", _("yes")), ("no", _("no"))], required=False)
    given_by = forms.ChoiceField(label=_("Who consents"), choices=Consent.GivenBy.choices)
    given_by_name = forms.CharField(label=_("Their name"), max_length=200)
    method = forms.ChoiceField(label=_("How"), choices=Consent.Method.choices)
    relation = forms.ChoiceField(
        label=_("Relation"), choices=[("", "–"), *ConsentEvent.Relation.choices], required=False
    )
    signed_on = forms.DateField(
        label=_("Signed on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    scan = forms.FileField(label=_("Scan"), required=False, allow_empty_file=True)
    read = forms.BooleanField(label=_("They read this text and agree to it."), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("answer") != "no" and not data.get("read"):
            self.add_error("read", _("Please tick that they read the text."))
        return data


class RosterFileForm(forms.Form):
    file = forms.FileField(label=_("A file"), required=False, allow_empty_file=True)
    text = forms.CharField(
        label=_("or paste the list"), required=False, widget=forms.Textarea, max_length=2_000_000
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("file") and not (data.get("text") or "").strip():
            raise ValidationError(_("Choose a file or paste a list first."))
        return data


class CameraForm(forms.ModelForm):  # type: ignore[type-arg]
    room_name = forms.CharField(
        label=_("Room"), max_length=100, help_text=_("The camera's photos go to this room's open session.")
    )

    class Meta:
        model = Camera
        fields = ["name"]
