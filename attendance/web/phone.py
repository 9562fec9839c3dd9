"""The page that makes a phone or tablet a classroom camera. Open to anybody: it holds nothing until it is paired."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

SHELL = (
    "rollcall/css/tokens.css",
    "rollcall/css/phone.css",
    "rollcall/img/mark.svg",
    "rollcall/js/phone/main.js",
    "rollcall/js/phone/lens.js",
    "rollcall/js/phone/server.js",
    "rollcall/js/phone/spool.js",
    "vendor/atkinson-hyperlegible-next/latin.woff2",
)
"""What the page needs to start without a network."""
WORKER = "rollcall/js/phone/worker.js"


@require_GET
def phone(request: HttpRequest) -> HttpResponse:
    return render(request, "web/phone.html")


@require_GET
def manifest(request: HttpRequest) -> JsonResponse:
    """What makes the page an app on the home screen."""
    facts = {
        "name": _("Rollcall camera"),
        "short_name": _("Camera"),
        "id": reverse("web:phone"),
        "start_url": reverse("web:phone"),
        "scope": reverse("web:phone"),
        "display": "fullscreen",
        "background_color": "#111614",
        "theme_color": "#111614",
        "icons": [{"src": static("rollcall/img/mark.svg"), "type": "image/svg+xml", "sizes": "any"}],
    }
    return JsonResponse(facts, content_type="application/manifest+json")


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, with the list of what it keeps and a version that changes with any of it."""
    kept = [reverse("web:phone"), reverse("web:phone-manifest"), *(static(name) for name in SHELL)]
    head = f"const VERSION = {json.dumps(_version())};\nconst SHELL = {json.dumps(kept)};\n"
    response = HttpResponse(head + _read(WORKER).decode(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@lru_cache(maxsize=1)
def _version() -> str:
    digest = hashlib.sha256()
    for name in (*SHELL, WORKER):
        digest.update(_read(name))
    return digest.hexdigest()[:16]


def _read(name: str) -> bytes:
    found = finders.find(name)
    assert found is not None, f"{name} is part of the project"
    return Path(str(found)).read_bytes()
