"""Deleted means gone: what databases leave of deleted rows, in SQLite's write-ahead log and in PostgreSQL's files."""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from typing import Any

from django.db import DatabaseError, ProgrammingError, connection

log = logging.getLogger(__name__)

PATIENCE_MS = 1500
OTHERS_END_WITHIN = 120.0
"""Seconds other people's transactions are waited for."""


ENDED = """SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8 AND NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND age(backend_xmin) >= age(%s::xid8::xid))"""
"""Nothing that writes anywhere on the server, and nothing that reads in this database, is older than this number."""


class Anew(StrEnum):
    """What came of writing the database anew."""

    WHOLE = "whole"
    NOT_SUPERUSER = "not superuser"
    """Something needs the superuser of PostgreSQL's server."""
    STILL_READ = "still read"
    """A transaction from before is still open: PostgreSQL keeps for it what was deleted."""


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


def write_anew(patience: float = OTHERS_END_WITHIN) -> Anew:
    """Write the whole database anew, without what was deleted.

    On PostgreSQL nobody reads or writes a table meanwhile. What a transaction that is still open could see stays, also
    where that one is in another database of the server: so they are waited for, ``patience`` seconds. Statistics are
    made anew first: they quote values of rows (postgresql.org/docs/current/view-pg-stats.html). Those of a table that
    is empty by now would stay as they were, so they are taken out by hand. Files of before go with a checkpoint.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            return Anew.WHOLE
        cursor.execute("ANALYZE")
        try:
            _forget_statistics_of_empty_tables(cursor)
            came_of_it = Anew.WHOLE
        except ProgrammingError:
            came_of_it = Anew.NOT_SUPERUSER
        ended = _earlier_transactions_end(cursor, patience)
        cursor.execute("VACUUM (FULL)")
        try:
            cursor.execute("CHECKPOINT")
        except ProgrammingError:
            came_of_it = Anew.NOT_SUPERUSER
    return came_of_it if ended else Anew.STILL_READ


def _earlier_transactions_end(cursor: Any, patience: float) -> bool:
    """Wait until every transaction of the server that was open when this was called is over; whether they are."""
    cursor.execute("SELECT pg_current_xact_id()::text")
    (mine,) = cursor.fetchone()
    deadline = time.monotonic() + patience
    while True:
        cursor.execute(ENDED, [mine, mine])
        if cursor.fetchone()[0]:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)


def _forget_statistics_of_empty_tables(cursor: Any) -> None:
    """Raises ProgrammingError for anybody but the server's superuser."""
    quoted = connection.ops.quote_name
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {quoted(table)})")  # noqa: S608 (a name from the catalogue)
        if cursor.fetchone()[0]:
            cursor.execute("DELETE FROM pg_statistic WHERE starelid = %s::regclass", [quoted(table)])
