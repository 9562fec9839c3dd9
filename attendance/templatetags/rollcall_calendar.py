"""Lessons of a timetable in templates."""

from __future__ import annotations

from django import template

from attendance.models import TimetableSlot

register = template.Library()


@register.filter
def slot_words(slot: TimetableSlot) -> str:
    """``Monday 09:00``."""
    return f"{slot.get_weekday_display()} {slot.starts:%H:%M}"
