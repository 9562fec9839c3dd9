"""Put a backup into an empty site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from attendance import backups, errors
from attendance import forgotten as forgotten_people
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = (
        "Put a backup in the place of an empty site; set ROLLCALL_KEYS to the keys it was made under first."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--forgotten",
            type=Path,
            metavar="FILE",
            help="the list of who withdrew or was deleted since (default: ROLLCALL_FORGOTTEN_FILE)",
        )

    def handle(self, *args: Any, folder: Path, forgotten: Path | None = None, **options: Any) -> None:
        try:
            done = backups.restore(folder)
        except (backups.BackupError, errors.RollcallError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.files} files and the database, {done.bytes / 1e6:.1f} MB")
        self._forget_again(forgotten or Path(settings.ROLLCALL_FORGOTTEN_FILE))

    def _forget_again(self, path: Path) -> None:
        """Whoever withdrew or was deleted after the backup was made."""
        try:
            again = forgotten_people.replay(path)
        except FileNotFoundError:
            self.stderr.write(
                f"There is no {path}: whoever withdrew or was deleted after this backup was made is back. "
                "Bring the file and run: ./run manage forget_again FILE"
            )
        except (forgotten_people.ListDamaged, User.DoesNotExist) as error:
            raise CommandError(
                f"The backup is in place, but who withdrew since is back: {error}. Then: ./run manage forget_again FILE"
            ) from error
        else:
            self.stdout.write(
                f"{again.withdrawn} withdrew and {again.deleted} were deleted since: done again"
            )
