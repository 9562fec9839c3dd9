"""Settings, addresses and process entry points; nothing else lives here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
