"""How a camera gets its key, and what it last said of itself."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from attendance.models.capture import Camera
from attendance.models.school import Room
from attendance.models.sessions import ClassSession


class PairingCode(models.Model):
    """A short code that one device exchanges once for a camera key. Kept only as a hash."""

    code_hash = models.CharField(max_length=64, unique=True)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="pairing_codes")
    camera = models.ForeignKey(
        Camera, on_delete=models.CASCADE, null=True, blank=True, related_name="pairing_codes"
    )
    """The camera that gets a new key; for a code that makes a new camera, that camera once it is made."""
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")), name="pairing_code_lives_for_a_while"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(camera__isnull=False),
                name="used_pairing_code_has_a_camera",
            ),
        ]

    def __str__(self) -> str:
        return f"pairing code {self.pk}"


class CameraStatus(models.Model):
    """The last heartbeat of a camera's agent. What it did not say is null."""

    camera = models.OneToOneField(Camera, on_delete=models.CASCADE, related_name="status")
    heard_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 (null: never said)
    source = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001
    """Kind of its lens: usb, rtsp, http, folder, video, phone."""
    capturing = models.BooleanField(null=True, blank=True)
    clock_offset_ms = models.IntegerField(null=True, blank=True)
    """The server's clock less the camera's."""
    spool_photos = models.PositiveIntegerField(null=True, blank=True)
    spool_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    last_shot_at = models.DateTimeField(null=True, blank=True)
    smallest_face = models.PositiveIntegerField(null=True, blank=True)
    """Width in pixels of the smallest face in its last shot that it took for one."""
    error = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001
    """What is wrong now, as one sentence; empty when all is well."""

    def __str__(self) -> str:
        return f"state of camera {self.camera_id}"


class CameraAlert(models.Model):
    """A camera was silent when a session of its room was under way, and the course's teachers were told."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="camera_alerts")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="alerts")
    raised_at = models.DateTimeField()
    heard_again_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(fields=["session", "camera"], name="one_alert_a_session_and_camera")
        ]

    def __str__(self) -> str:
        return f"camera {self.camera_id} silent in session {self.session_id}"
