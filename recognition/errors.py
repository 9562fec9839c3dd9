"""The named errors of the recognition library."""

from __future__ import annotations

from pathlib import Path


class RecognitionError(Exception):
    """Base of every error this library raises on purpose."""


class ImageError(RecognitionError, ValueError):
    """An array given as a photo or as chips has the wrong shape, dtype or size."""


class UnknownName(RecognitionError, ValueError):
    """An engine, detector, recipe or runtime of that name does not exist; the message lists those that do."""


class RuntimeMissing(RecognitionError, ImportError):
    """An optional runtime was asked for whose packages are not installed; the message names them."""


class ModelFileMissing(RecognitionError, FileNotFoundError):
    """A model file is not where it should be; the message says which and how to get it."""


class ModelFileDamaged(RecognitionError):
    """A model file's SHA-256 is not the pinned one."""


class PolicyFileDamaged(RecognitionError):
    """A file of thresholds and normaliser cannot be read, or lacks something; the message names it."""


class DlibWeightsError(RecognitionError):
    """A dlib weight file cannot be read: names the file, the byte offset and what was expected there."""

    def __init__(self, source: str | Path, offset: int, problem: str) -> None:
        super().__init__(f"{source}: at byte {offset}: {problem}")
        self.source = str(source)
        self.offset = offset
        self.problem = problem


class SecondOpinionUnavailable(RecognitionError):
    """The second network cannot be used: its files are missing, damaged, or do not fit; the message says which."""


class TrainingError(RecognitionError):
    """A training cannot start, go on or end: too few photos, another run's checkpoint, a loss that is not finite."""
