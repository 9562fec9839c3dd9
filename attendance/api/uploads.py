"""Reads an upload: one photo, its key against repeats, its time."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from attendance import errors

FORM_OVERHEAD = 64 * 1024
"""Bytes of a multipart form around its file."""
LONGEST_KEY = 100
_LONGEST_TIME = 64

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 100 visible ASCII characters. Repeats with the same key and photo answer the same "
    "snapshot; the same key with another photo is a 422.",
)
TAKEN_AT = OpenApiParameter(
    "X-Taken-At",
    OpenApiTypes.DATETIME,
    OpenApiParameter.HEADER,
    description="When the photo was taken, ISO 8601 with an offset; the form field `taken_at` goes before it.",
)


def body_limit() -> int:
    """The longest body of an upload in bytes."""
    return int(settings.ROLLCALL_MAX_UPLOAD_BYTES) + FORM_OVERHEAD


def read_file(request: Request, name: str) -> tuple[bytes, str]:
    """Bytes and file name of the one file of a form, or of the raw body (no name).

    Raises ValidationError where there is none or more than one, PhotoTooLarge for a file over the bound.
    """
    data = request.data
    found = data.get(name) if hasattr(data, "get") else None
    if isinstance(found, bytes):
        return found, ""
    if isinstance(found, UploadedFile):
        if len(request.FILES.getlist(name)) > 1:
            raise ValidationError({name: _("Send one file in a request.")})
        if (found.size or 0) > settings.ROLLCALL_MAX_UPLOAD_BYTES:
            raise errors.PhotoTooLarge
        return found.read(), found.name or ""
    if not request.content_type.startswith("multipart/"):
        return b"", ""  # a raw body of no bytes
    raise ValidationError({name: _("Send the file in the form field “%(name)s”.") % {"name": name}})


def idempotency_key(request: Request) -> str:
    """The header's value, or an empty string. Raises ValidationError for an unusable one."""
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if "Idempotency-Key" in request.headers and not _is_usable_key(key):
        raise ValidationError({"Idempotency-Key": _("Use 1 to 100 visible ASCII characters.")})
    return key


def taken_at(request: Request) -> dt.datetime | None:
    """When the sender says the photo was taken. Raises BadTime without an offset or for anything unreadable."""
    stated = request.data.get("taken_at") if hasattr(request.data, "get") else None
    text = stated if isinstance(stated, str) and stated else request.headers.get("X-Taken-At", "")
    if not text:
        return None
    try:
        instant = dt.datetime.fromisoformat(text.strip()) if len(text) <= _LONGEST_TIME else None
    except ValueError as error:
        raise errors.BadTime from error
    if instant is None or instant.tzinfo is None:
        raise errors.BadTime
    return instant


def _is_usable_key(key: str) -> bool:
    return 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()
