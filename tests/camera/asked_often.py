"""The web server as it is, only that cameras are told to ask again every second: tests do not wait half a minute."""

from __future__ import annotations

from config.wsgi import application

__all__ = ["application"]

from attendance import cameras  # now that Django is set up

cameras.POLL_SECONDS = 1
