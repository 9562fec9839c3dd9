"""Two models' answers compared, in numbers; for administrators."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import permissions
from attendance.api.figures import answer, or_pending
from attendance.api.serializers.fields import IdField
from attendance.api.views_cameras import AdministratorView
from attendance.reports import comparison_facts
from attendance.reports.comparison import Accuracy, Line, Outcome, Share


class ShareSerializer(serializers.Serializer[Any]):
    hits = serializers.IntegerField()
    of = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True, help_text="Null where there is nothing to divide by.")
    low = serializers.FloatField(help_text="95 % interval of Wilson.")
    high = serializers.FloatField()


class AccuracySerializer(serializers.Serializer[Any]):
    """One model against people's words."""

    nearest = ShareSerializer(help_text="Students' faces whose nearest student was the right one.")
    named = ShareSerializer(help_text="Names given that were right.")
    silent = serializers.IntegerField(help_text="Settled faces it named nobody for.")


class OutcomeSerializer(serializers.Serializer[Any]):
    faces = serializers.IntegerField()
    reviewed = serializers.IntegerField()
    first_right = serializers.IntegerField()
    second_right = serializers.IntegerField()


class AgreementSerializer(serializers.Serializer[Any]):
    """Faces by who names them."""

    same = OutcomeSerializer()
    first_only = OutcomeSerializer()
    second_only = OutcomeSerializer()
    different = OutcomeSerializer()
    neither = OutcomeSerializer()


class ComparisonLineSerializer(serializers.Serializer[Any]):
    course = serializers.IntegerField(allow_null=True, help_text="Null for all courses together.")
    faces = serializers.IntegerField()
    agreement = AgreementSerializer()
    milliseconds = serializers.FloatField(allow_null=True, help_text="The second model's time for a face.")
    reviewed = serializers.IntegerField()
    first = AccuracySerializer()
    second = AccuracySerializer()


class ComparisonSerializer(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField(
        allow_null=True,
        help_text="Figures over very many faces are kept; null where they were counted just now.",
    )
    version = serializers.CharField(help_text="Of the second model; answers of older ones are not counted.")
    older_faces = serializers.IntegerField()
    total = ComparisonLineSerializer()
    courses = ComparisonLineSerializer(many=True)


class AskedCourseSerializer(serializers.Serializer[Any]):
    course = IdField(required=False)


class ModelsView(AdministratorView):
    serializer_class = ComparisonSerializer

    @extend_schema(
        operation_id="models_compared",
        responses=or_pending(ComparisonSerializer),
        parameters=[OpenApiParameter("course", OpenApiTypes.INT, description="Of this course alone.")],
    )
    def get(self, request: Request) -> Response:
        """What both models say of the faces in photos that have not expired, beside people's words."""
        asked = AskedCourseSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        course_id = asked.validated_data.get("course")
        if course_id is not None:
            self.find(permissions.courses_for(self.person), course_id)
        shown = comparison_facts.read(course_id)
        return answer(shown.figures, lambda: _comparison(shown))


def _comparison(shown: comparison_facts.Shown) -> dict[str, object]:
    facts = shown.facts
    assert facts is not None
    return {
        "as_of": shown.figures.as_of,
        "version": facts.version,
        "older_faces": facts.older_faces,
        "total": _line(facts.comparison.total),
        "courses": [_line(line) for line in facts.comparison.courses],
    }


def _line(line: Line) -> dict[str, object]:
    return {
        "course": line.course_id,
        "faces": line.faces,
        "agreement": {kind: _outcome(outcome) for kind, outcome in line.outcomes.items()},
        "milliseconds": line.milliseconds,
        "reviewed": line.reviewed,
        "first": _accuracy(line.first),
        "second": _accuracy(line.second),
    }


def _outcome(outcome: Outcome) -> dict[str, int]:
    return {
        "faces": outcome.faces,
        "reviewed": outcome.reviewed,
        "first_right": outcome.first_right,
        "second_right": outcome.second_right,
    }


def _accuracy(accuracy: Accuracy) -> dict[str, object]:
    return {
        "nearest": _share(accuracy.nearest),
        "named": _share(accuracy.named),
        "silent": accuracy.silent,
    }


def _share(share: Share) -> dict[str, object]:
    low, high = share.interval
    return {"hits": share.hits, "of": share.of, "value": share.value, "low": low, "high": high}
