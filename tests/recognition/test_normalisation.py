"""The normaliser and the shipped policies: same answer alone or among others, and the promises of the scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognition.evaluate.fit import save_policy
from recognition.gallery import Gallery, Template
from recognition.identification import Probe, duplicates, identify
from recognition.normalisation import Normaliser
from recognition.policy import WEIGHTS, Calibration, EvidencePolicy, MatchPolicy, read_policy

RNG = np.random.default_rng(11)
RECIPES = ("accurate", "fast", "plain")


def small_normaliser() -> Normaliser:
    shapes = ((16, 128), (1, 16))
    return Normaliser(
        np.zeros(128),
        np.ones(128),
        tuple(RNG.normal(size=s) * 0.3 for s in shapes),
        tuple(RNG.normal(size=s[0]) for s in shapes),
        level=-0.7,
        spread=0.1,
        low=-1.0,
        high=-0.4,
    )


def test_a_faces_answer_does_not_depend_on_its_company() -> None:
    normaliser, faces = small_normaliser(), RNG.normal(size=(20, 128))
    together = normaliser(faces)
    for row, face in enumerate(faces):
        assert normaliser(face[None])[0] == together[row]
    assert normaliser(np.zeros((0, 128))).shape == (0,)


def test_the_network_is_what_torch_would_compute() -> None:
    torch = pytest.importorskip("torch")
    normaliser, faces = small_normaliser(), RNG.normal(size=(5, 128))
    hidden = torch.nn.functional.silu(
        torch.tensor(faces) @ torch.tensor(normaliser.weights[0]).T + torch.tensor(normaliser.biases[0])
    )
    expected = (hidden @ torch.tensor(normaliser.weights[1]).T + torch.tensor(normaliser.biases[1]))[:, 0]
    expected = (expected * 0.1 - 0.7).clip(-1.0, -0.4)
    assert normaliser(faces) == pytest.approx(expected.numpy(), abs=1e-12)


def test_an_input_unlike_any_face_stays_in_the_range_of_faces() -> None:
    normaliser = small_normaliser()
    answers = normaliser(RNG.normal(size=(50, 128)) * 1e6)
    assert (answers >= normaliser.low).all()
    assert (answers <= normaliser.high).all()


def test_a_policy_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    policy = MatchPolicy(
        "v",
        0.2,
        0.05,
        0.03,
        0.1,
        30,
        0.08,
        Calibration(30, -4),
        small_normaliser(),
        EvidencePolicy(0.7, 1.2, -5),
        count_offset=0.1,
    )
    save_policy(policy, tmp_path / "decisions-x.safetensors")
    back = read_policy(tmp_path / "decisions-x.safetensors")
    for name in ("accept", "review", "margin", "step_per_decade", "count_offset", "calibration", "evidence"):
        assert getattr(back, name) == getattr(policy, name)
    faces = RNG.normal(size=(3, 128))
    assert back.normaliser is not None
    assert policy.normaliser is not None
    assert back.normaliser(faces) == pytest.approx(policy.normaliser(faces), abs=1e-4)


def test_a_recipe_nobody_measured_gets_a_cautious_policy_on_plain_distance() -> None:
    policy = MatchPolicy.default_for("another.encoder.unmeasured")
    assert policy.engine_version == "another.encoder.unmeasured"
    assert policy.normaliser is None
    assert policy.accept < policy.review + 0.3
    assert policy.probability(-0.2, 30) > 0.99  # type: ignore[operator]


@pytest.mark.parametrize("recipe", RECIPES)
def test_shipped_files_are_small_and_hold_a_fitted_network_not_faces(recipe: str) -> None:
    path = WEIGHTS / f"decisions-{recipe}.safetensors"
    assert path.stat().st_size < 400_000
    policy = MatchPolicy.default_for(f"dlibresnet1.centerface.{recipe}")
    assert policy.engine_version == f"dlibresnet1.centerface.{recipe}"
    assert policy.normaliser is not None
    assert [weight.shape for weight in policy.normaliser.weights] == [(128, 128), (128, 128), (1, 128)]
    assert policy.review < policy.accept
    assert policy.thresholds(300)[0] > policy.accept > policy.thresholds(3)[0]


def face_like(seed: int, near: np.ndarray | None = None, distance: float = 0.0) -> np.ndarray:
    """A point where the encoder puts faces, or one at a distance from another."""
    rng = np.random.default_rng(seed)
    normaliser = MatchPolicy.default_for("x.accurate").normaliser
    assert normaliser is not None
    if near is None:
        return normaliser.centre + normaliser.scale * rng.normal(size=128)
    direction = rng.normal(size=128)
    return near + distance * direction / np.linalg.norm(direction)


@pytest.mark.parametrize("recipe", RECIPES)
def test_eight_mediocre_templates_never_outvote_a_near_one(recipe: str) -> None:
    version = f"dlibresnet1.centerface.{recipe}"
    policy = MatchPolicy.default_for(version)
    for seed in range(20):
        probe = face_like(seed)
        templates = [Template(1, face_like(seed + 100, probe, 0.2).astype(np.float32), 1.0)]
        templates += [
            Template(2, face_like(seed + 200 + k, probe, 0.58).astype(np.float32), 1.0) for k in range(8)
        ]
        (answer,) = identify(
            [Probe(probe.astype(np.float32))], Gallery.build(templates, version=version), policy
        )
        assert answer.subject_id in (1, None)
        assert answer.candidates[0].subject_id == 1


def test_enrolling_a_face_twice_under_two_names_is_noticed() -> None:
    version = "dlibresnet1.centerface.accurate"
    known, other = face_like(1), face_like(2)
    gallery = Gallery.build(
        [Template(7, known.astype(np.float32), 1.0), Template(8, other.astype(np.float32), 1.0)],
        version=version,
    )
    policy = MatchPolicy.default_for(version)
    found = duplicates(face_like(3, known, 0.15).astype(np.float32), gallery, policy)
    assert [candidate.subject_id for candidate in found] == [7]
    assert found[0].probability is not None
    assert found[0].probability > 0.9
    assert duplicates(face_like(4).astype(np.float32), gallery, policy) == ()
    assert duplicates(known.astype(np.float32), Gallery.build([], version=version), policy) == ()


def test_a_small_blurred_face_needs_to_be_nearer_where_everybody_is_near() -> None:
    """Two probes at one distance from the template: the one that strangers are near to scores less."""
    policy = MatchPolicy.default_for("x.accurate")
    assert policy.normaliser is not None
    probes = np.array([face_like(seed) for seed in range(40)])
    crowded, lonely = probes[np.argsort(policy.normaliser(probes))[[0, -1]]]
    scores = []
    for probe in (crowded, lonely):
        template = face_like(9, probe, 0.4)[None]
        alone = policy.normaliser(template)
        scores.append(
            policy.scores(probe[None], template, np.zeros(1), np.ones(1, np.int64))[0, 0] - 0.5 * alone[0]
        )
    assert scores[0] < scores[1]
