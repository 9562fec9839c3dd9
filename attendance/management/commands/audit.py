"""Verify the chain of the log of who looked at whom; for a timer, or before an inspection."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from attendance import audit
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = "Go through the whole audit log and say whether an entry was changed or taken out."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = audit.verify()
        if verdict.broken_at is not None:
            raise CommandError(
                f"entry {verdict.broken_at} was changed or taken out ({verdict.entries} before it fit)"
            )
        if verdict.missing:
            raise CommandError(f"{verdict.missing} entries are missing at the end, after {verdict.entries}")
        self.stdout.write(f"{verdict.entries} entries, all unchanged")
