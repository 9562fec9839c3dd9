"""What *not this person* means for faces to come: consulted before anybody is named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from attendance.engines import from_bytes
from attendance.models import Review
from recognition.gallery import Gallery

LIKE_A_REJECTED_FACE = 0.35
"""Euclidean distance of encodings under which a face counts as the rejected one seen again."""
MOST_REMEMBERED = 1000
"""The latest rejections of a course; older ones have mostly lost their encodings to retention."""


def rejected_for(
    course_id: int, encodings: NDArray[np.float32], gallery: Gallery
) -> dict[int, frozenset[int]]:
    """For the index of a face, the students that people of this course said a face like it is not.

    ``encodings``: (n, 128), made by the engine of ``gallery``. A face is like a rejected one when it lies near it,
    and nearer than to the student's own templates: a student whose double was turned away is still recognised.
    """
    rows = list(
        Review.objects.filter(
            verdict=Review.Verdict.IS_NOT,
            undone_at__isnull=True,
            student__in=gallery.subject_ids,
            sighting__snapshot__session__course=course_id,
            sighting__encoding__isnull=False,
            sighting__encoder_version=gallery.version,
        )
        .order_by("-at", "-pk")
        .values_list("student_id", "sighting__encoding")[:MOST_REMEMBERED]
    )
    if not rows or not len(encodings):
        return {}
    column = {student: at for at, student in enumerate(gallery.subject_ids)}
    students = np.array([int(student or 0) for student, _encoding in rows])
    said_about = np.stack([from_bytes(encoding or b"") for _student, encoding in rows])
    own = gallery.distances(np.asarray(encodings, np.float64))[:, [column[s] for s in students]]
    away = np.linalg.norm(encodings[:, None, :] - said_about[None, :, :], axis=2)
    alike = (away < LIKE_A_REJECTED_FACE) & (away < own)
    return {
        int(face): frozenset(int(student) for student in students[alike[face]])
        for face in np.flatnonzero(alike.any(axis=1))
    }
