"""Courses, rooms, students and their rosters."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance.api.serializers.biometrics import STANDINGS
from attendance.api.serializers.fields import TextField, address
from attendance.models import (
    Consent,
    Course,
    Room,
    RosterEntry,
    Student,
    Term,
)


class TermSerializer(serializers.ModelSerializer[Term]):
    class Meta:
        model = Term
        fields = ["id", "name", "starts_on", "ends_on"]


class RoomSerializer(serializers.ModelSerializer[Room]):
    class Meta:
        model = Room
        fields = ["id", "name"]


class TeacherSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="get_full_name", read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", "name"]
        read_only_fields = fields


class CourseBriefSerializer(serializers.ModelSerializer[Course]):
    class Meta:
        model = Course
        fields = ["id", "code", "name"]
        read_only_fields = fields


class CourseSerializer(serializers.ModelSerializer[Course]):
    url = serializers.SerializerMethodField()
    term = TermSerializer(read_only=True)
    teachers = TeacherSerializer(many=True, read_only=True)
    students = serializers.IntegerField(
        source="roster_size", read_only=True, help_text="Students on the roster now."
    )

    class Meta:
        model = Course
        fields = [
            "id",
            "url",
            "code",
            "name",
            "about",
            "term",
            "teachers",
            "students",
            "mood_enabled",
            "is_demo",
        ]
        read_only_fields = fields

    def get_url(self, course: Course) -> str:
        return address(self, "course", course.pk)


class StudentBriefSerializer(serializers.ModelSerializer[Student]):
    name = serializers.CharField(source="full_name", read_only=True)

    class Meta:
        model = Student
        fields = ["id", "number", "name"]
        read_only_fields = fields


class StudentSerializer(serializers.ModelSerializer[Student]):
    url = serializers.SerializerMethodField()
    email = serializers.CharField(read_only=True, help_text="Empty where none is known.")
    consent = serializers.SerializerMethodField(help_text="Where consent to face recognition stands.")
    enrolled = serializers.BooleanField(
        source="has_template", read_only=True, help_text="Has at least one face template."
    )

    class Meta:
        model = Student
        fields = ["id", "url", "number", "given_name", "family_name", "email", "consent", "enrolled"]
        read_only_fields = fields

    def get_url(self, student: Student) -> str:
        return address(self, "student", student.pk)

    @extend_schema_field(serializers.ChoiceField(choices=STANDINGS))
    def get_consent(self, student: Student) -> str:
        consent: Consent | None = getattr(student, "consent", None)
        return consent.standing if consent else Consent.State.ASKED


class RosterEntrySerializer(serializers.ModelSerializer[RosterEntry]):
    student = StudentBriefSerializer(read_only=True)

    class Meta:
        model = RosterEntry
        fields = ["student", "enrolled_on", "left_on"]
        read_only_fields = fields


class NewStudentSerializer(serializers.Serializer[Any]):
    """A student to put on a roster by hand."""

    number = TextField(max_length=40)
    given_name = TextField(max_length=120)
    family_name = TextField(max_length=120, required=False, default="", allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, default="", allow_blank=True)


class RosterFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="A class list as CSV, at most 2 MB.")


class RosterRowSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(read_only=True)
    number = serializers.CharField(read_only=True)
    given_name = serializers.CharField(read_only=True)
    family_name = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    verdict = serializers.ChoiceField(choices=["new", "changed", "same", "added", "error"], read_only=True)
    problems = serializers.ListField(child=serializers.CharField(), read_only=True)
    changes = serializers.ListField(child=serializers.CharField(), read_only=True)


class RosterPreviewSerializer(serializers.Serializer[Any]):
    """What importing a file would do. Nothing is stored."""

    digest = serializers.CharField(read_only=True, help_text="Names this preview when it is imported.")
    columns = serializers.ListField(child=serializers.CharField(allow_null=True), read_only=True)
    headers = serializers.ListField(child=serializers.CharField(), read_only=True)
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    rows = RosterRowSerializer(many=True, read_only=True)


class RosterImportSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField(read_only=True)
    changed = serializers.IntegerField(read_only=True)
    added = serializers.IntegerField(read_only=True)
    skipped = serializers.IntegerField(read_only=True, help_text="Rows with errors, left out.")
