"""What all commands of ours share: where a part of the site is away, one sentence instead of a traceback."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from attendance import doctor, errors, faults
from attendance.sealing import SealBroken
from recognition.errors import RecognitionError

AWAY = (
    DatabaseError,
    InterfaceError,
    ImproperlyConfigured,
    SealBroken,
    RecognitionError,
    errors.RollcallError,
)


class SiteCommand(BaseCommand):
    """A command about this site: an empty, older or absent database, a store or a key that is away, are said plainly.

    A mistake of the program itself keeps its traceback.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except AWAY as error:
            sentence = _in_words(error)
            if not sentence:
                raise
            raise CommandError(sentence) from error


def _in_words(error: Exception) -> str:
    """What to say and what to do next; empty where the program itself is at fault."""
    if isinstance(error, ImproperlyConfigured | RecognitionError | SealBroken):
        return str(error)
    if isinstance(error, errors.RollcallError):
        return str(error.message)
    try:
        due = doctor.migrations_due()
    except (DatabaseError, InterfaceError):
        return f"The database does not answer. {doctor.NEXT_STEPS['database']}"
    if due:
        return f"{due} migrations have not run, so the database lacks tables. First: ./run manage migrate"
    fault = faults.named(error)
    return str(fault.message) if fault else ""
