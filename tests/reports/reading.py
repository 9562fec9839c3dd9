"""Reads back what reports write."""

from __future__ import annotations

import io

from pypdf import PdfReader


def pdf_text(content: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
