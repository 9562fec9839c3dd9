"""The second factor at the terminal: who has one, and taking it off for somebody who lost phone and recovery codes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from attendance import second_factor
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = "second_factor list: who has one. second_factor reset USER: take it off; written in the audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["list", "reset"])
        parser.add_argument("user", nargs="?", default="")

    def handle(self, *args: Any, what: str, user: str, **options: Any) -> None:
        if what == "list":
            for each in second_factor.holders():
                state = f"on since {each.since:%Y-%m-%d}" if each.since else "password alone"
                kind = "administrator" if each.administrator else "staff"
                self.stdout.write(f"{each.user.get_username()}: {kind}, {state}")
            return
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is nobody of the name {user!r}.")
        if not second_factor.take_off(found, by=None):
            raise CommandError(f"{user} has none.")
        self.stdout.write(f"{user} signs in with the password alone until it is set up again.")
