"""Reads what two networks said and what people said about it: a fixed number of queries, whatever there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from attendance.models import Candidate, Course, Review, SecondOpinion, Sighting, Snapshot
from attendance.reports.comparison import Comparison, Group, Judged, compare
from attendance.second_rule import MODELS_DISAGREE


@dataclass(frozen=True, slots=True)
class Facts:
    """``version``: the second network's newest; answers of older ones, ``older_faces`` of them, are not compared."""

    comparison: Comparison
    courses: dict[int, Course]
    version: str
    older_faces: int
    first_milliseconds: float | None
    """Of recognition for one face of these photos: finding, aligning, encoding and naming."""


def read(courses: QuerySet[Course]) -> Facts:
    """Both networks' answers in photos that have not expired, for these courses."""
    opinions = SecondOpinion.objects.filter(sighting__snapshot__session__course__in=courses)
    newest = opinions.order_by("-pk").values_list("encoder_version", flat=True).first() or ""
    current = opinions.filter(encoder_version=newest)
    known = {course.pk: course for course in courses.order_by("name", "code", "pk")}
    groups = _groups(current)
    having = [pk for pk in known if pk in {group.course_id for group in groups}]
    return Facts(
        compare(having, groups, _judged(current)),
        known,
        newest,
        opinions.exclude(encoder_version=newest).count(),
        _first_milliseconds(current),
    )


def seen(courses: QuerySet[Course], version: str, agreement: str) -> QuerySet[SecondOpinion]:
    """The faces that got such a pair of answers, the newest first, with what a page shows of them."""
    return (
        SecondOpinion.objects.filter(
            sighting__snapshot__session__course__in=courses, encoder_version=version, agreement=agreement
        )
        .select_related("student", "sighting__student", "sighting__snapshot__session__course")
        .prefetch_related("sighting__reviews__student")
        .defer("sighting__encoding", "sighting__landmarks", "sighting__quality_details")
        .order_by("-sighting__snapshot__taken_at", "-pk")
    )


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
    nearest = Candidate.objects.filter(sighting=OuterRef("sighting"), rank=0).values("student")[:1]
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


def answered_in(courses: QuerySet[Course]) -> list[Course]:
    """Those of the courses in which both networks have answered, by name: the choices of a filter."""
    opinions = SecondOpinion.objects.order_by().values("sighting__snapshot__session__course").distinct()
    return list(courses.filter(pk__in=opinions).order_by("name", "code", "pk"))
