"""Every kind of kept figures: what a worker may be asked to work out, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attendance.figures import Kind
from attendance.learned.counting import OF_COURSE, OF_SITE
from attendance.reports.comparison_facts import TWO_MODELS

KINDS: Mapping[str, Kind[Any]] = {kind.name: kind for kind in (OF_SITE, OF_COURSE, TWO_MODELS)}
