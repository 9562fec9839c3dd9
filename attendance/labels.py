"""The school's own words for the marks (*tardy* for *late*), held in memory where a mark is written out.

Reports are pure and ask ``in_force``; requests and tasks see to it, by ``refresh``, that it is not older than a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from celery.signals import task_prerun
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse

from attendance.models import Mark, StatusLabel

log = logging.getLogger(__name__)
LONGEST = 24
OLDEST_SECONDS = 60.0
_held: tuple[float, Mapping[str, str]] = (float("-inf"), {})
"""When they were read, and the words by status."""


def in_force() -> Mapping[str, str]:
    """The words this school has chosen, by status; no query."""
    return _held[1]


def refresh() -> None:
    """Read the words again if what is held is older than a minute."""
    global _held
    if time.monotonic() - _held[0] <= OLDEST_SECONDS:
        return
    try:
        words = dict(StatusLabel.objects.values_list("status", "label"))
    except DatabaseError as error:
        # Pages that need the database say so themselves; the health page must answer without it.
        log.warning("the words for marks could not be read: %s", error)
        return
    _held = (time.monotonic(), words)


def forget() -> None:
    """Nothing is held; the next request reads anew."""
    global _held
    _held = (float("-inf"), {})


def set_labels(words: Mapping[str, str]) -> None:
    """Choose words; a blank one is the standard word again."""
    with transaction.atomic():
        for status in Mark.Status.values:
            label = " ".join(words.get(status, "").split())[:LONGEST]
            if label:
                StatusLabel.objects.update_or_create(status=status, defaults={"label": label})
            else:
                StatusLabel.objects.filter(status=status).delete()
    forget()
    refresh()


class LabelsMiddleware:
    """Pages and API write marks in the school's words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refresh()
        return self.get_response(request)


@task_prerun.connect
def _before_a_task(**_about: Any) -> None:
    refresh()
