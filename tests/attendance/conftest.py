"""Fixtures of the service tests: no queue is needed, tasks that would be sent are written down."""

from __future__ import annotations

from typing import Any

import pytest

from attendance import intake


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """Tasks that were published: (name, arguments)."""
    log: list[tuple[str, tuple[Any, ...]]] = []

    def publish(task: Any, *arguments: Any, priority: int | None = None) -> bool:
        log.append((task.name.rsplit(".", 1)[-1], arguments))
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log
