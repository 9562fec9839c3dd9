"""One clock for all machines: the database's. A lease that one host takes is judged by others, whose clocks differ."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils import timezone


def now() -> dt.datetime:
    """The instant as the database has it, in UTC. On SQLite all programs share one machine, and so its clock."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant
