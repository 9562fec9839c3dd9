"""Copy database and files into a folder while the site runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from attendance import backups, errors
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = "Copy database and files into a new folder while the site runs; the keys are kept apart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="a new folder for this backup alone")
        parser.add_argument(
            "--into", type=Path, help="a folder of backups: a new one is made in it, named by the time"
        )
        parser.add_argument(
            "--keep", type=int, default=14, help="with --into: so many stay, older ones are deleted"
        )

    def handle(self, *args: Any, folder: Path | None, into: Path | None, keep: int, **options: Any) -> None:
        if (folder is None) == (into is None):
            raise CommandError("Name a new folder, or a folder of backups with --into.")
        try:
            if into is not None:
                folder, done = backups.backup_into(into, keep)
                self.stdout.write(str(folder))
            else:
                assert folder is not None
                done = backups.backup(folder)
        except (backups.BackupError, errors.RollcallError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.files} files and the database, {done.bytes / 1e6:.1f} MB")
