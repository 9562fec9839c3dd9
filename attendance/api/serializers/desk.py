"""The review desk in JSON."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from attendance.api.serializers.fields import IdField, TextField
from attendance.desk.acts import ABOUT_A_STUDENT, Act
from attendance.desk.items import Kind

MOST_FACES = 1000


class DeskCandidateSerializer(serializers.Serializer[Any]):
    """A student who may be the person, best first."""

    student = serializers.IntegerField(source="likeness.student_id")
    distance = serializers.FloatField(source="likeness.distance")
    probability = serializers.FloatField(source="likeness.probability", allow_null=True)
    could_change = serializers.BooleanField(
        source="open", help_text="Choosing this student could change a mark."
    )
    already_in_photo = serializers.BooleanField(help_text="Named on another face of one of the same photos.")


class DeskFaceSerializer(serializers.Serializer[Any]):
    sighting = serializers.IntegerField(source="sighting_id")
    snapshot = serializers.IntegerField(source="photo_id")
    taken_at = serializers.DateTimeField()
    reason = serializers.CharField()
    quality = serializers.FloatField()
    pixels = serializers.FloatField()
    second_student = serializers.IntegerField(
        source="second.student_id", default=None, allow_null=True, help_text="Whom the second network names."
    )
    second_probability = serializers.FloatField(source="second.probability", default=None, allow_null=True)


class DeskItemSerializer(serializers.Serializer[Any]):
    """One person of one session to decide about."""

    key = serializers.CharField(help_text="Finds this item again, also after its group has grown.")
    session = serializers.IntegerField(source="session.pk")
    kind = serializers.ChoiceField(choices=[(str(kind), str(kind)) for kind in Kind], source="item.kind")
    worth = serializers.FloatField(
        source="item.worth", help_text="Marks a decision is expected to change, 0 to 1."
    )
    reasons = serializers.ListField(child=serializers.CharField(), source="item.reasons")
    student = serializers.IntegerField(
        source="item.student_id", allow_null=True, help_text="Whom it is about: never seen, or who reported."
    )
    contest = serializers.IntegerField(source="item.report.contest_id", default=None, allow_null=True)
    faces = DeskFaceSerializer(many=True, source="item.faces")
    candidates = DeskCandidateSerializer(many=True, source="item.candidates")
    groups = serializers.ListField(
        child=DeskFaceSerializer(many=True),
        source="item.groups",
        help_text="Unnamed people of the session who may be that student.",
    )


class DeskSerializer(serializers.Serializer[Any]):
    """What is left, and what it is worth."""

    items_left = serializers.IntegerField(help_text="Items, of which at most 200 are listed.")
    marks = serializers.IntegerField(help_text="Marks that deciding everything is expected to change.")
    seconds = serializers.IntegerField(help_text="What it will take, about.")
    items = DeskItemSerializer(many=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """One key press: about faces, or about a student of the session."""

    session = IdField()
    act = serializers.ChoiceField(choices=[(str(act), str(act)) for act in Act])
    faces = serializers.ListField(child=IdField(), max_length=MOST_FACES, required=False, default=list)
    student = IdField(required=False, allow_null=True, default=None)
    off = serializers.ListField(
        child=IdField(),
        max_length=MOST_FACES,
        required=False,
        default=list,
        help_text="Of a split: the faces that are somebody else.",
    )
    item = TextField(
        max_length=60,
        required=False,
        default="",
        help_text="The item's key: what was shown is kept with the word.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["act"] in ABOUT_A_STUDENT) != (attrs["student"] is not None):
            missing = attrs["student"] is None
            words = _("This verdict needs a student.") if missing else _("This verdict takes no student.")
            raise serializers.ValidationError({"student": words})
        return attrs


class MovedSerializer(serializers.Serializer[Any]):
    student = serializers.IntegerField(source="student_id")
    before = serializers.CharField()
    after = serializers.CharField()


class DeskOutcomeSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField(help_text="Takes all of it back.")
    faces = serializers.IntegerField()
    moved = MovedSerializer(many=True, help_text="Marks that read differently now.")


class BatchSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField()


class OfferSerializer(serializers.Serializer[Any]):
    """An item whose likeliest student may be confirmed together with others."""

    item = TextField(source="desk_item.key", max_length=60)
    student = IdField(source="student_id")
    faces = serializers.ListField(child=IdField(), source="sighting_ids", max_length=MOST_FACES)
    chance = serializers.FloatField(read_only=True)


class ConfirmSerializer(serializers.Serializer[Any]):
    """Exactly the offers that were looked at; those that have changed since are left alone."""

    offers = OfferSerializer(many=True)


class ConfirmedSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField(allow_null=True)
    faces = serializers.IntegerField()
    marks = serializers.IntegerField()
    left_alone = serializers.IntegerField(help_text="Settled by somebody else, or changed, in the meantime.")
