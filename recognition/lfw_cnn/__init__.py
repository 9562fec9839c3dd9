"""A second opinion on every face: a small CNN that learned from LFW alone, independent of the main encoder.

``import recognition.lfw_cnn`` is quick: torch is imported when the encoder is first loaded. What is decided from its
encodings is in :mod:`recognition.lfw_cnn.opinion`, how they were measured in docs/accuracy-second-opinion.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from recognition.lfw_cnn.encode import SecondEncoder

__all__ = ["CHECKSUMS", "OPINION", "WEIGHTS", "SecondEncoder", "load_second_encoder"]

WEIGHTS: Final = Path(__file__).parent / "weights" / "second.safetensors"
OPINION: Final = WEIGHTS.with_name("opinion.json")
CHECKSUMS: Final = "SHA256SUMS"


def load_second_encoder(path: Path | None = None) -> SecondEncoder:
    """The second network, loaded and checked once a process for each path (the shipped one when None).

    Raises SecondOpinionUnavailable: the file is missing, is not the one whose SHA-256 is in ``SHA256SUMS`` beside
    it, or does not fit the network it names. Everything else works without it.
    """
    from recognition.lfw_cnn.encode import load

    return load((path or WEIGHTS).resolve())


def __getattr__(name: str) -> object:
    if name == "SecondEncoder":
        from recognition.lfw_cnn.encode import SecondEncoder

        return SecondEncoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
