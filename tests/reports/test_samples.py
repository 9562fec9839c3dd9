"""The samples in the documentation are what Rollcall writes today."""

from __future__ import annotations

import pytest

from tests.reports import samples


@pytest.mark.parametrize("name", sorted(samples.made()))
def test_a_sample_is_up_to_date(name: str) -> None:
    assert (samples.FOLDER / name).read_bytes().decode() == samples.made()[name]


def test_every_sample_is_documented() -> None:
    text = (samples.FOLDER.parent / "reports.md").read_text(encoding="utf-8")
    assert {path.name for path in samples.FOLDER.iterdir()} == set(samples.made())
    assert [name for name in samples.made() if f"samples/{name}" not in text] == []
