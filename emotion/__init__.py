"""Faces to expressions, expressions to the mood of a class. A library of its own: it knows no web framework.

classifier = load_classifier()                                   # once a process; WeightsMissing, WeightsDamaged
probabilities = classifier.read(photo, boxes)                    # RGB uint8 (H, W, 3) -> float32 (n, 7)
mood = class_mood(probabilities, calibration=classifier.calibration)     # None for fewer than five faces
"""

from __future__ import annotations

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
