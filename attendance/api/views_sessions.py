"""Class sessions: planned, opened, closed; and their rolls."""

from __future__ import annotations

import re

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import classes, marks, permissions, schooltime
from attendance.api.base import ApiView
from attendance.api.filters import MarkFilter, SessionFilter
from attendance.api.renderers import CsvRenderer
from attendance.api.serializers.sessions import (
    ChangedSerializer,
    MarkSerializer,
    NewMarkSerializer,
    NewSessionSerializer,
    RestMarkSerializer,
    SessionDetailSerializer,
    SessionSerializer,
)
from attendance.models import ClassSession, Mark, Room
from attendance.reports.csv import roll_csv
from attendance.reports.rolls import roll_of
from attendance.reports.tables import count


class SessionsView(ApiView):
    queryset = ClassSession.objects.none()
    serializer_class = SessionSerializer
    filterset_class = SessionFilter

    @extend_schema(operation_id="sessions_list", responses=SessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Sessions of the courses one may see, latest first."""
        return self.page(permissions.sessions_for(self.person), SessionSerializer)

    @extend_schema(
        operation_id="sessions_create", request=NewSessionSerializer, responses={201: SessionDetailSerializer}
    )
    def post(self, request: Request) -> Response:
        """Plan a session of a course."""
        wanted = self.valid(NewSessionSerializer)
        course = permissions.courses_for(self.person).filter(pk=wanted.pop("course")).first()
        if course is None:
            raise ValidationError({"course": _("There is no such course.")})
        self.must_change(course)
        room_id = wanted.pop("room")
        room = Room.objects.filter(pk=room_id).first() if room_id is not None else None
        if room_id is not None and room is None:
            raise ValidationError({"room": _("There is no such room.")})
        session = classes.plan(course, wanted.pop("starts_at"), wanted.pop("ends_at"), room, **wanted)
        body = session_detail(self, session)
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": str(body["url"])})


class SessionView(ApiView):
    serializer_class = SessionDetailSerializer

    @extend_schema(operation_id="sessions_retrieve")
    def get(self, request: Request, session_id: int) -> Response:
        """One session, with its roll in numbers."""
        return Response(session_detail(self, self.find_session()))


class SessionOpenView(ApiView):
    serializer_class = SessionDetailSerializer

    @extend_schema(operation_id="sessions_open", request=None)
    def post(self, request: Request, session_id: int) -> Response:
        """Open a session, or open a closed one again: it takes photos from now on."""
        return Response(session_detail(self, classes.open_session(self.find_session(to_change=True))))


class SessionCloseView(ApiView):
    serializer_class = SessionDetailSerializer

    @extend_schema(operation_id="sessions_close", request=None)
    def post(self, request: Request, session_id: int) -> Response:
        """Close an open session: who was not seen is absent, or not evaluated where too few photos arrived."""
        return Response(session_detail(self, classes.close_session(self.find_session(to_change=True))))


class RollView(ApiView):
    queryset = Mark.objects.none()
    serializer_class = MarkSerializer
    filterset_class = MarkFilter
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="session_roll_list",
        responses={
            (200, "application/json"): MarkSerializer(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The whole roll as CSV."),
        },
    )
    def get(self, request: Request, session_id: int) -> Response:
        """The roll as it stands, in the order of class lists; `?format=csv` answers the whole of it as CSV."""
        session = self.find_session()
        if request.accepted_renderer.format == CsvRenderer.format:
            text = roll_csv(roll_of(session), schooltime.school_zone(), bom=False)
            name = f'attachment; filename="{csv_name(session)}"'
            return Response(text, headers={"Content-Disposition": name})
        return self.page(marks_of(session), MarkSerializer)


class MarkView(ApiView):
    serializer_class = MarkSerializer

    @extend_schema(operation_id="session_roll_retrieve")
    def get(self, request: Request, session_id: int, student_id: int) -> Response:
        """One student's mark."""
        return self.answer(self.find_session(), student_id)

    @extend_schema(operation_id="session_roll_update", request=NewMarkSerializer)
    def put(self, request: Request, session_id: int, student_id: int) -> Response:
        """Set a mark by hand. Nothing that a camera sees later changes it."""
        session = self.find_session(to_change=True)
        wanted = self.valid(NewMarkSerializer)
        marks.set_by_hand(session, self.find_student(), wanted["status"], self.person, wanted.get("note"))
        return self.answer(session, student_id)

    def answer(self, session: ClassSession, student_id: int) -> Response:
        mark = marks_of(session).filter(student_id=student_id).first()
        if mark is None:
            raise Http404
        return Response(self.get_serializer(mark).data)


class MarkUndoView(MarkView):
    http_method_names = ["post"]

    @extend_schema(operation_id="session_roll_undo", request=None, responses=MarkSerializer)
    def post(self, request: Request, session_id: int, student_id: int) -> Response:
        """Take the latest change by hand back."""
        session = self.find_session(to_change=True)
        mark = marks_of(session).filter(student_id=student_id).first()
        if mark is None:
            raise Http404
        marks.undo(mark, self.person)
        return self.answer(session, student_id)


class RollRestView(ApiView):
    serializer_class = RestMarkSerializer

    @extend_schema(operation_id="session_roll_rest", responses=ChangedSerializer)
    def post(self, request: Request, session_id: int) -> Response:
        """One mark for everybody who is still *not evaluated*."""
        session = self.find_session(to_change=True)
        changed = marks.set_rest_by_hand(session, self.valid(RestMarkSerializer)["status"], self.person)
        return Response({"changed": changed})


def session_detail(view: ApiView, session: ClassSession) -> dict[str, object]:
    session.roll = count(roll_of(session))  # type: ignore[attr-defined]
    return dict(SessionDetailSerializer(session, context=view.get_serializer_context()).data)


def marks_of(session: ClassSession) -> QuerySet[Mark]:
    return session.marks.select_related("student", "decided_by").order_by(
        "student__family_name", "student__given_name", "student__number"
    )


def csv_name(session: ClassSession) -> str:
    """``roll-MATH1-2026-03-12.csv``: nothing of a course's code that a header or a disk would stumble over."""
    code = re.sub(r"[^A-Za-z0-9]+", "-", session.course.code).strip("-")
    return f"roll-{code}-{schooltime.school_day(session.starts_at)}.csv"
