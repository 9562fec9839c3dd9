"""Middleware: which requests are written into the audit log. One rule for every route; a test misses none.

A look is written once in ten minutes for the same person and thing: a page that refreshes itself is one look.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from attendance import audit
from attendance.models import AuditEntry, StudentAccount

log = logging.getLogger(__name__)
Verb = AuditEntry.Verb

ONE_LOOK_SECONDS = 600
READING = frozenset({"GET", "HEAD", "OPTIONS"})

LOOKS = frozenset(
    {
        "web:course", "web:course-dashboard", "web:student", "web:portraits", "web:session", "web:session-live",
        "web:face", "web:photo", "web:face-crop", "web:template-crop", "web:portrait", "web:desk", "web:models",
        "web:session-dashboard", "web:warnings", "web:mark-history", "web:excuse-letter",
        "api:mark-history", "api:offers",
        "web:consents", "web:consent-return", "web:consent-ask",
        "web:desk-bulk", "web:desk-elsewhere", "api:desk", "api:desk-many",
        "api:roster", "api:students", "api:student", "api:portraits", "api:portrait", "api:roll", "api:mark",
        "api:snapshot-image", "api:snapshot-sightings", "api:sighting", "api:sighting-chip",
    }
)  # fmt: skip
"""Routes that show a face, or what is known of a student."""

EXPORTS = frozenset(
    {
        "web:consent-scan", "web:consent-slips", "web:audit-export", "web:roll-csv", "web:report-file",
        "web:overview-file", "web:report-job-file", "api:report-job-file", "web:own-data-file",
    }
)  # fmt: skip
"""Routes whose answer leaves the site as a file."""

UNWRITTEN = frozenset(
    {
        "web:desk-skip",
        "web:consent-link",
        "api:camera-snapshots",
        "api:camera-heartbeat",
        "api:camera-pair",
        "web:login",
        "web:logout",
        "web:second-factor",
        "web:second-factor-setup",
        "web:second-factor-codes",
        "web:second-factor-off",
        "web:second-factor-take-off",
    }
)
"""Requests that change something and are not written here: nothing of a person, or written by another way."""


class AuditTrail:
    """Writes looks, exports and changes that were answered; refusals by the permission layer change nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        user = getattr(request, "user", None)
        if match is None or not isinstance(user, User) or response.status_code >= 400:
            return response
        verb = verb_of(match.view_name, request.method or "GET")
        if verb is not None:
            about = {key.removesuffix("_id"): value for key, value in match.kwargs.items()}
            if verb is not Verb.LOOKED or _first_look(user, match.view_name, about):
                audit.record(verb, match.view_name, about_of(about), by=user)
        return response


def verb_of(route: str, method: str) -> AuditEntry.Verb | None:
    """What a request to a route is in the log; None where it is not written."""
    if method in READING:
        if route in EXPORTS:
            return Verb.EXPORTED
        return Verb.LOOKED if route in LOOKS else None
    return None if route in UNWRITTEN else Verb.CHANGED


def about_of(arguments: Mapping[str, object]) -> dict[str, int | str]:
    """The numbers and words of an address."""
    return {key: value if isinstance(value, int) else str(value)[:80] for key, value in arguments.items()}


def _first_look(user: User, route: str, about: Mapping[str, object]) -> bool:
    # As a digest: whoever is deleted leaves no row number among what the processes remember together.
    look = f"{user.pk}:{route}:{sorted(about.items())}"
    digest = hmac.digest(settings.SECRET_KEY.encode(), look.encode(), "sha256").hex()
    return cache.add(f"look:{digest}", 1, ONE_LOOK_SECONDS)


@receiver(user_logged_in)
def _signed_in(sender: object, user: User, **context: object) -> None:
    audit.record(Verb.SIGNED_IN, "web:login", by=user)


@receiver(user_login_failed)
def _refused(sender: object, credentials: Mapping[str, object], **context: object) -> None:
    name = str(credentials.get("username", ""))[:80]
    student = StudentAccount.objects.filter(user__username=name).values_list("student", flat=True).first()
    audit.record(Verb.REFUSED, "web:login", {"student": student} if student else {"name": name})
