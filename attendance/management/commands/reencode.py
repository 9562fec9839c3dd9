"""Make new templates after the recognition engine changed. Old ones stay in place until theirs is replaced."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from attendance import enrolment
from attendance.engines import current_engine


class Command(BaseCommand):
    help = "Make templates by the present engine for every portrait; can be stopped and started again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, help="look at this many portraits at most")
        parser.add_argument("--remove-old", action="store_true", help="delete templates that were replaced")

    def handle(self, *args: Any, limit: int | None = None, remove_old: bool = False, **options: Any) -> None:
        version = current_engine().version
        due = list(enrolment.outdated_portraits(version).values_list("pk", flat=True)[:limit])
        without_face = 0
        for pk in tqdm(due, desc="portraits", unit="photo", disable=None):
            portrait = enrolment.outdated_portraits(version).select_related("student").filter(pk=pk).first()
            if portrait is not None and not enrolment.reencode(portrait):
                without_face += 1
        self.stdout.write(f"{len(due) - without_face} templates made by {version}")
        if without_face:
            self.stdout.write(
                f"{without_face} portrait(s) in which this engine finds no face keep their old template"
            )
        if remove_old:
            self.stdout.write(f"{enrolment.remove_outdated(version)} old templates deleted")
