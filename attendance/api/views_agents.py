"""For the agents of cameras: a code for a key, a timetable, a sign of life."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import cameras, pairing
from attendance.api.authentication import CameraPrincipal
from attendance.api.base import ApiView
from attendance.api.permissions import IsCamera
from attendance.api.serializers.agents import (
    HeartbeatAnswerSerializer,
    HeartbeatSerializer,
    PairedSerializer,
    PairSerializer,
    ScheduleSerializer,
)
from attendance.api.throttles import PairingThrottle
from attendance.models import Camera

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The `ETag` of the last answer."
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="The same for as long as nothing but the clock has moved.",
)


class PairView(ApiView):
    authentication_classes = ()
    permission_classes = [AllowAny]
    throttle_classes = [PairingThrottle]
    max_body_bytes = 4096

    @extend_schema(
        operation_id="camera_pair",
        request=PairSerializer,
        responses={
            201: PairedSerializer,
            404: OpenApiResponse(description="No such code."),
            409: OpenApiResponse(description="The code was used already."),
            410: OpenApiResponse(description="The code has expired."),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange a pairing code for a camera key; needs no log-in, works once, ten minutes long."""
        given = self.valid(PairSerializer)
        camera, key = pairing.pair(given["code"], given["name"], given["version"])
        answer = PairedSerializer(
            {
                "camera": camera.pk,
                "name": camera.name,
                "key": key,
                "room": camera.room,
                "server_time": timezone.now(),
            }
        )
        return Response(answer.data, status=status.HTTP_201_CREATED)


class AgentView(ApiView):
    """A view for the camera itself."""

    permission_classes = [IsAuthenticated, IsCamera]

    @property
    def camera(self) -> Camera:
        assert isinstance(self.request.user, CameraPrincipal)
        return self.request.user.camera


class ScheduleView(AgentView):
    serializer_class = ScheduleSerializer

    @extend_schema(
        operation_id="camera_schedule",
        parameters=[IF_NONE_MATCH, ETAG],
        responses={200: ScheduleSerializer, 304: OpenApiResponse(description="As before.")},
    )
    def get(self, request: Request) -> Response:
        """When the camera's room has sessions today and tomorrow, and how to shoot; nothing about students."""
        schedule = cameras.schedule(self.camera)
        headers = {"ETag": f'"{schedule.etag}"', "Cache-Control": "private, no-cache"}
        if schedule.etag in request.headers.get("If-None-Match", ""):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        return Response(self.get_serializer(schedule).data, headers=headers)


class HeartbeatView(AgentView):
    max_body_bytes = 4096

    @extend_schema(
        operation_id="camera_heartbeat", request=HeartbeatSerializer, responses=HeartbeatAnswerSerializer
    )
    def post(self, request: Request) -> Response:
        """Say how the camera does: shown to those who look after it."""
        cameras.heartbeat(self.camera, self.valid(HeartbeatSerializer))
        answer = {"server_time": timezone.now(), "poll_seconds": cameras.POLL_SECONDS}
        return Response(HeartbeatAnswerSerializer(answer).data)
