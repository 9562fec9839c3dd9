"""Make new templates after a network changed. Old ones stay in place until theirs is replaced."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from attendance import enrolment, second
from attendance.engines import current_engine, second_network
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = (
        "Make templates by the present engine for every portrait, and the second network's embeddings for every "
        "template; can be stopped and started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, help="look at this many portraits, and templates, at most")
        parser.add_argument("--remove-old", action="store_true", help="delete what was replaced")

    def handle(self, *args: Any, limit: int | None = None, remove_old: bool = False, **options: Any) -> None:
        self._templates(limit, remove_old)
        self._embeddings(limit, remove_old)

    def _templates(self, limit: int | None, remove_old: bool) -> None:
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

    def _embeddings(self, limit: int | None, remove_old: bool) -> None:
        network = second_network()
        if network is None:
            self.stdout.write("no second opinion here: it is switched off, or its files cannot be used")
            return
        version = network.encoder.version
        due = list(second.templates_without(version).values_list("pk", flat=True)[:limit])
        made = 0
        with tqdm(total=len(due), desc="second opinion", unit="face", disable=None) as bar:
            for start in range(0, len(due), second.BATCH):
                batch = due[start : start + second.BATCH]
                made += second.embed(batch)
                bar.update(len(batch))
        self.stdout.write(f"{made} embeddings made by {version}")
        if made < len(due):
            self.stdout.write(f"{len(due) - made} template(s) have no crop that can be read, or are gone")
        if remove_old:
            self.stdout.write(f"{second.remove_outdated(version)} old embeddings deleted")
