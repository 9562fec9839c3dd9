"""Consent and what exists only while it is given: portraits and face templates."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.school import Student
from attendance.models.sealed import SealedField


class Consent(models.Model):
    """Where a student's consent to face recognition stands now. Its history is in ``ConsentEvent``."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        GIVEN = "given", _("given")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class GivenBy(models.TextChoices):
        STUDENT = "student", _("the student")
        GUARDIAN = "guardian", _("a parent or guardian")

    class Method(models.TextChoices):
        FORM = "form", _("form on screen")
        PAPER = "paper", _("signed paper")
        EMAIL = "email", _("link by e-mail")

    student = models.OneToOneField(Student, on_delete=models.CASCADE, related_name="consent")
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    given_by = models.CharField(max_length=8, choices=GivenBy, blank=True)
    given_by_name = models.CharField(max_length=200, blank=True)
    method = models.CharField(max_length=5, choices=Method, blank=True)
    text_version = models.CharField(max_length=32, blank=True)
    given_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    """When they answered no; None where nobody did, and again once somebody agrees."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["asked", "given", "withdrawn"]), name="consent_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="given")
                | (~Q(given_by="") & ~Q(text_version="") & ~Q(method="") & Q(given_at__isnull=False)),
                name="given_consent_says_who_when_which_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student}: {self.state}"

    @property
    def standing(self) -> str:
        """``given``, ``refused``, ``withdrawn`` or ``asked``."""
        if self.state != self.State.GIVEN and self.refused_at is not None:
            return ConsentEvent.What.REFUSED
        return self.state


class ConsentEvent(models.Model):
    """One step in the history of a consent; only ever added."""

    class What(models.TextChoices):
        ASKED = "asked", _("asked")
        GIVEN = "given", _("given")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        UNDONE = "undone", _("taken back as a mistake")

    class Purpose(models.TextChoices):
        RECOGNITION = "recognition", _("recognition for the register")

    class Relation(models.TextChoices):
        MOTHER = "mother", _("mother")
        FATHER = "father", _("father")
        GUARDIAN = "guardian", _("legal guardian")
        OTHER = "other", _("somebody else who may decide")

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="consent_events")
    state = models.CharField(max_length=9, choices=What)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.RECOGNITION)
    given_by = models.CharField(max_length=8, choices=Consent.GivenBy, blank=True)
    """Who said it: also a no, and a withdrawal where that is known."""
    given_by_name = models.CharField(max_length=200, blank=True)
    relation = models.CharField(max_length=8, choices=Relation, blank=True)
    method = models.CharField(max_length=5, choices=Consent.Method, blank=True)
    text_version = models.CharField(max_length=32, blank=True)
    language = models.CharField(max_length=10, blank=True)
    """Of the text they read, where that is known."""
    signed_on = models.DateField(null=True, blank=True)
    slip = models.ForeignKey(
        "attendance.ConsentSlip", on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )
    link = models.ForeignKey(
        "attendance.ConsentLink", on_delete=models.RESTRICT, null=True, blank=True, related_name="events"
    )
    undoes = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="undone_by"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """None for an answer that came by a link: nobody stood between."""
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-recorded_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(purpose="recognition"), name="consent_purpose_known"),
            models.CheckConstraint(
                condition=Q(recorded_by__isnull=False) | Q(link__isnull=False),
                name="consent_was_recorded_by_somebody_or_a_link",
            ),
            models.CheckConstraint(
                condition=Q(state="undone", undoes__isnull=False)
                | (~Q(state="undone") & Q(undoes__isnull=True)),
                name="undone_consent_says_what_it_undoes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student_id}: {self.state}"


class Portrait(models.Model):
    """A photo meant for enrolment; the database refuses one without consent."""

    class State(models.TextChoices):
        RECEIVED = "received", _("being looked at")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("not usable")
        HELD = "held", _("held: looks like somebody else")

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="portraits")
    image = models.FileField(upload_to="", max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    """The file's name as the teacher knows it; only ever shown."""
    state = models.CharField(max_length=8, choices=State, default=State.RECEIVED)
    problems = models.JSONField(default=list)
    """Codes of what is wrong with it, worst first."""
    looks_like = models.ForeignKey(
        Student, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    told_apart_at = models.DateTimeField(null=True, blank=True)
    """When a person said that this is not the look-alike; it is not asked again."""
    from_class_at = models.DateTimeField(null=True, blank=True)
    """When a person took it out of a classroom photo; None for a photo that was made for enrolment."""
    sighting = models.ForeignKey(
        "attendance.Sighting", on_delete=models.SET_NULL, null=True, blank=True, related_name="portraits"
    )
    """The face it was taken from; None once that is deleted."""
    attempts = models.PositiveSmallIntegerField(default=0)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["uploaded_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["student", "sha256"], name="one_portrait_a_student_and_hash"),
            models.CheckConstraint(
                condition=Q(state__in=["received", "accepted", "rejected", "held"]),
                name="portrait_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"portrait {self.pk}"


class FaceTemplate(models.Model):
    """One encoding of an accepted portrait; the database refuses one without consent."""

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="templates")
    portrait = models.ForeignKey(Portrait, on_delete=models.CASCADE, related_name="templates")
    encoding = SealedField()
    """128 little-endian float32."""
    encoder_version = models.CharField(max_length=120)
    quality = models.FloatField()
    chip = models.FileField(upload_to="", max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-quality", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["portrait", "encoder_version"], name="one_template_a_portrait_and_encoder"
            )
        ]
        indexes = [models.Index(fields=["student", "encoder_version"])]

    def __str__(self) -> str:
        return f"template {self.pk}"
