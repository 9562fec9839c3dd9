"""``./run manage demo``: a class of real photos, sent in like a camera's, its roll checked against the truth."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from attendance.demo import camera, service
from attendance.demo.errors import DemoError
from attendance.management.base import SiteCommand


class Command(SiteCommand):
    help = "Load the demo class (photos of public figures), or a class from a folder of faces; or remove it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--server", default=None, help="where photos are sent (default: this machine's)")
        parser.add_argument("--in-process", action="store_true", help="no server: look at the photos here")
        parser.add_argument("--check", action="store_true", help="exit with 1 unless the roll came out right")
        parser.add_argument("--again", action="store_true", help="remove a demo that is here first")
        parser.add_argument("--remove", action="store_true", help="remove the demo, its logins and photos")
        parser.add_argument("--seed", type=int, default=1, help="another number, another lesson")
        folder = parser.add_argument_group("a class from a folder")
        folder.add_argument("--faces", type=Path, metavar="FOLDER", help="a folder of NAME/*.jpg")
        folder.add_argument(
            "--download", choices=["lfw"], help="fetch faces (needs the internet), then as --faces"
        )
        folder.add_argument("--class-photos", type=Path, metavar="FOLDER",
                            help="send these photos, named in its labels.csv, instead of composed ones")  # fmt: skip
        folder.add_argument("--students", type=int, default=30)
        folder.add_argument("--strangers", type=int, default=3)
        folder.add_argument("--photos", type=int, default=6)
        folder.add_argument(
            "--enrol", type=int, default=3, metavar="N", help="photos enrolled of each student"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["remove"]:
                self._remove()
                return
            self._load(options)
        except DemoError as error:
            raise CommandError(str(error)) from error

    def _load(self, options: dict[str, Any]) -> None:
        request = service.Request(
            server=None if options["in_process"] else options["server"] or camera.default_server(),
            seed=options["seed"],
            replace=options["again"],
        )
        faces = options["faces"]
        if options["download"] or faces is not None:
            spec = service.FolderRequest(
                folder=faces,
                class_photos=options["class_photos"],
                students=options["students"],
                strangers=options["strangers"],
                photos=options["photos"],
                enrol=options["enrol"],
            )
            outcome = service.load_folder(request, spec, self._say)
        else:
            outcome = service.load_built_in(request, self._say)
        for line in outcome.lines:
            self.stdout.write(line)
        if not outcome.right:
            sentence = "The demo's roll did not come out right."
            if options["check"]:
                raise CommandError(sentence)
            self.stderr.write(sentence)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # whoever reads a pipe wants to see that something is going on

    def _remove(self) -> None:
        removed = service.remove_demo(with_logins=True, with_photos=True)
        self.stdout.write(
            f"Removed {removed.courses} demo course(s)." if removed.courses else "There is no demo."
        )
        if removed.kept_logins:
            self.stdout.write(
                f"Kept, because something else hangs on them: {', '.join(removed.kept_logins)}."
            )
