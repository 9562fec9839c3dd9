"""A column whose bytes lie sealed in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models

from attendance.sealing import keyring

if TYPE_CHECKING:
    _Bytes = models.BinaryField[bytes | memoryview | None, bytes | None]
else:
    _Bytes = models.BinaryField


class SealedField(_Bytes):
    """Bytes, sealed on their way in and opened on their way out; None stays None.

    Cannot be searched by value: the same bytes are sealed differently each time. Reading raises SealBroken where
    the key is missing or the value was changed.
    """

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """For the database it is a plain column of bytes: becoming sealed needs no change of the table."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.BinaryField", arguments, options

    @property
    def place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None:
            value = keyring().seal(bytes(value), self.place)
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        return None if value is None else keyring().open(bytes(value), self.place)
