"""Cameras, the photos they send and the faces seen in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Room, Student
from attendance.models.sealed import SealedField
from attendance.models.sessions import ClassSession


class Camera(models.Model):
    """A device that may send photos to the sessions of its room. Its key is kept only as a hash."""

    name = models.CharField(_("name"), max_length=100)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="cameras", verbose_name=_("room"))
    key_hash = models.CharField(max_length=64, unique=True)
    key_prefix = models.CharField(max_length=12)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    minutes_between_shots = models.PositiveSmallIntegerField(
        _("minutes between shots"), null=True, blank=True
    )
    """Null: as the site has it; so is ``burst``."""
    burst = models.PositiveSmallIntegerField(_("frames a shot is chosen from"), null=True, blank=True)

    class Meta:
        ordering = ["room__name", "name"]

    def __str__(self) -> str:
        return self.name


class Snapshot(models.Model):
    """One photo of one session, and how far its processing has come."""

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting")
        QUEUED = "queued", _("waiting")
        PROCESSING = "processing", _("looking")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Unusable(models.TextChoices):
        BLACK = "black", _("black")
        DARK = "dark", _("too dark")
        BLURRED = "blurred", _("blurred")
        BRIGHT = "bright", _("overexposed")

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="snapshots")
    camera = models.ForeignKey(
        Camera, on_delete=models.PROTECT, null=True, blank=True, related_name="snapshots"
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    image = models.FileField(upload_to="", max_length=200, blank=True)
    """Upright JPEG without metadata under an unguessable name; blank once expired."""
    sha256 = models.CharField(max_length=64)
    """Of the bytes as they arrived."""
    idempotency_key = models.CharField(max_length=120, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    taken_at = models.DateTimeField()
    clock_suspect = models.BooleanField(default=False)
    """The sender's clock was too far off: arrival time stands in ``taken_at``."""
    received_at = models.DateTimeField()

    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    queued_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    processing_seconds = models.FloatField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    unusable = models.CharField(max_length=8, choices=Unusable, blank=True)
    """Why the photo is no evidence of absence; blank for a usable one."""
    faces = models.PositiveSmallIntegerField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["taken_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["session", "sha256"], name="one_snapshot_a_session_and_hash"),
            models.UniqueConstraint(
                fields=["session", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_snapshot_an_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["received", "queued", "processing", "done", "failed"]),
                name="snapshot_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="processing") | Q(token__isnull=False, lease_until__isnull=False),
                name="processing_snapshot_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "lease_until"]),
            models.Index(fields=["session", "taken_at"]),
            models.Index(fields=["processed_at"]),
            models.Index(
                fields=["camera", "taken_at"], condition=~Q(image=""), name="photo_kept_of_a_camera"
            ),
            models.Index(
                fields=["received_at"], condition=Q(expired_at__isnull=True), name="photos_still_kept"
            ),
        ]

    def __str__(self) -> str:
        return f"photo {self.pk}"


class Sighting(models.Model):
    """One face in one photo, with what recognition made of it."""

    class Decision(models.TextChoices):
        RECOGNISED = "recognised", _("recognised")
        UNCERTAIN = "uncertain", _("to check")
        UNKNOWN = "unknown", _("unknown")

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="sightings")
    index = models.PositiveSmallIntegerField()
    """Position among the photo's faces, from left to right, from 0."""
    left = models.FloatField()
    top = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    landmarks = models.JSONField(default=list)
    detector_score = models.FloatField()
    quality = models.FloatField()
    """0 to 1, overall."""
    quality_details = models.JSONField(default=dict)
    chip = models.FileField(upload_to="", max_length=200, blank=True)
    encoding = SealedField(null=True, blank=True)
    """128 little-endian float32; null once expired or withdrawn."""
    encoder_version = models.CharField(max_length=120)
    decision = models.CharField(max_length=10, choices=Decision)
    reason = models.CharField(max_length=40, blank=True)
    student = models.ForeignKey(
        Student, on_delete=models.SET_NULL, null=True, blank=True, related_name="sightings"
    )
    """Who recognition says it is; for an uncertain face, its best candidate."""

    class Meta:
        ordering = ["snapshot", "index"]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "index"], name="one_sighting_a_face"),
            models.UniqueConstraint(
                fields=["snapshot", "student"],
                condition=Q(decision="recognised", student__isnull=False),
                name="student_recognised_once_in_a_photo",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["recognised", "uncertain", "unknown"]),
                name="sighting_decision_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["snapshot"],
                condition=Q(decision="unknown", encoding__isnull=False),
                name="unknown_faces_still_kept",
            )
        ]

    def __str__(self) -> str:
        return f"face {self.index} of photo {self.snapshot_id}"


class Candidate(models.Model):
    """A student a face was compared with, best first; a row of its own so that withdrawal empties it."""

    sighting = models.ForeignKey(Sighting, on_delete=models.CASCADE, related_name="candidates")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="+")
    rank = models.PositiveSmallIntegerField()
    distance = models.FloatField()
    score = models.FloatField()
    probability = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["sighting", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["sighting", "student"], name="student_once_among_candidates")
        ]

    def __str__(self) -> str:
        return f"{self.student_id} at {self.distance:.2f}"
