"""Where the school stands decides what can be switched on; the demo is exempt."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from attendance import enrolment, errors, intake, law, mood_switches, places
from attendance.models import Course, School
from tests import factories as make

Place, Effect = law.Place, law.Effect


@pytest.mark.parametrize(
    ("place", "effects"),
    [
        (Place(), set()),
        (Place("DE"), {Effect.NO_MOOD, Effect.PARENTS_TOLD}),
        (Place("NO", "", "university"), {Effect.NO_MOOD, Effect.PARENTS_TOLD}),
        (Place("GB", "ENG", "school"), {Effect.PARENTS_TOLD}),
        (Place("GB", "SCT", "school"), {Effect.PARENTS_TOLD}),
        (Place("US", "NY", "school"), {Effect.NO_RECOGNITION}),
        (Place("US", "NY"), {Effect.NO_RECOGNITION}),
        (Place("US", "NY", "university"), set()),
        (Place("US", "IL"), {Effect.PUBLIC_POLICY}),
        (Place("NZ"), set()),
    ],
)
def test_what_holds_where(place: law.Place, effects: set[law.Effect]) -> None:
    assert {rule.effect for rule in law.rules_for(place)} == effects


def test_parental_consent_is_named_for_england_and_wales_and_not_for_scotland() -> None:
    def rules(region: str) -> set[str]:
        return {rule.code for rule in law.rules_for(Place("GB", region, "school"))}

    assert "protection_of_freedoms_act" in rules("ENG") & rules("WLS")
    assert "protection_of_freedoms_act" not in rules("SCT") | rules("NIR")


def test_every_rule_names_its_source() -> None:
    for rule in (law.AI_ACT, law.NEW_YORK, law.FREEDOMS_ACT, law.GDPR, law.BIPA):
        assert all([rule.source, str(rule.says), str(rule.follows)])


@pytest.mark.django_db
def test_in_new_york_schools_no_photo_and_no_portrait_is_taken_in_but_the_demos() -> None:
    teacher = make.teacher()
    session = make.session(make.course(teacher, students=1))
    student = session.course.students.get()
    make.template(student, make.encoding(1))
    places.set_place("US", "NY", "school")
    with pytest.raises(errors.RecognitionProhibited):
        intake.receive(session, make.jpeg(1))
    with pytest.raises(errors.RecognitionProhibited):
        enrolment.receive_portrait(student, make.jpeg(2), teacher)
    Course.objects.filter(pk=session.course_id).update(is_demo=True)
    session.course.refresh_from_db()
    assert intake.receive(session, make.jpeg(1)).created
    assert enrolment.receive_portrait(student, make.jpeg(2), teacher).pk


@pytest.mark.django_db
def test_moving_into_the_union_switches_mood_off() -> None:
    places.set_place("NZ")
    mood_switches.switch_site(True, make.teacher(), notice_read=True)
    places.set_place("FR", "", "university")
    assert not School.objects.get().mood_enabled
    with pytest.raises(errors.MoodProhibited):
        mood_switches.switch_site(True, make.teacher(), notice_read=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given", [("",), ("Germany",), ("D1",), ("GB", "NY"), ("US", "NY", "castle"), ("FR", "IL")]
)
def test_nonsense_is_refused_and_nothing_stored(given: tuple[str, ...]) -> None:
    with pytest.raises(errors.UnknownPlace):
        places.set_place(*given)
    assert not School.objects.exclude(country="").exists()


@pytest.mark.django_db
def test_the_page_says_what_holds_with_source_and_day(client: Client) -> None:
    client.force_login(make.administrator())
    address = reverse("web:place")
    assert "Not known yet" in client.get(address).text
    client.post(address, {"country": "us", "region": "NY", "institution": "school"})
    page = client.get(address).text
    assert "Recognition stays off" in page
    assert "Sept. 27, 2023" in page
    assert client.post(address, {"country": "nowhere"}, follow=True).status_code == 200
