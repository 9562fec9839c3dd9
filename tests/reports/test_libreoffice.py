"""LibreOffice opens what reports write and reads in it what the dashboard says."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from django.urls import reverse

from .conftest import Term

pytestmark = pytest.mark.slow
DAYS = "from=2026-03-01&to=2026-04-30"


def convert(source: Path, to: str, options: str = "") -> Path:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("not here: LibreOffice (neither soffice nor libreoffice on the path)")
    out = source.parent / "converted"
    command = [program, "--headless", f"-env:UserInstallation=file://{source.parent}/profile"]
    command += [f"--infilter={options}"] if options else []
    subprocess.run(
        [*command, "--convert-to", to, "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
        timeout=110,
    )
    return out / f"{source.stem}.{to.partition(':')[0]}"


def file_of(term: Term, kind: str, folder: Path) -> Path:
    answer = term.client().get(reverse("web:report-file", args=["course", term.course.pk, kind]) + f"?{DAYS}")
    path = folder / f"course.{kind}"
    path.write_bytes(answer.content)
    return path


def on_the_dashboard(term: Term) -> tuple[list[str], list[str]]:
    """(rate of each student and of the class, letters of the heat map row by row)."""
    page = term.client().get(reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}").text
    rates = re.findall(r'heat__rate num">([\d.]+) %', page)
    letters = re.findall(r'heat__cell[^>]*><span class="mark__letter" aria-hidden="true">([^<])</span>', page)
    return rates, letters


def cut(percent: float) -> str:
    """As pages show it: one decimal, never rounded up."""
    return f"{int(percent * 10 + 1e-6) / 10:.1f}".removesuffix(".0")


def test_the_workbook_of_a_course(term: Term, tmp_path: Path) -> None:
    rates, letters = on_the_dashboard(term)
    written = convert(file_of(term, "xlsx", tmp_path), "csv:Text - txt - csv (StarCalc):44,34,76")  # UTF-8
    rows = list(csv.reader(written.open(encoding="utf-8")))
    assert len(rows) == 7
    assert [letter for row in rows[1:6] for letter in row[3:7]] == letters
    assert [float(row[7].rstrip("%")) for row in rows[1:]] == pytest.approx(
        [float(rate) for rate in rates], abs=0.1
    )
    assert rows[1][1] == "@x, =1+1", "typed text is text, whatever it begins with"
    assert rows[6][0:2] == ["", "Total"]


def test_the_csv_of_a_course(term: Term, tmp_path: Path) -> None:
    rates, letters = on_the_dashboard(term)
    # Comma, quotes, UTF-8; first line 1: what a person chooses in the import window.
    opened = convert(file_of(term, "csv", tmp_path), "xlsx", "CSV:44,34,76,1")
    rows = list(openpyxl.load_workbook(opened).active.iter_rows(values_only=True))
    assert rows[0][:2] == ("student_number", "name")
    words = {"P": "present", "A": "absent", "L": "late", "X": "excused", "–": "not_evaluated"}
    assert [word for row in rows[1:] for word in row[3:7]] == [words[letter] for letter in letters]
    assert [cut(row[7]) for row in rows[1:]] == rates[:-1]
    assert {row[1] for row in rows[1:]} >= {"'@x, =1+1", "O'Neil, Sinéad", "عبد الله, محمد"}
