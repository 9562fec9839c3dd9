"""The school's logo: bounded, re-encoded, one for the site; on pages and on printed reports."""

from __future__ import annotations

import functools
import io

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from attendance import errors, photos
from attendance.models import SchoolLogo
from attendance.storage import unguessable_name

MAX_BYTES = 2 * 1024 * 1024
MAX_PIXELS = 16_000_000
MAX_SIDE = 4000
SIDE = 600
"""Pixels of the longer side as it is kept: sharp on paper at 25 mm."""


class LogoRefused(errors.RollcallError):
    code = "logo_refused"
    status = 422
    message = _("This cannot be used as a logo. A PNG or JPEG of up to 2 MB can.")


def clean(data: bytes) -> Image.Image:
    """The picture, re-encoded from its pixels, transparency kept, at most ``SIDE`` long. Raises LogoRefused."""
    if not data or len(data) > MAX_BYTES:
        raise LogoRefused
    if data.lstrip()[:256].lower().startswith((b"<svg", b"<?xml", b"<!doctype")):
        raise LogoRefused(_("An SVG can hold programs and is not taken; save the logo as PNG."))
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        if image.width * image.height > MAX_PIXELS or min(image.size) < 16 or max(image.size) > MAX_SIDE:
            raise LogoRefused(_("A logo is between 16 pixels and 4000 pixels on each side."))
        photos.check_scans(data)
        image.load()
        kept = image.convert("RGBA")
    except (UnidentifiedImageError, errors.PhotoTooIntricate) as error:
        raise LogoRefused from error
    except photos.STUMBLES as error:
        raise LogoRefused(_("The picture is damaged or was cut off on the way.")) from error
    kept.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return kept


def set_logo(data: bytes, by: User) -> SchoolLogo:
    """From now on this is the logo. Raises LogoRefused."""
    image = clean(data)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    name = default_storage.save(unguessable_name("logo", "png"), ContentFile(out.getvalue()))
    with transaction.atomic():
        old = SchoolLogo.objects.filter(pk=1).first()
        logo, _created = SchoolLogo.objects.update_or_create(
            pk=1,
            defaults={
                "image": name, "width": image.width, "height": image.height, "set_by": by, "set_at": timezone.now(),
            },
        )  # fmt: skip
        if old is not None:
            transaction.on_commit(lambda: default_storage.delete(str(old.image.name)))
    return logo


def remove_logo() -> None:
    logo = current()
    if logo is not None:
        name = str(logo.image.name)
        logo.delete()
        transaction.on_commit(functools.partial(default_storage.delete, name))


def current() -> SchoolLogo | None:
    return SchoolLogo.objects.filter(pk=1).first()


def png() -> bytes | None:
    """The logo's bytes, for paper; None where there is none, or where it cannot be read now."""
    logo = current()
    if logo is None:
        return None
    try:
        with default_storage.open(str(logo.image.name)) as file:
            content: bytes = file.read()
    except (FileNotFoundError, errors.StorageAway):
        return None
    return content
