"""Photos, the faces in them, and the cameras that send them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from attendance.api.serializers.fields import IdField, TextField, address
from attendance.api.serializers.school import RoomSerializer, StudentBriefSerializer
from attendance.models import (
    Camera,
    Candidate,
    Review,
    SecondOpinion,
    Sighting,
    Snapshot,
)


class ReceiptSerializer(serializers.Serializer[Any]):
    """The answer to an upload: the photo is kept, whatever happens now."""

    id = serializers.IntegerField(read_only=True)
    url = serializers.URLField(read_only=True)
    state = serializers.ChoiceField(choices=Snapshot.State.choices, read_only=True)
    created = serializers.BooleanField(
        read_only=True, help_text="False where this photo had arrived before; the address is the same one."
    )


class PhotoFormSerializer(serializers.Serializer[Any]):
    """A photo as a form."""

    image = serializers.FileField(help_text="JPEG, PNG, WebP, BMP or TIFF; one photo.")
    taken_at = serializers.DateTimeField(
        required=False, help_text="When the photo was taken, ISO 8601 with an offset."
    )


class OwnSnapshotSerializer(serializers.ModelSerializer[Snapshot]):
    """What a camera may know of a photo it sent."""

    url = serializers.SerializerMethodField()
    session = serializers.IntegerField(source="session_id", read_only=True)

    class Meta:
        model = Snapshot
        fields = ["id", "url", "session", "state", "received_at", "taken_at", "clock_suspect"]
        read_only_fields = fields

    def get_url(self, snapshot: Snapshot) -> str:
        return address(self, "camera-snapshot", snapshot.pk)


class SnapshotSerializer(OwnSnapshotSerializer):
    """A photo and how far its processing has come."""

    camera = serializers.IntegerField(source="camera_id", read_only=True, allow_null=True)
    unusable = serializers.ChoiceField(
        choices=Snapshot.Unusable.choices,
        allow_blank=True,
        read_only=True,
        help_text="Why the photo is no evidence of absence; empty for a usable one.",
    )
    image_url = serializers.SerializerMethodField(help_text="The photo itself; null once it has expired.")

    class Meta(OwnSnapshotSerializer.Meta):
        fields = [
            *OwnSnapshotSerializer.Meta.fields, "camera", "image_url", "width", "height", "faces", "unusable",
            "attempts", "error", "queued_at", "processed_at", "processing_seconds", "expired_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, snapshot: Snapshot) -> str:
        return address(self, "snapshot", snapshot.pk)

    def get_image_url(self, snapshot: Snapshot) -> str | None:
        return address(self, "snapshot-image", snapshot.pk) if snapshot.image else None


class CandidateSerializer(serializers.ModelSerializer[Candidate]):
    student = StudentBriefSerializer(read_only=True)

    class Meta:
        model = Candidate
        fields = ["rank", "student", "distance", "score", "probability"]
        read_only_fields = fields


class ReviewSerializer(serializers.ModelSerializer[Review]):
    sighting = serializers.IntegerField(source="sighting_id", read_only=True)
    student = StudentBriefSerializer(read_only=True, allow_null=True)
    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = Review
        fields = ["id", "sighting", "verdict", "student", "by", "at", "undone_at"]
        read_only_fields = fields


class NewReviewSerializer(serializers.Serializer[Any]):
    """A person's word about one face; ``is`` and ``is_not`` need a student, the others take none."""

    verdict = serializers.ChoiceField(choices=Review.Verdict.choices)
    student = IdField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names_one = attrs["verdict"] in (Review.Verdict.IS, Review.Verdict.IS_NOT)
        if names_one and attrs["student"] is None:
            raise serializers.ValidationError({"student": _("This verdict needs a student.")})
        if not names_one and attrs["student"] is not None:
            raise serializers.ValidationError({"student": _("This verdict takes no student.")})
        return attrs


class BoxSerializer(serializers.Serializer[Any]):
    """Pixels of the stored photo."""

    left = serializers.FloatField(read_only=True)
    top = serializers.FloatField(read_only=True)
    width = serializers.FloatField(read_only=True)
    height = serializers.FloatField(read_only=True)


class SecondOpinionSerializer(serializers.ModelSerializer[SecondOpinion]):
    """What the second network says of a face: its nearest student, and how that sits with recognition's answer."""

    student = StudentBriefSerializer(read_only=True, allow_null=True)

    class Meta:
        model = SecondOpinion
        fields = [
            "student", "distance", "probability", "decision", "agreement", "confidence", "encoder_version",
            "milliseconds",
        ]  # fmt: skip
        read_only_fields = fields


class SightingSerializer(serializers.ModelSerializer[Sighting]):
    """One face: where it is, what recognition made of it, what people said."""

    url = serializers.SerializerMethodField()
    snapshot = serializers.IntegerField(source="snapshot_id", read_only=True)
    box = BoxSerializer(source="*", read_only=True)
    landmarks = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        read_only=True,
        help_text="Left eye, right eye, nose tip, left and right corner of the mouth, as x, y in pixels.",
    )
    student = StudentBriefSerializer(read_only=True, allow_null=True)
    candidates = CandidateSerializer(many=True, read_only=True)
    reviews = ReviewSerializer(many=True, read_only=True)
    second_opinion = SecondOpinionSerializer(
        read_only=True, allow_null=True, help_text="Null where the second network was not asked."
    )
    chip_url = serializers.SerializerMethodField(help_text="The aligned face; null once it has expired.")

    class Meta:
        model = Sighting
        fields = [
            "id", "url", "snapshot", "index", "box", "landmarks", "detector_score", "quality", "decision", "reason",
            "student", "candidates", "second_opinion", "reviews", "encoder_version", "chip_url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, sighting: Sighting) -> str:
        return address(self, "sighting", sighting.pk)

    def get_chip_url(self, sighting: Sighting) -> str | None:
        return address(self, "sighting-chip", sighting.pk) if sighting.chip else None


class CameraSerializer(serializers.ModelSerializer[Camera]):
    url = serializers.SerializerMethodField()
    room = RoomSerializer(read_only=True)

    class Meta:
        model = Camera
        fields = ["id", "url", "name", "room", "key_prefix", "created_at", "revoked_at", "last_seen_at"]
        read_only_fields = fields

    def get_url(self, camera: Camera) -> str:
        return address(self, "camera", camera.pk)


class CameraWithKeySerializer(CameraSerializer):
    """Only ever the answer to making or replacing a key."""

    key = serializers.CharField(read_only=True, help_text="Shown this once; only its hash is kept.")

    class Meta(CameraSerializer.Meta):
        fields = [*CameraSerializer.Meta.fields, "key"]
        read_only_fields = fields


class NewCameraSerializer(serializers.Serializer[Any]):
    name = TextField(max_length=100)
    room = IdField()
