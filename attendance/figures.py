"""Figures that go through very many rows: few are counted when they are asked for, many are kept and kept fresh.

Pages, exports and the API ask ``read`` with a kind of figures. Where its rows are few, it counts them then and there,
so that a small school is always up to the second. Where they are many, it answers what a worker counted last and says
as of when. As with reports, the queue is a hint and the row the truth: a worker claims a row by compare-and-swap and
one that lost its token writes nothing.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from attendance import clock, intake
from attendance.models import KeptFigures

log = logging.getLogger(__name__)

Found = TypeVar("Found")

FRESH = dt.timedelta(minutes=15)
"""How old figures may be before a look, or the clock, has a worker see whether anything is new."""
WATCHED = dt.timedelta(days=7)
"""How long after the last look figures are kept fresh by the clock."""
A_BEAT = dt.timedelta(minutes=1)
"""Figures counted just after the clock's last round are old enough for its next one."""
FORGOTTEN = dt.timedelta(days=30)
TRIED_AGAIN = dt.timedelta(hours=1)
"""How long figures that could not be worked out are left alone, unless somebody asks."""
LEASE = dt.timedelta(minutes=4)
"""Longer than the task may take, so it is not renewed."""
IN_QUEUE = dt.timedelta(minutes=2)
"""How long a task is believed to be on the queue."""
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Kind(Generic[Found]):
    """One kind of figures, of the site (``course_id`` None) or of a course.

    ``few``: whether they are quick enough to count while a page waits; must itself be quick. ``counted_from``: a short
    text, quick to find, that is another one once the figures may be. ``pack`` and ``unpack``: to JSON and back; nothing
    about a person may be in it. ``for_administrators``: nobody else sees them, of whatever course they are.
    """

    name: str
    few: Callable[[int | None], bool]
    count: Callable[[int | None], Found]
    counted_from: Callable[[int | None], str]
    pack: Callable[[Found], dict[str, Any]]
    unpack: Callable[[Mapping[str, Any]], Found]
    for_administrators: bool = False


@dataclass(frozen=True, slots=True)
class Reading(Generic[Found]):
    """Figures as a page has them. ``row`` None: counted just now. ``found`` None: not worked out yet."""

    found: Found | None
    row: KeptFigures | None = None

    @property
    def as_of(self) -> dt.datetime | None:
        return self.row.as_of if self.row else None

    @property
    def today(self) -> bool:
        return self.as_of is not None and timezone.localdate(self.as_of) == timezone.localdate()

    @property
    def failed(self) -> bool:
        """Tried as often as is sensible, without an answer; somebody may ask again."""
        row = self.row
        if row is None or row.wanted_at is None or row.attempts < MAX_ATTEMPTS:
            return False
        return row.token is None or row.lease_until is None or row.lease_until < timezone.now()

    @property
    def working(self) -> bool:
        """A worker is at it, or will be."""
        return self.row is not None and self.row.wanted_at is not None and not self.failed


def read(kind: Kind[Found], course_id: int | None = None) -> Reading[Found]:
    """Few: counted now. Many: as they are kept; where they are old or missing, a worker is asked as well."""
    if kind.few(course_id):
        return Reading(kind.count(course_id))
    row = _row(kind.name, course_id)
    now = timezone.now()
    if now - row.looked_at > dt.timedelta(days=1):
        KeptFigures.objects.filter(pk=row.pk).update(looked_at=now)
    if row.wanted_at is None and (row.as_of is None or now - row.as_of > FRESH):
        ask(row)
    return Reading(kind.unpack(row.facts) if row.as_of else None, row)


def ask(row: KeptFigures, *, anew: bool = False) -> None:
    """Have a worker look whether anything is new, and count where it is. Asked twice is asked once.

    ``anew``: somebody wants them counted whether or not anything seems to have changed.
    """
    idle = Q(wanted_at=None) | Q(attempts__gte=MAX_ATTEMPTS)
    _want(KeptFigures.objects.filter(idle, pk=row.pk), **({"counted_from": ""} if anew else {}))
    row.refresh_from_db()


def outdated(kind: Kind[Any], course_id: int | None = None) -> None:
    """What was counted, and what is being counted now, no longer holds; where such figures are kept."""
    _want(KeptFigures.objects.filter(name=kind.name, course=course_id), counted_from="")


def _want(rows: QuerySet[KeptFigures], **fields: Any) -> None:
    """A worker that is at it is left without its token."""
    for pk in rows.values_list("pk", flat=True):
        if rows.filter(pk=pk).update(
            wanted_at=timezone.now(), attempts=0, token=None, lease_until=None, **fields
        ):
            transaction.on_commit(functools.partial(_enqueue, pk), robust=True)


