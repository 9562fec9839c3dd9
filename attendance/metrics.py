"""Numbers for Prometheus, read from the database when they are asked for. No names, no faces, no course."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Avg, Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from attendance import health
from attendance.models import Camera, ClassSession, Mark, ReportJob, Review, Sighting, Snapshot

RECENT = dt.timedelta(hours=1)


class Numbers:
    """A collector in Prometheus' sense: a fixed number of queries a scrape, however large the school is."""

    def collect(self) -> Iterable[Metric]:
        now = timezone.now()
        yield from _photos(now)
        yield from _faces(now)
        yield _gauge(
            "rollcall_sessions_open", "Sessions open now.", ClassSession.objects.filter(state="open").count()
        )
        yield _gauge(
            "rollcall_marks_to_check",
            "Marks a person should look at.",
            Mark.objects.filter(to_check=True).count(),
        )
        yield _gauge(
            "rollcall_cameras_silent",
            "Cameras with a key that were not heard of for a quarter of an hour.",
            Camera.objects.filter(revoked_at__isnull=True)
            .exclude(last_seen_at__gte=now - dt.timedelta(minutes=15))
            .count(),
        )
        reviews = CounterMetricFamily("rollcall_reviews", "Words of people about faces.")
        reviews.add_metric([], Review.objects.count())
        yield reviews
        jobs = GaugeMetricFamily(
            "rollcall_report_jobs", "Reports made in the background, by state.", labels=["state"]
        )
        for state, count in ReportJob.objects.values_list("state").annotate(n=Count("pk")).order_by("state"):
            jobs.add_metric([state], count)
        yield jobs
        parts = GaugeMetricFamily("rollcall_part_ok", "1 where a part of the site works.", labels=["part"])
        for part in health.check():
            parts.add_metric([part.name], float(part.ok))
        yield parts


def metrics(request: HttpRequest) -> HttpResponse:
    """``/metrics`` for who brings ``ROLLCALL_METRICS_TOKEN`` as a bearer token; without one there is no such page."""
    token = settings.ROLLCALL_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Numbers())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _photos(now: dt.datetime) -> Iterable[Metric]:
    states = GaugeMetricFamily("rollcall_photos", "Photos by state.", labels=["state"])
    counts = dict(Snapshot.objects.values_list("state").annotate(n=Count("pk")).order_by("state"))
    for state in Snapshot.State.values:
        states.add_metric([state], counts.get(state, 0))
    yield states
    yield _gauge(
        "rollcall_oldest_photo_seconds",
        "Age of the oldest photo that waits.",
        health.backlog().age.total_seconds(),
    )
    yield _gauge(
        "rollcall_photos_waiting_most",
        "So many may wait (ROLLCALL_MAX_WAITING); beyond it none are taken in.",
        settings.ROLLCALL_MAX_WAITING,
    )
    done = Snapshot.objects.filter(state=Snapshot.State.DONE, processed_at__gte=now - RECENT).aggregate(
        n=Count("pk"), mean=Avg("processing_seconds"), longest=Max("processing_seconds")
    )
    yield _gauge("rollcall_photos_last_hour", "Photos looked at in the last hour.", done["n"])
    yield _gauge(
        "rollcall_photo_seconds_mean", "Seconds a photo took, mean of the last hour.", done["mean"] or 0
    )
    yield _gauge(
        "rollcall_photo_seconds_max", "Seconds a photo took, longest of the last hour.", done["longest"] or 0
    )


def _faces(now: dt.datetime) -> Iterable[Metric]:
    recent = Sighting.objects.filter(snapshot__processed_at__gte=now - RECENT).aggregate(
        n=Count("pk"), unsure=Count("pk", filter=Q(decision=Sighting.Decision.UNCERTAIN))
    )
    yield _gauge("rollcall_faces_last_hour", "Faces found in the last hour.", recent["n"])
    yield _gauge(
        "rollcall_uncertain_share",
        "Share of them that a person should look at, 0 to 1.",
        recent["unsure"] / max(recent["n"], 1),
    )


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)
