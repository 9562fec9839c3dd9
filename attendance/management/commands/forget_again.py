"""After a backup was restored: withdraw and delete again whoever had withdrawn, or was deleted, since it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from attendance import forgotten
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = "Go through the list of who withdrew or was deleted; restore does it by itself where it finds the list."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            again = forgotten.replay(file)
        except (forgotten.ListDamaged, OSError, User.DoesNotExist) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{again.withdrawn} withdrew and {again.deleted} were deleted since: done again")
