"""What a camera's agent sends and is told."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.api.serializers.fields import InstantField, TextField, address
from attendance.api.serializers.school import RoomSerializer
from attendance.cameras import Schedule, ShotPolicy
from attendance.models import ClassSession

_BIGGEST = 2**31 - 1
_KINDS = ("usb", "rtsp", "http", "folder", "video", "phone")


class PairSerializer(serializers.Serializer[Any]):
    """What a device hands in with its pairing code."""

    code = TextField(max_length=40, help_text="As shown on the camera page; case and dashes do not matter.")
    name = TextField(
        max_length=100, required=False, allow_blank=True, default="", help_text="Such as `front, left`."
    )
    version = TextField(
        max_length=40, required=False, allow_blank=True, default="", help_text="Of the agent."
    )


class PairedSerializer(serializers.Serializer[Any]):
    """The only answer that holds the key."""

    camera = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    key = serializers.CharField(read_only=True, help_text="Shown this once; only its hash is kept.")
    room = RoomSerializer(read_only=True)
    server_time = serializers.DateTimeField(read_only=True)


class ScheduledSessionSerializer(serializers.ModelSerializer[ClassSession]):
    """A session of the camera's room."""

    course = serializers.CharField(source="course.name", read_only=True)
    upload = serializers.SerializerMethodField(help_text="Where its photos are sent.")

    class Meta:
        model = ClassSession
        fields = ["id", "course", "starts_at", "ends_at", "state", "upload"]
        read_only_fields = fields

    def get_upload(self, session: ClassSession) -> str:
        return address(self, "session-snapshots", session.pk)


class ShotPolicySerializer(serializers.Serializer[ShotPolicy]):
    interval_seconds = serializers.IntegerField(read_only=True, help_text="From one shot to the next.")
    burst = serializers.IntegerField(read_only=True, help_text="Frames of a shot, the best of which is sent.")
    long_side = serializers.IntegerField(read_only=True, help_text="Pixels; larger photos are made smaller.")
    jpeg_quality = serializers.IntegerField(read_only=True, help_text="1 to 100.")
    min_face_pixels = serializers.IntegerField(
        read_only=True, help_text="Width of the smallest face that can be told from others."
    )


class ScheduleSerializer(serializers.Serializer[Schedule]):
    camera = serializers.IntegerField(source="camera.pk", read_only=True)
    name = serializers.CharField(source="camera.name", read_only=True)
    room = RoomSerializer(source="camera.room", read_only=True)
    time_zone = serializers.CharField(read_only=True)
    now = serializers.DateTimeField(read_only=True)
    sessions = ScheduledSessionSerializer(many=True, read_only=True)
    policy = ShotPolicySerializer(read_only=True)
    poll_seconds = serializers.IntegerField(read_only=True, help_text="When to ask again.")


class HeartbeatSerializer(serializers.Serializer[Any]):
    """What an agent says of itself; null or left out is unknown."""

    version = TextField(max_length=40, required=False, allow_null=True, allow_blank=True)
    source = serializers.ChoiceField(choices=_KINDS, required=False, allow_null=True)  # type: ignore[assignment]
    capturing = serializers.BooleanField(required=False, allow_null=True)
    clock_offset_ms = serializers.IntegerField(
        min_value=-_BIGGEST, max_value=_BIGGEST, required=False, allow_null=True,
        help_text="The server's clock less the camera's.",
    )  # fmt: skip
    spool_photos = serializers.IntegerField(
        min_value=0,
        max_value=_BIGGEST,
        required=False,
        allow_null=True,
        help_text="Photos waiting to be sent.",
    )
    spool_bytes = serializers.IntegerField(min_value=0, max_value=2**53, required=False, allow_null=True)
    last_shot_at = InstantField(required=False, allow_null=True)
    smallest_face = serializers.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        allow_null=True,
        help_text="Width in pixels, of its last shot.",
    )
    error = TextField(
        max_length=300,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="What is wrong now, in a sentence.",
    )


class HeartbeatAnswerSerializer(serializers.Serializer[Any]):
    server_time = serializers.DateTimeField(read_only=True)
    poll_seconds = serializers.IntegerField(read_only=True)
