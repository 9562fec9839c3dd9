"""A photo's way in: bytes -> file on disk -> row in the database -> queued. In that order, so that 202 is a promise."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from kombu.exceptions import ChannelError, OperationalError

from attendance import clock, errors, photos, places, schooltime, waiting
from attendance.models import Camera, ClassSession, Snapshot
from attendance.storage import media, unguessable_name

log = logging.getLogger(__name__)

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
"""How far a sender's clock may lie ahead of ours."""
SESSION_MARGIN = dt.timedelta(minutes=30)
"""How far before the session's start or after its end a photo's own time is believed."""
AT_ONCE, OPEN_SESSION, BACKLOG = 0, 3, 6
"""Priorities of the photos' queue, the first served first; Redis keeps a list for each of 0, 3, 6 and 9."""


@dataclass(frozen=True, slots=True)
class Receipt:
    snapshot: Snapshot
    created: bool


def receive(
    session: ClassSession,
    data: bytes,
    *,
    camera: Camera | None = None,
    user: User | None = None,
    idempotency_key: str = "",
    taken_at: dt.datetime | None = None,
) -> Receipt:
    """Accept one photo for a session.

    The same bytes, or the same Idempotency-Key with the same bytes, answer the snapshot that is there already.
    Raises SessionNotOpen, RecognitionProhibited, PhotoRefused and its kinds, IdempotencyConflict, QueueFull,
    StorageFull, StorageAway.
    """
    now = clock.now()
    places.check_recognition(session.course)
    _check_takes_photos(session, now, taken_at if camera is not None else None)
    photo = photos.clean(
        data, max_bytes=settings.ROLLCALL_MAX_UPLOAD_BYTES, max_pixels=settings.ROLLCALL_MAX_PIXELS
    )
    key = _actor_key(camera, user, idempotency_key)
    known = _find(session, photo.sha256, key)
    if known is not None:
        return Receipt(known, created=False)
    waiting.check_room()
    when, suspect = _believable_time(session, taken_at or _with_zone(photo.taken_at), now)
    name = store("photos", photo.jpeg)
    try:
        with transaction.atomic():
            snapshot = Snapshot.objects.create(
                session=session,
                camera=camera,
                uploaded_by=user,
                image=name,
                sha256=photo.sha256,
                idempotency_key=key,
                width=photo.width,
                height=photo.height,
                taken_at=when,
                clock_suspect=suspect,
                received_at=now,
            )
            ClassSession.objects.filter(pk=session.pk).update(roll_version=F("roll_version") + 1)
    except IntegrityError:
        # The same photo arrived twice at once: the other one won.
        media().delete(name)
        known = _find(session, photo.sha256, key)
        if known is None:
            raise
        return Receipt(known, created=False)
    except BaseException:
        _delete_unless_kept(name)
        raise
    # Outside the block above: what goes wrong from here on must not take the accepted photo with it.
    urgent = session.state == ClassSession.State.OPEN
    transaction.on_commit(lambda: enqueue(snapshot.pk, urgent=urgent), robust=True)
    return Receipt(snapshot, created=True)


def enqueue(snapshot_id: int, *, urgent: bool = True, again: bool = False) -> bool:
    """Put a snapshot on the queue; False where the queue cannot be reached (the sweeper tries again).

    ``urgent``: of an open session, which somebody is looking at; it goes before every photo that is not. ``again``:
    its worker was lost, and it has waited longest.
    """
    from attendance.tasks import process_snapshot

    place = BACKLOG if not urgent else AT_ONCE if again else OPEN_SESSION
    if not publish(process_snapshot, snapshot_id, priority=place):
        return False
    Snapshot.objects.filter(
        pk=snapshot_id, state__in=[Snapshot.State.RECEIVED, Snapshot.State.QUEUED]
    ).update(state=Snapshot.State.QUEUED, queued_at=Now())
    return True


def publish(task: Any, *arguments: Any, priority: int | None = None) -> bool:
    """Send a task; False and a line in the log where Redis is gone. The database keeps what is to be done."""
    try:
        task.apply_async(args=arguments, priority=priority, retry=False)
    except (OperationalError, ConnectionError, OSError) as error:
        log.warning("the queue cannot be reached, the sweeper will try again: %s", error)
        return False
    return True


