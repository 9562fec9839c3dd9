"""How consent is asked for: the school's text, slips of paper, links by e-mail, scans of what came back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attendance.models.biometrics import Consent, ConsentEvent
from attendance.models.mail import MailMessage
from attendance.models.school import Student


class ConsentSettings(models.Model):
    """The one row of what the school says about asking."""

    renew_after_months = models.PositiveSmallIntegerField(_("months until portraits are renewed"), default=12)
    """Portraits older than this ask for new ones; 0 never. Nothing is deleted by it."""
    link_days = models.PositiveSmallIntegerField(_("days a link by e-mail works"), default=14)
    ask_whom = models.CharField(_("who answers questions"), max_length=200, blank=True)
    """A name with a room, a number or an address, as it stands on slips and under links."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="consent_settings_are_one_row"),
            models.CheckConstraint(
                condition=Q(renew_after_months__lte=120), name="portraits_are_renewed_within_ten_years"
            ),
            models.CheckConstraint(
                condition=Q(link_days__gte=1, link_days__lte=90), name="consent_links_end_within_90_days"
            ),
        ]

    def __str__(self) -> str:
        return "how consent is asked for"


class ConsentText(models.Model):
    """The school's own text of a version in a language. Written once: whoever agreed, agreed to these words."""

    version = models.CharField(max_length=32)
    language = models.CharField(max_length=10)
    body = models.TextField(_("text"), max_length=4000)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="one_consent_text_a_version_and_language"
            ),
            models.CheckConstraint(
                condition=~Q(version="") & ~Q(body=""), name="consent_text_says_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.language})"


class ConsentSlip(models.Model):
    """A sheet printed for one student; its code says which, and nothing about them."""

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="consent_slips")
    code = models.CharField(max_length=8, unique=True)
    text_version = models.CharField(max_length=32)
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    printed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["student", "text_version"], name="one_slip_a_student_and_text"),
            models.CheckConstraint(condition=~Q(code=""), name="consent_slip_has_a_code"),
        ]

    def __str__(self) -> str:
        return f"slip {self.code}"


class ConsentLink(models.Model):
    """A question sent by e-mail: one student, one reader, one answer, until a day."""

    class Answer(models.TextChoices):
        GIVEN = "given", _("yes")
        REFUSED = "refused", _("no")

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="consent_links")
    token_hash = models.CharField(max_length=64, unique=True)
    """SHA-256 of the 256 random bits in the address, as hex; the address itself is kept nowhere here."""
    to = models.EmailField()
    reader = models.CharField(max_length=8, choices=Consent.GivenBy)
    reader_name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10)
    text_version = models.CharField(max_length=32)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    """A newer link to the same address took its place."""
    answer = models.CharField(max_length=7, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    message = models.ForeignKey(
        MailMessage, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-sent_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | Q(answer__in=["given", "refused"], answered_at__isnull=False),
                name="consent_link_is_answered_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(answer="given"),
                name="only_a_yes_by_link_is_taken_back_by_it",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("sent_at")), name="consent_link_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(fields=["student", "sent_at"])]

    def __str__(self) -> str:
        return f"link for {self.student_id}"


class ConsentScan(models.Model):
    """A picture or PDF of the paper that came back, sealed at rest, under an unguessable name."""

    event = models.OneToOneField(ConsentEvent, on_delete=models.CASCADE, related_name="scan")
    file = models.FileField(upload_to="", max_length=200)
    content_type = models.CharField(max_length=32)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(content_type__in=["application/pdf", "image/jpeg"]),
                name="consent_scan_is_pdf_or_picture",
            )
        ]

    def __str__(self) -> str:
        return f"scan of {self.event_id}"
