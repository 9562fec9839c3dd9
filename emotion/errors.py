"""Everything that can go wrong in this package, by name."""

from __future__ import annotations


class EmotionError(Exception):
    """Base of all errors raised on purpose by :mod:`emotion`."""


class DataProblem(EmotionError):
    """A data file or folder does not hold what it should; the message says what and where."""


class UnknownName(EmotionError):
    """No network or configuration goes by that name."""


class TrainingDiverged(EmotionError):
    """A loss or a weight is not a finite number; the last good checkpoint is still on disk."""


class CheckpointMismatch(EmotionError):
    """A checkpoint belongs to another configuration than the one asked to resume."""


class WeightsMissing(EmotionError):
    """The weight file of a classifier is not there."""


class WeightsDamaged(EmotionError):
    """The weight file is there but is not the file that was shipped, or cannot be read."""


class BadImage(EmotionError, ValueError):
    """An image or a box has the wrong shape, type or range."""


class SourceProblem(EmotionError):
    """A webcam or video cannot be opened, or its output cannot be written."""
