"""Deleted means gone: what databases leave of deleted rows, in SQLite's write-ahead log and in PostgreSQL's files."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, ProgrammingError, connection

log = logging.getLogger(__name__)

PATIENCE_MS = 1500


def settle_log() -> bool:
    """Bring SQLite's log into the database and cut it to nothing; whether nothing is left in it.

    With ``secure_delete`` deleted bytes are overwritten in the pages, but the log keeps pages as they were until then
    (sqlite.org/wal.html, sqlite.org/pragma.html#pragma_secure_delete). Others who read at this moment hold it up:
    the next run of the deletion tries again. On PostgreSQL there is nothing to do here (``docs/privacy.md``).
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return True
    try:
        with connection.cursor() as cursor:
            # Nobody waits half a minute for this: what is busy now is tried again with the next run.
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy = cursor.fetchone()[0]
            finally:
                seconds = connection.settings_dict.get("OPTIONS", {}).get("timeout", 5)
                cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    except DatabaseError as error:
        log.warning("the database's log could not be cut: %s", type(error).__name__)
        return False
    return not busy


def write_anew() -> bool:
    """Write the whole database anew, without what was deleted; False where something needs PostgreSQL's superuser.

    On PostgreSQL nobody reads or writes a table meanwhile. Its statistics are made anew first: they quote values of
    rows (postgresql.org/docs/current/view-pg-stats.html). Those of a table that is empty by now would stay as they
    were, so they are taken out by hand. Files of before go with a checkpoint.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            return True
        cursor.execute("ANALYZE")
        try:
            _forget_statistics_of_empty_tables(cursor)
            whole = True
        except ProgrammingError:
            whole = False
        cursor.execute("VACUUM (FULL)")
        try:
            cursor.execute("CHECKPOINT")
        except ProgrammingError:
            whole = False
    return whole


def _forget_statistics_of_empty_tables(cursor: Any) -> None:
    """Raises ProgrammingError for anybody but the server's superuser."""
    quoted = connection.ops.quote_name
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {quoted(table)})")  # noqa: S608 (a name from the catalogue)
        if cursor.fetchone()[0]:
            cursor.execute("DELETE FROM pg_statistic WHERE starelid = %s::regclass", [quoted(table)])
