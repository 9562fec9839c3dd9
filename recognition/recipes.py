"""How a face's chips are made and averaged into one encoding. A recipe is data; its name is part of the version."""

from __future__ import annotations

from dataclasses import dataclass

from recognition.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which views of a face are encoded; their encodings are averaged.

    ``sources``: where the chip's alignment comes from, "points" (the detector's five points) or "dlib5" (dlib's five
    landmarks found in the face's box); a source a detector cannot give falls back to "dlib5".
    ``mirror``: each chip is encoded together with its mirror image.
    """

    name: str
    sources: tuple[str, ...]
    mirror: bool


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("plain", ("dlib5",), mirror=False),
        Recipe("fast", ("points",), mirror=True),
        Recipe("accurate", ("points", "dlib5"), mirror=True),
    )
}


def recipe_named(name: str) -> Recipe:
    """The recipe; raises UnknownName."""
    if name not in RECIPES:
        raise UnknownName(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
