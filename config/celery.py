"""The Celery application. Workers and beat start with ``celery -A config``."""

from __future__ import annotations

import os

from celery import Celery

from config import presence, task_log  # noqa: F401 (they listen to what workers do)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
