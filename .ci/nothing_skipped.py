"""Fail if a test was skipped or no test of a wanted kind ran: ``nothing_skipped.py REPORT.xml [KIND...]``.

The report is pytest's JUnit XML. A test for one database may be skipped on the other: such a reason begins
with "only on ". A test's kinds are its properties named "needs" (tests/conftest.py writes them).
"""

from __future__ import annotations

import sys
from xml.etree import ElementTree

ALLOWED = ("only on ",)


def main(report: str, wanted: list[str]) -> int:
    complaints = []
    ran: set[str] = set()
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own file
        skipped = case.find("skipped")
        if skipped is None:
            ran.update(item.get("value", "") for item in case.iter("property") if item.get("name") == "needs")
        elif not skipped.get("message", "").startswith(ALLOWED):
            complaints.append(
                f"skipped: {case.get('classname')}::{case.get('name')}: {skipped.get('message')}"
            )
    complaints += [f"no test that needs {kind} ran" for kind in wanted if kind not in ran]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
