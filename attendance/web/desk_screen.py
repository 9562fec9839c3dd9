"""What the desk shows: one item large, what is left, and how the run went."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from attendance.desk.items import Item, ItemCandidate, Kind
from attendance.desk.queue import DeskItem, worth
from attendance.models import ClassSession, FaceTemplate, Mark, Sighting, Snapshot, Student
from attendance.web.words import FACE_REASONS, in_words

CROPS_SHOWN = 3
GROUP_SHOWN = 8

WHY: Mapping[str, str | Promise] = {
    Kind.UNCERTAIN: gettext_lazy("The camera is not sure."),
    Kind.CLAIMED_TWICE: gettext_lazy("Two faces of one photo look like the same student."),
    Kind.SEEN_TOO_SELDOM: gettext_lazy("Recognised, but in too few photos to count."),
    Kind.STRANGER: gettext_lazy("Nobody was recognised, and somebody of the class is missing."),
}


@dataclass(frozen=True, slots=True)
class CandidateView:
    key: int
    student: Student
    crops: list[str]
    likeness: str
    notes: list[str]
    likely: bool


@dataclass(frozen=True, slots=True)
class BoxView:
    """The face in its photo, in the photo's pixels; text so that no locale can touch the numbers."""

    url: str
    width: str
    height: str
    left: str
    top: str
    box_width: str
    box_height: str


@dataclass(frozen=True, slots=True)
class ItemView:
    session: ClassSession
    sighting_ids: list[int]
    crop_url: str
    taken_at: dt.datetime
    group: list[str]
    faces: int
    photos: int
    why: list[str]
    candidates: list[CandidateView]
    others: list[Student]
    place: BoxView | None
    shown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeskScreen:
    item: ItemView | None
    left: int
    worth: int
    preload: list[str]


def build(items: Sequence[DeskItem]) -> DeskScreen:
    """The first item in full, and the crops of the second so that it is there before the eye moves."""
    if not items:
        return DeskScreen(None, 0, 0, [])
    following = items[1].item if len(items) > 1 else None
    return DeskScreen(
        item=_item_view(items[0]),
        left=len(items),
        worth=worth(items),
        preload=[reverse("web:face-crop", args=[following.probe.sighting_id])] if following else [],
    )


def _item_view(desk_item: DeskItem) -> ItemView:
    session, item = desk_item.session, desk_item.item
    roster = {
        mark.student_id: mark.student
        for mark in Mark.objects.filter(session=session)
        .select_related("student")
        .order_by("student__family_name", "student__given_name", "student__number")
    }
    ranked = [each for each in item.candidates if each.likeness.student_id in roster]
    crops = template_crops(each.likeness.student_id for each in ranked)
    candidates = [
        _candidate(key, each, roster[each.likeness.student_id], crops[each.likeness.student_id])
        for key, each in enumerate(ranked, 1)
    ]
    chips = _crop_urls(item)
    return ItemView(
        session=session,
        sighting_ids=[face.sighting_id for face in item.faces],
        crop_url=chips[0],
        taken_at=item.probe.taken_at,
        group=[url for url in chips[1:GROUP_SHOWN] if url],
        faces=len(item.faces),
        photos=item.photos,
        why=_why(item),
        candidates=candidates,
        others=list(roster.values()),
        place=_place(item.probe.sighting_id),
        shown=_shown(item),
    )


def template_crops(student_ids: Iterable[int]) -> dict[int, list[str]]:
    """Addresses of each student's best enrolled crops, in one query."""
    crops: dict[int, list[str]] = defaultdict(list)
    rows = (
        FaceTemplate.objects.filter(student_id__in=list(student_ids))
        .exclude(chip="")
        .order_by("-quality", "pk")
        .values_list("student_id", "pk")
    )
    for student_id, template_id in rows:
        if len(crops[student_id]) < CROPS_SHOWN:
            crops[student_id].append(reverse("web:template-crop", args=[template_id]))
    return crops


def _candidate(key: int, each: ItemCandidate, student: Student, crops: list[str]) -> CandidateView:
    chance = each.likeness.probability
    if chance is not None:
        likeness = _percent(chance)
    else:
        likeness = _("distance %(distance).2f") % {"distance": each.likeness.distance}
    notes = []
    if each.already_in_photo:
        notes.append(_("already on another face of this photo"))
    elif each.seen_in:
        notes.append(
            ngettext("seen in %(n)d photo", "seen in %(n)d photos", each.seen_in) % {"n": each.seen_in}
        )
    if not crops:
        notes.append(_("no enrolled photo"))
    return CandidateView(key, student, crops, likeness, notes, likely=key == 1 and not each.already_in_photo)


def _percent(chance: float) -> str:
    """Nothing is certain and nothing impossible."""
    if chance > 0.99:
        return _("over 99 %")
    if chance < 0.01:
        return _("under 1 %")
    return _("%(percent)d %%") % {"percent": round(chance * 100)}


def _why(item: Item) -> list[str]:
    reasons = [in_words(WHY, item.kind)]
    reasons += [in_words(FACE_REASONS, reason) for reason in item.reasons if reason != "clear"]
    pixels = round(item.probe.pixels)
    reasons.append(_("The face is %(pixels)d pixels wide.") % {"pixels": pixels})
    return list(dict.fromkeys(reason for reason in reasons if reason))


def _crop_urls(item: Item) -> list[str]:
    with_chip = set(
        Sighting.objects.filter(pk__in=[face.sighting_id for face in item.faces])
        .exclude(chip="")
        .values_list("pk", flat=True)
    )
    return [
        reverse("web:face-crop", args=[face.sighting_id]) if face.sighting_id in with_chip else ""
        for face in item.faces
    ]


def _place(sighting_id: int) -> BoxView | None:
    """Where the face is in its photo; None once the photo has expired."""
    sighting = Sighting.objects.select_related("snapshot").get(pk=sighting_id)
    snapshot: Snapshot = sighting.snapshot
    if not snapshot.image:
        return None
    return BoxView(
        url=reverse("web:photo", args=[snapshot.pk, "view"]),
        width=str(snapshot.width),
        height=str(snapshot.height),
        left=f"{sighting.left:.1f}",
        top=f"{sighting.top:.1f}",
        box_width=f"{sighting.width:.1f}",
        box_height=f"{sighting.height:.1f}",
    )


def _shown(item: Item) -> dict[str, Any]:
    """What the person had before them, kept with their decision: codes and numbers only."""
    return {
        "kind": str(item.kind),
        "reasons": list(item.reasons),
        "candidates": [
            [each.likeness.student_id, round(each.likeness.distance, 3), each.likeness.probability]
            for each in item.candidates
        ],
    }
