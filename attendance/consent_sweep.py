"""A look over everything that is kept, which proves that nobody without consent is in it. It deletes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from attendance.models import (
    Candidate,
    Consent,
    FaceTemplate,
    Portrait,
    Review,
    SecondOpinion,
    Sighting,
    TemplateEmbedding,
)
from attendance.storage import media

FOLDERS = ("portraits", "templates")
"""Where files lie that only a student with consent may have."""
LISTED = 5
ON_THE_WAY = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Left:
    """Something that must not be there."""

    what: str
    number: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    rows: int
    """Rows with something of a face that were looked at."""
    files: int
    left: tuple[Left, ...]

    @property
    def clean(self) -> bool:
        return not self.left


def sweep() -> Swept:
    """Every template, portrait, embedding, named face and enrolment file, held against the consents.

    Raises StorageAway.
    """
    left: list[Left] = []
    rows = 0
    for what, found in _rows():
        rows += found.model._default_manager.count()
        number = found.count()
        if number:
            examples = tuple(str(pk) for pk in found.order_by("pk").values_list("pk", flat=True)[:LISTED])
            left.append(Left(what, number, examples))
    kept = _files_kept(timezone.now() + ON_THE_WAY)
    # A new one is written before its row, an old one goes after it.
    settled = _files_kept(timezone.now() - ON_THE_WAY)
    stray = sorted(settled - _files_named())
    if stray:
        left.append(Left("files that belong to no portrait", len(stray), tuple(stray[:LISTED])))
    return Swept(rows, len(kept), tuple(left))


def _rows() -> Iterator[tuple[str, QuerySet]]:  # type: ignore[type-arg]
    """What is kept of a face, each narrowed to students without consent."""
    yield "portraits", _without_consent(Portrait.objects.all(), "student_id")
    yield "face templates", _without_consent(FaceTemplate.objects.all(), "student_id")
    yield "second embeddings", _without_consent(TemplateEmbedding.objects.all(), "template__student_id")
    faces = Sighting.objects.filter(Q(encoding__isnull=False) | ~Q(chip=""))
    yield "recognised faces", _without_consent(faces.filter(student__isnull=False), "student_id")
    said = Review.objects.filter(undone_at__isnull=True, verdict=Review.Verdict.IS).filter(
        Q(sighting__encoding__isnull=False) | ~Q(sighting__chip="")
    )
    yield "faces that a person named", _without_consent(said, "student_id")
    yield "candidates", _without_consent(Candidate.objects.all(), "student_id")
    opinions = SecondOpinion.objects.filter(student__isnull=False)
    yield "second opinions", _without_consent(opinions, "student_id")


def _without_consent(rows: QuerySet, owner: str) -> QuerySet:  # type: ignore[type-arg]
    given = Consent.objects.filter(student=OuterRef(owner), state=Consent.State.GIVEN)
    return rows.filter(~Exists(given))


def _files_named() -> set[str]:
    names = {*Portrait.objects.values_list("image", flat=True)}
    return names | {*FaceTemplate.objects.values_list("chip", flat=True)}


def _files_kept(before: dt.datetime) -> set[str]:
    """Names of the files under the folders of enrolment; unfinished ones (``.part``) are none yet."""
    found = (name for folder in FOLDERS for name in media().names(before, folder))
    return {name for name in found if "/." not in name}
