"""People from a folder of ``NAME/*.jpg``, and labelled photos of several of them."""

from __future__ import annotations

import csv
import random
import re
from dataclasses import dataclass
from pathlib import Path

from attendance.demo.errors import FolderRefused
from attendance.demo.people import FacePhoto, Person

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """One photo as it was taken, and the names of those in it who are in the folder."""

    path: Path
    names: frozenset[str]


def people_of(folder: Path, *, enrol: int, seen: int, seed: int) -> list[Person]:
    """Everybody with ``enrol`` photos to enrol and at least one, at most ``seen``, held out, in order of name.

    Which photos are enrolled is drawn with ``seed``. With ``seen`` 0 all photos are enrolled. Raises
    FolderRefused.
    """
    if not folder.is_dir():
        raise FolderRefused(f"There is no folder {folder}.")
    people = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = [FacePhoto(path) for path in sorted(place.iterdir()) if path.suffix.lower() in SUFFIXES]
        if seen == 0:
            portraits, held_out = photos, []
        else:
            random.Random(f"{seed} {place.name}").shuffle(photos)  # noqa: S311 - the same draw every time
            portraits, held_out = photos[:enrol], photos[enrol : enrol + seen]
        if portraits and (held_out or seen == 0):
            given, family = split_name(place.name)
            people.append(Person(given, family, tuple(portraits), tuple(held_out)))
    if not people:
        raise FolderRefused(
            f"{folder} has no people with enough photos: it must hold one folder a person, with at least "
            f"{enrol + min(seen, 1)} photos each."
        )
    return people


def labelled_photos(folder: Path) -> list[Labelled]:
    """Photos named in the folder's ``labels.csv`` (columns ``file`` and ``people``, names between semicolons)."""
    try:
        with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as stream:
            rows = [(row["file"], row["people"]) for row in csv.DictReader(stream)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise FolderRefused(f"{folder} needs a labels.csv with the columns file and people.") from error
    photos = [
        Labelled(
            folder / file,
            frozenset(" ".join(split_name(name)).strip() for name in people.split(";") if name.strip()),
        )
        for file, people in rows
    ]
    if not photos or not all(photo.path.is_file() for photo in photos):
        raise FolderRefused(f"{folder}/labels.csv names photos that are not there, or none.")
    return photos


def split_name(folder_name: str) -> tuple[str, str]:
    """``Ana_Maria_Cruz`` -> ("Ana Maria", "Cruz"); a single word is a given name."""
    words = [word[:1].upper() + word[1:] for word in re.split(r"[_\s]+", folder_name.strip()) if word]
    if not words:
        return folder_name, ""
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (words[0], "")
