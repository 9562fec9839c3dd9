"""Kept figures as the API gives them: with the instant they are of, or 202 while they are being worked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers, status
from rest_framework.response import Response

from attendance.figures import Reading

ASK_AGAIN_SECONDS = 5


class PendingFiguresSerializer(serializers.Serializer[Any]):
    """These figures go through very many faces and are not worked out yet. Ask again in a few seconds.

    ``failed``: a worker tried several times without success; it tries again within the hour.
    """

    state = serializers.ChoiceField(choices=["working", "failed"], read_only=True)


def or_pending(ready: type[serializers.BaseSerializer[Any]]) -> dict[int, Any]:
    """What an operation answers whose figures may be kept."""
    return {200: ready, 202: PendingFiguresSerializer}


def answer(figures: Reading[Any], ready: Callable[[], Mapping[str, Any]]) -> Response:
    """The figures; 202 where there are none yet."""
    if figures.found is not None:
        return Response(ready())
    waiting = {"state": "failed" if figures.failed else "working"}
    return Response(waiting, status=status.HTTP_202_ACCEPTED, headers={"Retry-After": str(ASK_AGAIN_SECONDS)})
