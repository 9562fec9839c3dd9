"""What led to a mark, what is offered as a template, and what is learned."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.api.serializers.school import StudentBriefSerializer
from attendance.history import Kind
from attendance.learned.rates import Share


class HistoryFaceSerializer(serializers.Serializer[Any]):
    sighting = serializers.IntegerField(source="sighting_id", read_only=True)
    decision = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    quality = serializers.FloatField(read_only=True)
    pixels = serializers.IntegerField(read_only=True)
    probability = serializers.FloatField(read_only=True, allow_null=True)
    distance = serializers.FloatField(read_only=True, allow_null=True)
    second = serializers.CharField(read_only=True)
    has_picture = serializers.BooleanField(source="has_crop", read_only=True)


class HistoryWordSerializer(serializers.Serializer[Any]):
    by = serializers.CharField(read_only=True)
    what = serializers.CharField(read_only=True)
    before = serializers.CharField(read_only=True)
    note = serializers.CharField(read_only=True)
    student = serializers.CharField(read_only=True)


class HistoryEventSerializer(serializers.Serializer[Any]):
    """One thing that led to a mark: a face, a photo without one, or something a person said or took back."""

    at = serializers.DateTimeField(read_only=True)
    event = serializers.ChoiceField(source="kind", choices=[kind.value for kind in Kind], read_only=True)
    face = HistoryFaceSerializer(read_only=True, allow_null=True)
    word = HistoryWordSerializer(read_only=True, allow_null=True)


class OfferedFaceSerializer(serializers.Serializer[Any]):
    """A corrected face that would add something as a template."""

    sighting = serializers.IntegerField(source="sighting.pk", read_only=True)
    student = StudentBriefSerializer(read_only=True)
    adds = serializers.ListField(child=serializers.CharField(), read_only=True)
    quality = serializers.FloatField(source="sighting.quality", read_only=True)
    nearest = serializers.FloatField(source="growth.nearest", read_only=True)


class RateSerializer(serializers.Serializer[Share]):
    """``hits`` of ``trials`` with the 95 % interval of the true share."""

    hits = serializers.IntegerField(read_only=True)
    trials = serializers.IntegerField(read_only=True)
    value = serializers.FloatField(read_only=True, allow_null=True)
    low = serializers.FloatField(read_only=True)
    high = serializers.FloatField(read_only=True)


class BandSerializer(serializers.Serializer[Any]):
    low = serializers.FloatField(read_only=True)
    high = serializers.FloatField(read_only=True)
    right = RateSerializer(read_only=True)


class CameraFacesSerializer(serializers.Serializer[Any]):
    """Of a pair: the camera, and what is known of its faces."""

    camera = serializers.IntegerField(read_only=True)
    faces = serializers.IntegerField(read_only=True)
    small = RateSerializer(read_only=True)
    blurred = RateSerializer(read_only=True)
    dark = RateSerializer(read_only=True)
    advice = serializers.ListField(child=serializers.CharField(), read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        camera, faces = instance
        named = {"camera": camera.pk, "faces": faces.faces, "advice": faces.advice}
        return super().to_representation(
            {**named, "small": faces.small, "blurred": faces.blurred, "dark": faces.dark}
        )


class LearnedSerializer(serializers.Serializer[Any]):
    """Error rates of these lessons, right and wrong by confidence for both networks, faces by camera."""

    as_of = serializers.DateTimeField(
        source="figures.as_of",
        read_only=True,
        allow_null=True,
        help_text="Figures over very many faces are kept; null where they were counted just now.",
    )
    lessons = serializers.IntegerField(source="counted.lessons", read_only=True)
    engine_version = serializers.CharField(source="counted.engine_version", read_only=True)
    settled = serializers.IntegerField(source="counted.rates.settled", read_only=True)
    left_standing = serializers.IntegerField(source="counted.rates.left_standing", read_only=True)
    wrong_names = RateSerializer(source="counted.rates.wrong_names", read_only=True)
    fmr = RateSerializer(source="counted.rates.false_match", read_only=True)
    fnmr = RateSerializer(source="counted.rates.false_non_match", read_only=True)
    first = BandSerializer(source="counted.first", many=True, read_only=True)
    second = BandSerializer(source="counted.second", many=True, read_only=True)
    cameras = CameraFacesSerializer(many=True, read_only=True)


class ReplayedSerializer(serializers.Serializer[Any]):
    reviews = serializers.IntegerField(read_only=True)
    wrong_marks = serializers.IntegerField(read_only=True)
    wrong_names = serializers.IntegerField(read_only=True)


class SuggestionSerializer(serializers.Serializer[Any]):
    """Another strictness, and what recognition alone would then have made of the same lessons."""

    shift = serializers.FloatField(
        read_only=True, help_text="Added to the thresholds; below 0 is more generous."
    )
    marks_changed = serializers.IntegerField(read_only=True)
    reviews_saved = serializers.IntegerField(read_only=True)
    now = ReplayedSerializer(read_only=True)
    then = ReplayedSerializer(read_only=True)


class LearnedCourseSerializer(LearnedSerializer):
    """``missing_*``: how many settled faces a suggestion still waits for. ``shift``: what holds for the course.

    ``suggestion`` is null as well while kept figures are about another strictness than the one that holds now.
    """

    missing_settled = serializers.IntegerField(read_only=True)
    missing_not_them = serializers.IntegerField(read_only=True)
    shift = serializers.FloatField(read_only=True)
    suggestion = SuggestionSerializer(read_only=True, allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        own = {
            "missing_settled": instance.about.missing_settled,
            "missing_not_them": instance.about.missing_not_them,
            "shift": instance.shift,
        }
        suggestion = SuggestionSerializer(instance.suggestion).data if instance.suggestion else None
        return {**LearnedSerializer(instance.learned).data, **own, "suggestion": suggestion}


class ShiftSerializer(serializers.Serializer[Any]):
    """How far to move the thresholds of one course; at most one decade of the false match rate."""

    shift = serializers.FloatField(min_value=-0.2, max_value=0.2)
