"""Students, their consent, and the portraits that need it."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import enrolment, permissions, privacy, schooltime
from attendance.api import uploads
from attendance.api.base import ApiView
from attendance.api.filters import StudentFilter
from attendance.api.parsers import RawBytesParser, RawImageParser
from attendance.api.schema import REFUSED_PHOTO
from attendance.api.serializers.biometrics import (
    ConsentSerializer,
    NewConsentSerializer,
    PortraitFormSerializer,
    PortraitSerializer,
)
from attendance.api.serializers.school import StudentSerializer
from attendance.models import Consent, FaceTemplate, Portrait, Student


class StudentsView(ApiView):
    queryset = Student.objects.none()
    serializer_class = StudentSerializer
    filterset_class = StudentFilter

    @extend_schema(operation_id="students_list", responses=StudentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Students on a roster one may see."""
        return self.page(with_standing(permissions.students_for(self.person)), StudentSerializer)


class StudentView(ApiView):
    serializer_class = StudentSerializer

    @extend_schema(operation_id="students_retrieve")
    def get(self, request: Request, student_id: int) -> Response:
        """One student."""
        student = self.find(with_standing(permissions.students_for(self.person)), student_id)
        return Response(self.get_serializer(student).data)


class ConsentView(ApiView):
    serializer_class = ConsentSerializer

    @extend_schema(operation_id="student_consent_retrieve")
    def get(self, request: Request, student_id: int) -> Response:
        """Where a student's consent to face recognition stands. Never recorded: `asked`."""
        return self.answer(self.find_student())

    @extend_schema(operation_id="student_consent_update", request=NewConsentSerializer)
    def put(self, request: Request, student_id: int) -> Response:
        """Record that consent was given."""
        student = self.find_student_asked()
        wanted = self.valid(NewConsentSerializer)
        wanted.setdefault("text_version", schooltime.get_school().consent_text_version)
        privacy.record_consent(student, by=self.person, **wanted)
        return self.answer(student)

    @extend_schema(operation_id="student_consent_withdraw", responses={200: ConsentSerializer})
    def delete(self, request: Request, student_id: int) -> Response:
        """Withdraw consent: portraits, templates, face crops and encodings are deleted now. Marks stay."""
        student = self.find_student_asked()
        privacy.withdraw_consent(student, self.person)
        return self.answer(student)

    def answer(self, student: Student) -> Response:
        consent = Consent.objects.filter(student=student).first() or Consent(student=student)
        return Response(self.get_serializer(consent).data)


class PortraitsView(ApiView):
    queryset = Portrait.objects.none()
    serializer_class = PortraitSerializer
    parser_classes = [MultiPartParser, RawImageParser, RawBytesParser]
    filter_backends = ()

    def body_limit(self) -> int:
        return uploads.body_limit()

    @extend_schema(operation_id="student_portraits_list", responses=PortraitSerializer(many=True))
    def get(self, request: Request, student_id: int) -> Response:
        """A student's portraits, each with what is wrong with it."""
        return self.page(self.find_student(to_change=True).portraits.all(), PortraitSerializer)

    @extend_schema(
        operation_id="student_portraits_create",
        request={
            "multipart/form-data": PortraitFormSerializer,
            "image/*": OpenApiTypes.BINARY,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={202: PortraitSerializer, **REFUSED_PHOTO},
    )
    def post(self, request: Request, student_id: int) -> Response:
        """Send a portrait. A worker looks at it in a moment; ask its address for the answer."""
        student = self.find_student(to_change=True)
        data, name = uploads.read_file(request, "image")
        portrait = enrolment.receive_portrait(student, data, self.person, name)
        body = self.get_serializer(portrait).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})


class PortraitView(ApiView):
    serializer_class = PortraitSerializer

    @extend_schema(operation_id="portraits_retrieve")
    def get(self, request: Request, portrait_id: int) -> Response:
        """One portrait and the answer about it."""
        return Response(self.get_serializer(self.find_portrait()).data)

    @extend_schema(operation_id="portraits_destroy", responses={204: None})
    def delete(self, request: Request, portrait_id: int) -> Response:
        """Delete a portrait with its templates and files."""
        enrolment.remove_portrait(self.find_portrait())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def find_portrait(self) -> Portrait:
        """Raises PermissionDenied for those who may only read."""
        queryset = permissions.portraits_for(self.person).select_related("student")
        portrait = self.find(queryset, self.kwargs["portrait_id"])
        if not permissions.may_change_student(self.person, portrait.student):
            raise PermissionDenied
        return portrait


class PortraitAcceptView(PortraitView):
    http_method_names = ["post"]

    @extend_schema(operation_id="portraits_accept", request=None, responses=PortraitSerializer)
    def post(self, request: Request, portrait_id: int) -> Response:
        """A held portrait is this student, although it looks like somebody else."""
        try:
            portrait = enrolment.accept_held(self.find_portrait())
        except Portrait.DoesNotExist as error:
            raise Http404 from error
        return Response(self.get_serializer(portrait).data)


def with_standing(students: QuerySet[Student]) -> QuerySet[Student]:
    templates = FaceTemplate.objects.filter(student=OuterRef("pk"))
    return students.select_related("consent").annotate(has_template=Exists(templates))
