"""Answers for machines that watch: ``/healthz`` (the process lives) and ``/readyz`` (it can do its work)."""

from django.urls import path

from attendance import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
