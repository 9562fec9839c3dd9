"""Timetable, holidays, excuses, rules and calendar addresses as people use them."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from attendance import errors, excusing, intake, labels, marks, schooltime
from attendance.models import ClassSession, Course, Excuse, Holiday, Room, SchoolLogo
from tests import factories as make
from tests.web import calendar_routes

from .conftest import SchoolFixture

PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture(autouse=True)
def _standard_words() -> Iterator[None]:
    labels.forget()
    yield
    labels.forget()


def lesson(**values: str) -> dict[str, str]:
    """A Monday lesson of the next four weeks."""
    monday = schooltime.today() + dt.timedelta(days=7 - schooltime.today().weekday())
    return {
        "weekday": "0", "starts": "09:00", "ends": "09:50", "room": "Lab 7", "every_weeks": "1",
        "first_day": monday.isoformat(), "last_day": (monday + dt.timedelta(days=27)).isoformat(), **values,
    }  # fmt: skip


def planned(course: Course) -> int:
    return course.sessions.filter(state="planned").count()


def test_a_lesson_is_looked_at_stored_and_taken_back(school: SchoolFixture) -> None:
    client, course = school.client(), school.course
    add = reverse("web:slot-add", args=[course.pk])
    page = client.post(add, lesson())
    assert page.status_code == 200
    assert "The room Lab 7 is not known yet" in page.text
    assert page.text.count("verdict--new") == 4
    assert planned(course) == 0
    assert not Room.objects.filter(name="Lab 7").exists()
    answer = client.post(add, lesson(confirm="1"), follow=True)
    assert "4 sessions made." in answer.text
    assert planned(course) == 4
    slot = course.slots.get()
    client.post(
        reverse("web:slot-save", args=[course.pk, slot.pk]), lesson(starts="11:00", ends="12:00", confirm="1")
    )
    assert {f"{one.starts_at:%H}" for one in course.sessions.filter(state="planned")} == {"11"}
    (address,) = set(re.findall(r'action="(/courses/\d+/timetable/changes/\d+/undo/)"', client.get(
        reverse("web:course-timetable", args=[course.pk])).text))  # fmt: skip
    assert "4 moved" in client.post(address, follow=True).text
    client.post(reverse("web:slot-remove", args=[course.pk, slot.pk]))
    assert planned(course) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": "09:00", "ends": "09:00"}, {"weekday": "9"}, {"starts": "nine"}, {"first_day": "2026-02-30"},
        {"last_day": "1999-01-01"}, {"every_weeks": "99"}, {"room": "x" * 500}, {"last_day": "9999-12-31"},
    ],
)  # fmt: skip
def test_a_lesson_that_cannot_be_is_said_and_stores_nothing(
    school: SchoolFixture, wrong: dict[str, str]
) -> None:
    for confirm in ({}, {"confirm": "1"}):
        answer = school.client().post(
            reverse("web:slot-add", args=[school.course.pk]), lesson(**wrong, **confirm), follow=True
        )
        assert answer.status_code in (200, 422)
        assert "toast--bad" in answer.text or 'class="error"' in answer.text
    assert not school.course.slots.exists()


def calendar_file(*, day: dt.date) -> SimpleUploadedFile:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\n"
        f"DTSTART:{day:%Y%m%d}T090000\r\nDTEND:{day:%Y%m%d}T095000\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"
        "SUMMARY:<b>Algebra</b>\r\nLOCATION:Lab 7\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    return SimpleUploadedFile("t.ics", text.encode(), "text/calendar")


def carried(page: Any) -> str:
    return str(re.search(r'name="carried" value="([^"]+)"', page.text)[1])  # type: ignore[index]


def test_a_calendar_file_is_looked_at_and_imported(school: SchoolFixture) -> None:
    client, course = school.client(), school.course
    course.term.ends_on = schooltime.today() + dt.timedelta(days=60)
    course.term.save()
    address = reverse("web:timetable-import", args=[course.pk])
    page = client.post(address, {"file": calendar_file(day=schooltime.today() + dt.timedelta(days=1))})
    assert "Import 3 lessons" in page.text
    assert "<b>Algebra</b>" not in page.text
    assert planned(course) == 0
    data = {"carried": carried(page), "name": "<b>Algebra</b>"}
    answer = client.post(reverse("web:timetable-confirm", args=[course.pk]), data, follow=True)
    assert "3 new" in answer.text
    assert planned(course) == 3
    for wrong in (b"", b"MZ", b"BEGIN:VCALENDAR\n" + b"x" * 2_000_000):
        answer = client.post(address, {"file": SimpleUploadedFile("t.ics", wrong)}, follow=True)
        assert "toast--bad" in answer.text
    for broken in ("!!!", "AAAA"):
        client.post(reverse("web:timetable-confirm", args=[course.pk]), {"carried": broken})
    assert planned(course) == 3


def test_a_cancelled_session_is_struck_through_and_takes_no_photos(school: SchoolFixture) -> None:
    client, session = school.client(), school.session
    client.post(reverse("web:session-cancel", args=[session.pk]), {"reason": "storm"})
    session.refresh_from_db()
    page = client.get(reverse("web:session", args=[session.pk])).text
    assert "This session is cancelled." in page
    assert "“storm”" in page
    assert "photo-form" not in page
    with pytest.raises(errors.SessionNotOpen):
        intake.receive(session, make.jpeg(99), user=school.owner)
    for name in ("course-sessions", "course-timetable", "course-dashboard"):
        assert client.get(reverse(f"web:{name}", args=[school.course.pk])).status_code == 200
    assert 'class="struck"' in client.get(reverse("web:course-sessions", args=[school.course.pk])).text
    assert 'class="struck"' in client.get(reverse("web:today")).text
    client.post(reverse("web:session-restore", args=[session.pk]))
    session.refresh_from_db()
    assert (session.state, session.is_cancelled, session.cancel_reason) == ("open", False, "")


def test_the_dashboard_strikes_a_cancelled_session(school: SchoolFixture) -> None:
    closed = make.session(school.course, "closed", timezone.now() - dt.timedelta(days=1))
    other = make.session(school.course, "closed", timezone.now() - dt.timedelta(days=2))
    for one in (closed, other):
        marks.recompute(one.pk)
    school.client().post(reverse("web:session-cancel", args=[closed.pk]), {"reason": "storm"})
    page = school.client().get(reverse("web:course-dashboard", args=[school.course.pk])).text
    assert page.count('class="heat__off"') == 1
    assert "storm" in page
    preview = school.client().get(reverse("web:reports") + f"?what=course&course={school.course.pk}").text
    assert "cancelled" in preview


# --- excuses -----------------------------------------------------------------------------------------
def excuse(school: SchoolFixture, person: str = "owner", **values: Any) -> Any:
    data = {"first_day": schooltime.today().isoformat(), "reason": "illness", "note": "flu", **values}
    return school.client(person).post(reverse("web:excuse-new", args=[school.student.pk]), data, follow=True)


def test_a_teacher_excuses_for_an_own_course_at_once(school: SchoolFixture) -> None:
    answer = excuse(school, course=school.course.pk, attachment=SimpleUploadedFile("a.pdf", PDF))
    assert "The excuse is recorded. The marks follow." in answer.text
    found = Excuse.objects.get()
    assert (found.state, found.decided_by) == ("approved", school.owner)
    page = school.client().get(reverse("web:session", args=[school.session.pk])).text
    assert "illness: flu" in page
    letter = reverse("web:excuse-letter", args=[found.pk])
    answer = school.client().get(letter)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join([answer.content]) == PDF
    assert school.client("stranger").get(letter).status_code == 404
    assert school.client("registrar").get(letter).status_code == 200
    assert school.client("nobody").get(letter).status_code == 302


def test_for_all_courses_the_office_decides(school: SchoolFixture) -> None:
    from attendance.models import RosterEntry

    RosterEntry.objects.create(course=make.course(), student=school.student, enrolled_on=dt.date(2026, 1, 1))
    assert "waits for the school" in excuse(school).text
    found = Excuse.objects.get()
    approve = reverse("web:excuse-decide", args=[found.pk, "approve"])
    school.client().post(approve)
    found.refresh_from_db()
    assert found.state == "asked"
    assert school.client("stranger").post(approve).status_code == 404
    assert "1 excuse waits for approval" in school.client("registrar").get("/").text
    school.client("registrar").post(approve)
    found.refresh_from_db()
    assert found.state == "approved"
    for decision, state in (("withdraw", "withdrawn"), ("again", "asked"), ("decline", "declined")):
        school.client("registrar").post(reverse("web:excuse-decide", args=[found.pk, decision]))
        found.refresh_from_db()
        assert found.state == state
    assert school.client().get(approve).status_code == 405


def test_excused_but_seen_stays_present_with_a_hint(school: SchoolFixture) -> None:
    marks.set_by_hand(school.session, school.student, "present", school.owner)
    excuse(school, course=school.course.pk)
    page = school.client().get(reverse("web:session", args=[school.session.pk])).text
    assert "excused all the same:" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "magic"}, {"first_day": ""}, {"first_day": "x"}, {"last_day": "2020-01-01"}, {"course": "999999"},
        {"last_day": "2099-01-01"}, {"attachment": SimpleUploadedFile("x.exe", b"MZ\x90")},
        {"session": "999999", "first_day": ""},
    ],
)  # fmt: skip
def test_what_is_no_excuse_is_said(school: SchoolFixture, wrong: dict[str, Any]) -> None:
    answer = excuse(school, **wrong)
    assert answer.status_code in (200, 422)
    assert 'class="error"' in answer.text or "note--bad" in answer.text or "toast--bad" in answer.text
    assert not Excuse.objects.exists()


def test_the_list_of_excuses_does_not_grow_in_queries(
    school: SchoolFixture, django_assert_max_num_queries: Any
) -> None:
    when = excusing.When(schooltime.today(), schooltime.today())
    for number in range(6):
        somebody = make.student(school.course) if number % 2 else school.student
        course = None if number % 3 else school.course
        excusing.enter(somebody, course, when, "illness", school.owner, approve=True)
    school.client().get(reverse("web:excuses"))
    with django_assert_max_num_queries(16):
        page = school.client().get(reverse("web:excuses"))
    assert page.text.count(school.student.sort_name) == 3


def test_long_lists_of_excuses_come_in_pages_that_turn_one_by_one(school: SchoolFixture) -> None:
    """70 wait and 120 lie ahead: everybody can be reached, and turning one list leaves the other where it is."""
    today, now = schooltime.today(), timezone.now()
    common = {
        "first_day": today,
        "last_day": today,
        "reason": "illness",
        "entered_by": school.owner,
        "entered_at": now,
    }
    decided = {"state": "approved", "decided_by": school.owner, "decided_at": now}
    people = [make.student(school.course, given_name=f"Nobody{n:03d}") for n in range(120)]
    Excuse.objects.bulk_create(Excuse(student=one, **common) for one in people[:70])
    Excuse.objects.bulk_create(Excuse(student=one, **common, **decided) for one in people)
    client, found = school.client("administrator"), set()
    for number in (1, 2, 3):
        page = client.get(reverse("web:excuses"), {"waiting": number, "coming": 4}).text
        waiting, coming = page.split('id="waiting-title"')[1].split('id="coming-title"')
        found |= set(re.findall(r"Nobody\d{3}", waiting))
        assert len(set(re.findall(r"Nobody\d{3}", coming))) == 30
        assert '<span class="count num">70</span>' in waiting
        assert '<span class="count num">120</span>' in coming
        for other in {number - 1, number + 1} & {1, 2, 3}:
            assert f'href="?coming=4&amp;waiting={other}#waiting-title"' in waiting
        assert f'href="?waiting={number}&amp;coming=3#coming-title"' in coming
    assert len(found) == 70
    assert client.get(reverse("web:excuses"), {"waiting": "99", "coming": "x"}).status_code == 200


# --- calendar addresses ------------------------------------------------------------------------------
def test_an_address_works_without_signing_in_until_it_is_switched_off(school: SchoolFixture) -> None:
    client = school.client()
    page = client.post(reverse("web:calendar-new"))
    address = re.search(r'value="http://testserver(/calendar/[^"]+\.ics)"', page.text)[1]  # type: ignore[index]
    answer = Client().get(address)
    assert answer["Content-Type"].startswith("text/calendar")
    assert "SUMMARY:" in answer.text
    for student in school.course.students.all():
        assert student.given_name not in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert address not in client.get(reverse("web:calendars")).text
    feed = school.owner.calendar_feeds.get()
    assert school.client("stranger").post(reverse("web:calendar-revoke", args=[feed.pk])).status_code == 404
    assert (
        school.client("stranger").post(reverse("web:calendar-new"), {"course": school.course.pk}).status_code
        == 404
    )
    client.post(reverse("web:calendar-revoke", args=[feed.pk]))
    assert Client().get(address).status_code == 404
    assert Client().get("/calendar/x.ics").status_code == 404
    assert Client().post(address).status_code == 405


# --- the site ----------------------------------------------------------------------------------------
def test_holidays_one_by_one_and_from_a_file(school: SchoolFixture) -> None:
    client = school.client("administrator")
    client.post(reverse("web:holiday-add"), {"name": "Founders' day", "first_day": "2026-12-01"})
    assert list(Holiday.objects.values_list("name", "last_day")) == [("Founders' day", dt.date(2026, 12, 1))]
    day = schooltime.today() + dt.timedelta(days=20)
    event = f"UID:h\r\nDTSTART;VALUE=DATE:{day:%Y%m%d}\r\nSUMMARY:Easter\r\n"
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
    page = client.post(reverse("web:holidays-import"), {"file": SimpleUploadedFile("h.ics", text.encode())})
    assert "Easter" in page.text
    assert Holiday.objects.count() == 1
    client.post(reverse("web:holidays-import"), {"carried": carried(page), "day": "0"})
    assert Holiday.objects.filter(name="Easter", first_day=day, last_day=day).exists()
    assert client.post(reverse("web:holiday-add"), {"name": "x", "first_day": "y"}).status_code == 422
    holiday = Holiday.objects.get(name="Easter")
    page = client.post(reverse("web:holiday-remove", args=[holiday.pk]))
    assert 'value="Easter"' in page.text


def test_rules_say_what_would_change_before_they_are_stored(school: SchoolFixture) -> None:
    client = school.client("administrator")
    address = reverse("web:rules")
    data = {"late_counts": "50", "least_percent": "90"}
    page = client.post(address, data)
    assert "What this would change" in page.text
    assert "students would newly be at risk" in page.text
    assert "under 90 % once" in page.text
    assert "under 80 % once" in client.get(address).text
    client.post(address, data | {"confirm": "1"})
    assert "counts 50 % as attended" in client.get(address).text
    for wrong in (
        {"late_counts": "101"},
        {"min_sightings": "0"},
        {"in_a_row": "x"},
        {"window_absences": "50"},
    ):
        assert client.post(address, wrong | {"confirm": "1"}).status_code == 422
    own = reverse("web:rules-course", args=[school.course.pk])
    client.post(own, {"least_percent": "70", "confirm": "1"})
    assert "under 70 % once" in client.get(own).text
    client.post(reverse("web:rules-as-school", args=[school.course.pk]))
    assert "under 90 % once" in client.get(own).text


def test_the_schools_word_stands_on_the_session_page(school: SchoolFixture) -> None:
    client = school.client("administrator")
    client.post(reverse("web:rules-words"), {"label-late": "<Tardy>"})
    marks.set_by_hand(school.session, school.student, "late", school.owner)
    page = client.get(reverse("web:session", args=[school.session.pk])).text
    assert "&lt;Tardy&gt;" in page
    assert "<Tardy>" not in page


def test_the_logo_is_shown_to_people_who_signed_in(school: SchoolFixture) -> None:
    client = school.client("administrator")
    out = io.BytesIO()
    Image.new("RGBA", (90, 30), "teal").save(out, "PNG")
    data = {"name": "Escuela <Norte>", "logo": SimpleUploadedFile("l.png", out.getvalue())}
    client.post(reverse("web:school-set"), data)
    page = school.client().get("/").text
    assert "foot__logo" in page
    assert "Escuela &lt;Norte&gt;" in page
    assert school.client().get(reverse("web:logo"))["Content-Type"] == "image/png"
    assert school.client("nobody").get(reverse("web:logo")).status_code == 302
    svg = SimpleUploadedFile("l.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")
    assert (
        "toast--bad" in client.post(reverse("web:school-set"), {"name": "N", "logo": svg}, follow=True).text
    )
    client.post(reverse("web:logo-remove"))
    assert not SchoolLogo.objects.exists()
    assert client.get(reverse("web:logo")).status_code == 404


def test_a_decision_about_somebody_elses_excuse_is_not_found(school: SchoolFixture) -> None:
    found = calendar_routes.excuse(school)
    for decision in ("approve", "decline", "withdraw", "again"):
        path = reverse("web:excuse-decide", args=[found.pk, decision])
        assert school.client("stranger").post(path).status_code == 404
        assert school.client("nobody").post(path).status_code == 302
    found.refresh_from_db()
    assert found.state == "asked"


def test_the_timetable_page_does_not_grow_in_queries(
    school: SchoolFixture, django_assert_max_num_queries: Any
) -> None:
    path = reverse("web:course-timetable", args=[school.course.pk])
    school.client().get(path)
    for hour in range(8, 14):
        school.client().post(reverse("web:slot-add", args=[school.course.pk]),
                             lesson(starts=f"{hour:02}:00", ends=f"{hour:02}:50", confirm="1"))  # fmt: skip
    assert ClassSession.objects.filter(slot__isnull=False).count() == 24
    with django_assert_max_num_queries(20):
        assert school.client().get(path).status_code == 200


def test_a_page_that_is_open_is_read_anew_when_the_clock_opens_the_session(school: SchoolFixture) -> None:
    session = make.session(school.course, "planned")
    live = reverse("web:session-live", args=[session.pk])
    assert "HX-Refresh" not in school.client().get(live, {"was": "planned"})
    ClassSession.objects.filter(pk=session.pk).update(state="open")
    assert school.client().get(live, {"was": "planned"})["HX-Refresh"] == "true"
    assert "HX-Refresh" not in school.client().get(live, {"was": "open"})
    assert "HX-Refresh" not in school.client().get(live)


def test_a_planned_lesson_says_that_it_opens_by_itself(school: SchoolFixture) -> None:
    start = timezone.now() + dt.timedelta(hours=1)
    session = make.session(school.course, "planned", start, import_key="k")
    path = reverse("web:session", args=[session.pk])
    assert "It opens by itself" in school.client().get(path).text
    by_hand = make.session(school.course, "planned", start)
    assert "It opens by itself" not in school.client().get(reverse("web:session", args=[by_hand.pk])).text
