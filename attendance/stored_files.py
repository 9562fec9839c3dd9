"""Which stored files rows name, and those that still have to be deleted from a store that was away."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from attendance import clock, errors
from attendance.models import DoomedFile, MailMessage, ReportJob
from attendance.storage import media

log = logging.getLogger(__name__)

PAGE = 500
RETRY_AFTER = dt.timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that names stored files: one each, or in a JSON object (``listed``) those under "files"."""

    model: type[models.Model]
    name: str
    listed: bool = False

    def names_in(self, value: Any) -> list[str]:
        """The files that a value of this column names."""
        if self.listed:
            return [str(stored) for _name, _type, stored in value.get("files", ())]
        return [str(value)] if value else []


def columns() -> Iterator[Column]:
    """Every column that names stored files: columns of files, reports, and what is attached to unsent e-mail."""
    for model in apps.get_app_config("attendance").get_models():
        for field in model._meta.local_fields:
            if isinstance(field, models.FileField):
                yield Column(model, field.name)
    yield Column(ReportJob, "file")
    yield Column(MailMessage, "content", listed=True)


def named() -> Iterator[str]:
    """Every stored file that a row names."""
    for column in columns():
        rows = column.model._default_manager.exclude(**{column.name: {} if column.listed else ""})
        for value in rows.order_by("pk").values_list(column.name, flat=True).iterator(chunk_size=2000):
            yield from column.names_in(value)


def delete_later(name: str) -> None:
    """Write down a file whose row is gone and that cannot be deleted now. Once is enough."""
    DoomedFile.objects.get_or_create(name=name, defaults={"since": clock.now()})


def sweep(now: dt.datetime | None = None) -> int:
    """Delete what could not be deleted before. How many went; the store may be away still."""
    now = now or clock.now()
    due = DoomedFile.objects.filter(since__lt=now - RETRY_AFTER).values_list("name", flat=True)[:PAGE]
    gone: list[str] = []
    try:
        for name in list(due):
            media().remove(name)
            gone.append(name)
    except (errors.StorageAway, OSError) as error:
        log.warning("files wait to be deleted: %s", error)
    DoomedFile.objects.filter(name__in=gone).delete()
    return len(gone)
