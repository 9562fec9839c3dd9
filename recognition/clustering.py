"""Unknown faces put together, so that a stranger seen in forty photos is one row and not forty.

Average linkage on Euclidean distances: two groups join while the mean distance between their faces stays
under the threshold. Unlike Chinese whispers it gives the same groups for any order of the faces and needs no
random numbers; docs/accuracy.md has both measured.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

_NEVER = 1e3
"""Added to the distance of two faces of one photo: larger than any mean distance that could join groups."""


def group(encodings: ArrayLike, threshold: float, *, photos: Sequence[Hashable] | None = None) -> list[int]:
    """The group of each face: 0, 1, ... in order of first appearance.

    ``encodings``: (n, 128), n may be 0. ``threshold``: largest mean distance within a group, above 0
    (``MatchPolicy.same_person_distance``). ``photos``: for each face, which photo it is from; two faces of
    one photo are never put together. Takes 8 n^2 bytes. Raises ValueError for other shapes or values.
    """
    points = np.asarray(encodings, dtype=np.float64)
    if points.size == 0:
        return []
    if points.ndim != 2 or not np.isfinite(points).all():
        raise ValueError(f"encodings must be finite and of shape (n, 128), these have {points.shape}")
    if not threshold > 0:
        raise ValueError(f"the threshold must be above 0, not {threshold}")
    if photos is not None and len(photos) != len(points):
        raise ValueError(f"{len(points)} encodings but {len(photos)} photos")
    if len(points) == 1:
        return [0]
    # Imported here: they take half a second, and most programs that read this file group nothing.
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    distances = pdist(points)
    if photos is not None:
        distances[_same_photo(photos)] += _NEVER
    if distances.min() > threshold:
        return list(range(len(points)))
    return _cut(linkage(distances, "average"), threshold)


def _cut(tree: np.ndarray[tuple[int, int], np.dtype[np.float64]], threshold: float) -> list[int]:
    """The group of each face, of ``tree`` (n - 1, 4) as scipy's ``linkage`` gives it: nearest joined first.

    What ``fcluster(tree, threshold, "distance")`` says, which checks and converts for longer than a handful of
    faces takes to be grouped.
    """
    faces = len(tree) + 1
    members = {face: [face] for face in range(faces)}
    for joined, (one, other, distance, _size) in enumerate(tree.tolist(), faces):
        if distance <= threshold:
            members[joined] = members.pop(int(one)) + members.pop(int(other))
    groups = sorted(members.values(), key=min)
    group_of = {face: number for number, own in enumerate(groups) for face in own}
    return [group_of[face] for face in range(faces)]


def _same_photo(photos: Sequence[Hashable]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each pair in ``pdist``'s order, whether both faces are from one photo."""
    numbers: dict[Hashable, int] = {}
    of_face = np.array([numbers.setdefault(photo, len(numbers)) for photo in photos])
    first, second = np.triu_indices(len(of_face), 1)
    return np.asarray(of_face[first] == of_face[second])
