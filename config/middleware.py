"""What every request passes first: whose address it comes from, and a line about it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

log = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponseBase]
SLOW = 2.0
"""Seconds after which looking at a page is worth a line."""
QUIET = frozenset({"GET", "HEAD", "OPTIONS"})


class RealAddress:
    """Behind a reverse proxy: the address of the one who asks, from the header our own proxy wrote.

    Only the last address of ``X-Forwarded-For`` is believed, and only from a proxy in ``ROLLCALL_PROXIES``: what a
    client puts into the header stands before it.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if last and is_proxy(request.META.get("REMOTE_ADDR", ""), tuple(settings.ROLLCALL_PROXIES)):
            try:
                request.META["REMOTE_ADDR"] = str(ip_address(last))
            except ValueError:
                log.warning("the proxy's X-Forwarded-For holds no address at its end")
        return self.get_response(request)


def is_proxy(address: str, networks: tuple[str, ...]) -> bool:
    try:
        given = ip_address(address)
    except ValueError:
        return False
    return any(given in network for network in _parsed(networks))


@lru_cache(maxsize=4)
def _parsed(networks: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(network, strict=False) for network in networks]


class RequestLog:
    """A number for each request, on its answer and on every line written meanwhile; changes, faults and slow pages
    get a line of their own, other looks only at the level DEBUG. The route is written, never the address."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        number = secrets.token_hex(6)
        request.META["ROLLCALL_REQUEST"] = number
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=number)
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = round(time.perf_counter() - started, 3)
        match = request.resolver_match
        route = match.view_name if match else ""
        telling = request.method not in QUIET or response.status_code >= 400 or seconds > SLOW
        log.log(
            logging.INFO if telling else logging.DEBUG,
            "answered",
            extra={
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "seconds": seconds,
            },
        )
        structlog.contextvars.clear_contextvars()
        response["X-Request-ID"] = number
        return response


class HealthFirst:
    """``/healthz`` and ``/readyz`` before anything that asks the database, checks a host's name or wants TLS: they
    have to answer when nothing else does."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path in ("/healthz", "/readyz"):
            from attendance import health  # models can be imported only once the applications are loaded

            return (health.healthz if request.path == "/healthz" else health.readyz)(request)
        return self.get_response(request)
