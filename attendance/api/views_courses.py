"""Courses, their rosters, and rooms."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import class_lists, errors, permissions, rosters
from attendance.api import uploads
from attendance.api.base import ApiView
from attendance.api.filters import CourseFilter, RosterFilter
from attendance.api.parsers import RawBytesParser, RawCsvParser
from attendance.api.serializers.school import (
    CourseSerializer,
    NewStudentSerializer,
    RoomSerializer,
    RosterEntrySerializer,
    RosterFileSerializer,
    RosterImportSerializer,
    RosterPreviewSerializer,
)
from attendance.counts import number_of
from attendance.models import Course, Room, RosterEntry

DIGEST = OpenApiParameter(
    "digest",
    OpenApiTypes.STR,
    description="The preview's digest: imports nothing (409) where the file or the roster has changed since.",
)
CLASS_LIST: dict[str, Any] = {
    "multipart/form-data": RosterFileSerializer,
    "text/csv": OpenApiTypes.BINARY,
    "application/octet-stream": OpenApiTypes.BINARY,
}


class CoursesView(ApiView):
    queryset = Course.objects.none()
    serializer_class = CourseSerializer
    filterset_class = CourseFilter

    @extend_schema(operation_id="courses_list", responses=CourseSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Courses one teaches; all of them for registrars and administrators."""
        return self.page(with_size(permissions.courses_for(self.person)), CourseSerializer)


class CourseView(ApiView):
    serializer_class = CourseSerializer

    @extend_schema(operation_id="courses_retrieve")
    def get(self, request: Request, course_id: int) -> Response:
        """One course."""
        course = self.find(with_size(permissions.courses_for(self.person)), course_id)
        return Response(self.get_serializer(course).data)


class RoomsView(ApiView):
    queryset = Room.objects.none()
    serializer_class = RoomSerializer
    filter_backends = ()

    @extend_schema(operation_id="rooms_list", responses=RoomSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Rooms of the school."""
        return self.page(Room.objects.all(), RoomSerializer)


class RosterView(ApiView):
    queryset = RosterEntry.objects.none()
    serializer_class = RosterEntrySerializer
    filterset_class = RosterFilter

    @extend_schema(operation_id="course_roster_list", responses=RosterEntrySerializer(many=True))
    def get(self, request: Request, course_id: int) -> Response:
        """Who is, or was, on the roster."""
        return self.page(entries_of(self.find_course()), RosterEntrySerializer)

    @extend_schema(
        operation_id="course_roster_create",
        request=NewStudentSerializer,
        responses={201: RosterEntrySerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """Put one student on the roster. A number the school knows is that student; of somebody whom you may not see
        yet, the name must be theirs (409 otherwise)."""
        course = self.find_course(to_change=True)
        student = rosters.add_student(course, **self.valid(NewStudentSerializer), by=self.person)
        entry = entries_of(course).get(student=student)
        return Response(self.get_serializer(entry).data, status=status.HTTP_201_CREATED)


class RosterEntryView(ApiView):
    serializer_class = RosterEntrySerializer

    @extend_schema(operation_id="course_roster_destroy", responses={204: None})
    def delete(self, request: Request, course_id: int, student_id: int) -> Response:
        """Take a student off the roster from today; marks of earlier lessons stay."""
        course = self.find_course(to_change=True)
        entry = self.find(course.roster_entries.select_related("student"), self.entry_id(course, student_id))
        rosters.remove_from_roster(course, entry.student)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def entry_id(self, course: Course, student_id: int) -> int:
        """0, which nothing has, where the student is not on the roster."""
        found = course.roster_entries.filter(student_id=student_id, left_on__isnull=True)
        return found.values_list("pk", flat=True).first() or 0


class RosterFileView(ApiView):
    """Takes a class list as a form's file or as the body."""

    parser_classes = [MultiPartParser, RawCsvParser, RawBytesParser]
    serializer_class = RosterFileSerializer

    def body_limit(self) -> int:
        return class_lists.MAX_BYTES + uploads.FORM_OVERHEAD

    def read(self, course: Course) -> rosters.Preview:
        return rosters.preview(course, uploads.read_file(self.request, "file")[0], by=self.person)


class RosterPreviewView(RosterFileView):
    @extend_schema(
        operation_id="course_roster_preview", request=CLASS_LIST, responses={200: RosterPreviewSerializer}
    )
    def post(self, request: Request, course_id: int) -> Response:
        """What importing a class list would do, row by row. Nothing is stored."""
        seen = self.read(self.find_course(to_change=True))
        body = {
            "digest": digest_of(seen),
            "columns": seen.columns,
            "headers": seen.headers,
            "counts": {verdict.value: seen.count(verdict) for verdict in rosters.Verdict},
            "rows": [dataclasses.asdict(row) for row in seen.rows],
        }
        return Response(RosterPreviewSerializer(body).data)


class RosterImportView(RosterFileView):
    @extend_schema(
        operation_id="course_roster_import",
        request=CLASS_LIST,
        parameters=[DIGEST],
        responses={200: RosterImportSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """Import a class list, all of it or nothing; rows with errors are left out."""
        course = self.find_course(to_change=True)
        seen = self.read(course)
        expected = request.query_params.get("digest")
        if expected is not None and expected != digest_of(seen):
            raise RosterChanged
        return Response(RosterImportSerializer(rosters.import_rows(course, seen, by=self.person)).data)


class RosterChanged(errors.RollcallError):
    """What would be imported is not what was previewed."""

    code = "roster_changed"
    status = 409
    message = _("The file or the roster has changed since the preview. Please look at it again.")


def digest_of(seen: rosters.Preview) -> str:
    """SHA-256 over what a preview would do to each row."""
    facts = [
        (row.line, row.number, row.given_name, row.family_name, row.email, row.verdict, row.changes)
        for row in seen.rows
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def with_size(courses: QuerySet[Course]) -> QuerySet[Course]:
    """With how many are on the roster now; counted for the courses that are shown, and for no other."""
    size = number_of(RosterEntry.objects.filter(left_on__isnull=True), "course")
    return courses.select_related("term").prefetch_related("teachers").annotate(roster_size=size)


def entries_of(course: Course) -> QuerySet[RosterEntry]:
    return course.roster_entries.select_related("student").order_by(
        "student__family_name", "student__given_name", "student__number"
    )
