"""The parts of the site, each with a sentence; the second opinion is one that attendance does without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from attendance import health
from recognition import lfw_cnn
from recognition.lfw_cnn import weight_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    settings.ROLLCALL_SECOND_OPINION = True
    monkeypatch.setattr(lfw_cnn, "WEIGHTS", tmp_path / "second.safetensors")
    monkeypatch.setattr(lfw_cnn, "OPINION", tmp_path / "opinion.json")
    return tmp_path


def said() -> tuple[bool, str]:
    (part,) = (part for part in health.check() if part.name == "second_opinion")
    assert not part.needed_to_accept
    return part.ok, str(part.message)


def test_the_second_opinion_is_whole_missing_or_damaged(files: Path) -> None:
    assert said() == (False, "Its files are missing: faces are looked at by one model alone.")
    for name in ("second.safetensors", "opinion.json"):
        (files / name).write_bytes(name.encode())
    assert said()[0] is False, "files without their sums are not trusted"
    weight_files.write_sums(files)
    health._is_whole.cache_clear()
    assert said() == (True, "works")
    (files / "opinion.json").write_bytes(b"cut off")
    assert said() == (False, "Its files are damaged: faces are looked at by one model alone.")


def test_switched_off_is_no_fault(settings: Any) -> None:
    settings.ROLLCALL_SECOND_OPINION = False
    assert said() == (True, "switched off")


def test_without_it_the_site_is_ready(files: Path) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["second_opinion"].startswith("Its files are missing")
