"""Which crop stands for a student on a page, and where it is served."""

from __future__ import annotations

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
