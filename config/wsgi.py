"""WSGI entry point for gunicorn."""

import gc
import os

import scipy.cluster.hierarchy  # noqa: F401 (groups faces; imported now for the reason given below)
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Pages and the API are imported now, so that the first visitor does not wait for it.
assert get_resolver().url_patterns

# What is loaded stays for good: looking through it for garbage, again and again, costs some page 0.2 s each time.
gc.collect()
gc.freeze()
