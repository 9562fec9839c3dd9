"""The check behind ``.ci/run``: a skipped test is a failure, and so is a kind of test that never ran."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[2] / ".ci" / "nothing_skipped.py"
CASE = '<testcase classname="tests.x" name="test_{name}">{inside}</testcase>'
NEEDS_REDIS = '<properties><property name="needs" value="redis"/></properties>'


def skipped(reason: str) -> str:
    return f'<skipped type="pytest.skip" message="{reason}">tests/x.py:3: {reason}</skipped>'


def check(folder: Path, insides: list[str], *kinds: str) -> subprocess.CompletedProcess[str]:
    report = folder / "report.xml"
    cases = "".join(CASE.format(name=number, inside=inside) for number, inside in enumerate(insides))
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    return subprocess.run([sys.executable, CHECK, report, *kinds], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("insides", "kinds", "complaint"),
    [
        (["", ""], [], ""),
        (["", skipped("only on PostgreSQL")], [], ""),
        ([NEEDS_REDIS], ["redis"], ""),
        (["", skipped("not here: Chromium")], [], "skipped: tests.x::test_1: not here: Chromium"),
        (["", skipped("for now")], [], "skipped: tests.x::test_1: for now"),
        ([""], ["redis"], "no test that needs redis ran"),
        ([NEEDS_REDIS + skipped("only on PostgreSQL")], ["redis"], "no test that needs redis ran"),
    ],
)
def test_what_counts_as_complete(
    insides: list[str], kinds: list[str], complaint: str, tmp_path: Path
) -> None:
    answer = check(tmp_path, insides, *kinds)
    assert answer.stderr.strip() == complaint
    assert answer.returncode == (1 if complaint else 0)
    assert answer.stdout == ""
