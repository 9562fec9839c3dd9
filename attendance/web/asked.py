"""Numbers that an address or a form asks for; whatever else stands there is no number, and never an error."""

from __future__ import annotations

from collections.abc import Iterable

DIGITS = 18
"""More do not fit the database's largest number."""


def number(value: str | None) -> int | None:
    """A plain number of up to 18 digits; None for anything else."""
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) <= DIGITS else None


def numbers(values: Iterable[str]) -> list[int]:
    """Those among the values that are numbers."""
    return [found for value in values if (found := number(value)) is not None]
