"""Many rows into one table: COPY on PostgreSQL, plain inserts elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models

from attendance.models.sealed import SealedField

Rows = Iterable[Sequence[Any]]
AT_ONCE = 2000


def write(model: type[models.Model], names: Sequence[str], rows: Rows) -> None:
    """Rows of these fields, in this order; the others get their defaults. Encodings come sealed and JSON as text."""
    fields = [model._meta.get_field(name) for name in names]
    rest = [field for field in model._meta.concrete_fields if field not in fields and not field.primary_key]
    same = tuple(field.get_db_prep_save(field.get_default(), connection) for field in rest)
    columns = ", ".join(f'"{field.column}"' for field in (*fields, *rest))  # type: ignore[union-attr]
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, *same))
        return
    places = ", ".join(["%s"] * (len(fields) + len(rest)))
    stored = ([*map(_prepared, fields, row), *same] for row in rows)
    with connection.cursor() as cursor:
        while batch := list(itertools.islice(stored, AT_ONCE)):
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", batch)  # noqa: S608 (our own names)


def run(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def begin() -> None:
    """On PostgreSQL rows are not checked one by one while they come: the same rows are checked by a test."""
    if connection.vendor == "postgresql":
        run("SET session_replication_role = replica")


def finish(tables: Sequence[type[models.Model]]) -> None:
    """Checks again, numbers go on after the highest, and the planner knows what there is."""
    for sql in connection.ops.sequence_reset_sql(no_style(), list(tables)):
        run(sql)
    if connection.vendor == "postgresql":
        run("SET session_replication_role = DEFAULT")
    run("ANALYZE")


def _prepared(field: Any, value: Any) -> Any:
    return (
        value
        if isinstance(field, SealedField | models.JSONField)
        else field.get_db_prep_save(value, connection)
    )
