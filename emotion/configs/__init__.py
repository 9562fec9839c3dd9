"""Every way of training, as data. ``python -m emotion.train --config NAME`` runs any of them."""

from __future__ import annotations

from emotion.configs import earlier, rollcall
from emotion.configs._base import Config, Task, get, names, with_epochs

__all__ = ["Config", "Task", "earlier", "get", "names", "rollcall", "with_epochs"]
