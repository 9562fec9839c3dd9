"""How often one camera and one person may ask; the rates are settings. All processes count together."""

from __future__ import annotations

import math

from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from attendance import shared_cache
from attendance.api.authentication import CameraPrincipal


class SharedThrottle(SimpleRateThrottle):
    """So many in each stretch of time, which begins with the first request after the last stretch.

    Two numbers in the shared cache instead of REST framework's list of instants: they are counted up at once by
    whoever comes, so that two processes never miss each other's requests.
    """

    began = 0.0
    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        cache.add(f"{key}:began", self.timer(), self.duration)
        self.began = float(cache.get(f"{key}:began", self.timer()))
        return shared_cache.count(f"{key}:{self.began:.3f}", self.duration) <= self.num_requests

    def wait(self) -> float:
        """Seconds until the next stretch, from 1 to the whole of it."""
        left = math.ceil(self.began + self.duration - self.timer())
        return float(min(max(left, 1), self.duration))


class CameraThrottle(SharedThrottle):
    """Counted by camera, so that one camera gone wild stops no other."""

    scope = "camera"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not isinstance(request.user, CameraPrincipal):
            return None
        return f"throttle-camera-{request.user.camera.pk}"


class PersonThrottle(SharedThrottle):
    scope = "user"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle-user-{request.user.pk}" if isinstance(request.user, User) else None


class PairingThrottle(SharedThrottle):
    """Counted by the address that knocks: codes are not to be guessed. No header can change what is counted."""

    scope = "pairing"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle-pairing-{request.META.get('REMOTE_ADDR', '')}"
