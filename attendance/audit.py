"""The log of who looked at whom and who changed what: added to, searched, exported and verified; never edited.

Each entry's digest is an HMAC-SHA256 (RFC 2104) over the digest before it and its own content, keyed with
``ROLLCALL_AUDIT_KEY``: whoever can write to the database, but does not know the key, can neither change nor take out an
entry unnoticed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from attendance import permissions
from attendance.models.audit import AuditEntry, AuditHead

PAGE = 2000
AT_ONCE = 1000
"""Entries an export reads together."""
TRIES = 5
Entries = QuerySet[AuditEntry]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look over the whole chain found."""

    entries: int
    broken_at: int | None = None
    """Number of the first entry that does not fit; None where all do."""
    missing: int = 0
    """Entries that the end of the chain knows of and that are not there."""

    @property
    def whole(self) -> bool:
        return self.broken_at is None and not self.missing


def record(
    verb: AuditEntry.Verb,
    what: str,
    about: Mapping[str, int | str] | None = None,
    *,
    by: User | None = None,
    at: dt.datetime | None = None,
) -> AuditEntry:
    """Add one entry at the end of the chain."""
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _append(verb, what, dict(about or {}), by, at or timezone.now())
        except IntegrityError:
            # Another entry took this number first: the next try comes after it.
            if attempt == TRIES - 1:
                raise
    raise AssertionError("the last try either answered or raised")


def _append(
    verb: AuditEntry.Verb, what: str, about: dict[str, int | str], by: User | None, at: dt.datetime
) -> AuditEntry:
    head, _created = AuditHead.objects.select_for_update().get_or_create(pk=1)
    entry = AuditEntry(
        number=head.number + 1,
        at=at,
        actor_id=by.pk if by else None,
        actor=_name_of(by),
        verb=verb,
        what=what[:80],
        about=about,
        student_id=_number(about.get("student")),
        previous=head.digest,
    )
    entry.digest = head.digest = digest_of(entry)
    head.number = entry.number
    entry.save(force_insert=True)
    head.save(update_fields=["number", "digest"])
    return entry


def _name_of(by: User | None) -> str:
    """Of people of the school their log-in; a student's is their number, which is not to outlive them here."""
    if by is None:
        return ""
    return "student" if permissions.is_student(by) else by.get_username()


def digest_of(entry: AuditEntry) -> str:
    """The digest an entry with this content must carry: 64 hex digits."""
    content = [
        entry.previous,
        entry.number,
        entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.actor,
        str(entry.verb),
        entry.what,
        entry.about,
        entry.student_id,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hmac.new(settings.ROLLCALL_AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def verify() -> Verdict:
    """Go through the whole chain, in pages; stops at the first entry that does not fit."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1)
    number, digest = 0, ""
    for entry in _in_order():
        if entry.number != number + 1 or entry.previous != digest or entry.digest != digest_of(entry):
            return Verdict(number, broken_at=number + 1, missing=max(head.number - number, 0))
        number, digest = entry.number, entry.digest
    if number > head.number or (number == head.number and digest != head.digest):
        return Verdict(number, broken_at=number)
    return Verdict(number, missing=head.number - number)


def search(
    *,
    actor: str = "",
    verb: str = "",
    student_id: int | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Entries:
    """Entries that fit, newest first."""
    found = AuditEntry.objects.all()
    if actor:
        found = found.filter(actor__icontains=actor)
    if verb:
        found = found.filter(verb=verb)
    if student_id is not None:
        found = found.filter(student_id=student_id)
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lt=until)
    return found.order_by("-number")


def oldest_first(entries: Entries, *fields: str) -> Iterator[tuple[Any, ...]]:
    """The named fields of these entries in the order of the chain, read some at a time by their numbers: the first
    come at once, however many there are, and nothing is held."""
    after = 0
    while True:
        part = list(
            entries.filter(number__gt=after).order_by("number").values_list("number", *fields)[:AT_ONCE]
        )
        yield from (row[1:] for row in part)
        if len(part) < AT_ONCE:
            return
        after = part[-1][0]


def _in_order() -> Iterator[AuditEntry]:
    return AuditEntry.objects.order_by("number").iterator(chunk_size=PAGE)


def _number(value: int | str | None) -> int | None:
    return value if isinstance(value, int) else None
