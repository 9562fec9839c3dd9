"""Parts that are looked at beside database, store, queue and workers: keys, models, the clock, what beat does."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.models import Max
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from attendance import clock, presence
from attendance.models import CameraStatus, Course, FaceTemplate, School, Sighting, Snapshot
from attendance.sealing import SealBroken, keyring
from emotion.shipped import CALIBRATIONS
from emotion.shipped import WEIGHTS as EMOTION_WEIGHTS
from recognition import model_files
from recognition.errors import RecognitionError
from recognition.lfw_cnn import weight_files

SILENT = dt.timedelta(minutes=5)
CLOCKS_AGREE = dt.timedelta(seconds=10)
CAMERAS_AGREE = dt.timedelta(minutes=1)
MODELS = {
    "centerface": [model_files.CENTERFACE],
    "mmod": [model_files.MMOD],
    "mmod_exact": [model_files.MMOD],
}
"""Files of the detectors that have one; the encoder's is needed always."""
UNKNOWN = _("Not known while the database does not answer.")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the site: whether it works, and a sentence a person understands."""

    name: str
    ok: bool
    message: str | Promise
    needed_to_accept: bool = False
    """Without it no photo can be accepted."""


@dataclass(frozen=True, slots=True)
class Silence:
    """``minutes`` since a program of a kind was heard of, None where none was for a day; ``unknown`` without Redis."""

    minutes: int | None = 0
    unknown: bool = False

    @property
    def too_long(self) -> bool:
        return self.minutes is None or self.minutes >= SILENT // dt.timedelta(minutes=1)


def silence(kind: str) -> Silence:
    try:
        found = presence.silence(kind)
    except (redis.RedisError, OSError, ValueError):
        return Silence(unknown=True)
    return Silence(None if found is None else int(found.total_seconds() // 60))


def beat() -> Part:
    found = silence("beat")
    if found.unknown:
        return Part("beat", False, _("What should happen by itself waits for Redis."))
    if not found.too_long:
        return Part("beat", True, _("works"))
    if found.minutes is None:
        return Part(
            "beat", False, _("What should happen by itself (lessons open and close, old photos go) does not.")
        )
    words = ngettext(
        "What should happen by itself (lessons open and close, old photos go) stopped %(minutes)d minute ago.",
        "What should happen by itself (lessons open and close, old photos go) stopped %(minutes)d minutes ago.",
        found.minutes,
    )
    return Part("beat", False, words % {"minutes": found.minutes})


def keys() -> Part:
    """Whether the oldest and the newest of what is sealed can be opened."""
    try:
        if keyring().newest is None:
            return Part("keys", False, _("Photos and faces lie unsealed: no key is set."))
        templates = FaceTemplate.objects.values_list("encoding", flat=True)
        sightings = Sighting.objects.exclude(encoding=None).values_list("encoding", flat=True)
        for rows in (templates.order_by("pk"), templates.order_by("-pk"), sightings.order_by("-pk")):
            rows.first()
    except ImproperlyConfigured:
        return Part(
            "keys", False, _("A key in the settings is not a key: photos can be neither sealed nor shown.")
        )
    except SealBroken:
        return Part(
            "keys",
            False,
            _("Photos and faces are locked: the key they were sealed with is missing. They wait for it."),
        )
    except DatabaseError:
        return Part("keys", False, UNKNOWN)
    return Part("keys", True, _("works"))


def models() -> Part:
    """The files of recognition: there, and what they should be."""
    wanted = [model_files.ENCODER, *MODELS.get(settings.ROLLCALL_DETECTOR or "centerface", [])]
    try:
        for file in wanted:
            path = model_files.find(file)
            _check_model(path, path.stat().st_mtime_ns, file.sha256)
    except RecognitionError:
        return Part(
            "models",
            False,
            _("Files of face recognition are missing or damaged. Photos are kept and wait for them."),
        )
    return Part("models", True, _("works"))


@lru_cache(maxsize=8)
def _check_model(path: Path, changed_at: int, sha256: str) -> None:
    model_files.checked(path, sha256)


def mood() -> Iterator[Part]:
    """Told only where somebody switched it on; attendance does without it."""
    try:
        on = (
            School.objects.filter(mood_enabled=True).exists()
            or Course.objects.filter(mood_enabled=True).exists()
        )
    except DatabaseError:
        return
    if not on:
        return
    try:
        for path in (EMOTION_WEIGHTS, EMOTION_WEIGHTS.with_name(CALIBRATIONS)):
            weight_files.checked(path)
    except RecognitionError:
        yield Part(
            "mood", False, _("Its files are missing or damaged: the mood of a class is not read. Rolls are.")
        )
        return
    yield Part("mood", True, _("works"))


def the_clock() -> Part:
    """Times of marks are only as right as this machine's clock: compared with the database's, Redis', the cameras'."""
    try:
        now = timezone.now()
        newest = Snapshot.objects.aggregate(at=Max("received_at"))["at"]
        if abs(clock.now() - now) > CLOCKS_AGREE:
            return Part("clock", False, _("The clocks of this machine and of the database do not agree."))
        if newest is not None and newest > now + CAMERAS_AGREE:
            return Part(
                "clock", False, _("The newest photo is from the future: the server's clock was set back.")
            )
        if _cameras_disagree(now):
            return Part(
                "clock",
                False,
                _("All cameras' clocks differ from the server's: probably the server's is wrong."),
            )
    except DatabaseError:
        return Part("clock", False, UNKNOWN)
    try:
        apart = abs(presence.redis_clock() - timezone.now())
    except (redis.RedisError, OSError, ValueError):
        apart = dt.timedelta()
    if apart > CLOCKS_AGREE:
        return Part("clock", False, _("The clocks of this machine and of Redis do not agree."))
    return Part("clock", True, _("works"))


def _cameras_disagree(now: dt.datetime) -> bool:
    """Three or more cameras heard of lately, all of them off by more than a minute, and all by nearly the same."""
    heard = CameraStatus.objects.filter(heard_at__gte=now - dt.timedelta(minutes=15))
    said = heard.exclude(clock_offset_ms=None).values_list("clock_offset_ms", flat=True)[:200]
    offsets = [offset for offset in said if offset is not None]
    if len(offsets) < 3:
        return False
    limit = CAMERAS_AGREE / dt.timedelta(milliseconds=1)
    middle = statistics.median(offsets)
    return abs(middle) > limit and all(abs(offset - middle) < limit for offset in offsets)
