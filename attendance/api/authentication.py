"""Cameras sign in with ``Authorization: Camera <key>``; people with a token or the browser's session."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from attendance import cameras
from attendance.models import Camera

KEYWORD = "Camera"


class CameraPrincipal:
    """Who a request comes from when a camera sent it: signed in, but nobody's account."""

    is_active = True
    is_anonymous = False
    is_authenticated = True
    is_staff = False
    is_superuser = False

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.pk = f"camera-{camera.pk}"

    def __str__(self) -> str:
        return str(self.camera)

    def get_username(self) -> str:
        return str(self.camera)


class CameraKeyAuthentication(BaseAuthentication):
    """``Authorization: Camera rcam_...``; a wrong or revoked key is a 401, never somebody else."""

    def authenticate(self, request: Request) -> tuple[CameraPrincipal, Camera] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != KEYWORD.lower().encode():
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("Send the key as: Authorization: Camera <key>.", code="bad_camera_key")
        camera = cameras.authenticate(parts[1].decode("latin-1"))
        if camera is None:
            raise AuthenticationFailed("This camera key is unknown or was revoked.", code="bad_camera_key")
        return CameraPrincipal(camera), camera

    def authenticate_header(self, request: Request) -> str:
        return f'{KEYWORD} realm="rollcall"'


class CameraKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names the camera key."""

    target_class = "attendance.api.authentication.CameraKeyAuthentication"
    name = "cameraKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "A camera's key, as `Camera <key>`.",
        }
