"""Middleware: what holds for every page. No cache keeps one, and only text is taken for text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from attendance.web.answers import back, is_htmx, toast


class KeptByNoCache:
    """Answers that say nothing of caches are kept by none: not by a proxy, and not by a shared computer's browser for
    the next person who presses *back*."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class TextOnly:
    """A NUL in a form or an address is a sentence, not a fault: PostgreSQL stores none. The API looks for itself.

    Stands behind the CSRF middleware, which has read the form by then; uploads that it does not read are left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> HttpResponseBase | None:
        if request.path.startswith("/api/"):
            return None
        words = _("What was sent holds characters that are no text. Please type it again.")
        if "\0" in request.path or _has_nul(request.GET):
            return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
        if getattr(view, "csrf_exempt", False) or not _has_nul(request.POST):
            return None
        if is_htmx(request):
            return toast(HttpResponse(status=422), words, kind="bad")
        messages.error(request, words)
        return back(request, "/")


def _has_nul(query: QueryDict) -> bool:
    return any("\0" in text for name, values in query.lists() for text in (name, *values))
