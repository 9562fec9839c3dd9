"""A token for a script, made at the terminal: printed once, kept as a hash."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from attendance import api_tokens, errors
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = (
        "Make a token of the API for a person; it is printed once. People make theirs on their account page."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("name", help="what it is for")
        parser.add_argument("--days", type=int, choices=api_tokens.DAYS, default=90)

    def handle(self, *args: Any, user: str, name: str, days: int, **options: Any) -> None:
        owner = User.objects.filter(username=user, is_active=True).first()
        if owner is None:
            raise CommandError(f"There is nobody of the name {user!r}.")
        try:
            token, text = api_tokens.make(owner, name, days)
        except errors.RollcallError as error:
            raise CommandError(str(error.message)) from None
        self.stdout.write(text)
        self.stderr.write(f"It is shown now and never again, and ends on {token.expires_at:%Y-%m-%d}.")
