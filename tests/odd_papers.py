"""Files that doors for lists, calendars and letters meet: made from numbers, like the photos of ``bad_files``."""

from __future__ import annotations

import functools
import gzip
import io
import zipfile
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class OddPaper:
    """``rows``: how many students a class list makes of it; None where it is refused with a sentence."""

    name: str
    data: bytes
    about: str
    rows: int | None = None

    def __repr__(self) -> str:
        return self.name


HEAD = b"number,name\n"
ADA = b"number,name\n1,Ada Lovelace\n"


@functools.cache
def class_lists() -> tuple[OddPaper, ...]:
    """Class lists, and what is none."""
    return (*_readable(), *_unreadable(), *_of_another_kind())


def _readable() -> list[OddPaper]:
    def reads(name: str, data: bytes, rows: int, about: str) -> OddPaper:
        return OddPaper(name, data, about, rows)

    formulas = b"number,name\n" + b"".join(
        b"%d,%s\n" % (n, cell)
        for n, cell in enumerate(
            (b"=1+1", b"@SUM(A1)", b"+41 79", b"-2", b'"=HYPERLINK(""http://a"",""b"")"')
        )
    )
    return [
        reads("plain.csv", ADA, 1, "a class list"),
        reads("bom.csv", b"\xef\xbb\xbf" + ADA, 1, "with a byte order mark"),
        reads("utf-16.csv", ADA.decode().encode("utf-16"), 1, "UTF-16, as a spreadsheet writes it"),
        reads(
            "utf-16-be.csv", b"\xfe\xff" + ADA.decode().encode("utf-16-be"), 1, "UTF-16, the other way round"
        ),
        reads("mixed-ends.csv", b"number,name\r1,Ada\r\n2,Alan\n3,Grace\r", 3, "three kinds of line ends"),
        reads("old-mac.csv", ADA.replace(b"\n", b"\r"), 1, "line ends of old Macs"),
        reads("formulas.csv", formulas, 5, "cells a spreadsheet would run"),
        reads("rtl.csv", "number,name\n1,\u05e2\u05d3\u05d4\n".encode(), 1, "a name from right to left"),
        reads("quoted.csv", b'number,name\n1,"Lovelace, ""Ada"" A."\n', 1, "quotation marks in a name"),
        reads("blank-lines.csv", b"\n\n,,,\n" + ADA + b"\n" * 5000, 1, "thousands of blank lines"),
        reads("many-blank-lines.csv", ADA + b"\n" * 1_900_000, 1, "two million blank lines"),
        reads("no-number.csv", b"number,name\n,Ada\n", 0, "a row without a number"),
        reads(
            "turned-name.csv",
            "number,name\n1,\u202egpj.exe\n".encode(),
            0,
            "a name that turns the line round",
        ),
        reads("twice.csv", b"number,name\n1,Ada\n1,Alan\n", 1, "one number twice"),
        reads("long-name.csv", b"number,name\n1," + b"A" * 5000 + b"\n", 0, "a name of 5,000 letters"),
        reads("markup.csv", b"number,name\n1,<script>alert(1)</script>\n", 1, "markup for a name"),
        reads(
            "5000-rows.csv", HEAD + b"".join(b"%d,P\n" % n for n in range(5000)), 5000, "as many as may be"
        ),
    ]


def _unreadable() -> list[OddPaper]:
    def refused(name: str, data: bytes, about: str) -> OddPaper:
        return OddPaper(name, data, about)

    return [
        refused("empty.csv", b"", "no bytes at all"),
        refused("only-bom.csv", b"\xef\xbb\xbf", "a byte order mark and nothing else"),
        refused("only-blanks.csv", b" , ,\n\n,,\n", "nothing but separators"),
        refused("nul.csv", b"number,name\n1,A\0da\n", "a NUL byte in a name"),
        refused("cut-utf-16.csv", b"\xff\xfen\0u\0m", "UTF-16 cut off in a letter"),
        refused("big-cell.csv", b"number,name\n1," + b"A" * 10_000_000 + b"\n", "one cell of 10 MB"),
        refused("cell.csv", b"number,name\n1," + b"A" * 200_000 + b"\n", "one cell of 200 KB"),
        refused("10000-rows.csv", HEAD + b"".join(b"%d,P\n" % n for n in range(10_000)), "10,000 rows"),
        refused("open-quote.csv", HEAD + b'1,"Ada\n' + b"2,Alan\n" * 500, "a quotation mark never closed"),
        refused("wide.csv", b"number,name" + b",x" * 100_000 + b"\n1,Ada\n", "100,000 columns"),
        refused("commas.csv", b"," * 1_900_000 + b"x", "two million empty cells in a line"),
        refused("no-columns.csv", b"hello\nworld\n", "no columns anybody knows"),
    ]


