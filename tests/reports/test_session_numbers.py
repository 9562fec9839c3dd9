"""A lesson in numbers, mood beside attendance, courses that fill no screen: pages, files and API agree."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import marks, mood_switches, moods, places, schooltime, signin
from attendance.models import Mark, SnapshotMood
from attendance.reports import files, matrix, orders
from attendance.reports.document import percent_text
from tests import factories as make

from .conftest import Term

DAYS = "from=2026-03-01&to=2026-04-30"


def test_page_file_and_api_say_the_same_of_a_session(term: Term) -> None:
    session = term.sessions[0]
    page = term.client().get(reverse("web:session-dashboard", args=[session.pk])).text
    numbers = files.session_matrix(session).total
    file = term.client().get(reverse("web:report-file", args=["session", session.pk, "csv"])).content.decode()
    statuses = [row["status"] for row in csv.DictReader(io.StringIO(file.removeprefix("\ufeff"), newline=""))]
    counts = json.loads(term.client().get(f"/api/sessions/{session.pk}/").content)["roll"]
    assert (
        numbers.attended
        == sum(one in ("present", "late", "left_early") for one in statuses)
        == counts["attended"]
    )
    assert numbers.absent == statuses.count("absent") == counts["absent"]
    tiles = re.findall(r'class="card tile"><dt>[^<]+</dt><dd><b>(\d+)</b>', page)
    assert tiles == [str(n) for n in (numbers.attended, numbers.late, numbers.absent, numbers.to_check)]
    assert f"{percent_text(numbers.rate)} %" in page
    column = next(
        one for one in files.course_matrix(term.course, _days()).columns if one.session.id == session.pk
    )
    assert column.tally == numbers, "the course counts this session alike"


def _days() -> orders.Days:
    return orders.Days(dt.date(2026, 3, 1), dt.date(2026, 4, 30))


def test_an_open_session_counts_as_it_stands(term: Term) -> None:
    session = make.session(term.course, "open", timezone.now() - dt.timedelta(minutes=12))
    marks.recompute(session.pk)
    assert files.session_matrix(session).total.not_evaluated == 5
    page = term.client().get(reverse("web:session-dashboard", args=[session.pk])).text
    assert "No usable photo of this lesson yet." in page
    assert "Nothing shows yet when somebody came." in page


def test_who_signed_in_by_code_came_at_that_time(term: Term) -> None:
    session = make.session(term.course, "open", timezone.now() - dt.timedelta(minutes=7))
    marks.recompute(session.pk)
    window = signin.open_window(session, term.owner)
    claim = signin.open_code(signin.code_now(window), "phone", "10.0.0.1")
    signin.arrive_by_login(claim, "phone", term.students[0], "10.0.0.1")
    steps, unknown = matrix.arrivals(files.session_matrix(session))
    assert (dict(steps)[5], unknown) == (1, 0)


def test_the_timeline_shows_each_photo(term: Term) -> None:
    session = make.session(term.course, "open", timezone.now() - dt.timedelta(minutes=20))
    student = term.students[0]
    make.template(student)
    for minute, seen in ((1, True), (8, False), (15, True)):
        snapshot = make.snapshot(session, minute)
        if seen:
            make.sighting(snapshot, student, "recognised")
    marks.recompute(session.pk)
    page = term.client().get(reverse("web:session-dashboard", args=[session.pk])).text
    row = re.search(rf'data-text="{student.sort_name} {student.number}".*?</tr>', page, re.S)
    assert row
    assert re.findall(r"seen__dot--(\w+)", row[0]) == ["on", "off", "on"]
    assert re.findall(r"tfoot.*", page, re.S)[0].count(">1</td>") == 2


@pytest.fixture
def with_mood(term: Term) -> Term:
    places.set_place("NZ")
    mood_switches.switch_site(True, term.owner, notice_read=True)
    mood_switches.switch_course(term.course, True, term.owner, notice_read=True)
    shares = [0.6, 0.2, 0.05, 0.05, 0.05, 0.03, 0.02]
    for minute in (3, 9):
        snapshot = make.snapshot(term.sessions[0], minute)
        SnapshotMood.objects.create(
            snapshot=snapshot,
            faces=10,
            read=[share * 10 for share in shares],
            classifier_version="rollcall-emotion-4",
        )
    return term


def test_mood_stands_beside_attendance_where_it_is_on(with_mood: Term) -> None:
    term = with_mood
    path = reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}"
    found = moods.by_session(term.course, [one.pk for one in term.sessions])
    assert list(found) == [term.sessions[0].pk]
    assert found[term.sessions[0].pk].n == 10, "the same people in two photos are not twenty"
    page = term.client().get(path).text
    rows = re.findall(r'data-y="([\d.]*)" data-mood="(\d*)" data-low="(\d*)" data-high="(\d*)"', page)
    assert len(rows) == 4
    assert int(rows[0][2]) <= int(rows[0][1]) <= int(rows[0][3])
    assert rows[1][1:] == ("", "", "")


def test_mood_that_is_off_is_not_there(term: Term) -> None:
    page = term.client().get(reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}").text
    assert "Engagement" not in page
    assert moods.by_session(term.course, [one.pk for one in term.sessions]) == {}


def test_a_course_that_fills_no_screen_still_says_its_numbers(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}"
    small = term.client().get(path).text
    monkeypatch.setattr(orders, "LARGE", 3)
    large = term.client().get(path).text
    assert "Too many marks for one screen" in large
    assert 'id="heat"' not in large
    tiles = r'tile card"><dt>[^<]+</dt><dd><b>([^<]+)</b>|card tile"><dt>[^<]+</dt><dd><b>([^<]+)</b>'
    assert re.findall(tiles, large)[0] == re.findall(tiles, small)[0]
    assert re.findall(r'data-y="([\d.]*)" data-trend', large) == re.findall(
        r'data-y="([\d.]*)" data-trend', small
    )


def test_queries_do_not_grow(term: Term, django_assert_max_num_queries: object) -> None:
    client: Client = term.client()
    session = term.sessions[0]
    for _ in range(10):
        Mark.objects.create(
            session=session, student=make.student(term.course), status="present", decided_at=timezone.now()
        )
    schooltime.school_zone()
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        assert client.get(reverse("web:session-dashboard", args=[session.pk])).status_code == 200
