"""What is kept, what goes when, what is late; and the deletion itself, at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from attendance import erasing, errors
from attendance.management.base import SiteCommand
from attendance.retention import due, periods, purge, strays


class Command(SiteCommand):
    help = (
        "Delete what has been kept long enough, and files no row knows. --dry-run: print what would go, and on which "
        "day what else does; nothing is deleted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="print the list and delete nothing")
        parser.add_argument("--files", action="store_true", help="name the files and rows that do not agree")
        parser.add_argument(
            "--vacuum",
            action="store_true",
            help="write the whole database anew, without what was deleted; on PostgreSQL pages wait meanwhile",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        self._say(now, due.outlook(now))
        try:
            if options["files"] or options["dry_run"]:
                self._files(now, options["files"])
            if options["dry_run"]:
                return
            done = purge.run(now, compare=True)
        except errors.StorageAway as error:
            raise CommandError(f"The store of files does not answer: {error.message}") from error
        self.stdout.write(
            f"deleted: {done.photos} photos, {done.unknown_faces} unknown faces, {done.templates} face templates, "
            f"{done.files} files made by a worker, {done.strays_deleted} files no row knew"
        )
        if done.strays_left:
            self.stderr.write(
                f"{done.strays_left} files no row knows are left: more than an accident leaves. See --files."
            )
        if options["vacuum"]:
            self._vacuum()

    def _say(self, now: dt.datetime, outlook: due.Outlook) -> None:
        school, kept = periods.of_school(), outlook.kept
        self.stdout.write(
            f"days kept: photos {school.photo_days}, unknown faces {school.unknown_face_days}, templates "
            f"{school.template_days_after_term} after term; {len(periods.differing())} courses say otherwise"
        )
        self.stdout.write(
            f"kept now:  {kept.photos} photos, {kept.unknown_faces} unknown faces, {kept.templates} face templates"
        )
        self.stdout.write(self._line("due now:", outlook.due_now))
        for day in outlook.days:
            self.stdout.write(self._line(day.day.isoformat(), day))
        for late in outlook.overdue:
            since = f"{late.since:%Y-%m-%d}" if late.since else "–"
            self.stdout.write(f"OVERDUE    {late.count} {late.what}, the oldest of {since}: {late.reason}")
        last = f"{outlook.last.started_at:%Y-%m-%d %H:%M} UTC" if outlook.last else "never"
        self.stdout.write(f"last run:  {last}; next by {outlook.next_at:%Y-%m-%d %H:%M} UTC")

    def _line(self, head: str, day: due.DayOfDeletion) -> str:
        return (
            f"{head:10} {day.photos} photos, {day.unknown_faces} unknown faces, {day.templates} face templates, "
            f"{day.files} files made by a worker"
        )

    def _files(self, now: dt.datetime, name_them: bool) -> None:
        found = strays.compare(now)
        self.stdout.write(
            f"files:     {found.files} stored, {len(found.strays)} that no row knows, {len(found.missing)} missing"
        )
        if name_them:
            for name in found.strays:
                self.stdout.write(f"  no row    {name}")
            for name in found.missing:
                self.stdout.write(f"  no file   {name}")

    def _vacuum(self) -> None:
        came_of_it = erasing.write_anew()
        self.stdout.write("the database is written anew")
        if came_of_it is erasing.Anew.NOT_SUPERUSER:
            self.stdout.write(
                "not as the server's superuser: old files go with its next checkpoint, within minutes, and its "
                "statistics of tables that are empty now stay"
            )
        elif came_of_it is erasing.Anew.STILL_READ:
            self.stderr.write(
                "somebody has had a transaction open on this PostgreSQL server all the while (a backup, a console, "
                "another database): what was deleted before it ends stays in the files. End it and run this again."
            )
