"""Deleted means gone: what SQLite would leave of deleted rows in its write-ahead log."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection

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
