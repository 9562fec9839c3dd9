"""A file carried by the page from its preview to its confirmation, so that nothing is stored before a yes."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest

from attendance.errors import RollcallError


def carry(data: bytes) -> str:
    """For a hidden field called ``carried``."""
    return base64.b64encode(data).decode()


def carried(request: HttpRequest, refused: type[RollcallError]) -> bytes | None:
    """The file as it was given; None where the page carries none. Raises ``refused`` for what is no file."""
    text = request.POST.get("carried", "")
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refused from error
