"""What led to a mark, offered templates, what is learned, and a course's own strictness."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import history, offers, permissions, policies
from attendance.api.base import ApiView
from attendance.api.figures import answer, or_pending
from attendance.api.permissions import IsAdministrator, IsPerson
from attendance.api.serializers.biometrics import PortraitSerializer
from attendance.api.serializers.learned import (
    HistoryEventSerializer,
    LearnedCourseSerializer,
    LearnedSerializer,
    OfferedFaceSerializer,
    ShiftSerializer,
)
from attendance.learned import reading, service
from attendance.models import Course, Mark, Sighting, Student


class MarkHistoryView(ApiView):
    serializer_class = HistoryEventSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(operation_id="marks_history", responses=HistoryEventSerializer(many=True))
    def get(self, request: Request, session_id: int, student_id: int) -> Response:
        """Everything that led to a mark, in time order."""
        session = self.find_session()
        mark = Mark.objects.filter(session=session, student=student_id).select_related("student").first()
        if mark is None:
            raise Http404
        events = history.of_mark(session, mark.student).events
        return Response(HistoryEventSerializer(events, many=True).data)


class OffersView(ApiView):
    serializer_class = OfferedFaceSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(operation_id="offers_list", responses=OfferedFaceSerializer(many=True))
    def get(self, request: Request, student_id: int) -> Response:
        """Corrected faces of a student that would add something as templates."""
        return Response(
            OfferedFaceSerializer(offers.offers_for(self.find_student(to_change=True)), many=True).data
        )


class OfferAcceptView(ApiView):
    serializer_class = PortraitSerializer

    @extend_schema(operation_id="offers_accept", request=None, responses={201: PortraitSerializer})
    def post(self, request: Request, student_id: int, sighting_id: int) -> Response:
        """Make a template of an offered face. Deleting the portrait undoes it."""
        student, sighting = self.asked(sighting_id)
        portrait = offers.accept(sighting, student, self.person)
        return Response(self.get_serializer(portrait).data, status=status.HTTP_201_CREATED)

    def asked(self, sighting_id: int) -> tuple[Student, Sighting]:
        student = self.find_student(to_change=True)
        return student, self.find(permissions.sightings_for(self.person), sighting_id)


class OfferDeclineView(OfferAcceptView):
    @extend_schema(operation_id="offers_decline", request=None, responses={204: None})
    def post(self, request: Request, student_id: int, sighting_id: int) -> Response:
        """Not wanted: it is not offered again."""
        student, sighting = self.asked(sighting_id)
        offers.decline(sighting, student, self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="offers_again", request=None, responses={204: None})
    def delete(self, request: Request, student_id: int, sighting_id: int) -> Response:
        """Offer it again."""
        student, sighting = self.asked(sighting_id)
        offers.undo_decline(sighting, student)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LearnedSiteView(ApiView):
    permission_classes = [IsAuthenticated, IsAdministrator]
    serializer_class = LearnedSerializer

    @extend_schema(operation_id="learned_site", responses=or_pending(LearnedSerializer))
    def get(self, request: Request) -> Response:
        """What corrections say about recognition at this school."""
        learned = service.of_site()
        return answer(learned.figures, lambda: LearnedSerializer(learned).data)


class LearnedCourseView(ApiView):
    serializer_class = LearnedCourseSerializer

    @extend_schema(operation_id="learned_course", responses=or_pending(LearnedCourseSerializer))
    def get(self, request: Request, course_id: int) -> Response:
        """What corrections say about recognition in a course, and the strictness that would have done better."""
        return _course(self.find_course())


class PolicyView(ApiView):
    permission_classes = [IsAuthenticated, IsPerson, IsAdministrator]
    serializer_class = LearnedCourseSerializer

    @extend_schema(
        operation_id="policy_apply", request=ShiftSerializer, responses=or_pending(LearnedCourseSerializer)
    )
    def put(self, request: Request, course_id: int) -> Response:
        """Make recognition stricter or more generous in this course, for photos from now on."""
        course = self.find(Course.objects.all(), course_id)
        shift = self.valid(ShiftSerializer)["shift"]
        policies.apply(course, reading.engine_of(course.pk), shift, self.person)
        service.strictness_changed(course)
        return _course(course)

    @extend_schema(operation_id="policy_undo", request=None, responses={204: None})
    def delete(self, request: Request, course_id: int) -> Response:
        """Back to what was measured."""
        course = self.find(Course.objects.all(), course_id)
        policies.undo(course, reading.engine_of(course.pk), self.person)
        service.strictness_changed(course)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _course(course: Course) -> Response:
    about = service.of_course(course)
    return answer(about.learned.figures, lambda: LearnedCourseSerializer(about).data)
