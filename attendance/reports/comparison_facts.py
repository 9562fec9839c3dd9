"""Reads what two networks said and what people said about it: a fixed number of queries, whatever there is.

Of very many faces the figures are kept (``attendance.figures``); pages and the API ask ``read``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from attendance import figures
from attendance.models import Candidate, Course, Review, SecondOpinion, Sighting, Snapshot
from attendance.reports.comparison import (
    AGREEMENTS,
    Accuracy,
    Comparison,
    Group,
    Judged,
    Line,
    Outcome,
    Share,
    compare,
)
from attendance.second_rule import MODELS_DISAGREE

FEW_FACES = 3000
"""Faces that are gone through while a page waits; more are gone through by a worker."""


@dataclass(frozen=True, slots=True)
class Facts:
    """``version``: the second network's newest; answers of older ones, ``older_faces`` of them, are not compared."""

    comparison: Comparison
    version: str
    older_faces: int
    first_milliseconds: float | None
    """Of recognition for one face of these photos: finding, aligning, encoding and naming."""


def count(course_id: int | None) -> Facts:
    """Both networks' answers in photos that have not expired, for one course or for all."""
    opinions = _opinions(course_id)
    newest = _newest(course_id)
    current = opinions.filter(encoder_version=newest)
    groups = _groups(current)
    return Facts(
        compare(sorted({group.course_id for group in groups}), groups, _judged(current)),
        newest,
        opinions.exclude(encoder_version=newest).count(),
        _first_milliseconds(current),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """``facts`` None: not worked out yet. ``courses``: those with a line, by name, in the order of the lines."""

    facts: Facts | None
    courses: dict[int, Course]
    figures: figures.Reading[Facts]


def read(course_id: int | None = None) -> Shown:
    """Of one course, or of all: counted at once, or as they are kept. A course deleted since has no line."""
    found = figures.read(TWO_MODELS, course_id)
    if found.found is None:
        return Shown(None, {}, found)
    comparison = found.found.comparison
    lines = {line.course_id or 0: line for line in comparison.courses}
    named = Course.objects.filter(pk__in=lines).order_by("name", "code", "pk")
    courses = {course.pk: course for course in named}
    own = Comparison(comparison.total, tuple(lines[pk] for pk in courses))
    return Shown(replace(found.found, comparison=own), courses, found)


def seen(course_id: int | None, version: str, agreement: str) -> QuerySet[SecondOpinion]:
    """The faces that got such a pair of answers, the latest looked at first, with what a page shows of them."""
    return (
        _opinions(course_id)
        .filter(encoder_version=version, agreement=agreement)
        .select_related("student", "sighting__student", "sighting__snapshot__session__course")
        .prefetch_related("sighting__reviews__student")
        .defer("sighting__encoding", "sighting__landmarks", "sighting__quality_details")
        .order_by("-sighting_id")
    )


def _newest(course_id: int | None) -> str:
    """The network that gave the latest opinion; blank where there is none."""
    opinions = SecondOpinion.objects.order_by("-pk")
    if course_id is not None:
        # The highest number, asked for as such: to find the first of a course in falling order, a database walks
        # through the latest faces of all the others.
        opinions = opinions.filter(pk=_opinions(course_id).order_by().aggregate(latest=Max("pk"))["latest"])
    return opinions.values_list("encoder_version", flat=True).first() or ""


def _opinions(course_id: int | None) -> QuerySet[SecondOpinion]:
    every = SecondOpinion.objects.all()
    return every if course_id is None else every.filter(sighting__snapshot__session__course=course_id)


def _groups(opinions: QuerySet[SecondOpinion]) -> list[Group]:
    rows = (
        opinions.values(course=F("sighting__snapshot__session__course"), kind=F("agreement"))
        .annotate(faces=Count("pk"), spent=Sum("milliseconds"))
        .order_by()
    )
    return [Group(row["course"], row["kind"], row["faces"], row["spent"] or 0.0) for row in rows]


def _judged(opinions: QuerySet[SecondOpinion]) -> Iterator[Judged]:
    """Faces a person settled. *Not a face* says nothing about names, *is not* leaves the truth open: left out."""
    words = Q(
        sighting__reviews__undone_at__isnull=True,
        sighting__reviews__verdict__in=[Review.Verdict.IS, Review.Verdict.NOT_IN_CLASS],
    )
    nearest = Candidate.objects.filter(sighting=OuterRef("sighting"), rank=0).order_by().values("student")[:1]
    rows = opinions.filter(words).values_list(
        "sighting__snapshot__session__course",
        "agreement",
        "sighting__reviews__student",
        "sighting__decision",
        "sighting__reason",
        "sighting__student",
        Subquery(nearest),
        "decision",
        "student",
    )
    for course, kind, truth, decision, reason, first, guess, second_decision, second in rows.iterator():
        first_named = decision == Sighting.Decision.RECOGNISED or reason == MODELS_DISAGREE
        yield Judged(
            course,
            kind,
            truth,
            first if first_named else None,
            guess or first,
            second if second_decision == Sighting.Decision.RECOGNISED else None,
            second,
        )


def _first_milliseconds(opinions: QuerySet[SecondOpinion]) -> float | None:
    photos = Snapshot.objects.filter(pk__in=opinions.values("sighting__snapshot"), faces__gt=0)
    spent = photos.aggregate(seconds=Sum("processing_seconds"), faces=Sum("faces"))
    if not spent["faces"] or spent["seconds"] is None:
        return None
    return float(spent["seconds"]) * 1000.0 / int(spent["faces"])


# --- kept where there are many --------------------------------------------------------------------------
def _few(course_id: int | None) -> bool:
    return _opinions(course_id).order_by()[: FEW_FACES + 1].count() <= FEW_FACES


def _counted_from(course_id: int | None) -> str:
    """Another text once a face was read, a person said or took back something, or a day has passed."""
    words = Review.objects.order_by()
    if course_id is not None:
        words = words.filter(sighting__snapshot__session__course=course_id)
    said = words.aggregate(last=Max("pk"), undone=Max("undone_at"))
    read_last = _opinions(course_id).order_by().aggregate(last=Max("pk"))["last"]
    clues = (timezone.now().date(), read_last, said["last"], said["undone"], Course.objects.count())
    return " ".join(str(clue) for clue in clues)


def _unpack_line(line: Mapping[str, Any]) -> Line:
    outcomes = {kind: Outcome(**line["outcomes"][kind]) for kind in AGREEMENTS}
    judged = {
        name: Accuracy(Share(**line[name]["nearest"]), Share(**line[name]["named"]), line[name]["silent"])
        for name in ("first", "second")
    }
    return Line(**{**line, "outcomes": outcomes, **judged})


def _unpack(facts: Mapping[str, Any]) -> Facts:
    lines = facts["comparison"]
    courses = tuple(_unpack_line(line) for line in lines["courses"])
    return Facts(**{**facts, "comparison": Comparison(_unpack_line(lines["total"]), courses)})


TWO_MODELS: figures.Kind[Facts] = figures.Kind(
    "two-models", _few, count, _counted_from, asdict, _unpack, for_administrators=True
)
