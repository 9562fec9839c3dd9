"""A line about each task of a worker: what it was about, by its number, and the seconds it took."""

from __future__ import annotations

import logging
import logging.config
import time
from typing import Any

import structlog
from celery.signals import setup_logging, task_postrun, task_prerun
from django.conf import settings

log = logging.getLogger(__name__)

ABOUT = {
    "process_snapshot": "photo",
    "check_portrait": "portrait",
    "send_mail": "mail",
    "make_report": "job",
    "work_out_figures": "figures",
}
"""Tasks of one thing: what the number they are given stands for."""


@setup_logging.connect
def write_like_the_web_server(**_more: Any) -> None:
    """Celery leaves logging alone once somebody listens here."""
    logging.config.dictConfig(settings.LOGGING)


@task_prerun.connect
def begin(task: Any = None, args: Any = (), **_more: Any) -> None:
    name = str(task.name).rpartition(".")[2]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=name)
    if name in ABOUT and args:
        structlog.contextvars.bind_contextvars(**{ABOUT[name]: args[0]})
    task.request.rollcall_started = time.perf_counter()


@task_postrun.connect
def end(task: Any = None, state: str = "", **_more: Any) -> None:
    began = getattr(task.request, "rollcall_started", None)
    seconds = None if began is None else round(time.perf_counter() - began, 3)
    log.info("task over: %s", state.lower(), extra={"seconds": seconds})
    structlog.contextvars.clear_contextvars()
