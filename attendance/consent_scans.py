"""Scans of slips that came back: type by content, bounded, pictures re-encoded, sealed at rest, never opened here."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, excusing, intake
from attendance.models import ConsentEvent, ConsentScan

MOST_BYTES = excusing.MOST_BYTES


class ScanRefused(errors.RollcallError):
    code = "consent_scan_refused"
    status = 422
    message = _("Only a PDF or a photo (JPEG or PNG) of up to 8 MB can be kept as a scan.")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is on disk and belongs to no row yet."""

    name: str
    content_type: str


def keep(data: bytes) -> Kept:
    """Store a scan. A PDF is kept as it is and only ever handed out as a download; a picture is made anew.

    Raises ScanRefused, PhotoRefused and its kinds, StorageFull.
    """
    if not data:
        raise ScanRefused(_("The scan is empty: 0 bytes. Please choose the file again."))
    try:
        content_type, content = excusing.clean_attachment(data)
    except excusing.AttachmentRefused as error:
        raise ScanRefused(error.message) from error
    return Kept(intake.store("consents", content), content_type)


def drop(kept: Kept | None) -> None:
    """Its row was not written."""
    if kept is not None:
        default_storage.delete(kept.name)


def attach(event: ConsentEvent, kept: Kept, by: User) -> ConsentScan:
    """The scan of this answer; an earlier one makes way."""
    remove_of(event)
    return ConsentScan.objects.create(
        event=event, file=kept.name, content_type=kept.content_type, added_by=by, added_at=timezone.now()
    )


def remove_of(event: ConsentEvent) -> None:
    """The scan of an answer goes, the file once that is certain."""
    found = ConsentScan.objects.filter(event=event)
    names = list(found.values_list("file", flat=True))
    found.delete()
    for name in names:
        transaction.on_commit(functools.partial(default_storage.delete, name))
