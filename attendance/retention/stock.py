"""How much is kept of one kind, and how much of it is due: counted once, by the day it goes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate

from attendance import schooltime


@dataclass(slots=True)
class Stock:
    """What there is of one kind."""

    kept: int = 0
    due: int = 0
    """Goes with the next run."""
    late: int = 0
    """Should be gone."""
    since: dt.datetime | None = None
    """The oldest of what is late."""
    days: Counter[dt.date] = field(default_factory=Counter)
    """How much goes on each of the school's days, late ones on the day they should have gone."""

    def add(
        self, day: dt.date, kept: int, *, due: int = 0, late: int = 0, since: dt.datetime | None = None
    ) -> None:
        self.kept += kept
        self.due += due
        self.late += late
        self.days[day] += kept
        if late and since is not None:
            self.since = min(self.since or since, since)

    def count(self, rows: QuerySet[Any], column: str, days: int, due: Q, late: Q) -> None:
        """Rows that go so many days after the instant in ``column``; ``due`` and ``late``: which of them; one query."""
        lines = (
            rows.order_by()
            .annotate(_day=TruncDate(column, tzinfo=schooltime.school_zone()))
            .values_list("_day")
            .annotate(
                _n=Count("pk"),
                _due=Count("pk", filter=due),
                _late=Count("pk", filter=late),
                _since=Min(column, filter=late),
            )
        )
        for day, kept, is_due, is_late, since in lines:
            self.add(day + dt.timedelta(days=days), kept, due=is_due, late=is_late, since=since)