def tasks_waiting() -> int:
    """How many tasks of every priority lie on the photos' queue, taken by no worker; 0 where it cannot be asked."""
    from attendance.tasks import process_snapshot

    app = process_snapshot.app
    try:
        with app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            queue = channel.queue_declare("photos", passive=True)
            return int(queue.message_count)
    except (ChannelError, OperationalError, ConnectionError, OSError):
        return 0  # there is no queue while it is empty


def send_again(snapshot: Snapshot) -> None:
    """A person sends a failed snapshot to be processed once more. Raises SessionState unless it failed."""
    changed = (
        Snapshot.objects.filter(pk=snapshot.pk, state=Snapshot.State.FAILED)
        .exclude(image="")
        .update(
            state=Snapshot.State.RECEIVED, attempts=0, error="", token=None, lease_until=None, queued_at=None
        )
    )
    if not changed:
        raise errors.SessionState
    urgent = snapshot.session.state == ClassSession.State.OPEN
    transaction.on_commit(lambda: enqueue(snapshot.pk, urgent=urgent), robust=True)


def store(kind: str, content: bytes) -> str:
    """Write bytes durably under an unguessable name. Raises StorageFull, StorageAway."""
    media().check_room()
    return media().save(unguessable_name(kind), ContentFile(content))


def _delete_unless_kept(name: str) -> None:
    """A commit can fail on its way back: a file that a row knows, or may know, is never deleted."""
    try:
        kept = Snapshot.objects.filter(image=name).exists()
    except DatabaseError:
        log.warning("it is not known whether %s was kept; the file stays", name)
        return
    if not kept:
        media().delete(name)


def _check_takes_photos(session: ClassSession, now: dt.datetime, shot_at: dt.datetime | None) -> None:
    """Open sessions take photos; closed ones for a grace time, because a camera may be behind; and for days what a
    camera shot during the session (``shot_at``) and could not send, because its network was gone.
    """
    if session.is_cancelled:
        raise errors.SessionNotOpen
    if session.state == ClassSession.State.OPEN:
        return
    grace = dt.timedelta(minutes=session.grace_minutes)
    if session.closed_at is None:
        raise errors.SessionNotOpen
    if now <= session.closed_at + grace:
        return
    end = min(session.closed_at, session.ends_at) + grace
    was_there = shot_at is not None and session.starts_at - SESSION_MARGIN <= shot_at <= end
    if not was_there or now > session.closed_at + dt.timedelta(hours=settings.ROLLCALL_LATE_PHOTO_HOURS):
        raise errors.SessionNotOpen


def _actor_key(camera: Camera | None, user: User | None, key: str) -> str:
    """Keys of different senders never meet."""
    if not key:
        return ""
    actor = f"camera:{camera.pk}" if camera else f"user:{user.pk if user else 0}"
    return f"{actor}:{key}"[:120]


def _find(session: ClassSession, sha256: str, key: str) -> Snapshot | None:
    if key:
        same_key = Snapshot.objects.filter(session=session, idempotency_key=key).first()
        if same_key is not None:
            if same_key.sha256 != sha256:
                raise errors.IdempotencyConflict
            return same_key
    return Snapshot.objects.filter(session=session, sha256=sha256).first()


def _with_zone(taken_at: dt.datetime | None) -> dt.datetime | None:
    """EXIF times without an offset are the school's wall clock."""
    if taken_at is None or taken_at.tzinfo is not None:
        return taken_at
    # To UTC at once: a time on the wall that comes twice equals no instant while it keeps its zone (PEP 495).
    return taken_at.replace(tzinfo=schooltime.school_zone()).astimezone(dt.UTC)


def _believable_time(
    session: ClassSession, taken_at: dt.datetime | None, now: dt.datetime
) -> tuple[dt.datetime, bool]:
    """The sender's time where it can be right, otherwise the time of arrival and a flag."""
    if taken_at is None:
        return now, False
    early = taken_at < session.starts_at - SESSION_MARGIN
    late = taken_at > max(session.ends_at + SESSION_MARGIN, now)
    if early or late or taken_at > now + CLOCK_TOLERANCE:
        return now, True
    return taken_at, False
