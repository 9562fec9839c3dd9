"""What the desk shows: one item large, the next one ready behind it, what is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from attendance.desk.groups import share_a_photo
from attendance.desk.items import Item, ItemCandidate, Kind, OpenFace
from attendance.desk.queue import DeskItem, Left, left
from attendance.models import ClassSession, Sighting, Snapshot, Student
from attendance.web.desk_evidence import EnrolledCrops, Fact, enrolled_crops, facts, percent, sentence
from attendance.web.words import FACE_REASONS, in_words

GROUP_SHOWN = 12
MERGE_SHOWN = 8

KINDS: Mapping[str, str | Promise] = {
    Kind.REPORT: gettext_lazy("Student reports"),
    Kind.DISAGREEMENT: gettext_lazy("Models disagree"),
    Kind.UNCERTAIN: gettext_lazy("Not sure"),
    Kind.CLAIMED_TWICE: gettext_lazy("Claimed twice"),
    Kind.SEEN_TOO_SELDOM: gettext_lazy("Seen too seldom"),
    Kind.STRANGER: gettext_lazy("Unknown"),
    Kind.NEVER_SEEN: gettext_lazy("Never seen"),
}

WHY: Mapping[str, str | Promise] = {
    Kind.DISAGREEMENT: gettext_lazy("The two models name different students."),
    Kind.UNCERTAIN: gettext_lazy("The camera is not sure."),
    Kind.CLAIMED_TWICE: gettext_lazy("Two faces of one photo look like the same student."),
    Kind.SEEN_TOO_SELDOM: gettext_lazy("Recognised, but in too few photos to count."),
    Kind.STRANGER: gettext_lazy("Nobody was recognised, and somebody's mark could change."),
    Kind.NEVER_SEEN: gettext_lazy("No camera has recognised this student in any lesson of late."),
}


@dataclass(frozen=True, slots=True)
class CandidateView:
    key: int
    student: Student
    crops: tuple[str, ...]
    likeness: str
    notes: list[str]
    likely: bool


@dataclass(frozen=True, slots=True)
class FaceView:
    """A face of a group; ``url`` blank where its crop has expired."""

    id: int
    url: str
    taken_at: dt.datetime


@dataclass(frozen=True, slots=True)
class GroupView:
    """An unnamed person of the session: a choice, or somebody to put together with."""

    key: int
    ids: list[int]
    faces: list[FaceView]
    photos: int
    likeness: str = ""


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
    key: str
    kind: str
    kind_words: str
    title: str
    session: ClassSession
    about: Student | None
    """The student in question, where the item is about a student."""
    report: str
    """``not_me`` or ``was_there``; blank for what no student reported."""
    report_id: int | None
    report_words: str
    portraits: tuple[str, ...]
    """Enrolled crops of the student in question."""
    group: list[FaceView]
    """All faces, the large one first."""
    more: int
    photos: int
    why: list[str]
    sentence: str
    facts: list[Fact]
    candidates: list[CandidateView]
    choices: list[GroupView]
    merges: list[GroupView]
    others: list[Student]
    place: BoxView | None

    @property
    def sighting_ids(self) -> list[int]:
        return [face.id for face in self.group]

    @property
    def probe(self) -> FaceView | None:
        return self.group[0] if self.group else None

    @property
    def rejected(self) -> Student | None:
        """Whom *not this person* is about: the candidate that is shown as likely."""
        return self.candidates[0].student if self.candidates else None

    @property
    def pictures(self) -> list[str]:
        """Everything a browser may load ahead."""
        urls = [face.url for face in self.group[:4]]
        urls += [url for candidate in self.candidates for url in candidate.crops]
        urls += [face.url for choice in self.choices for face in choice.faces] + list(self.portraits)
        return [url for url in urls if url]


@dataclass(frozen=True, slots=True)
class DeskScreen:
    item: ItemView | None
    following: ItemView | None
    """Rendered behind the present one, so that it is there before the eye moves."""
    left: Left


def build(items: Sequence[DeskItem]) -> DeskScreen:
    """The first two items in full."""
    views = [item_view(each, items) for each in items[:2]]
    return DeskScreen(
        item=views[0] if views else None,
        following=views[1] if len(views) > 1 else None,
        left=left(items),
    )


def item_view(desk_item: DeskItem, items: Sequence[DeskItem]) -> ItemView:
    """One item with everything a person needs to settle it; a fixed number of queries."""
    session, item = desk_item.session, desk_item.item
    roster = _roster(session)
    merges = _merges(desk_item, items)
    crops = crop_urls([item.faces, *item.groups, *merges])
    ranked = [each for each in item.candidates if each.likeness.student_id in roster]
    asked = {each.likeness.student_id for each in ranked} | {item.student_id or 0}
    enrolled = enrolled_crops(asked, item.faces[0] if item.faces else None)
    about = roster.get(item.student_id or 0)
    own = enrolled.get(item.student_id or 0)
    return ItemView(
        key=desk_item.key,
        kind=str(item.kind),
        kind_words=in_words(KINDS, item.kind),
        title=_title(item, about),
        session=session,
        about=about,
        report="" if item.report is None else "not_me" if item.faces else "was_there",
        report_id=item.report.contest_id if item.report else None,
        report_words=item.report.words if item.report else "",
        portraits=own.urls if own else (),
        group=[FaceView(face.sighting_id, crops[face.sighting_id], face.taken_at) for face in item.faces],
        more=max(0, len(item.faces) - GROUP_SHOWN),
        photos=item.photos,
        why=_why(item),
        sentence=sentence(item, roster) if item.faces else "",
        facts=facts(item, roster, enrolled) if item.faces else [],
        candidates=[
            _candidate(key, each, roster[each.likeness.student_id], enrolled)
            for key, each in enumerate(ranked, 1)
        ],
        choices=_choices(item, crops),
        merges=[_group(key, faces, crops) for key, faces in enumerate(merges, 1)],
        others=list(roster.values()),
        place=_place(item.probe.sighting_id) if item.faces else None,
    )


def _title(item: Item, about: Student | None) -> str:
    name = about.full_name if about else _("a student")
    if item.kind is Kind.NEVER_SEEN:
        return _("Is one of these %(name)s?") % {"name": name}
    if item.report is None:
        return _("Who is this?")
    if item.faces:
        return _("%(name)s says: that wasn't me") % {"name": name}
    return _("%(name)s says: I was there") % {"name": name}


def _roster(session: ClassSession) -> dict[int, Student]:
    students = Student.objects.filter(marks__session=session)
    return {student.pk: student for student in students.order_by("family_name", "given_name", "number")}


def _candidate(
    key: int, each: ItemCandidate, student: Student, enrolled: Mapping[int, EnrolledCrops]
) -> CandidateView:
    chance = each.likeness.probability
    if chance is not None:
        likeness = percent(chance)
    else:
        likeness = _("distance %(distance).2f") % {"distance": each.likeness.distance}
    notes = []
    if each.already_in_photo:
        notes.append(_("already on another face of this photo"))
    elif each.seen_in:
        notes.append(
            ngettext("seen in %(n)d photo", "seen in %(n)d photos", each.seen_in) % {"n": each.seen_in}
        )
    own = enrolled.get(student.pk)
    if own is None:
        notes.append(_("no enrolled photo"))
    likely = key == 1 and not each.already_in_photo
    return CandidateView(key, student, own.urls if own else (), likeness, notes, likely)


def _choices(item: Item, crops: Mapping[int, str]) -> list[GroupView]:
    found = []
    for key, group in enumerate(item.groups, 1):
        chance = sum(face.chance(item.student_id or 0) for face in group) / len(group)
        found.append(_group(key, group, crops, percent(chance) if chance > 0 else ""))
    return found


def _group(key: int, group: Sequence[OpenFace], crops: Mapping[int, str], likeness: str = "") -> GroupView:
    faces = [FaceView(face.sighting_id, crops[face.sighting_id], face.taken_at) for face in group[:4]]
    ids = [face.sighting_id for face in group]
    return GroupView(key, ids, faces, len({face.photo_id for face in group}), likeness)


def _merges(desk_item: DeskItem, items: Sequence[DeskItem]) -> list[tuple[OpenFace, ...]]:
    """Other unnamed people of the session who may be the same person: never in the same photo."""
    own = desk_item.item.faces
    if not own or desk_item.item.report or any(face.named is not None for face in own):
        return []
    return [
        each.item.faces
        for each in items
        if each is not desk_item
        and each.session.pk == desk_item.session.pk
        and each.item.faces
        and each.item.report is None
        and not any(face.named is not None for face in each.item.faces)
        and not share_a_photo(own, each.item.faces)
    ][:MERGE_SHOWN]


def _why(item: Item) -> list[str]:
    reasons = [in_words(WHY, item.kind)] if item.kind in WHY else []
    reasons += [in_words(FACE_REASONS, reason) for reason in item.reasons if reason != "clear"]
    return list(dict.fromkeys(reason for reason in reasons if reason))


def crop_urls(groups: Iterable[Sequence[OpenFace]]) -> dict[int, str]:
    """The address of each face's crop; blank where it has expired."""
    ids = [face.sighting_id for group in groups for face in group]
    with_chip = set(Sighting.objects.filter(pk__in=ids).exclude(chip="").values_list("pk", flat=True))
    return {pk: reverse("web:face-crop", args=[pk]) if pk in with_chip else "" for pk in ids}


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
