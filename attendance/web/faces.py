"""Which crop stands for a student on a page, and where it is served."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.urls import reverse

from attendance.models import FaceTemplate


def portrait_urls(student_ids: Iterable[int]) -> dict[int, str]:
    """The address of each enrolled student's best crop, in one query."""
    best: dict[int, str] = {}
    rows = (
        FaceTemplate.objects.filter(student_id__in=list(student_ids))
        .exclude(chip="")
        .order_by("-quality", "pk")
        .values_list("student_id", "pk")
    )
    for student_id, template_id in rows:
        best.setdefault(student_id, reverse("web:template-crop", args=[template_id]))
    return best


def crops_of(student_ids: Iterable[int], most: int) -> dict[int, list[str]]:
    """Addresses of each student's best crops, at most so many, in one query."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = (
        FaceTemplate.objects.filter(student_id__in=list(student_ids))
        .exclude(chip="")
        .order_by("-quality", "pk")
        .values_list("student_id", "pk")
    )
    for student_id, template_id in rows:
        if len(found[student_id]) < most:
            found[student_id].append(reverse("web:template-crop", args=[template_id]))
    return found
