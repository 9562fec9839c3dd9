"""How near strangers come to a face: the fitted stand-in for a cohort of real people.

Some faces lie where many people are alike, some stand alone, and small or blurred ones drift towards everybody.
Measured as the mean distance to the nearest hundredth of a large cohort, this is what a distance has to be seen
against (adaptive symmetric score normalisation, Karam, Campbell and Dehak 2011; Matejka et al. 2017). A cohort of
real encodings must not travel with a program, so a small network was fitted to the measure; it needs numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Normaliser:
    """A multilayer perceptron from an encoding to its expected distance from the nearest strangers.

    ``centre`` and ``scale``: (128,), inputs are (encoding - centre) / scale. ``weights`` and ``biases``: the
    layers, (out, in) and (out,), SiLU between them, the last with one output. ``level`` and ``spread``: the
    output times spread plus level is the logarithm of the distance. ``low`` and ``high``: the range of logarithms
    seen in fitting; answers are held inside it, so that an input unlike any face cannot buy a large one.
    """

    centre: FloatArray
    scale: FloatArray
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    level: float
    spread: float
    low: float
    high: float

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[np.float32]]) -> Normaliser:
        """Read what ``tensors`` wrote. Raises KeyError for a missing tensor."""
        layers = sum(name.startswith("weight.") for name in tensors)
        level, spread, low, high = (float(value) for value in tensors["range"])
        return cls(
            tensors["centre"].astype(np.float64),
            tensors["scale"].astype(np.float64),
            tuple(tensors[f"weight.{i}"].astype(np.float64) for i in range(layers)),
            tuple(tensors[f"bias.{i}"].astype(np.float64) for i in range(layers)),
            level,
            spread,
            low,
            high,
        )

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """The normaliser as named float32 arrays, for a safetensors file."""
        out = {"centre": self.centre, "scale": self.scale}
        out |= {f"weight.{i}": weight for i, weight in enumerate(self.weights)}
        out |= {f"bias.{i}": bias for i, bias in enumerate(self.biases)}
        out["range"] = np.array([self.level, self.spread, self.low, self.high])
        return {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in out.items()}

    def __call__(self, encodings: FloatArray) -> FloatArray:
        """(n,) logarithm of the expected distance to the nearest strangers, for (n, 128) encodings of single faces
        or means of a person's templates."""
        hidden = (np.asarray(encodings, dtype=np.float64) - self.centre) / self.scale
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = _silu(_affine(hidden, weight, bias))
        answer = _affine(hidden, self.weights[-1], self.biases[-1])[:, 0] * self.spread + self.level
        return np.asarray(np.clip(answer, self.low, self.high))


def _affine(rows: FloatArray, weight: FloatArray, bias: FloatArray) -> FloatArray:
    # Not a matrix product: its last bits depend on how many rows there are, and a face's answer must not.
    return np.asarray(np.einsum("ni,oi->no", rows, weight, optimize=False) + bias)


def _silu(values: FloatArray) -> FloatArray:
    return np.asarray(values / (1.0 + np.exp(-np.clip(values, -60.0, 60.0))))
