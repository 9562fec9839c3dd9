"""Photos: taking them in, and how far they have come."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import cameras, intake, permissions
from attendance.api import uploads
from attendance.api.authentication import CameraPrincipal
from attendance.api.base import ApiView
from attendance.api.filters import SnapshotFilter
from attendance.api.parsers import RawBytesParser, RawImageParser
from attendance.api.permissions import IsCamera
from attendance.api.renderers import JpegRenderer
from attendance.api.schema import REFUSED_PHOTO
from attendance.api.serializers.capture import (
    OwnSnapshotSerializer,
    PhotoFormSerializer,
    ReceiptSerializer,
    SightingSerializer,
    SnapshotSerializer,
)
from attendance.api.serializers.fields import address
from attendance.models import Camera, ClassSession, Sighting, Snapshot

LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    response=[202],
    description="The snapshot's address.",
)
UPLOAD: dict[str, Any] = {
    "request": {
        "multipart/form-data": PhotoFormSerializer,
        "image/*": OpenApiTypes.BINARY,
        "application/octet-stream": OpenApiTypes.BINARY,
    },
    "parameters": [uploads.IDEMPOTENCY_KEY, uploads.TAKEN_AT, LOCATION],
    "responses": {202: ReceiptSerializer, **REFUSED_PHOTO},
}


class UploadView(ApiView):
    """Takes one photo as a form's file or as the body."""

    parser_classes = [MultiPartParser, RawImageParser, RawBytesParser]

    def body_limit(self) -> int:
        return uploads.body_limit()

    def take_in(self, session: ClassSession, *, camera: Camera | None, user: User | None) -> Response:
        data, _name = uploads.read_file(self.request, "image")
        receipt = intake.receive(
            session,
            data,
            camera=camera,
            user=user,
            idempotency_key=uploads.idempotency_key(self.request),
            taken_at=uploads.taken_at(self.request),
        )
        snapshot = receipt.snapshot
        snapshot.refresh_from_db(fields=["state"])  # queued by now, where the queue could be reached
        serializer = ReceiptSerializer(context=self.get_serializer_context())
        url = address(serializer, "camera-snapshot" if camera else "snapshot", snapshot.pk)
        body = {"id": snapshot.pk, "url": url, "state": snapshot.state, "created": receipt.created}
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


class SessionSnapshotsView(UploadView):
    """The photos of a session."""

    queryset = Snapshot.objects.none()
    serializer_class = SnapshotSerializer
    filterset_class = SnapshotFilter

    def get_permissions(self) -> list[BasePermission]:
        if self.request.method == "POST":
            return [IsAuthenticated()]
        return [permission() for permission in self.permission_classes]

    @extend_schema(operation_id="session_snapshots_list", responses=SnapshotSerializer(many=True))
    def get(self, request: Request, session_id: int) -> Response:
        """Photos of a session, earliest first."""
        return self.page(self.find_session().snapshots.all(), SnapshotSerializer)

    @extend_schema(operation_id="session_snapshots_create", **UPLOAD)
    def post(self, request: Request, session_id: int) -> Response:
        """Send a photo to a session: with a camera key of its room, or as somebody who may change the course.

        The answer comes as soon as the photo is safe on disk; faces are looked for later.
        """
        if isinstance(request.user, CameraPrincipal):
            camera = request.user.camera
            session = self.find(permissions.sessions_for_camera(camera), session_id)
            return self.take_in(session, camera=camera, user=None)
        return self.take_in(self.find_session(to_change=True), camera=None, user=self.person)


class CameraSnapshotsView(UploadView):
    """The way in for a camera that knows its key and nothing else."""

    permission_classes = [IsAuthenticated, IsCamera]

    @extend_schema(operation_id="camera_snapshots_create", **UPLOAD)
    def post(self, request: Request) -> Response:
        """Send a photo to the session that is open in the camera's room now."""
        assert isinstance(request.user, CameraPrincipal)
        camera = request.user.camera
        return self.take_in(cameras.session_now(camera), camera=camera, user=None)


