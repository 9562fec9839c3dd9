"""Cameras sign in with ``Authorization: Camera <key>``; people with a token or the browser's session."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from attendance import api_tokens, cameras, second_factor
from attendance.models import ApiToken, Camera

KEYWORD = "Camera"
TOKEN_KEYWORD = "Token"  # noqa: S105 (a word in a header)


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


class ApiTokenAuthentication(BaseAuthentication):
    """``Authorization: Token rtok_...``; of an administrator only while they have the second factor they need."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != TOKEN_KEYWORD.lower().encode():
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("Send the token as: Authorization: Token <token>.", code="bad_token")
        token = api_tokens.find(parts[1].decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("This token is unknown or has ended.", code="bad_token")
        if second_factor.missing(token.owner):
            raise second_factor.Needed
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return f'{TOKEN_KEYWORD} realm="rollcall"'


class VerifiedSessionAuthentication(SessionAuthentication):
    """The browser's session, once it has given the second factor it owes."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        if getattr(request._request, "second_factor_due", None):
            raise second_factor.Needed
        found: tuple[User, None] | None = super().authenticate(request)
        return found


class _HeaderScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    description: str

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": self.description}


class CameraKeyScheme(_HeaderScheme):  # type: ignore[no-untyped-call]
    """How the schema names the camera key."""

    target_class = "attendance.api.authentication.CameraKeyAuthentication"
    name = "cameraKey"
    description = "A camera's key, as `Camera <key>`."


class ApiTokenScheme(_HeaderScheme):  # type: ignore[no-untyped-call]
    """How the schema names a person's token."""

    target_class = "attendance.api.authentication.ApiTokenAuthentication"
    name = "tokenAuth"
    description = "A person's token, as `Token <token>`."


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names the browser's session."""

    target_class = "attendance.api.authentication.VerifiedSessionAuthentication"
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
