"""The mood's pages: the notice and its switches, and a session that shows it, or says why it does not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from attendance import mood_switches, places, schooltime
from attendance.demo import school as demo_school
from attendance.demo.logins import Logins
from attendance.demo.service import BUILT_IN
from attendance.models import ClassSession, SnapshotMood
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Logins:
    return Logins(make.teacher(), make.registrar(), make.administrator())


@pytest.fixture
def client(people: Logins) -> Client:
    client = Client()
    client.force_login(people.admin)
    return client


@pytest.fixture
def demo_session(people: Logins) -> ClassSession:
    """A lesson of the built-in demo class with two photos whose mood was read."""
    made = demo_school.make_class(BUILT_IN, people)
    demo_school.add_students(made, [("Ada", "One")], consent=False)
    session = make.session(made.course)
    for minute in (2, 12):
        SnapshotMood.objects.create(
            snapshot=make.snapshot(session, minute, camera=made.camera),
            faces=4,
            read=[0.2, 0, 0, 1.6, 0.1, 0.1, 2],
            classifier_version="rollcall-emotion-4",
        )
    return session


def pages_of(session: ClassSession) -> list[str]:
    return [
        reverse(f"web:{name}", args=[session.pk]) for name in ("session", "session-live", "session-dashboard")
    ]


def test_a_session_of_the_demo_shows_its_mood(client: Client, demo_session: ClassSession) -> None:
    for path in pages_of(demo_session):
        page = client.get(path).text
        assert page.count('class="mood__line"') == 2, "engagement and valence"
        assert "at least 3 faces together" in page
        assert "4 faces in the last photo" in page
        assert "the index itself runs from 0.2 to 0.9" in page
        assert page.count('<path class="mood__dot"') == 4, "a dot for each of two photos"


def test_where_the_law_prohibits_it_the_demo_says_why_and_the_page_is_whole(
    client: Client, demo_session: ClassSession
) -> None:
    places.set_place("DE")
    for path in pages_of(demo_session):
        page = client.get(path).text
        assert "The demo shows no mood of the class here" in page
        assert "mood__line" not in page
    other = make.session(make.course())
    for path in pages_of(other):
        assert "The demo shows no mood" not in client.get(path).text


def test_the_page_says_what_is_read(client: Client, people: Logins) -> None:
    address = reverse("web:mood")
    assert "No emotion network runs and nothing is stored." in client.get(address).text
    demo_school.make_class(BUILT_IN, people)
    page = client.get(address).text
    assert "No emotion network runs" not in page
    assert "Only the demo class shows it" in page
    places.set_place("AX")
    page = client.get(address).text
    assert "No emotion network runs and nothing is stored." in page
    assert "The law of this country prohibits it" in page
    assert "Switch on" not in page


def test_site_and_course_are_switched_on_by_who_has_read_the_notice(client: Client, people: Logins) -> None:
    places.set_place("NZ")
    course = make.course()
    site, of_course = reverse("web:mood-site"), reverse("web:mood-course", args=[course.pk])
    page = client.post(site, {"on": "1"}, follow=True).text
    assert "Please read the notice" in page
    assert not schooltime.get_school().mood_enabled
    client.post(site, {"on": "1", "notice_read": "1"})
    assert schooltime.get_school().mood_enabled

    page = client.get(reverse("web:mood")).text
    for part in ("AI Act, Article 5(1)(f)", "deletes what was stored", "Switched on:", people.admin.username):
        assert part in page
    assert page.count('type="checkbox" name="notice_read"') == 1
    client.post(of_course, {"on": "1"})
    course.refresh_from_db()
    assert not course.mood_enabled
    client.post(of_course, {"on": "1", "notice_read": "1"})
    course.refresh_from_db()
    assert (course.mood_enabled, course.mood_switched_by) == (True, people.admin)

    client.post(of_course, {"on": "0"})
    client.post(site, {"on": "0"})
    course.refresh_from_db()
    assert not course.mood_enabled
    assert not schooltime.get_school().mood_enabled


def test_the_school_says_how_large_a_group_is(client: Client) -> None:
    places.set_place("NZ")
    address = reverse("web:mood-group")
    page = client.post(address, {"faces": "12"}, follow=True).text
    assert "is not shown" in page
    assert 'value="12"' in page
    assert schooltime.get_school().mood_minimum_group == 12
    for wrong in ("4", "101", "", "twelve", "1e9", "9" * 400, "-5", "5.5"):
        page = client.post(address, {"faces": wrong}, headers={"referer": reverse("web:mood")}, follow=True)
        assert "from 5 to 100" in page.text
    assert schooltime.get_school().mood_minimum_group == 12


def test_a_session_of_a_course_says_the_schools_own_minimum(client: Client, people: Logins) -> None:
    places.set_place("NZ")
    mood_switches.switch_site(True, people.admin, notice_read=True)
    course = make.course()
    mood_switches.switch_course(course, True, people.admin, notice_read=True)
    session = make.session(course)
    SnapshotMood.objects.create(
        snapshot=make.snapshot(session, 3),
        faces=8,
        read=[1, 0, 0, 3, 0, 0, 4],
        classifier_version="rollcall-emotion-4",
    )
    mood_switches.set_minimum_group(8)
    assert "at least 8 faces together" in client.get(pages_of(session)[0]).text
    mood_switches.set_minimum_group(9)
    assert "mood__line" not in client.get(pages_of(session)[0]).text