def count_now(kind: Kind[Found], course_id: int | None = None) -> Found:
    """Counted while the caller waits, whatever that takes; kept where such figures are kept. A worker that is at the
    same is left without its token: what it read may be older."""
    if kind.few(course_id):
        return kind.count(course_id)
    row, token = _row(kind.name, course_id), uuid.uuid4()
    KeptFigures.objects.filter(pk=row.pk).update(
        token=token, lease_until=Now() + LEASE, wanted_at=timezone.now()
    )
    return _count(kind, row, token)


def work(kinds: Mapping[str, Kind[Any]], pk: int) -> bool:
    """What a worker does: see whether anything is new, count where it is. Whether the row is up to date now."""
    token = _claim(pk)
    if token is None:
        return False
    row = KeptFigures.objects.get(pk=pk)
    kind = kinds.get(row.name)
    if kind is None:  # of another version of the program
        row.delete()
        return False
    try:
        began = clock.now()
        if row.as_of and row.counted_from == kind.counted_from(row.course_id):
            return _settle(row, token, as_of=began)
        _count(kind, row, token)
    except Exception:
        log.exception("figures %s could not be worked out", row)
        KeptFigures.objects.filter(pk=pk, token=token).update(token=None, lease_until=Now() + IN_QUEUE)
        return False
    return True


def _count(kind: Kind[Found], row: KeptFigures, token: uuid.UUID) -> Found:
    """Read what tells of changes first: what is said while counting is new the next time."""
    began, clocked = clock.now(), time.perf_counter()
    counted_from = kind.counted_from(row.course_id)
    found = kind.count(row.course_id)
    _settle(
        row, token, as_of=began, facts=kind.pack(found), counted_from=counted_from[:300],
        seconds=time.perf_counter() - clocked,
    )  # fmt: skip
    return found


def _settle(row: KeptFigures, token: uuid.UUID, **fields: Any) -> bool:
    ours = KeptFigures.objects.filter(pk=row.pk, token=token)
    return bool(ours.update(wanted_at=None, token=None, lease_until=None, attempts=0, **fields))


def _row(name: str, course_id: int | None) -> KeptFigures:
    same = KeptFigures.objects.filter(name=name, course=course_id)
    found = same.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return KeptFigures.objects.create(name=name, course_id=course_id, looked_at=timezone.now())
    except IntegrityError:  # somebody else looked at the same moment
        return same.get()


def _claim(pk: int) -> uuid.UUID | None:
    """Take the lease. Attempts are counted here, so that a crash counts too."""
    token = uuid.uuid4()
    free = Q(token=None) | Q(lease_until__lt=Now())
    taken = KeptFigures.objects.filter(
        free, pk=pk, wanted_at__isnull=False, attempts__lt=MAX_ATTEMPTS
    ).update(token=token, lease_until=Now() + LEASE, attempts=F("attempts") + 1)
    return token if taken else None


def _enqueue(pk: int) -> bool:
    from attendance.tasks import work_out_figures

    KeptFigures.objects.filter(pk=pk, token=None, wanted_at__isnull=False).update(
        lease_until=Now() + IN_QUEUE
    )
    return intake.publish(work_out_figures, pk, priority=9)


def sweep(now: dt.datetime | None = None) -> int:
    """Queue again what was lost, or failed and may be tried again; how many."""
    now = now or clock.now()
    unsaid = Q(lease_until=None, wanted_at__lt=now - dt.timedelta(seconds=20))
    lost = Q(wanted_at__isnull=False, attempts__lt=MAX_ATTEMPTS) & (unsaid | Q(lease_until__lt=now))
    return sum(_enqueue(pk) for pk in KeptFigures.objects.filter(lost).values_list("pk", flat=True)[:50])


def keep_fresh(now: dt.datetime | None = None) -> int:
    """Have workers look at what is old and still looked at; forget what nobody looks at. How many are asked for."""
    now = now or timezone.now()
    KeptFigures.objects.filter(looked_at__lt=now - FORGOTTEN).delete()
    old = Q(wanted_at=None, as_of__lt=now - FRESH + A_BEAT)
    failed = Q(attempts__gte=MAX_ATTEMPTS, wanted_at__lt=now - TRIED_AGAIN)
    rows = list(KeptFigures.objects.filter(old | failed, looked_at__gte=now - WATCHED).order_by("as_of"))
    for row in rows:
        ask(row)
    return len(rows)
