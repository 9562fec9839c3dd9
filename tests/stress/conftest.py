from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stress.site import Site, site_in


@pytest.fixture
def site(tmp_path: Path, real_redis: str) -> Iterator[Site]:
    with site_in(tmp_path, real_redis) as made:
        yield made
