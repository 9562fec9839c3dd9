"""``lfw-cnn``: the second network by itself. Closed set, pairs of people never seen, time a face.

Closed set: a linear classifier on the encodings of the 19 people's training photos, asked about their test photos,
which the network did not learn from either. Pairs: the folds whose people were all held out; the threshold of a fold
is the best of the other held-out folds. The main encoder is put through the same classifier and pairs beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from recognition import threads
from recognition.evaluate.lfw import best_threshold
from recognition.evaluate.lfw_data import Lfw
from recognition.lfw_cnn import splits
from recognition.lfw_cnn.encode import BATCH, SecondEncoder
from recognition.types import CHIP_SIZE

FloatArray = NDArray[np.float64]
DECAY = 1e-3
"""Of the classifier's weights; encodings have unit length and are taken ten times as long."""
LENGTH = 10.0
TIMED_BATCHES = 20


@dataclass(frozen=True, slots=True, eq=False)
class ClosedResult:
    """``accuracy`` 0..1 on the test photos; ``confusion``: counts (people, people), rows who it is."""

    accuracy: float
    confusion: NDArray[np.int64]


def closed_set(encodings: FloatArray, split: splits.ClosedSet) -> ClosedResult:
    """Multinomial logistic regression on the training photos' encodings (n, d), measured on the test photos."""
    length = np.linalg.norm(encodings[split.train], axis=1).mean() / LENGTH
    train, test = (
        np.column_stack([encodings[rows] / length, np.ones(len(rows))]) for rows in (split.train, split.test)
    )
    people = len(split.people)
    own = np.eye(people)[split.train_labels]

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(-1, people)
        logits = train @ weights
        value = (logsumexp(logits, axis=1) - (logits * own).sum(axis=1)).mean()
        value += 0.5 * DECAY * np.square(weights[:-1]).sum()
        gradient = train.T @ (softmax(logits, axis=1) - own) / len(train)
        gradient[:-1] += DECAY * weights[:-1]
        return float(value), gradient.ravel()

    found = minimize(loss, np.zeros(train.shape[1] * people), jac=True, method="L-BFGS-B")
    said = (test @ found.x.reshape(-1, people)).argmax(axis=1)
    confusion = np.zeros((people, people), np.int64)
    np.add.at(confusion, (split.test_labels, said), 1)
    return ClosedResult(float((said == split.test_labels).mean()), confusion)


def fold_accuracies(data: Lfw, scores: FloatArray) -> list[float]:
    """Accuracy of each held-out fold, at the best threshold of the other held-out ones; ``scores`` (6000,) grow with
    likeness and need be finite in those folds only."""
    pairs = data.pairs
    held = range(splits.HELD_OUT_FOLDS)
    found = []
    for fold in held:
        test, rest = pairs.fold == fold, np.isin(pairs.fold, [other for other in held if other != fold])
        cut = best_threshold(scores[rest], pairs.same[rest])
        found.append(float(((scores[test] > cut) == pairs.same[test]).mean()))
    return found


def pair_cosines(data: Lfw, encodings: FloatArray) -> FloatArray:
    """(6000,) cosine of each official pair; NaN where an encoding is."""
    unit = encodings / np.linalg.norm(encodings, axis=1, keepdims=True)
    return np.asarray((unit[data.pairs.first] * unit[data.pairs.second]).sum(axis=1))


def milliseconds_a_face(encoder: SecondEncoder) -> tuple[float, float]:
    """(processor time, wall time) in milliseconds a face on one thread, in batches: the median of several batches.

    Processor time is what a face costs a core that has nothing else to do.
    """
    threads.limit(1)
    chips = np.random.default_rng(0).integers(0, 256, (BATCH, CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
    encoder.encode(chips)
    times = []
    for _ in range(TIMED_BATCHES):
        wall, cpu = time.perf_counter(), time.process_time()
        encoder.encode(chips)
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu_time, wall_time = np.median(np.array(times), axis=0) * 1000 / BATCH
    return float(cpu_time), float(wall_time)


def report(
    data: Lfw, encoder: SecondEncoder, first: FloatArray, second: FloatArray, out: Path
) -> dict[str, float]:
    """All figures by name; ``first`` and ``second``: encodings of all rows needed (n, d), NaN elsewhere."""
    from recognition.lfw_cnn import plots

    split = splits.closed_set(data)
    own, main = closed_set(second, split), closed_set(first, split)
    plots.confusion(
        own.confusion,
        split.people,
        out / "second-confusion.png",
        f"{100 * own.accuracy:.1f} % of test photos right",
    )
    folds = fold_accuracies(data, pair_cosines(data, second))
    distances = np.sqrt(np.square(first[data.pairs.first] - first[data.pairs.second]).sum(axis=1))
    main_folds = fold_accuracies(data, -distances)
    cpu_time, wall_time = milliseconds_a_face(encoder)
    lines = {f"fold_{fold + 1}_accuracy": value for fold, value in enumerate(folds)}
    return lines | {
        "lfw_verification_standard_error": float(np.std(folds, ddof=1) / np.sqrt(len(folds))),
        "lfw19_test_photos": float(len(split.test)),
        "lfw19_largest_class": float(np.bincount(split.test_labels).max() / len(split.test)),
        "lfw19_accuracy_main_encoder": main.accuracy,
        "lfw_verification_accuracy_main_encoder": float(np.mean(main_folds)),
        "ms_per_face_wall": wall_time,
        "ms_per_face": cpu_time,
        "lfw_verification_accuracy": float(np.mean(folds)),
        "lfw19_accuracy": own.accuracy,
    }


def needed_rows(data: Lfw) -> NDArray[np.int64]:
    """Rows of the held-out people and of the closed set."""
    split = splits.closed_set(data)
    held = np.flatnonzero(np.isin(data.person, list(splits.held_out(data))))
    return np.unique(np.concatenate([held, split.train, split.test])).astype(np.int64)
