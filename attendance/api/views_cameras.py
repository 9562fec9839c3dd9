"""Cameras and their keys; for administrators."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import cameras, permissions
from attendance.api.base import ApiView
from attendance.api.permissions import IsAdministrator
from attendance.api.serializers.capture import (
    CameraSerializer,
    CameraWithKeySerializer,
    NewCameraSerializer,
)
from attendance.models import Camera, Room


class AdministratorView(ApiView):
    permission_classes = [IsAuthenticated, IsAdministrator]

    def find_camera(self) -> Camera:
        queryset = permissions.cameras_for(self.person).select_related("room")
        return self.find(queryset, self.kwargs["camera_id"])

    def with_key(self, camera: Camera, key: str) -> dict[str, object]:
        camera.key = key  # type: ignore[attr-defined]
        return dict(CameraWithKeySerializer(camera, context=self.get_serializer_context()).data)


class CamerasView(AdministratorView):
    queryset = Camera.objects.none()
    serializer_class = CameraSerializer
    filter_backends = ()

    @extend_schema(operation_id="cameras_list", responses=CameraSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Cameras of the school, also revoked ones."""
        return self.page(permissions.cameras_for(self.person).select_related("room"), CameraSerializer)

    @extend_schema(
        operation_id="cameras_create", request=NewCameraSerializer, responses={201: CameraWithKeySerializer}
    )
    def post(self, request: Request) -> Response:
        """Add a camera to a room. Its key is in this answer and never again."""
        wanted = self.valid(NewCameraSerializer)
        room = Room.objects.filter(pk=wanted["room"]).first()
        if room is None:
            raise ValidationError({"room": _("There is no such room.")})
        return Response(
            self.with_key(*cameras.create(wanted["name"], room, self.person)), status=status.HTTP_201_CREATED
        )


class CameraView(AdministratorView):
    serializer_class = CameraSerializer

    @extend_schema(operation_id="cameras_retrieve")
    def get(self, request: Request, camera_id: int) -> Response:
        """One camera."""
        return Response(self.get_serializer(self.find_camera()).data)


class CameraRotateView(AdministratorView):
    serializer_class = CameraWithKeySerializer

    @extend_schema(operation_id="cameras_rotate", request=None)
    def post(self, request: Request, camera_id: int) -> Response:
        """A new key; the old one ends at once."""
        camera = self.find_camera()
        return Response(self.with_key(camera, cameras.rotate(camera)))


class CameraRevokeView(AdministratorView):
    serializer_class = CameraSerializer

    @extend_schema(operation_id="cameras_revoke", request=None)
    def post(self, request: Request, camera_id: int) -> Response:
        """End a camera's key."""
        camera = self.find_camera()
        cameras.revoke(camera)
        return Response(self.get_serializer(camera).data)
