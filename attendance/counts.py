"""Counting rows of another table beside each row of a query, without joining: joined, several kinds are multiplied."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce


def number_of(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many of these rows point with ``by`` to each row that is annotated; 0 where none does."""
    own = rows.filter(**{by: OuterRef("pk")}).order_by().values(by)
    return Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0)
