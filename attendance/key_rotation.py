"""Sealing everything with the newest key: values and files, one at a time, resumable because done ones are seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from attendance import stored_files
from attendance.models.sealed import SealedField
from attendance.sealing import SealBroken, keyring
from attendance.storage import media

PAGE = 500


@dataclass(slots=True)
class Rotation:
    """What was found and done."""

    current: int = 0
    resealed: int = 0
    broken: int = 0
    """Cannot be opened with the keys at hand; left as they are."""

    @property
    def complete(self) -> bool:
        return self.broken == 0


def columns() -> Iterator[tuple[type[models.Model], SealedField]]:
    """Every sealed column of the database."""
    for model in apps.get_app_config("attendance").get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField):
                yield model, field


def rotate(*, dry_run: bool = False) -> Iterator[Rotation]:
    """Seal what is not sealed by the newest key; yields the count so far after each page of rows.

    A row or file that is deleted meanwhile stays deleted: each is written again only under its row's lock.
    """
    found = Rotation()
    for model, column in columns():
        for page in _pages(model, column.name):
            _values(model, column, page, found, dry_run)
            yield found
    for files in stored_files.columns():
        for page in _pages(files.model, files.name):
            for pk in page:
                _files(files, pk, found, dry_run)
            yield found


def _pages(model: type[models.Model], column: str) -> Iterator[list[Any]]:
    rows = model._default_manager.exclude(**{f"{column}__isnull": True}).order_by("pk")
    left = rows
    while page := list(left.values_list("pk", flat=True)[:PAGE]):
        yield page
        left = rows.filter(pk__gt=page[-1])


def _values(
    model: type[models.Model], column: SealedField, page: list[Any], found: Rotation, dry_run: bool
) -> None:
    """One page of values, read and written past the field, which would open and seal them unseen."""
    table, name, key = (
        connection.ops.quote_name(part) for part in (model._meta.db_table, str(column.column), _pk(model))
    )
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    marks = ", ".join(["%s"] * len(page))
    ring = keyring()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {name} FROM {table} WHERE {key} IN ({marks}) AND {name} IS NOT NULL{lock}",  # noqa: S608 (names of our own tables)
            page,
        )
        for pk, stored in cursor.fetchall():
            if ring.is_current(bytes(stored)):
                found.current += 1
                continue
            try:
                plain = ring.open(bytes(stored), column.place)
            except SealBroken:
                found.broken += 1
                continue
            found.resealed += 1
            if not dry_run:
                sealed = ring.seal(plain, column.place)
                cursor.execute(f"UPDATE {table} SET {name} = %s WHERE {key} = %s", [sealed, pk])  # noqa: S608


def _files(column: stored_files.Column, pk: Any, found: Rotation, dry_run: bool) -> None:
    with transaction.atomic():
        # Held until the copy stands in its place: a withdrawal waits, and then deletes what it finds.
        rows = column.model._default_manager.select_for_update().filter(pk=pk)
        for name in [
            name for value in rows.values_list(column.name, flat=True) for name in column.names_in(value)
        ]:
            _file(name, found, dry_run)


def _file(name: str, found: Rotation, dry_run: bool) -> None:
    newest = keyring().newest
    with suppress(FileNotFoundError):
        if media().key_of(name) == (newest.id if newest else None):
            found.current += 1
            return
        try:
            if not dry_run:
                media().reseal(name)
        except SealBroken:
            found.broken += 1
            return
        found.resealed += 1


def _pk(model: type[models.Model]) -> str:
    column = model._meta.pk.column
    assert column is not None
    return column
