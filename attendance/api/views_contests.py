"""What students' log-ins open, and how their objections are answered."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import contests, own, permissions
from attendance.api.base import ApiView
from attendance.api.filters import ContestFilter
from attendance.api.permissions import IsStudent
from attendance.api.serializers.contests import (
    ContestAnswerSerializer,
    ContestSerializer,
    NewContestSerializer,
    OwnLessonSerializer,
)
from attendance.api.views_snapshots import JPEG, PictureView
from attendance.models import Contest

STUDENTS: Sequence[type[BasePermission]] = [IsAuthenticated, IsStudent]


class OwnLessonsView(ApiView):
    permission_classes = STUDENTS
    serializer_class = OwnLessonSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(operation_id="my_lessons_list", responses=OwnLessonSerializer(many=True))
    def get(self, request: Request) -> Response:
        """A student's own latest lessons (at most sixty), newest first."""
        return Response(OwnLessonSerializer(own.lessons(self.person), many=True).data)


class OwnFaceView(PictureView):
    permission_classes = STUDENTS

    @extend_schema(operation_id="my_faces_chip", responses=JPEG)
    def get(self, request: Request, sighting_id: int) -> Response:
        """The crop of a face that counts as this student's."""
        return self.picture(self.find(permissions.own_sightings(self.person), sighting_id).chip.name)


class OwnContestsView(ApiView):
    permission_classes = STUDENTS
    queryset = Contest.objects.none()
    serializer_class = ContestSerializer
    filter_backends = ()

    @extend_schema(operation_id="my_contests_list", responses=ContestSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What this student objected to, with the answers."""
        mine = permissions.contests_for(self.person).select_related("student", "settled_by")
        return self.page(mine, ContestSerializer)

    @extend_schema(
        operation_id="my_contests_create", request=NewContestSerializer, responses={201: ContestSerializer}
    )
    def post(self, request: Request) -> Response:
        """ "That wasn't me" or "I was there". Said twice, it is the same objection."""
        wanted = self.valid(NewContestSerializer)
        marks = permissions.own_marks(self.person).select_related("session", "student")
        mark = marks.filter(session=wanted["session"]).first()
        if mark is None:
            raise Http404
        if wanted["sighting"] is None:
            made = contests.say_was_there(mark.session, mark.student, wanted["note"])
        else:
            faces = permissions.own_sightings(self.person).select_related("snapshot__session")
            sighting = self.find(faces.filter(snapshot__session=mark.session), wanted["sighting"])
            made = contests.say_not_me(sighting, mark.student, wanted["note"])
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


class OwnContestView(ApiView):
    permission_classes = STUDENTS

    @extend_schema(operation_id="my_contests_take_back", responses={204: None})
    def delete(self, request: Request, contest_id: int) -> Response:
        """Take an objection back while it waits."""
        contests.take_back(self.find(permissions.contests_for(self.person), contest_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ContestsView(ApiView):
    queryset = Contest.objects.none()
    serializer_class = ContestSerializer
    filterset_class = ContestFilter

    @extend_schema(operation_id="contests_list", responses=ContestSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What students object to, longest waiting first."""
        queryset = permissions.contests_for(self.person).select_related("student", "settled_by")
        return self.page(queryset, ContestSerializer)


class ContestSettleView(ApiView):
    serializer_class = ContestSerializer

    @extend_schema(
        operation_id="contests_settle", request=ContestAnswerSerializer, responses=ContestSerializer
    )
    def post(self, request: Request, contest_id: int) -> Response:
        """Answer a student: what they object to is put right, or stays."""
        found = self.changeable(contest_id)
        wanted = self.valid(ContestAnswerSerializer)
        if wanted["verdict"] == "uphold":
            found = contests.uphold(found, self.person, wanted["answer"], wanted["status"])
        else:
            found = contests.decline(found, self.person, wanted["answer"])
        return Response(self.get_serializer(found).data)

    def changeable(self, contest_id: int) -> Contest:
        found = self.find(permissions.contests_for(self.person).select_related("session__course"), contest_id)
        self.must_change(found.session.course)
        return found


class ContestReopenView(ContestSettleView):
    @extend_schema(operation_id="contests_reopen", request=None, responses=ContestSerializer)
    def post(self, request: Request, contest_id: int) -> Response:
        """Take an answer back with what it changed."""
        return Response(self.get_serializer(contests.reopen(self.changeable(contest_id), self.person)).data)
