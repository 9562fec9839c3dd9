"""What the command, and the page that removes the demo, call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attendance.demo import build, camera, check, folders, lesson, lfw, logins, people, photos, school
from attendance.demo.errors import DemoError
from attendance.demo.removal import Removed, remove_demo
from attendance.models import Course

__all__ = ["FolderRequest", "Outcome", "Removed", "Request", "load_built_in", "load_folder", "remove_demo"]

Say = Callable[[str], object]

BUILT_IN = school.ClassSpec(
    code="DEMO",
    name="Demo class",
    about=(
        "A demo. The faces are photos of public figures in the public domain: Barack Obama and Joe Biden from "
        "the source archive of face_recognition 1.3.0, Eileen Collins (NASA) from scikit-image, Grace Hopper "
        "(US Navy) from matplotlib, Albert Einstein and Hedy Lamarr from Mathics3. The classroom is drawn, and "
        "the people were put into it by this program. Nobody shown has anything to do with this lesson. The "
        "students without photos are invented, and so are all marks of earlier lessons."
    ),
    made_up=True,
)
HELD_OUT = 4
"""At most so many photos of one person are put into classroom photos."""


@dataclass(frozen=True, slots=True)
class Request:
    server: str | None
    """Where photos are sent; None: everything happens in this process."""
    seed: int = 1
    replace: bool = False
    """Remove a demo that is here first."""


@dataclass(frozen=True, slots=True)
class FolderRequest:
    folder: Path | None
    """None: Labeled Faces in the Wild, downloaded."""
    class_photos: Path | None = None
    students: int = 30
    strangers: int = 3
    photos: int = 6
    enrol: int = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    built: build.Built
    lines: tuple[str, ...]
    """What to print at the end."""

    @property
    def right(self) -> bool:
        return self.built.verdict.right


def load_built_in(request: Request, say: Say) -> Outcome:
    """The class that ``./run`` starts with. Raises DemoError and its kinds; then nothing is left behind."""
    server = _prepare(request)
    say("Fetching the photos (20 MB, once)" if photos.missing() else "The photos are here already")
    cast = people.built_in(photos.fetch())
    plan = lesson.built_in(cast, request.seed)

    def make(demo: school.DemoClass) -> build.Built:
        return build.build(
            plan, demo, server=server, say=say, extra_names=people.WITHOUT_PHOTOS, other_lessons=True
        )

    return _load(BUILT_IN, make, request)


def load_folder(request: Request, wanted: FolderRequest, say: Say) -> Outcome:
    """A class of the people of a folder. Raises DemoError and its kinds; then nothing is left behind."""
    server = _prepare(request)
    folder = lfw.fetch(say) if wanted.folder is None else wanted.folder
    spec = school.ClassSpec(
        code=f"FACES-{folder.name}"[:40],
        name=f"Faces of {folder.name}"[:200],
        about=(
            f"A demo with the people of the folder “{folder.name}”: photos for trying things out, which nobody "
            "shown was asked about. Check the terms of the photos before you show this to anyone."
        ),
    )

    def make(demo: school.DemoClass) -> build.Built:
        if wanted.class_photos is not None:
            everybody = folders.people_of(folder, enrol=wanted.enrol, seen=0, seed=request.seed)
            labelled = folders.labelled_photos(wanted.class_photos)
            return build.build_labelled(everybody, labelled, demo, server=server, say=say)
        everybody = folders.people_of(folder, enrol=wanted.enrol, seen=HELD_OUT, seed=request.seed)
        full = [
            person for person in everybody if len(person.portraits) == wanted.enrol and len(person.seen) >= 2
        ]
        plan = lesson.of_folder(
            full or everybody,
            students=wanted.students,
            strangers=wanted.strangers,
            photos=wanted.photos,
            seed=request.seed,
        )
        return build.build(plan, demo, server=server, say=say)

    return _load(spec, make, request)


def _prepare(request: Request) -> str | None:
    """What can be refused is refused before anything is made."""
    logins.check_local()
    server = camera.checked_server(request.server) if request.server else None
    if Course.objects.filter(is_demo=True).exists():
        if not request.replace:
            raise DemoError(
                "A demo class is here already; ./run manage demo --remove removes it, --again makes a new one."
            )
        remove_demo()
    return server


def _load(
    spec: school.ClassSpec, make: Callable[[school.DemoClass], build.Built], request: Request
) -> Outcome:
    made_by = logins.ensure()
    try:
        built = make(school.make_class(spec, made_by))
    except BaseException:
        remove_demo(with_logins=True)
        raise
    lines = (
        "",
        *check.table(built.verdict),
        "",
        f"Logins: {', '.join(made_by.names)}; the password of each is {logins.PASSWORD}",
    )
    return Outcome(built, lines)
