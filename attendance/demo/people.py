"""Who is in the demo: people with photos to enrol, others held out for the classroom, and how to cut them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a face, in pixels of its photo."""
Outline = tuple[tuple[float, float], ...]
"""Corners around head and shoulders, in face widths from the middle of the face."""


@dataclass(frozen=True, slots=True)
class FacePhoto:
    """One photo of one person. ``outline`` None: found from the picture alone."""

    path: Path
    box: Box | None = None
    outline: Outline | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """``portraits`` are enrolled; ``seen`` are put into classroom photos and never enrolled."""

    given_name: str
    family_name: str
    portraits: tuple[FacePhoto, ...]
    seen: tuple[FacePhoto, ...]

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


_COLLINS: Outline = (
    (0.03, -1.30), (0.34, -1.26), (0.65, -1.05), (0.86, -0.74), (0.87, -0.43), (0.75, -0.09), (0.55, 0.07),
    (0.41, 0.36), (0.58, 0.60), (0.82, 0.95), (0.90, 1.25), (1.23, 1.43), (1.50, 1.80), (1.6, 2.4), (-1.8, 2.4),
    (-1.80, 1.25), (-1.28, 0.95), (-1.28, 0.67), (-1.11, 0.39), (-0.83, 0.26), (-0.49, 0.24), (-0.49, 0.02),
    (-0.66, -0.12), (-0.83, -0.40), (-0.85, -0.68), (-0.66, -0.95), (-0.39, -1.16),
)  # fmt: skip
_BIDEN: Outline = (
    (0.00, -0.97), (0.25, -0.90), (0.46, -0.68), (0.49, -0.37), (0.46, -0.09), (0.35, 0.08), (0.30, 0.32),
    (0.14, 0.60), (0.46, 0.87), (0.94, 1.12), (1.11, 1.50), (1.16, 1.80), (1.2, 2.4), (-1.8, 2.4), (-1.78, 1.36),
    (-1.75, 0.87), (-1.54, 0.74), (-1.00, 0.60), (-0.68, 0.43), (-0.58, 0.29), (-0.60, 0.08), (-0.70, -0.09),
    (-0.70, -0.33), (-0.65, -0.64), (-0.51, -0.83), (-0.27, -0.93),
)  # fmt: skip
_HOPPER: Outline = (
    (-0.02, -1.03), (0.23, -1.00), (0.37, -0.85), (0.50, -0.71), (0.48, -0.43), (0.51, -0.16), (0.44, 0.15),
    (0.37, 0.29), (0.48, 0.43), (0.92, 0.63), (1.10, 0.88), (1.15, 1.15), (1.15, 1.70), (-1.21, 1.70), (-1.18, 1.01),
    (-1.08, 0.67), (-0.73, 0.50), (-0.36, 0.34), (-0.40, 0.22), (-0.49, -0.09), (-0.52, -0.37), (-0.56, -0.61),
    (-0.42, -0.85), (-0.28, -0.99),
)  # fmt: skip
_LAMARR: Outline = (
    (0.12, -1.13), (0.48, -1.05), (0.76, -0.87), (0.92, -0.62), (1.04, -0.37), (1.13, 0.00), (1.13, 0.33),
    (1.09, 0.52), (0.92, 0.67), (1.23, 0.86), (1.36, 1.02), (1.36, 1.80), (-0.88, 1.80), (-0.88, 1.41), (-1.36, 1.38),
    (-1.36, 1.05), (-1.05, 0.88), (-0.97, 0.49), (-0.83, 0.36), (-1.02, 0.11), (-0.97, -0.12), (-0.86, -0.34),
    (-0.63, -0.67), (-0.41, -0.92), (-0.13, -1.06),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """The built-in class by the part each plays in the lesson."""

    present: Person
    late: Person
    left_early: Person
    absent: Person
    to_check: Person
    stranger: Person

    @property
    def students(self) -> tuple[Person, ...]:
        return (self.present, self.late, self.left_early, self.absent, self.to_check)


def built_in(photos: Mapping[str, Path]) -> Cast:
    """The six people whose photos come inside Python packages; one photo each, but for Obama, who has three."""
    biden = FacePhoto(photos["biden.jpg"], (445, 235, 761, 551), _BIDEN)
    collins = FacePhoto(photos["collins.png"], (183, 85, 270, 173), _COLLINS)
    hopper = FacePhoto(photos["hopper.jpg"], (160, 137, 374, 351), _HOPPER)
    return Cast(
        present=Person(
            "Barack",
            "Obama",
            (FacePhoto(photos["obama2.jpg"]), FacePhoto(photos["obama3.jpg"])),
            (FacePhoto(photos["obama.jpg"], (384, 149, 617, 384)),),
        ),
        late=Person("Joe", "Biden", (biden,), (biden,)),
        left_early=Person("Eileen", "Collins", (collins,), (collins,)),
        absent=Person("Albert", "Einstein", (FacePhoto(photos["einstein.jpg"]),), ()),
        to_check=Person("Grace", "Hopper", (hopper,), (hopper,)),
        stranger=Person(
            "Hedy", "Lamarr", (), (FacePhoto(photos["lamarr.tif"], (204, 205, 442, 442), _LAMARR),)
        ),
    )


WITHOUT_PHOTOS = (
    ("Maya", "Okafor"),
    ("Tomás", "Rivera"),
    ("Ingrid", "Solberg"),
    ("Ren", "Takahashi"),
    ("Lucía", "Navarro"),
)
"""Invented names on the built-in roster, of whom no photo exists: marked by hand."""
