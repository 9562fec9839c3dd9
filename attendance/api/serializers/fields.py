"""Fields that several serializers share."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.reverse import reverse

BIGGEST_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2100


class IdField(serializers.IntegerField):
    """The id of something; any number the database can hold."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BIGGEST_ID, **kwargs)


class TextField(serializers.CharField):
    """Text, and nothing else: a number where a name belongs is the sender's mistake."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """A moment within living memory: far-off years overflow when they change zones."""

    default_error_messages = {"far_off": _("The year must lie between 2000 and 2100.")}

    def to_internal_value(self, value: Any) -> dt.datetime:
        instant = super().to_internal_value(value)
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            self.fail("far_off")
        return instant


def address(serializer: serializers.BaseSerializer[Any], view: str, *args: int | uuid.UUID) -> str:
    return reverse(f"api:{view}", args=args, request=serializer.context.get("request"))
