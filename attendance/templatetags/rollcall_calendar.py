"""Lessons of a timetable in templates."""

from __future__ import annotations

from django import template

from attendance import classes
from attendance.models import ClassSession, TimetableSlot

register = template.Library()


@register.filter
def slot_words(slot: TimetableSlot) -> str:
    """``Monday 09:00``."""
    return f"{slot.get_weekday_display()} {slot.starts:%H:%M}"


@register.simple_tag
def opens_by_itself(session: ClassSession) -> bool:
    """Whether nobody has to open this planned session."""
    return classes.opens_by_itself(session)
