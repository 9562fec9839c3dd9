"""Marks of reports in templates."""

from __future__ import annotations

from django import template

from attendance.reports.document import LETTERS, word

register = template.Library()


@register.filter
def report_letter(status: str) -> str:
    return LETTERS[status]


@register.filter
def report_word(status: str) -> str:
    return word(status)


@register.filter
def words(text: str) -> list[str]:
    """The words of a sentence, for a short loop in a template."""
    return text.split()