def _of_another_kind() -> list[OddPaper]:
    def no(name: str, data: bytes, about: str) -> OddPaper:
        return OddPaper(name, data, about)

    return [
        no("workbook.xlsx", workbook(), "a workbook"),
        no("bomb.xlsx", zipped({"xl/worksheets/sheet1.xml": b"\0" * 20_000_000}), "20 MB of zeros, zipped"),
        no("slip.zip", zipped({"../../etc/cron.d/evil": b"x", "/etc/passwd": b"y"}), "names that climb out"),
        no("nested.zip", _nested(12), "a ZIP in a ZIP, twelve deep"),
        no("list.csv.gz", gzip.compress(b"\0" * 10_000_000), "10 MB of zeros, packed"),
        no("scan.pdf", pdf(), "a scan as PDF"),
        no("cut.pdf", pdf()[:-30], "a PDF cut off at its end"),
        no("page.pdf", b"%PDF-1.7\n<script>alert(1)</script>\n%%EOF\n", "a page that calls itself PDF"),
        no("weights.dat", np.random.default_rng(3).bytes(60_000), "a model's weights"),
        no("letter.rtf", b"{\\rtf1 Dear teacher \\par}", "a letter in RTF"),
        no("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "an old workbook"),
        no("database.sqlite3", b"SQLite format 3\0" + b"\0" * 2000, "a database"),
    ]


@functools.cache
def calendars() -> tuple[OddPaper, ...]:
    """Calendar files that no timetable looks like. ``rows`` is not used."""
    rules = {
        "seconds": b"RRULE:FREQ=SECONDLY",
        "never": b"RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "interval-0": b"RRULE:FREQ=WEEKLY;INTERVAL=0",
        "huge-interval": b"RRULE:FREQ=WEEKLY;INTERVAL=" + b"9" * 5000,
        "no-frequency": b"RRULE:INTERVAL=2",
        "huge-count": b"RRULE:FREQ=DAILY;COUNT=99999999999999999999",
        "far": b"RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z",
        "two-rules": b"RRULE:FREQ=DAILY\r\nRRULE:FREQ=WEEKLY",
        "many-dates": b"RDATE:" + b",".join(b"2026%02d%02dT100000" % (n % 12 + 1, n // 12 + 1) for n in range(336)),
    }  # fmt: skip
    whole = [OddPaper(f"{name}.ics", event(rule), f"an event with {name}") for name, rule in rules.items()]
    return (
        *whole,
        OddPaper("no-end.ics", event(b"X:y")[:-40], "cut off before its end"),
        OddPaper("empty.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "a calendar of nothing"),
        OddPaper("nested.ics", b"BEGIN:VCALENDAR\r\n" * 3000, "3,000 calendars in each other"),
        OddPaper("many.ics", event(b"X:y" * 10, times=3001), "3,001 events"),
        OddPaper("long-line.ics", event(b"DESCRIPTION:" + b"A" * 900_000), "a line of 900 KB"),
        OddPaper("folded.ics", event(b"DESCRIPTION:" + b"\r\n A" * 200_000), "200,000 folded lines"),
        OddPaper("bad-date.ics", event(b"X:y").replace(b"20261123T100000", b"20261399T999999"), "the 99th"),
        OddPaper("no-zone.ics", event(b"X:y").replace(b"DTSTART:", b"DTSTART;TZID=Mars/Olympus:"), "a zone of Mars"),
        OddPaper("bad-zone.ics", event(b"X:y").replace(b"DTSTART:", b"DTSTART;TZID=../../etc/passwd:"), "a path"),
        OddPaper("nul.ics", event(b"SUMMARY:Ma\0ths"), "a NUL byte in a name"),
        OddPaper("backwards.ics", event(b"X:y").replace(b"DTEND:20261123T11", b"DTEND:19700101T11"), "turned round"),
        OddPaper("markup.ics", event(b"LOCATION:<script>alert(1)</script>"), "markup for a room"),
        OddPaper("year-9999.ics", event(b"X:y").replace(b"2026", b"9999"), "in the last year there is"),
        OddPaper("year-0001.ics", event(b"RRULE:FREQ=DAILY").replace(b"2026", b"0001"), "daily since the year 1"),
    )  # fmt: skip


def event(line: bytes, times: int = 1) -> bytes:
    one = (
        b"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Maths\r\nDTSTART:20261123T100000\r\nDTEND:20261123T110000\r\n"
        + line
        + b"\r\nEND:VEVENT\r\n"
    )
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + one * times + b"END:VCALENDAR\r\n"


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def workbook() -> bytes:
    return zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})


def _nested(depth: int) -> bytes:
    data = b"at the bottom"
    for _level in range(depth):
        data = zipped({"inner.zip": data})
    return data
