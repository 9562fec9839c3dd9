"""What students object to, as a part of the session page."""

from __future__ import annotations

from typing import Any

from django import template

from attendance.models import ClassSession, Contest

register = template.Library()


@register.inclusion_tag("web/session_contests.html", takes_context=True)
def contests_of(context: dict[str, Any], session: ClassSession, may_change: bool) -> dict[str, Any]:
    """What waits for an answer, then what was answered; nothing where nobody said anything. One query."""
    said = session.contests.exclude(state=Contest.State.TAKEN_BACK)
    every = list(said.select_related("student", "sighting__snapshot", "settled_by"))
    return {
        "request": context.get("request"),
        "csrf_token": context.get("csrf_token"),
        "session": session,
        "may_change": may_change,
        "waiting": [each for each in every if each.state == Contest.State.OPEN],
        "answered": [each for each in every if each.state != Contest.State.OPEN],
        "granted": ["present", "late", "left_early", "excused"],
    }
