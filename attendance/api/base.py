"""What every operation shares: who may call it, how much it reads, how it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import generics
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer, Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from attendance import permissions
from attendance.api.parsers import BoundedJSONParser
from attendance.api.permissions import IsPerson
from attendance.api.problems import LengthRequired, TooLarge
from attendance.api.throttles import CameraThrottle, PersonThrottle
from attendance.models import ClassSession, Course, Student

AnyModel = TypeVar("AnyModel", bound=Model)


class ProblemView(APIView):
    """Refuses in problem JSON, whatever form was asked for; no answer is kept by a cache."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if getattr(response, "exception", False):
            # A refusal is problem JSON, also where the answer would have been CSV or a picture.
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


class ApiView(ProblemView, generics.GenericAPIView[Any]):
    """A view for people, unless it says otherwise."""

    permission_classes: Sequence[type[BasePermission]] = [IsAuthenticated, IsPerson]
    throttle_classes: Sequence[type[BaseThrottle]] = [CameraThrottle, PersonThrottle]
    parser_classes: Sequence[type[BaseParser]] = [BoundedJSONParser]
    renderer_classes: Sequence[type[BaseRenderer]] = [JSONRenderer]
    metadata_class = None
    max_body_bytes: int = 64 * 1024
    """Bodies longer than this are refused before a byte of them is read."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anything else: checking a browser's CSRF token would read the whole body.
        refuse_long_body(request, self.body_limit())
        super().initial(request, *args, **kwargs)

    def body_limit(self) -> int:
        return self.max_body_bytes

    @property
    def person(self) -> User:
        """Who asks; views open to cameras do not use it."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def find(self, queryset: QuerySet[AnyModel], pk: int) -> AnyModel:
        """The object, or a 404 that does not tell whether it exists for somebody else."""
        found = queryset.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def find_course(self, *, to_change: bool = False) -> Course:
        course = self.find(
            permissions.courses_for(self.person).select_related("term"), self.kwargs["course_id"]
        )
        if to_change:
            self.must_change(course)
        return course

    def find_session(self, *, to_change: bool = False) -> ClassSession:
        session = self.find(permissions.sessions_for(self.person), self.kwargs["session_id"])
        if to_change:
            self.must_change(session.course)
        return session

    def find_student(self, *, to_change: bool = False) -> Student:
        student = self.find(permissions.students_for(self.person), self.kwargs["student_id"])
        if to_change and not permissions.may_change_student(self.person, student):
            raise PermissionDenied
        return student

    def find_student_asked(self) -> Student:
        """For those who write down what was said about consent. Raises PermissionDenied."""
        student = self.find_student()
        if not permissions.may_keep_consent_of(self.person, student):
            raise PermissionDenied
        return student

    def must_change(self, course: Course) -> None:
        """Raises PermissionDenied for those who may only read."""
        if not permissions.may_change_course(self.person, course):
            raise PermissionDenied

    def page(self, queryset: QuerySet[AnyModel], serializer: type[ModelSerializer[AnyModel]]) -> Response:
        """One bounded page of what the request's filters leave. Raises NotFound for a page that is not there."""
        order = tuple(queryset.query.order_by) or tuple(queryset.model._meta.ordering or ())
        # Rows that are equal in the order of the list must not wander between its pages.
        rows = self.paginate_queryset(self.filter_queryset(queryset).order_by(*order, "pk"))
        return self.get_paginated_response(
            serializer(rows, many=True, context=self.get_serializer_context()).data
        )

    def valid(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The request's body, checked. Raises ValidationError."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        checked: dict[str, Any] = serializer.validated_data
        return checked


def refuse_long_body(request: Request, limit: int) -> None:
    """Raises TooLarge or LengthRequired by what the headers say."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise LengthRequired
    try:
        stated = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        stated = 0
    if stated > limit:
        raise TooLarge
