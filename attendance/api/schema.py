"""What the OpenAPI schema says about refusals, and where it is shown."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from attendance.api.problems import CONTENT_TYPE

_METHODS = ("get", "put", "post", "patch", "delete")

REFUSED_PHOTO: dict[int, OpenApiResponse] = {
    409: OpenApiResponse(description="The session takes no photos now."),
    411: OpenApiResponse(description="The request states no Content-Length."),
    413: OpenApiResponse(description="Too many bytes or too many pixels."),
    415: OpenApiResponse(description="No photo of a kind that can be used."),
    422: OpenApiResponse(description="Empty, damaged, too small or moving; or a reused Idempotency-Key."),
    507: OpenApiResponse(description="The server's disk is full."),
}

_COMMON = {
    "400": "What was sent cannot be used; `errors` says which part.",
    "401": "No key, token or session, or one that is not valid any more.",
    "403": "Signed in, but not allowed to do this.",
    "404": "Not there, or somebody else's.",
    "429": "Too many requests, or too many photos that wait; `Retry-After` says how long to wait.",
}

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A refusal as problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri", "example": "urn:rollcall:problem:session-not-open"},
        "title": {"type": "string", "example": "Conflict"},
        "status": {"type": "integer", "example": 409},
        "detail": {"type": "string", "example": "This session does not take photos now."},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "example": "#/taken_at"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def add_problems(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: every refusal of every operation is a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in result["paths"].items():
        for method in _METHODS:
            if method not in operations:
                continue
            responses = operations[method]["responses"]
            for status, description in _COMMON.items():
                if status != "404" or "{" in path or method == "get":
                    responses.setdefault(status, {"description": description})
            responses.setdefault("default", {"description": "Any other refusal."})
            for status, response in responses.items():
                if status == "default" or status[0] in "45":
                    response["content"] = content
    return result
