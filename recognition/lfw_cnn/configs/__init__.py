"""Every way of training, as data. ``python -m recognition.lfw_cnn.train --config NAME`` runs any of them."""

from __future__ import annotations

from recognition.lfw_cnn.configs import earlier, second
from recognition.lfw_cnn.configs._base import Config, get, names, with_epochs

__all__ = ["Config", "earlier", "get", "names", "second", "with_epochs"]
