"""How a view answers: a named error in words, a toast beside a changed part, an unchanged part as 304."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import trigger_client_event

from attendance import permissions
from attendance.errors import ChangesMet, RollcallError

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


def user_of(request: HttpRequest) -> User:
    """The signed-in user; ``page`` lets nobody else reach a view."""
    assert isinstance(request.user, User)
    return request.user


def administrators_only(request: HttpRequest) -> None:
    """For everybody else this part of the site does not exist. Raises Http404."""
    if not permissions.is_administrator(request.user):
        raise Http404


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def toast(response: HttpResponse, text: str, *, kind: str = "good", undo: str = "") -> HttpResponse:
    """Have the page show a sentence, with a way back where there is one."""
    return trigger_client_event(response, "toast", {"text": text, "kind": kind, "undo": undo})


def back(request: HttpRequest, fallback: str) -> HttpResponse:
    """To the page the person came from, if it is one of ours."""
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return redirect(came_from)
    return redirect(fallback)


def _together(
    view: View[Arguments], request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
) -> HttpResponseBase:
    """The view's answer; two changes that met in the database are a named error, as they are for the API."""
    try:
        return view(request, *args, **kwargs)
    except IntegrityError as error:
        log.error("two changes met in the database")
        raise ChangesMet from error


def says_why(view: View[Arguments]) -> View[Arguments]:
    """Put a service's named error into words: beside an htmx part, as JSON for an upload, else on the page."""

    def wrapped(
        request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponseBase:
        try:
            return _together(view, request, *args, **kwargs)
        except RollcallError as error:
            words = str(error.message)
            if is_htmx(request):
                return toast(HttpResponse(status=error.status), words, kind="bad")
            if "application/json" in request.headers.get("Accept", ""):
                headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
                return JsonResponse(
                    {"code": error.code, "message": words}, status=error.status, headers=headers
                )
            messages.error(request, words)
            return back(request, "/")

    functools.update_wrapper(wrapped, view)
    return wrapped


def page(view: View[Arguments]) -> View[Arguments]:
    """A page for staff who signed in; its services' refusals are put into words.

    For a student's log-in it does not exist; the front page leads to their own.
    """

    def wrapped(
        request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponseBase:
        if permissions.is_student(request.user):
            if request.path == "/":
                return redirect("web:mine")
            raise Http404
        return view(request, *args, **kwargs)

    functools.update_wrapper(wrapped, view)
    return login_required(says_why(wrapped))


def student_page(view: View[Arguments]) -> View[Arguments]:
    """A page for students' log-ins; for everybody else it does not exist."""

    def wrapped(
        request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponseBase:
        if not permissions.is_student(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    functools.update_wrapper(wrapped, view)
    return login_required(says_why(wrapped))