class CameraSnapshotView(ApiView):
    """A photo, seen by the camera that sent it."""

    permission_classes = [IsAuthenticated, IsCamera]
    serializer_class = OwnSnapshotSerializer

    @extend_schema(operation_id="camera_snapshots_retrieve")
    def get(self, request: Request, snapshot_id: int) -> Response:
        """How far a photo has come that this camera sent."""
        assert isinstance(request.user, CameraPrincipal)
        snapshot = self.find(permissions.snapshots_for_camera(request.user.camera), snapshot_id)
        return Response(self.get_serializer(snapshot).data)


class SnapshotView(ApiView):
    serializer_class = SnapshotSerializer

    @extend_schema(operation_id="snapshots_retrieve")
    def get(self, request: Request, snapshot_id: int) -> Response:
        """One photo and how far its processing has come."""
        snapshot = self.find(permissions.snapshots_for(self.person), snapshot_id)
        return Response(self.get_serializer(snapshot).data)


class SnapshotRetryView(ApiView):
    serializer_class = SnapshotSerializer

    @extend_schema(operation_id="snapshots_retry", request=None, responses={202: SnapshotSerializer})
    def post(self, request: Request, snapshot_id: int) -> Response:
        """Process a failed photo once more."""
        queryset = permissions.snapshots_for(self.person).select_related("session__course")
        snapshot = self.find(queryset, snapshot_id)
        self.must_change(snapshot.session.course)
        intake.send_again(snapshot)
        snapshot.refresh_from_db()
        return Response(self.get_serializer(snapshot).data, status=status.HTTP_202_ACCEPTED)


class SnapshotSightingsView(ApiView):
    queryset = Sighting.objects.none()
    serializer_class = SightingSerializer
    filter_backends = ()

    @extend_schema(operation_id="snapshot_sightings_list", responses=SightingSerializer(many=True))
    def get(self, request: Request, snapshot_id: int) -> Response:
        """Faces of a photo from left to right, each with its candidates and what people said."""
        snapshot = self.find(permissions.snapshots_for(self.person), snapshot_id)
        return self.page(with_evidence(snapshot.sightings.all()), SightingSerializer)


class SightingView(ApiView):
    serializer_class = SightingSerializer

    @extend_schema(operation_id="sightings_retrieve")
    def get(self, request: Request, sighting_id: int) -> Response:
        """One face with its candidates and what people said."""
        sighting = self.find(with_evidence(permissions.sightings_for(self.person)), sighting_id)
        return Response(self.get_serializer(sighting).data)


class PictureView(ApiView):
    """A stored picture, for those who may see what it shows."""

    renderer_classes = [JpegRenderer]

    def picture(self, name: str | None) -> Response:
        """Raises Http404 where the picture has expired."""
        try:
            if not name:
                raise FileNotFoundError
            with default_storage.open(name) as stored:
                return Response(stored.read(), content_type=JpegRenderer.media_type)
        except FileNotFoundError as error:
            raise Http404 from error

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer


JPEG = {(200, JpegRenderer.media_type): OpenApiResponse(OpenApiTypes.BINARY, description="JPEG")}


class SnapshotImageView(PictureView):
    @extend_schema(operation_id="snapshots_image", responses=JPEG)
    def get(self, request: Request, snapshot_id: int) -> Response:
        """The photo: upright, without metadata."""
        return self.picture(self.find(permissions.snapshots_for(self.person), snapshot_id).image.name)


class SightingChipView(PictureView):
    @extend_schema(operation_id="sightings_chip", responses=JPEG)
    def get(self, request: Request, sighting_id: int) -> Response:
        """The aligned face, 150 by 150 pixels."""
        return self.picture(self.find(permissions.sightings_for(self.person), sighting_id).chip.name)


def with_evidence(sightings: QuerySet[Sighting]) -> QuerySet[Sighting]:
    """Everything a sighting's answer shows, in a fixed number of queries; never the encoding."""
    return (
        sightings.select_related("student", "second_opinion__student")
        .prefetch_related("candidates__student", "reviews__student", "reviews__by")
        .defer("encoding")
    )
