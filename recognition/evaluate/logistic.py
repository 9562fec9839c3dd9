"""Logistic regression: how the figures that ship and the LFW protocol turn measures into a probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

FloatArray = NDArray[np.float64]


def logistic_fit(
    inputs: FloatArray, truth: NDArray[np.bool_], weights: FloatArray
) -> tuple[FloatArray, float]:
    """Slopes (d,) and intercept of the weighted maximum likelihood logistic regression of ``truth`` (n,) on
    ``inputs`` (n, d), n > 0."""
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = np.column_stack([(inputs - centre) / spread, np.ones(len(inputs))])
    sign, total = np.where(truth, 1.0, -1.0), weights.sum()

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (scaled @ at)
        pull = -sign * weights * expit(-margin) / total
        return float((weights * np.logaddexp(0.0, -margin)).sum() / total), scaled.T @ pull

    start = np.append(np.ones(inputs.shape[1]), 0.0)
    best = minimize(loss, start, jac=True, method="BFGS").x
    slopes = best[:-1] / spread
    return slopes, float(best[-1] - slopes @ centre)


def logistic_curve(values: FloatArray, truth: NDArray[np.bool_], weights: FloatArray) -> tuple[float, float]:
    """Slope and intercept of ``logistic_fit`` on one measure, ``values`` (n,)."""
    slopes, intercept = logistic_fit(values[:, None], truth, weights)
    return float(slopes[0]), intercept
