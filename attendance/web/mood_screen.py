"""The band of a session's mood: a line with its interval for engagement and valence, as SVG and as a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import mood_switches, moods
from attendance.models import ClassSession
from emotion.mood import ENGAGEMENT, Estimate

WIDTH, HEIGHT, PAD = 640, 150, 8
EMOTIONS: dict[str, str | Promise] = {
    "Neutral": _("neutral"),
    "Happy": _("happy"),
    "Surprise": _("surprised"),
    "Sad": _("sad"),
    "Angry": _("angry"),
    "Fear": _("afraid"),
    "Disgust": _("disgusted"),
}


@dataclass(frozen=True, slots=True)
class Band:
    """One quantity over the lesson; numbers of the drawing as text, so that no locale can touch them."""

    name: str | Promise
    meaning: str | Promise
    line: str
    area: str
    dots: list[tuple[str, str]]
    now: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class MomentRow:
    taken_at: dt.datetime
    faces: int
    engagement: str
    valence: str
    shares: list[str]


@dataclass(frozen=True, slots=True)
class MoodScreen:
    bands: list[Band]
    rows: list[MomentRow]
    emotions: list[str | Promise]
    faces: int
    minimum: int
    width: int = WIDTH
    height: int = HEIGHT


def build(session: ClassSession) -> MoodScreen | None:
    """None where mood is off for the course, or nothing was read yet."""
    moments = moods.of_session(session)
    smallest = mood_switches.smallest_group(session.course)
    if not moments or smallest is None:
        return None
    lowest, highest = min(ENGAGEMENT.values()), max(ENGAGEMENT.values())
    return MoodScreen(
        bands=[
            _band(
                _("Engagement"),
                _(
                    "from turned inward (0) to attentive (1), by expression alone; the index itself runs from 0.2 "
                    "to 0.9 and is drawn out here"
                ),
                session,
                moments,
                [scaled(moment.mood.engagement, lowest, highest) for moment in moments],
                signed=False,
            ),
            _band(
                _("Valence"),
                _("from unpleasant (-1) to pleasant (+1)"),
                session,
                moments,
                [moment.mood.valence for moment in moments],
                signed=True,
            ),
        ],
        rows=[_row(moment, lowest, highest) for moment in moments],
        emotions=list(EMOTIONS.values()),
        faces=moments[-1].mood.n,
        minimum=smallest,
    )


def prohibited_for_the_demo(session: ClassSession) -> bool:
    """Whether a page of the demo owes a word on why it shows no mood."""
    return session.course.is_demo and mood_switches.prohibited() is not None


def engagement_percent(estimate: Estimate) -> tuple[str, str, str]:
    """(low, value, high) of engagement from 0 to 100, for a chart and its table."""
    found = scaled(estimate, min(ENGAGEMENT.values()), max(ENGAGEMENT.values()))
    return f"{found.low * 100:.0f}", f"{found.value * 100:.0f}", f"{found.high * 100:.0f}"


def scaled(estimate: Estimate, lowest: float, highest: float) -> Estimate:
    """The index's own range, 0.2 to 0.9, drawn out to 0 to 1."""
    low, value, high = (
        (number - lowest) / (highest - lowest) for number in (estimate.low, estimate.value, estimate.high)
    )
    return Estimate(value, max(0.0, low), min(1.0, high))


def _band(
    name: str | Promise,
    meaning: str | Promise,
    session: ClassSession,
    moments: Sequence[moods.Moment],
    values: Sequence[Estimate],
    *,
    signed: bool,
) -> Band:
    bottom = -1.0 if signed else 0.0
    length = max((session.ends_at - session.starts_at).total_seconds(), 1.0)

    def x(moment: moods.Moment) -> float:
        share = (moment.taken_at - session.starts_at).total_seconds() / length
        return PAD + min(max(share, 0.0), 1.0) * (WIDTH - 2 * PAD)

    def y(value: float) -> float:
        return PAD + (1.0 - (value - bottom) / (1.0 - bottom)) * (HEIGHT - 2 * PAD)

    tops = [f"{x(m):.1f},{y(v.high):.1f}" for m, v in zip(moments, values, strict=True)]
    bottoms = [f"{x(m):.1f},{y(v.low):.1f}" for m, v in zip(moments, values, strict=True)]
    middle = [(f"{x(m):.1f}", f"{y(v.value):.1f}") for m, v in zip(moments, values, strict=True)]
    last = values[-1]
    form = "{:+.2f}" if signed else "{:.2f}"
    return Band(
        name,
        meaning,
        line=" ".join(",".join(point) for point in middle),
        area=" ".join([*tops, *reversed(bottoms)]),
        dots=middle,
        now=form.format(last.value),
        low=form.format(last.low),
        high=form.format(last.high),
    )


def _row(moment: moods.Moment, lowest: float, highest: float) -> MomentRow:
    engagement = scaled(moment.mood.engagement, lowest, highest)
    valence = moment.mood.valence
    return MomentRow(
        moment.taken_at,
        moment.mood.n,
        f"{engagement.value:.2f} ({engagement.low:.2f}–{engagement.high:.2f})",
        f"{valence.value:+.2f} ({valence.low:+.2f}–{valence.high:+.2f})",
        [_percent(moment.mood.shares[name]) for name in EMOTIONS],
    )


def _percent(share: Estimate) -> str:
    return f"{share.value * 100:.0f} % ({share.low * 100:.0f}–{share.high * 100:.0f})"
