"""Every error as problem JSON (RFC 9457): ``type``, ``title``, ``status``, ``detail``, ``instance``, ``errors``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.defaults import server_error as page_for_server_error
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from attendance import faults
from attendance.errors import RollcallError

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:rollcall:problem:"


def problem(
    status: int, code: str, detail: str, instance: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The body of a problem; ``code`` becomes the last part of its type."""
    body: dict[str, Any] = {
        "type": f"{TYPE_PREFIX}{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    if errors:
        body["errors"] = errors
    return body


def problem_response(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's exception handler: services' named errors and the framework's own, in one form."""
    instance = context["request"].path
    fault = faults.named(exc)
    if fault is not None:
        log.error("a part of the site is away: %s", fault.code, exc_info=exc)
        exc = fault
    if isinstance(exc, RollcallError):
        set_rollback()
        headers = {} if exc.retry_after is None else {"Retry-After": str(exc.retry_after)}
        body = problem(exc.status, exc.code, str(exc.message), instance)
        return _answer(Response(body, status=exc.status, headers=headers))
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, RequestDataTooBig):
        exc = TooLarge()
    elif isinstance(exc, SuspiciousOperation):
        exc = exceptions.ParseError()
    elif isinstance(exc, IntegrityError):
        log.error("two changes met in the database", exc_info=exc)
        exc = ChangesMet()
    if not isinstance(exc, exceptions.APIException):
        return None
    response = exception_handler(exc, dict(context))
    if response is None:
        return None
    code, detail, errors = _describe(exc)
    response.data = problem(response.status_code, code, detail, instance, errors)
    return _answer(response)


def plain_problem(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    """A problem outside REST framework's views, such as an address that does not exist."""
    return JsonResponse(problem(status, code, detail, request.path), status=status, content_type=CONTENT_TYPE)


class TooLarge(exceptions.APIException):
    """More bytes than the server reads."""

    status_code = 413
    default_code = "too_large"
    default_detail = _("This is larger than the server accepts.")


class LengthRequired(exceptions.APIException):
    """A body of unstated length, which the server would take for an empty one."""

    status_code = 411
    default_code = "length_required"
    default_detail = _("Send a Content-Length; a body in chunks of unknown length is not read.")


class ChangesMet(exceptions.APIException):
    """The database refused a change that would not fit another one made at the same moment."""

    status_code = 409
    default_code = "changes_met"
    default_detail = _("Somebody changed the same thing at the same moment. Please look again.")


def server_error(request: HttpRequest) -> HttpResponse:
    """The site's answer to a fault: a problem where the API was asked, else a page; a part that is away is named."""
    fault = faults.named(sys.exception())
    if fault is not None:
        words = str(fault.message)
        if request.path.startswith("/api/"):
            return plain_problem(request, fault.status, fault.code, words)
        number = request.META.get("ROLLCALL_REQUEST", "")
        facts = {"message": words, "status": fault.status, "number": number}
        return HttpResponse(render_to_string("503.html", facts), status=fault.status)
    if request.path.startswith("/api/"):
        return plain_problem(
            request, 500, "server_error", gettext("The server made a mistake. It is logged.")
        )
    return page_for_server_error(request)


def _answer(response: Response) -> Response:
    response.content_type = CONTENT_TYPE
    return response


def _describe(exc: exceptions.APIException) -> tuple[str, str, list[dict[str, str]] | None]:
    if isinstance(exc, exceptions.ValidationError):
        return "invalid", "Some of what was sent cannot be used.", list(_field_errors(exc.detail))
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    return code, str(exc.detail), None


def _field_errors(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Nested validation messages as a flat list of field, code and sentence."""
    if isinstance(detail, Mapping):
        return [
            error
            for name, inner in detail.items()
            for error in _field_errors(inner, path if name == "non_field_errors" else f"{path}/{name}")
        ]
    if isinstance(detail, list):
        return [error for inner in detail for error in _field_errors(inner, path)]
    return [{"pointer": f"#{path}", "code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}]
