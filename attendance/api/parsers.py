"""Bodies of requests. What is read is bounded here a second time: a length that a client states is only a claim."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from attendance import class_lists
from attendance.api.problems import TooLarge


class BoundedJSONParser(JSONParser):
    """JSON; nesting deeper than Python can follow is the sender's mistake and no fault of ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = read_bounded(stream, _view_limit(parser_context))
        try:
            parsed: dict[str, Any] = super().parse(io.BytesIO(body), media_type, parser_context)
            json.dumps(parsed, ensure_ascii=False).encode()  # halves of characters can be said, not stored
        except (RecursionError, LookupError, UnicodeEncodeError) as error:
            raise ParseError("This JSON cannot be read.") from error
        return parsed


class RawImageParser(BaseParser):
    """``Content-Type: image/jpeg`` or any other image type; what it is is found out from the bytes."""

    media_type = "image/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        return {"image": read_bounded(stream, settings.ROLLCALL_MAX_UPLOAD_BYTES)}


class RawBytesParser(RawImageParser):
    media_type = "application/octet-stream"


class RawCsvParser(BaseParser):
    """A class list as the whole body."""

    media_type = "text/csv"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        return {"file": read_bounded(stream, class_lists.MAX_BYTES)}


def read_bounded(stream: IO[Any], limit: int) -> bytes:
    """At most ``limit`` bytes. Raises TooLarge one byte later."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := stream.read(min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise TooLarge
    return b"".join(parts)


def _view_limit(parser_context: Mapping[str, Any] | None) -> int:
    view = (parser_context or {}).get("view")
    return int(getattr(view, "max_body_bytes", 64 * 1024))
