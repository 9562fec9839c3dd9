"""For machines that watch: ``/healthz`` (the process lives), ``/readyz`` (it can do its work) and ``/metrics``."""

from django.urls import path

from attendance import health, metrics

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
