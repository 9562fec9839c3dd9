"""The evidence card: what speaks for and against the likeliest answer, and why the face was counted or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from attendance.desk.items import Item, Kind, OpenFace
from attendance.engines import from_bytes
from attendance.models import FaceTemplate, Student
from attendance.web.words import FACE_REASONS, in_words

CROPS_SHOWN = 3

WEAKNESSES: Mapping[str, str | Promise] = {
    "size": gettext_lazy("small"),
    "sharpness": gettext_lazy("blurred"),
    "pose": gettext_lazy("turned away"),
    "light": gettext_lazy("badly lit"),
    "completeness": gettext_lazy("cut off at the edge"),
}
WEAK = 0.5
"""A measure of quality below this is named."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the card."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class EnrolledCrops:
    """Addresses of a student's enrolled crops, the one most like the face first."""

    urls: tuple[str, ...]
    nearest: float | None
    """Distance of the first one; None where nothing could be compared."""


def enrolled_crops(student_ids: Iterable[int], probe: OpenFace | None) -> dict[int, EnrolledCrops]:
    """The best enrolled crops of each student, in one query; nearest to ``probe`` first."""
    found: dict[int, list[tuple[float, int]]] = {}
    rows = FaceTemplate.objects.filter(student_id__in=list(student_ids)).exclude(chip="")
    for student_id, pk, quality, encoding, version in rows.values_list(
        "student_id", "pk", "quality", "encoding", "encoder_version"
    ):
        comparable = probe is not None and probe.encoding is not None and version == probe.encoder_version
        if comparable and probe is not None and probe.encoding is not None:
            order = float(np.linalg.norm(from_bytes(encoding or b"") - probe.encoding))
        else:
            order = 10.0 - quality
        found.setdefault(student_id, []).append((order, pk))
    return {
        student_id: EnrolledCrops(
            tuple(reverse("web:template-crop", args=[pk]) for _order, pk in sorted(crops)[:CROPS_SHOWN]),
            min(crops)[0] if min(crops)[0] < 9.0 else None,
        )
        for student_id, crops in found.items()
    }


def facts(item: Item, names: Mapping[int, Student], crops: Mapping[int, EnrolledCrops]) -> list[Fact]:
    """Best match, runner-up, lead, quality, photos and both networks, in words and numbers."""
    ranked = [each for each in item.candidates if each.likeness.student_id in names]
    lines = []
    if ranked:
        best = ranked[0].likeness
        lines.append(Fact(_("Best match"), _match(names[best.student_id], best.distance, best.probability)))
        own = crops.get(best.student_id)
        if own is not None and own.nearest is not None:
            lines.append(Fact(_("Nearest enrolled photo"), _("distance %(d).2f") % {"d": own.nearest}))
    if len(ranked) > 1:
        second = ranked[1].likeness
        lines.append(
            Fact(_("Runner-up"), _match(names[second.student_id], second.distance, second.probability))
        )
        lines.append(Fact(_("Lead over the runner-up"), f"{ranked[0].likeness.score - second.score:.2f}"))
    lines.append(Fact(_("Face"), quality_in_words(item.probe)))
    lines.append(
        Fact(
            _("Seen"),
            ngettext("in %(n)d photo", "in %(n)d photos", item.photos) % {"n": item.photos},
        )
    )
    opinion = _second(item.faces, names)
    if opinion:
        lines.append(Fact(_("Second model"), opinion))
    return lines


def sentence(item: Item, names: Mapping[int, Student]) -> str:
    """One sentence: whether the face was counted, and why."""
    named = next((face.named for face in item.faces if face.named is not None), None)
    reason = in_words(FACE_REASONS, item.probe.reason).rstrip(".") if item.probe.reason else ""
    if item.kind is Kind.DISAGREEMENT:
        return _("Not counted: the two models name different students.")
    if named is not None and item.kind is Kind.SEEN_TOO_SELDOM:
        return _("Recognised as %(name)s, but not counted: seen too seldom to be sure.") % {
            "name": _name(named, names)
        }
    if named is not None:
        return _("Counted as %(name)s.") % {"name": _name(named, names)}
    if reason:
        return _("Not counted. %(reason)s.") % {"reason": reason}
    return _("Not counted.")


def quality_in_words(face: OpenFace) -> str:
    """``38 pixels wide; small, blurred``."""
    weak = [
        str(words)
        for name, words in WEAKNESSES.items()
        if name in face.quality_parts and face.quality_parts[name] < WEAK
    ]
    size = _("%(pixels)d pixels wide") % {"pixels": round(face.pixels)}
    if weak:
        return f"{size}; {', '.join(weak)}"
    return f"{size}; {_('clear')}" if face.quality_parts else size


def percent(chance: float) -> str:
    """Nothing is certain and nothing impossible."""
    if chance > 0.99:
        return _("over 99 %")
    if chance < 0.01:
        return _("under 1 %")
    return _("%(percent)d %%") % {"percent": round(chance * 100)}


def _match(student: Student, distance: float, chance: float | None) -> str:
    words = _("%(name)s, distance %(d).2f") % {"name": student.full_name, "d": distance}
    return f"{words}, {percent(chance)}" if chance is not None else words


def _second(faces: Sequence[OpenFace], names: Mapping[int, Student]) -> str:
    """What the second network says of the large face."""
    says = faces[0].second
    if says is None:
        return ""
    if says.student_id is None or says.agreement in ("neither", "first_only"):
        return _("names nobody")
    name = _name(says.student_id, names)
    return f"{name}, {percent(says.probability)}" if says.probability is not None else name


def _name(student_id: int, names: Mapping[int, Student]) -> str:
    return names[student_id].full_name if student_id in names else _("somebody else")
