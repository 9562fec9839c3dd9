"""Reports as JSON: the columns, the rows by key, the totals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attendance.reports.csv import plain
from attendance.reports.document import Document, Kind, Row


def document_json(document: Document) -> str:
    """Shares are per cent with two decimals, as in CSV; codes and keys are the same in every language."""
    return "".join(json_pieces(document))


def json_pieces(document: Document) -> Iterator[str]:
    """The same row by row: for reports that are too long to hold."""

    def named(row: Row) -> dict[str, Any]:
        return {
            column.key: plain(value, Kind.PERCENT if isinstance(value, float) else column.kind)
            for column, value in zip(document.columns, row, strict=True)
        }

    columns = [{"key": one.key, "title": one.title, "kind": one.kind.value} for one in document.columns]
    head = {"title": document.title, "facts": dict(document.facts), "columns": columns}
    yield _text(head).removesuffix("\n}") + ',\n "rows": ['
    comma = ""
    for row in document.rows:
        yield f"{comma}\n  " + _text(named(row), deep=2)
        comma = ","
    last = document.last_row()
    tail = {"totals": named(last) if last else None, "notes": list(document.notes)}
    yield ("\n ]" if comma else "]") + "," + _text(tail).removeprefix("{") + "\n"


def _text(value: object, deep: int = 0) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "\n" + " " * deep)
