"""Timetables, holidays and excuses."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance import timetables
from attendance.api.serializers.fields import IdField, TextField
from attendance.api.serializers.school import CourseBriefSerializer, RoomSerializer, StudentBriefSerializer
from attendance.models import Excuse, Holiday, TimetableSlot


class DayField(serializers.DateField):
    """A day within living memory."""

    def to_internal_value(self, value: Any) -> dt.date:
        day = super().to_internal_value(value)
        if not 2000 <= day.year <= 2100:
            self.fail("invalid", format="YYYY-MM-DD, 2000 to 2100")
        return day


CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"


@extend_schema_field({"type": "string", "pattern": CLOCK, "example": "09:15:00"})
class ClockField(serializers.TimeField):
    """A time on the school's clock; one with an offset is another clock's, and is refused."""

    def to_internal_value(self, value: Any) -> dt.time:
        if not isinstance(value, str) or not re.fullmatch(CLOCK, value):
            self.fail("invalid", format="hh:mm[:ss]")
        return super().to_internal_value(value)


class SlotSerializer(serializers.ModelSerializer[TimetableSlot]):
    """A lesson of the week, on the school's clock; Monday is 0."""

    starts = ClockField(read_only=True)
    ends = ClockField(read_only=True)
    room = RoomSerializer(read_only=True, allow_null=True)

    class Meta:
        model = TimetableSlot
        fields = ["id", "weekday", "starts", "ends", "room", "first_day", "last_day", "every_weeks"]
        read_only_fields = fields


class NewSlotSerializer(serializers.Serializer[Any]):
    """An end that is not after the start lies on the next day."""

    weekday = serializers.IntegerField(min_value=0, max_value=6)
    starts = ClockField()
    ends = ClockField()
    room = IdField(required=False, allow_null=True, default=None)
    first_day = DayField()
    last_day = DayField()
    every_weeks = serializers.IntegerField(min_value=1, max_value=8, required=False, default=1)


class AppliedSerializer(serializers.Serializer[Any]):
    """What became of the planned sessions."""

    created = serializers.IntegerField(read_only=True)
    moved = serializers.IntegerField(read_only=True)
    removed = serializers.IntegerField(read_only=True)


class StoredSlotSerializer(serializers.Serializer[Any]):
    slot = SlotSerializer(read_only=True)
    sessions = AppliedSerializer(read_only=True)


class ClashSerializer(serializers.Serializer[Any]):
    course_name = serializers.CharField(read_only=True)
    starts_at = serializers.DateTimeField(source="span.starts_at", read_only=True)
    ends_at = serializers.DateTimeField(source="span.ends_at", read_only=True)
    same_room = serializers.BooleanField(read_only=True)


class TimetableRowSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=[str(one) for one in timetables.Verdict], read_only=True)
    starts_at = serializers.DateTimeField(source="span.starts_at", read_only=True)
    ends_at = serializers.DateTimeField(source="span.ends_at", read_only=True)
    room = serializers.CharField(read_only=True)
    clashes = ClashSerializer(many=True, read_only=True)


class HolidaySerializer(serializers.ModelSerializer[Holiday]):
    class Meta:
        model = Holiday
        fields = ["id", "name", "first_day", "last_day"]
        read_only_fields = fields


class NewHolidaySerializer(serializers.Serializer[Any]):
    name = TextField(max_length=120)
    first_day = DayField()
    last_day = DayField()


class CancelSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=200, required=False, allow_blank=True, default="")


class ExcuseSerializer(serializers.ModelSerializer[Excuse]):
    """`course` null: all courses. Attachments are given out on the pages only."""

    student = StudentBriefSerializer(read_only=True)
    course = CourseBriefSerializer(read_only=True, allow_null=True)
    sessions = serializers.SerializerMethodField()
    entered_by = serializers.CharField(source="entered_by.username", read_only=True)
    has_attachment = serializers.SerializerMethodField()

    class Meta:
        model = Excuse
        fields = [
            "id", "student", "course", "first_day", "last_day", "by_session", "sessions", "reason", "note", "state",
            "has_attachment", "entered_by", "entered_at", "decided_at", "withdrawn_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_sessions(self, excuse: Excuse) -> list[int]:
        return [one.pk for one in excuse.sessions.all()]

    def get_has_attachment(self, excuse: Excuse) -> bool:
        return bool(excuse.attachment)


class NewExcuseSerializer(serializers.Serializer[Any]):
    """Whole days, or `sessions` of one course. It holds at once where the caller may decide on it."""

    course = IdField(required=False, allow_null=True, default=None)
    first_day = DayField(required=False)
    last_day = DayField(required=False)
    sessions = serializers.ListField(child=IdField(), required=False, max_length=200)
    reason = serializers.ChoiceField(choices=Excuse.Reason.choices)
    note = TextField(max_length=300, required=False, allow_blank=True, default="")
