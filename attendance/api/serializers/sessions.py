"""Class sessions, their rolls and marks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.api.serializers.fields import IdField, InstantField, TextField, address
from attendance.api.serializers.school import CourseBriefSerializer, RoomSerializer, StudentBriefSerializer
from attendance.models import (
    ClassSession,
    Mark,
)


class SessionSerializer(serializers.ModelSerializer[ClassSession]):
    url = serializers.SerializerMethodField()
    course = CourseBriefSerializer(read_only=True)
    room = RoomSerializer(read_only=True, allow_null=True)

    class Meta:
        model = ClassSession
        fields = [
            "id", "url", "course", "room", "starts_at", "ends_at", "state", "opened_at", "closed_at",
            "cancelled_at", "cancel_reason",
            "late_after_minutes", "early_before_minutes", "min_sightings", "min_usable_photos", "grace_minutes",
            "roll_version",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, session: ClassSession) -> str:
        return address(self, "session", session.pk)


class RollCountsSerializer(serializers.Serializer[Any]):
    """Everybody on the roll; lines to check are counted there and nowhere else."""

    total = serializers.IntegerField(read_only=True)
    attended = serializers.IntegerField(read_only=True)
    absent = serializers.IntegerField(read_only=True)
    excused = serializers.IntegerField(read_only=True)
    not_evaluated = serializers.IntegerField(read_only=True)
    to_check = serializers.IntegerField(read_only=True)


class SessionDetailSerializer(SessionSerializer):
    roll = RollCountsSerializer(read_only=True)

    class Meta(SessionSerializer.Meta):
        fields = [*SessionSerializer.Meta.fields, "roll"]
        read_only_fields = fields


class NewSessionSerializer(serializers.Serializer[Any]):
    """A lesson to plan. Times without an offset are on the school's clock."""

    course = IdField()
    room = IdField(required=False, allow_null=True, default=None)
    starts_at = InstantField()
    ends_at = InstantField()
    late_after_minutes = serializers.IntegerField(min_value=0, max_value=600, required=False)
    early_before_minutes = serializers.IntegerField(min_value=0, max_value=600, required=False)
    min_sightings = serializers.IntegerField(min_value=1, max_value=100, required=False)
    min_usable_photos = serializers.IntegerField(min_value=0, max_value=100, required=False)
    grace_minutes = serializers.IntegerField(min_value=0, max_value=600, required=False)


class MarkSerializer(serializers.ModelSerializer[Mark]):
    """What stands on the roll, beside what the camera alone would say (``machine_*``)."""

    student = StudentBriefSerializer(read_only=True)
    decided_by = serializers.CharField(
        source="decided_by.username", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = Mark
        fields = [
            "student", "status", "source", "reason", "minutes_late", "minutes_early", "first_seen_at",
            "last_seen_at", "seen_in", "to_check", "note", "decided_by", "decided_at", "machine_status",
            "machine_reason",
        ]  # fmt: skip
        read_only_fields = fields


class NewMarkSerializer(serializers.Serializer[Any]):
    """A person's mark. Without ``note`` the note that is there stays."""

    status = serializers.ChoiceField(choices=Mark.Status.choices)
    note = TextField(max_length=300, required=False, allow_blank=True)


class RestMarkSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Mark.Status.choices)


class ChangedSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(read_only=True, help_text="How many marks were set.")
