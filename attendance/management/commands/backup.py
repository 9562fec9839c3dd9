"""Copy database and files into a folder while the site runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from attendance import backups, errors


class Command(BaseCommand):
    help = "Copy database and files into a new folder while the site runs; the keys are kept apart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            done = backups.backup(folder)
        except (backups.BackupError, errors.RollcallError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.files} files and the database, {done.bytes / 1e6:.1f} MB")
