"""A student's own lessons, and what they object to."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.api.serializers.fields import IdField, TextField
from attendance.api.serializers.school import StudentBriefSerializer
from attendance.contests import GRANTED, NOTE_LENGTH
from attendance.models import Contest, Mark


class ContestSerializer(serializers.ModelSerializer[Contest]):
    """``kind`` ``not_me`` is about ``sighting``, ``was_there`` about the mark of the session."""

    student = StudentBriefSerializer(read_only=True)
    settled_by = serializers.CharField(
        source="settled_by.username", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = Contest
        fields = [
            "id", "session", "student", "sighting", "kind", "note", "at", "state", "settled_by", "settled_at",
            "answer",
        ]  # fmt: skip
        read_only_fields = fields


class NewContestSerializer(serializers.Serializer[Any]):
    """ "That wasn't me" with a sighting, "I was there" without one."""

    session = IdField()
    sighting = IdField(required=False, allow_null=True, default=None)
    note = TextField(max_length=NOTE_LENGTH, required=False, allow_blank=True, default="")


class ContestAnswerSerializer(serializers.Serializer[Any]):
    """``status`` is the mark that "I was there" is answered with."""

    verdict = serializers.ChoiceField(choices=["uphold", "decline"])
    status = serializers.ChoiceField(
        choices=[status.value for status in GRANTED], required=False, default=Mark.Status.PRESENT.value
    )
    answer = TextField(max_length=NOTE_LENGTH, required=False, allow_blank=True, default="")


class OwnFaceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    taken_at = serializers.DateTimeField(source="snapshot.taken_at", read_only=True)
    has_picture = serializers.BooleanField(source="chip", read_only=True)


class OwnLessonSerializer(serializers.Serializer[Any]):
    """One lesson as its student sees it; faces are those that count as theirs."""

    session = serializers.IntegerField(source="session.pk", read_only=True)
    course = serializers.CharField(source="session.course.name", read_only=True)
    starts_at = serializers.DateTimeField(source="session.starts_at", read_only=True)
    ends_at = serializers.DateTimeField(source="session.ends_at", read_only=True)
    status = serializers.ChoiceField(source="mark.status", choices=Mark.Status.choices, read_only=True)
    mark_source = serializers.ChoiceField(source="mark.source", choices=Mark.Source.choices, read_only=True)
    to_check = serializers.BooleanField(source="mark.to_check", read_only=True)
    seen_in = serializers.IntegerField(source="mark.seen_in", read_only=True)
    may_contest_mark = serializers.BooleanField(read_only=True)
    faces = OwnFaceSerializer(many=True, read_only=True)
