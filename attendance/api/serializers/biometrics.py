"""Consent, and the portraits that need it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.api.serializers.fields import TextField, address
from attendance.models import (
    Consent,
    ConsentEvent,
    Portrait,
)

STANDINGS = [choice for choice in ConsentEvent.What.choices if choice[0] != ConsentEvent.What.UNDONE]
"""Where consent can stand: asked (or nobody asked yet), given, refused, withdrawn."""


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    state = serializers.ChoiceField(
        choices=STANDINGS,
        source="standing",
        read_only=True,
        help_text="`asked` also where nobody has asked yet.",
    )
    refused_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When they said no; null where nobody did."
    )
    given_by = serializers.ChoiceField(choices=Consent.GivenBy.choices, allow_blank=True, read_only=True)
    method = serializers.ChoiceField(choices=Consent.Method.choices, allow_blank=True, read_only=True)

    class Meta:
        model = Consent
        fields = ["state", "given_by", "given_by_name", "method", "text_version", "given_at", "refused_at"]
        read_only_fields = fields


class NewConsentSerializer(serializers.Serializer[Any]):
    """Who gave consent, how, and on which text (the school's present text unless another is named)."""

    given_by = serializers.ChoiceField(choices=Consent.GivenBy.choices)
    given_by_name = TextField(max_length=200)
    method = serializers.ChoiceField(choices=Consent.Method.choices)
    text_version = TextField(max_length=32, required=False)


class PortraitSerializer(serializers.ModelSerializer[Portrait]):
    url = serializers.SerializerMethodField()
    student = serializers.IntegerField(source="student_id", read_only=True)
    problems = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="What is wrong with the photo, worst first."
    )

    class Meta:
        model = Portrait
        fields = ["id", "url", "student", "name", "state", "problems", "uploaded_at", "checked_at"]
        read_only_fields = fields

    def get_url(self, portrait: Portrait) -> str:
        return address(self, "portrait", portrait.pk)


class PortraitFormSerializer(serializers.Serializer[Any]):
    image = serializers.FileField(help_text="JPEG, PNG, WebP, BMP or TIFF with one face.")
