"""What is written about the running site: one line an event, for people at a terminal or, as JSON, for machines.

Names, addresses, keys and encodings are kept out by construction and not by care: of a record's own fields only those
in ``FIELDS`` are written, an error is told by its kind (its text only where that cannot hold anything of a person),
and an address of a page by its route.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import smtplib
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import structlog
from django.db import IntegrityError, OperationalError
from gunicorn.glogging import Logger as GunicornsLogger
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSlow

FIELDS = (
    "task", "method", "route", "status", "photo", "portrait", "session", "job", "mail", "seconds", "faces",
)  # fmt: skip
"""Numbers of rows, seconds, routes: what may stand beside a line."""
OWN = ("attendance", "config", "emotion", "recognition")
"""Loggers the level of the settings is for; everybody else's begin at INFO."""
SPEAKING = ("recognition.errors", "emotion.errors", "attendance.sealing")
"""Modules whose errors speak of files and versions only."""

Event = MutableMapping[str, Any]


def settings_for(level: str, form: str) -> dict[str, Any]:
    """Django's ``LOGGING`` for a level's name and a form, ``plain`` or ``json``."""
    chosen = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    others = logging.getLevelName(max(chosen, logging.INFO))
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"safe": {"()": "config.logs.SafeFormatter", "form": form}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "safe"}},
        "root": {"handlers": ["console"], "level": others},
        "loggers": {
            **{name: {"level": logging.getLevelName(chosen)} for name in OWN},
            # It names who signs in and from where; that stands in the audit log, for those who may read it.
            "axes": {"level": "CRITICAL"},
            # Whether these have started is read from their lines.
            **{name: {"level": "INFO"} for name in ("celery.apps.worker", "celery.beat")},
            # Taken over from Django, whose own handlers would write past ours.
            "django": {"handlers": [], "level": others, "propagate": True},
            "django.server": {"handlers": [], "level": others, "propagate": True},
        },
    }


class SafeFormatter(structlog.stdlib.ProcessorFormatter):
    """Cleans a record before anything of it becomes text."""

    def __init__(self, form: str = "plain") -> None:
        super().__init__(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow=FIELDS),
                structlog.contextvars.merge_contextvars,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[_with_traceback, as_json if form == "json" else as_line],
        )

    def format(self, record: logging.LogRecord) -> str:
        clean = copy.copy(record)
        clean.args = _clean_arguments(record)
        clean.stack_info = clean.exc_text = None
        try:
            return super().format(clean)
        except (
            TypeError,
            ValueError,
            KeyError,
        ):  # its arguments do not fit: logging itself would print them all
            clean.msg, clean.args = f"(badly written) {record.msg}", ()
            return super().format(clean)


class GunicornLogger(GunicornsLogger):  # type: ignore[misc]
    """The web server's own lines, written like all others."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(SafeFormatter(os.environ.get("ROLLCALL_LOG_FORMAT", "plain")))


def told(error: BaseException) -> str:
    """An error in a line that holds nothing of a person: its kind, and its text where that is known to be harmless."""
    kind = type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{kind} {error.smtp_code}"
    if isinstance(error, IntegrityError | OperationalError):
        # PostgreSQL's second line is the row itself.
        return f"{kind}: {(str(error).splitlines() or [''])[0]}"
    if isinstance(error, QueueError | RedisGone | RedisSlow) or type(error).__module__ in SPEAKING:
        return f"{kind}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind


def as_json(logger: Any, method: str, event: Event) -> str:
    """One JSON object a line."""
    first = {"time": event.pop("timestamp"), "level": event.pop("level"), "logger": event.pop("logger")}
    return json.dumps({**first, **event}, ensure_ascii=False, default=str)


def as_line(logger: Any, method: str, event: Event) -> str:
    """``2026-11-21 09:04:12 INFO attendance.pipeline: photo looked at photo=12 seconds=0.41``, then a traceback."""
    when = f"{event.pop('timestamp'):.19}".replace("T", " ")
    trace = event.pop("traceback", None)
    head = f"{when} {event.pop('level').upper()} {event.pop('logger')}: {event.pop('event')}"
    line = " ".join([head, *(f"{name}={value}" for name, value in event.items())])
    # What somebody sent begins no line of its own, and colours no terminal.
    line = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in line)
    return f"{line}\n{trace}" if trace else line


def _with_traceback(logger: Any, method: str, event: Event) -> Event:
    """Where an error came from, without what it was about: source lines, never values."""
    found = event.pop("exc_info", None)
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    if found and found[1] is not None:
        event["traceback"] = "".join(_chain(found[1])).rstrip()
    return event


def _chain(error: BaseException) -> Iterator[str]:
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _chain(earlier)
        yield "\nand then:\n\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{told(error)}\n"


def _clean_arguments(record: logging.LogRecord) -> Any:
    if isinstance(record.args, Mapping):
        # Celery's failures come with the error as text and with the task's arguments.
        cleaned = {name: _clean(value, record) for name, value in record.args.items()}
        if "exc" in cleaned:
            cleaned["exc"] = str(cleaned["exc"]).partition("(")[0]
            cleaned |= {name: "" for name in ("args", "kwargs", "traceback") if name in cleaned}
        return cleaned
    return tuple(_clean(value, record) for value in record.args or ())


def _clean(value: Any, record: logging.LogRecord) -> Any:
    if isinstance(value, BaseException):
        return told(value)
    if isinstance(value, str) and value.startswith("/") and record.name.startswith(("django", "gunicorn")):
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        return match.view_name if match else "(an address)"
    return value
