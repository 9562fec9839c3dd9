"""How often one camera and one person may ask; the rates are settings."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from attendance.api.authentication import CameraPrincipal


class CameraThrottle(SimpleRateThrottle):
    """Counted by camera, so that one camera gone wild stops no other."""

    scope = "camera"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not isinstance(request.user, CameraPrincipal):
            return None
        return f"throttle-camera-{request.user.camera.pk}"


class PersonThrottle(SimpleRateThrottle):
    scope = "user"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle-user-{request.user.pk}" if isinstance(request.user, User) else None


class PairingThrottle(SimpleRateThrottle):
    """Counted by the address that knocks: codes are not to be guessed. No header can change what is counted."""

    scope = "pairing"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle-pairing-{request.META.get('REMOTE_ADDR', '')}"
