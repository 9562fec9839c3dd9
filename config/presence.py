"""Workers and beat say that they live, as often as they would tell each other."""

from __future__ import annotations

from typing import Any

from celery.beat import Scheduler as CelerysScheduler
from celery.signals import heartbeat_sent

from attendance import presence


@heartbeat_sent.connect
def worker_lives(sender: Any = None, **_more: Any) -> None:
    """From a worker's main process, which is free while its children look at photos; ``office@...`` is the office."""
    name = str(getattr(getattr(sender, "eventer", None), "hostname", "") or "")
    presence.note("office" if name.startswith("office@") else "worker")


class Scheduler(CelerysScheduler):
    """Celery's own, kept in memory: a file that a kill leaves half written would keep beat from ever starting."""

    def tick(self, *arguments: Any, **more: Any) -> float:
        presence.note("beat")
        return float(super().tick(*arguments, **more))
