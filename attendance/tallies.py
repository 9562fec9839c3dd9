"""How often each mark stands, session by session: kept for closed sessions, so that no report goes through every mark.

A kept tally is good only while its ``roll_version`` is the session's, which whatever changes a mark raises in the same
transaction. Sessions without a good one are counted from their marks, so that the numbers are always those of now; a
worker keeps what is missing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from attendance.models import ClassSession, SessionTally
from attendance.reports.tables import TALLIED, effective

log = logging.getLogger(__name__)

AT_ONCE = 2000
"""Sessions counted together."""
SAYING = ("present", "late", "left_early", "excused", "absent")
"""What a mark says of somebody; the others say that nothing is known."""
Numbers = dict[str, int]
"""How many marks have each effective status; every one of ``TALLIED`` is there."""


def counting(sessions: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
    """Those of these that count: closed and not cancelled."""
    return sessions.filter(state=ClassSession.State.CLOSED, cancelled_at__isnull=True)


def by_course(sessions: QuerySet[ClassSession]) -> dict[int, Numbers]:
    """The marks of these sessions together, by course; courses without a mark are left out. Two queries."""
    found = _counted(unkept(sessions), "course_id")
    sums = {name: Sum(f"kept_tally__{name}") for name in TALLIED}
    for course_id, *numbers in kept(sessions).order_by().values_list("course_id").annotate(**sums):
        for name, number in zip(TALLIED, numbers, strict=True):
            found[course_id][name] += number
    return {course_id: numbers for course_id, numbers in found.items() if any(numbers.values())}


def unseen(sessions: QuerySet[ClassSession]) -> list[int]:
    """Ids of those of these sessions that have marks, and none that says anything: not evaluated or to check. Two
    queries."""
    silent = kept(sessions).filter(**{f"kept_tally__{name}": 0 for name in SAYING})
    some = Q(kept_tally__not_evaluated__gt=0) | Q(kept_tally__to_check__gt=0)
    counted = _counted(unkept(sessions), "pk")
    return [
        *silent.filter(some).values_list("pk", flat=True),
        *(pk for pk, numbers in counted.items() if not any(numbers[name] for name in SAYING)),
    ]


def kept(sessions: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
    """Those of these that have a good tally, as ``kept_tally``."""
    return sessions.filter(kept_tally__roll_version=F("roll_version"))


def unkept(sessions: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
    """Those of these that have no good tally."""
    good = SessionTally.objects.filter(session=OuterRef("pk"), roll_version=OuterRef("roll_version"))
    return sessions.filter(~Exists(good))


def keep(most: int = AT_ONCE) -> int:
    """Count so many of the closed sessions that have no good tally, and keep what they came to; how many.

    Versions are read before the marks: what changes meanwhile makes the kept tally one that is not good.
    """
    wanting = unkept(counting(ClassSession.objects.all())).order_by("pk")
    versions = dict(wanting.values_list("pk", "roll_version")[:most])
    return _store(versions, _of(versions))


def keep_all() -> int:
    """As ``keep``, until nothing is missing; how many."""
    kept = 0
    while some := keep():
        kept += some
    return kept


def verify() -> int:
    """Count every closed session anew, some at a time; how many kept tallies were wrong. Those are put right and said
    in the log: something changed marks without raising the session's version."""
    wrong, after = 0, 0
    while True:
        part = counting(ClassSession.objects.filter(pk__gt=after)).order_by("pk")[:AT_ONCE]
        versions = dict(part.values_list("pk", "roll_version"))
        if not versions:
            return wrong
        after = max(versions)
        wrong += _put_right(versions)


def _put_right(versions: Mapping[int, int]) -> int:
    rows = {row.session_id: row for row in SessionTally.objects.filter(session__in=versions)}
    counted = _of(versions)
    differing = {
        pk: version
        for pk, version in versions.items()
        if pk in rows
        and rows[pk].roll_version == version
        and any(getattr(rows[pk], name) != counted[pk][name] for name in TALLIED)
    }
    if differing:
        log.warning("kept tallies of %d sessions were wrong and are counted anew", len(differing))
        _store(differing, counted)
    return len(differing)


def _counted(sessions: QuerySet[ClassSession], by: str) -> dict[int, Numbers]:
    found: dict[int, Numbers] = defaultdict(_nothing)
    rows = sessions.order_by().values_list(by, "marks__status", "marks__to_check")
    for key, status, to_check, number in rows.annotate(number=Count("marks")):
        if status is not None:
            found[key][effective(status, to_check)] += number
    return found


def _of(session_ids: Iterable[int]) -> dict[int, Numbers]:
    return _counted(ClassSession.objects.filter(pk__in=list(session_ids)), "pk")


def _nothing() -> Numbers:
    return dict.fromkeys(TALLIED, 0)


def _store(versions: Mapping[int, int], counted: Mapping[int, Numbers]) -> int:
    rows = [
        SessionTally(session_id=pk, roll_version=version, **counted[pk])
        for pk, version in versions.items()
    ]  # fmt: skip
    try:
        with transaction.atomic():
            SessionTally.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["session"], update_fields=["roll_version", *TALLIED]
            )  # fmt: skip
    except IntegrityError as error:
        log.info("a session went while its marks were counted; the next run counts again: %s", error)
        return 0
    return len(rows)
