"""Reports as JSON: the columns, the rows by key, the totals."""

from __future__ import annotations

import json
from typing import Any

from attendance.reports.csv import plain
from attendance.reports.document import Document, Kind, Row


def document_json(document: Document) -> str:
    """Shares are per cent with two decimals, as in CSV; codes and keys are the same in every language."""

    def named(row: Row) -> dict[str, Any]:
        return {
            column.key: plain(value, Kind.PERCENT if isinstance(value, float) else column.kind)
            for column, value in zip(document.columns, row, strict=True)
        }

    whole = {
        "title": document.title,
        "facts": dict(document.facts),
        "columns": [{"key": one.key, "title": one.title, "kind": one.kind.value} for one in document.columns],
        "rows": [named(row) for row in document.rows],
        "totals": named(document.totals) if document.totals else None,
        "notes": list(document.notes),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
