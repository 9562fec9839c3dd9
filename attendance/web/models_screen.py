"""What the comparison page shows: two models beside each other, and the faces they name differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from attendance import figures
from attendance.faces import FaceStanding, Standing, standing_of
from attendance.models import Course, SecondOpinion, Student
from attendance.reports import comparison_facts
from attendance.reports.comparison import AGREEMENTS, Comparison, Line, Outcome, Share
from attendance.web.face_screen import likeness
from attendance.web.faces import crops_of

FACES_A_PAGE = 12
CROPS_SHOWN = 2
CHARTED = 8
"""Courses drawn in the chart, those with the most faces; the table has all of them."""
SHORT: Mapping[str, str | Promise] = {
    "same": gettext_lazy("Same name"),
    "first_only": gettext_lazy("First only"),
    "second_only": gettext_lazy("Second only"),
    "different": gettext_lazy("Different names"),
    "neither": gettext_lazy("No name"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the agreement table; ``percents`` in the order of ``AGREEMENTS``, as text for the chart."""

    name: str
    code: str
    line: Line
    charted: bool
    percents: list[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """A share with its interval, ready to be read and drawn: 0 to 100, as text so that no locale can touch it."""

    share: Share
    percent: str
    low: str
    high: str
    width: str
    """Of the interval."""
    dot: str
    """Left edge of the mark at the share itself."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    name: str | Promise
    nearest: Measured
    named: Measured
    silent: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Whom one model takes a face for."""

    student: Student | None
    crops: list[str]
    likely: str


@dataclass(frozen=True, slots=True)
class FaceCard:
    id: int
    crop_url: str
    href: str
    course: Course
    taken_at: dt.datetime
    first: Claim
    second: Claim
    said: str


@dataclass(frozen=True, slots=True)
class ModelsScreen:
    figures: figures.Reading[comparison_facts.Facts]
    facts: comparison_facts.Facts | None
    """None: not worked out yet, and neither is what follows from them."""
    total: Line | None
    rows: list[Row]
    models: list[ModelRow]
    outcomes: list[tuple[str, str | Promise, Outcome]]
    alike: Measured | None
    choices: list[Course]
    kinds: list[tuple[str, str | Promise]]
    shown: str
    faces: list[FaceCard]
    page: Page[SecondOpinion]
    switched_on: bool


def build(chosen: Course | None, shown: str, page: str | None) -> ModelsScreen:
    """``chosen``: the course a person filtered by. An unknown ``shown`` is *different*, an unknown page the nearest."""
    course_id = chosen.pk if chosen else None
    read = comparison_facts.read(course_id)
    every = comparison_facts.read() if chosen else read
    facts = read.facts
    shown = shown if shown in AGREEMENTS else "different"
    version = facts.version if facts else ""
    found = Paginator(comparison_facts.seen(course_id, version, shown), FACES_A_PAGE).get_page(page)
    total = facts.comparison.total if facts else None
    return ModelsScreen(
        figures=read.figures,
        facts=facts,
        total=total,
        rows=_rows(read.courses, facts.comparison) if facts else [],
        models=_models(total) if total else [],
        outcomes=_outcomes(total) if total else [],
        alike=measured(total.alike) if total else None,
        choices=list(every.courses.values()),
        kinds=[(kind, SHORT[kind]) for kind in AGREEMENTS],
        shown=shown,
        faces=_cards(found.object_list),
        page=found,
        switched_on=settings.ROLLCALL_SECOND_OPINION,
    )


def _models(total: Line) -> list[ModelRow]:
    return [
        ModelRow(name, measured(accuracy.nearest), measured(accuracy.named), accuracy.silent)
        for name, accuracy in (
            (gettext_lazy("First: dlib's network"), total.first),
            (gettext_lazy("Second: trained on LFW alone"), total.second),
        )
    ]


def _outcomes(total: Line) -> list[tuple[str, str | Promise, Outcome]]:
    return [(kind, SecondOpinion.Agreement(kind).label, total.outcomes[kind]) for kind in AGREEMENTS]


def measured(share: Share) -> Measured:
    low, high = share.interval
    percent = "" if share.value is None else f"{share.value * 100:.1f}"
    return Measured(
        share,
        percent,
        f"{low * 100:.1f}",
        f"{high * 100:.1f}",
        width=f"{(high - low) * 100:.1f}",
        dot=f"{min(max((share.value or 0.0) * 100 - 0.75, 0.0), 98.5):.2f}",
    )


def _rows(courses: Mapping[int, Course], comparison: Comparison) -> list[Row]:
    lines = comparison.courses
    most = {line.course_id for line in sorted(lines, key=lambda line: -line.faces)[:CHARTED]}
    rows = [_row(_("All courses"), "", comparison.total, charted=True)] if len(lines) != 1 else []
    for line in lines:
        course = courses[line.course_id or 0]
        rows.append(_row(course.name, course.code, line, charted=line.course_id in most))
    return rows


def _row(name: str, code: str, line: Line, *, charted: bool) -> Row:
    return Row(
        name,
        code,
        line,
        charted,
        [f"{100 * line.outcomes[kind].faces / max(line.faces, 1):.1f}" for kind in AGREEMENTS],
    )


def _cards(opinions: Iterable[SecondOpinion]) -> list[FaceCard]:
    opinions = list(opinions)
    named = {opinion.student_id for opinion in opinions} | {one.sighting.student_id for one in opinions}
    crops = crops_of((pk for pk in named if pk is not None), CROPS_SHOWN)
    return [_card(opinion, crops) for opinion in opinions]


def _card(opinion: SecondOpinion, crops: Mapping[int, list[str]]) -> FaceCard:
    sighting = opinion.sighting
    session = sighting.snapshot.session
    first, second = sighting.student, opinion.student
    standing = standing_of(sighting, sighting.reviews.all())
    return FaceCard(
        id=sighting.pk,
        crop_url=reverse("web:face-crop", args=[sighting.pk]) if sighting.chip else "",
        href=reverse("web:face", args=[session.pk, sighting.pk]),
        course=session.course,
        taken_at=sighting.snapshot.taken_at,
        first=Claim(first, crops.get(first.pk, []) if first else [], ""),
        second=Claim(
            second,
            crops.get(second.pk, []) if second else [],
            likeness(opinion.probability, opinion.distance or 0.0),
        ),
        said=_said(standing, {review.student_id: review.student for review in sighting.reviews.all()}),
    )


def _said(standing: FaceStanding, students: Mapping[int | None, Student | None]) -> str:
    """What a person said about the face; blank while nobody did."""
    if not standing.confirmed:
        return ""
    if standing.standing is Standing.NAMED:
        student = students.get(standing.student_id)
        return _("A person said: %(name)s") % {"name": student.full_name if student else "?"}
    if standing.standing is Standing.STRANGER:
        return _("A person said: not in this class.")
    return _("A person said: not a face")
