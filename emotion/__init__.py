"""Faces to expressions, expressions to the mood of a class. A library of its own: it knows no web framework.

classifier = load_classifier()                                   # once a process; WeightsMissing, WeightsDamaged
probabilities = classifier.read(photo, boxes)                    # RGB uint8 (H, W, 3) -> float32 (n, 7)
mood = class_mood(probabilities, calibration=classifier.calibration)     # None for fewer than five faces

Names are looked up when they are first used: a process that asks for no network does not load torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion.classifier import Classifier, load_classifier
    from emotion.errors import EmotionError, WeightsDamaged, WeightsMissing
    from emotion.framing import OUTLINE, SQUARE, Framing
    from emotion.labels import CHALLENGE
    from emotion.mood import MINIMUM_GROUP, Calibration, ClassMood, class_mood, smoothed

__all__ = [
    "CHALLENGE",
    "MINIMUM_GROUP",
    "OUTLINE",
    "SQUARE",
    "Calibration",
    "ClassMood",
    "Classifier",
    "EmotionError",
    "Framing",
    "WeightsDamaged",
    "WeightsMissing",
    "class_mood",
    "load_classifier",
    "smoothed",
]

_HOME = {
    **dict.fromkeys(("Classifier", "load_classifier"), "classifier"),
    **dict.fromkeys(("EmotionError", "WeightsDamaged", "WeightsMissing"), "errors"),
    **dict.fromkeys(("OUTLINE", "SQUARE", "Framing"), "framing"),
    "CHALLENGE": "labels",
    **dict.fromkeys(("MINIMUM_GROUP", "Calibration", "ClassMood", "class_mood", "smoothed"), "mood"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
