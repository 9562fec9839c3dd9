"""The keys that seal photos, crops and encodings: make one, see what they cover, seal everything with the newest."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from attendance import key_rotation
from attendance.management.base import SiteCommand
from attendance.sealing import keyring, new_key


class Command(SiteCommand):
    help = "keys new: print a fresh key. keys check: what is sealed by which. keys rotate: seal all with the newest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["new", "check", "rotate"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "new":
            self.stdout.write(new_key())
            return
        newest = keyring().newest
        if newest is None:
            raise CommandError(
                "ROLLCALL_KEYS is empty: nothing is sealed. Make a key with: ./run manage keys new"
            )
        found = key_rotation.Rotation()
        for found in key_rotation.rotate(dry_run=what == "check"):
            if what == "rotate":
                self.stdout.write(f"  {found.current + found.resealed} under the newest key", ending="\r")
        word = "sealed again" if what == "rotate" else "not under the newest key"
        self.stdout.write(f"newest key {newest.id.hex()}: {found.current} under it, {found.resealed} {word}")
        if found.broken:
            raise CommandError(
                f"{found.broken} cannot be opened with the keys in ROLLCALL_KEYS: an older key is missing."
            )
        if what == "rotate":
            self.stdout.write("Done: older keys can be taken out of ROLLCALL_KEYS.")
