"""What a person had before them when they decided: kept with the fact, in codes and numbers only."""

from __future__ import annotations

from typing import Any

from attendance.desk import queue
from attendance.desk.items import Item
from attendance.models import ClassSession


def shown(item: Item) -> dict[str, Any]:
    """Kind, reasons, faces, candidates with distance and probability, the second network; no names, no encodings."""
    return {
        "kind": str(item.kind),
        "worth": round(item.worth, 3),
        "reasons": list(item.reasons),
        "faces": [face.sighting_id for face in item.faces],
        "candidates": [
            [each.likeness.student_id, round(each.likeness.distance, 3), each.likeness.probability]
            for each in item.candidates
        ],
        "second": [
            [face.second.student_id, face.second.probability, face.second.agreement]
            for face in item.faces
            if face.second is not None
        ][:1],
        "groups": [[face.sighting_id for face in group] for group in item.groups],
    }


def shown_at(session: ClassSession, address: str) -> dict[str, Any]:
    """The same for the item that ``address`` means at this moment; empty where there is none."""
    if not address:
        return {}
    items = queue.items_for(ClassSession.objects.filter(pk=session.pk))
    return next((shown(each.item) for each in items if each.item.answers_to(address)), {})
