"""Each fuzzing target over its seeds and some changes to them, the same each time; needs no atheris."""

from __future__ import annotations

import random
import time

import pytest

from tests.fuzz.__main__ import mended
from tests.fuzz.targets import TARGETS, TooExpensive, bounded

SECONDS = 1.5
"""Of processor time for the changes of one target."""


def changed(seed: bytes, chance: random.Random) -> bytes:
    """Some bytes of a seed written over, doubled, cut out or cut off."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(data) or 1), chance.choice((1, 1, 2, 4, 16))
        act = chance.randrange(4)
        if act == 0:
            data[at : at + length] = chance.randbytes(length)
        elif act == 1:
            data[at:at] = data[at : at + length] * chance.randint(1, 40)
        elif act == 2:
            del data[at : at + length]
        else:
            data[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
    made = bytes(data)
    return mended(made) if made.startswith(b"\x89PNG\r\n\x1a\n") and chance.random() < 0.7 else made


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_named_errors_comes_out(name: str) -> None:
    target, chance = TARGETS[name], random.Random(7)
    seeds = target.seeds()
    assert len(seeds) > 20
    for seed in seeds:
        target.run(seed)
    until, tried = time.process_time() + SECONDS, 0
    while time.process_time() < until:
        target.run(changed(chance.choice(seeds), chance))
        tried += 1
    assert tried > 10


def test_an_input_that_takes_too_much_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.targets.MOST_SECONDS", -1.0)
    with pytest.raises(TooExpensive), bounded():
        pass
