"""Look at every part of this site and say what is wrong and what to do next."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from attendance import doctor
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = "Look at every part; one sentence and one next step each. Exit code 1 where something is wrong."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in doctor.examine():
            self.stdout.write(f"{'ok ' if finding.ok else 'BAD'}  {finding.part:15} {finding.sentence}")
            if finding.next_step:
                self.stdout.write(f"     {'':15} -> {finding.next_step}")
            wrong += not finding.ok
        if wrong:
            raise CommandError(f"{wrong} parts need a hand.")
