"""What the second network made of enrolled faces and of faces in photos: the second opinion.

No consent, no row: an embedding belongs to a face template, which the database refuses without consent and without
which it refuses the embedding. An opinion goes with its face, and with the student it names.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.biometrics import FaceTemplate
from attendance.models.capture import Sighting
from attendance.models.school import Student
from attendance.models.sealed import SealedField


class TemplateEmbedding(models.Model):
    """An enrolled face as the second network sees it; made from the template's stored chip."""

    template = models.ForeignKey(FaceTemplate, on_delete=models.CASCADE, related_name="embeddings")
    embedding = SealedField()
    """Little-endian float32 of unit length; as many as the network that made it gives."""
    encoder_version = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["template", "encoder_version"], name="one_embedding_a_template_and_encoder"
            )
        ]

    def __str__(self) -> str:
        return f"embedding of template {self.template_id}"


class SecondOpinion(models.Model):
    """What the second network says about one face, and how that sits with what recognition said."""

    class Agreement(models.TextChoices):
        SAME = "same", _("both name the same student")
        FIRST_ONLY = "first_only", _("only the first names a student")
        SECOND_ONLY = "second_only", _("only the second names a student")
        DIFFERENT = "different", _("they name different students")
        NEITHER = "neither", _("neither names a student")

    sighting = models.OneToOneField(Sighting, on_delete=models.CASCADE, related_name="second_opinion")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    """Whom it takes the face for, whether sure enough to name or not; null where the gallery was empty."""
    distance = models.FloatField(null=True, blank=True)
    """Cosine distance to the nearest of that student's embeddings, 0 to 2."""
    probability = models.FloatField(null=True, blank=True)
    """Calibrated chance that it is that student, 0 to 1."""
    decision = models.CharField(max_length=10, choices=Sighting.Decision)
    agreement = models.CharField(max_length=11, choices=Agreement)
    confidence = models.FloatField(null=True, blank=True)
    """Chance that the name recognition gave is right, both answers taken together, as measured; null: not measured."""
    encoder_version = models.CharField(max_length=120)
    milliseconds = models.FloatField()
    """The network's time for this face: its photo's, divided by the faces in it."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(agreement__in=["same", "first_only", "second_only", "different", "neither"]),
                name="opinion_agreement_known",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["recognised", "uncertain", "unknown"]),
                name="opinion_decision_known",
            ),
            models.CheckConstraint(
                condition=~Q(decision="recognised") | Q(student__isnull=False),
                name="opinion_that_names_has_a_student",
            ),
            models.CheckConstraint(
                condition=~Q(agreement__in=["same", "second_only", "different"]) | Q(decision="recognised"),
                name="opinion_agrees_or_differs_by_naming",
            ),
        ]
        indexes = [models.Index(fields=["agreement", "sighting"])]

    def __str__(self) -> str:
        return f"second opinion on face {self.sighting_id}"
