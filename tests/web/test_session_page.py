"""The session page: photos and roll, live, and a person's word."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from attendance import classes
from attendance.models import ClassSession, Mark, Review, Snapshot
from tests import factories as make

from .conftest import SchoolFixture

HTMX = {"HX-Request": "true"}


def page(school: SchoolFixture, query: str = "") -> str:
    return school.client().get(reverse("web:session", args=[school.session.pk]) + query).text


def toast_of(response: object) -> dict[str, str]:
    return json.loads(response["HX-Trigger"])["toast"]  # type: ignore[index, no-any-return]


def test_everybody_on_the_roster_has_a_line(school: SchoolFixture) -> None:
    text = page(school)
    for student in (school.student, school.without_consent):
        assert student.sort_name in text
    assert "1 to check" in text
    assert "no enrolled photo: mark by hand" in text


def test_the_photo_has_a_box_for_each_face(school: SchoolFixture) -> None:
    text = page(school)
    assert text.count('class="box box--') == 3
    assert f'data-student="{school.student.pk}"' in text
    assert "box--recognised" in text
    assert "box--uncertain" in text
    assert "box--unknown" in text


def test_a_face_that_is_none_has_no_box(school: SchoolFixture) -> None:
    Review.objects.create(sighting=school.unsure, verdict="not_a_face", by=school.owner, at=timezone.now())
    assert page(school).count('class="box box--') == 2


def test_a_photo_can_be_chosen_and_a_strange_choice_is_ignored(school: SchoolFixture) -> None:
    earlier = make.snapshot(school.session, 1, width=800, height=600)
    assert f'data-photo="{earlier.pk}"' in page(school, f"?photo={earlier.pk}")
    for odd in ("?photo=0", "?photo=x", "?photo=" + "9" * 30, "?photo=%E0%A5%A9"):
        assert 'data-photo=""' in page(school, odd)


def test_nothing_new_is_a_304_and_a_change_is_not(school: SchoolFixture) -> None:
    client, address = school.client(), reverse("web:session-live", args=[school.session.pk])
    first = client.get(address)
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Snapshot.objects.filter(pk=school.failed.pk).update(
        state="processing", token="0" * 32, lease_until=timezone.now()
    )
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_one_press_marks_by_hand_and_one_takes_it_back(school: SchoolFixture) -> None:
    client = school.client()
    address = reverse("web:mark-set", args=[school.session.pk, school.without_consent.pk])
    answer = client.post(address, {"status": "late"}, headers=HTMX)
    mark = Mark.objects.get(session=school.session, student=school.without_consent)
    assert (mark.status, mark.source, mark.decided_by) == ("late", "manual", school.owner)
    assert f'id="s{school.without_consent.pk}"' in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    told = toast_of(answer)
    assert "late" in told["text"]
    client.post(told["undo"], headers=HTMX)
    mark.refresh_from_db()
    assert (mark.status, mark.source) == ("not_evaluated", "recognised")


def test_a_mark_that_does_not_exist_is_refused_in_words(school: SchoolFixture) -> None:
    address = reverse("web:mark-set", args=[school.session.pk, school.student.pk])
    answer = school.client().post(address, {"status": "asleep"}, headers=HTMX)
    assert answer.status_code == 422
    assert toast_of(answer)["kind"] == "bad"


def test_it_works_without_scripts(school: SchoolFixture) -> None:
    address = reverse("web:mark-set", args=[school.session.pk, school.student.pk])
    answer = school.client().post(address, {"status": "absent"})
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"#s{school.student.pk}")


def test_what_the_camera_said_stands_beside_a_mark_by_hand(school: SchoolFixture) -> None:
    classes.close_session(school.session)
    Mark.objects.filter(student=school.student).update(machine_status="present")
    school.client().post(
        reverse("web:mark-set", args=[school.session.pk, school.student.pk]),
        {"status": "absent"},
        headers=HTMX,
    )
    assert "camera: present" in page(school)


def test_the_rest_of_the_class_in_one_step(school: SchoolFixture) -> None:
    address = reverse("web:marks-rest", args=[school.session.pk])
    answer = school.client().post(address, {"status": "present"}, headers=HTMX)
    assert not school.session.marks.filter(status="not_evaluated").exists()
    assert "students set to present" in toast_of(answer)["text"]


def test_a_yes_names_the_face_and_can_be_taken_back(school: SchoolFixture) -> None:
    client, person = school.client(), school.unsure.student
    assert person is not None
    address = reverse("web:face-decide", args=[school.session.pk, school.unsure.pk])
    answer = client.post(address, {"verdict": "is", "student": person.pk}, headers=HTMX)
    assert Mark.objects.get(session=school.session, student=person).status == "present"
    client.post(toast_of(answer)["undo"], headers=HTMX)
    assert Mark.objects.get(session=school.session, student=person).to_check


@pytest.mark.parametrize("verdict", ["not_in_class", "not_a_face"])
def test_a_face_can_be_nobody(verdict: str, school: SchoolFixture) -> None:
    address = reverse("web:face-decide", args=[school.session.pk, school.unsure.pk])
    assert school.client().post(address, {"verdict": verdict}, headers=HTMX).status_code == 200
    assert school.unsure.reviews.get().verdict == verdict


def test_somebody_of_another_class_cannot_be_named(school: SchoolFixture) -> None:
    other = make.student(make.course(school.owner))
    address = reverse("web:face-decide", args=[school.session.pk, school.unsure.pk])
    assert school.client().post(address, {"student": other.pk}, headers=HTMX).status_code == 404


def test_the_face_card_offers_the_roster(school: SchoolFixture) -> None:
    text = (
        school.client()
        .get(reverse("web:face", args=[school.session.pk, school.unsure.pk]), headers=HTMX)
        .text
    )
    assert "<html" not in text
    for student in (school.student, school.without_consent):
        assert student.sort_name in text


def upload(school: SchoolFixture, content: bytes, name: str = "class.jpg") -> object:
    return school.client().post(
        reverse("web:photos-add", args=[school.session.pk]),
        {"photo": SimpleUploadedFile(name, content)},
        headers={"Accept": "application/json"},
    )


def test_a_photo_is_accepted_at_once(
    school: SchoolFixture, sent: list[object], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = upload(school, make.jpeg(5))
    assert answer.status_code == 202  # type: ignore[attr-defined]
    assert sent == [("process_snapshot", (answer.json()["id"],))]  # type: ignore[attr-defined]
    again = upload(school, make.jpeg(5))
    assert again.json()["id"] == answer.json()["id"]  # type: ignore[attr-defined]
    assert "here already" in again.json()["message"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 422), (b"<html>", 415), (make.jpeg(1)[:700], 422), (make.jpeg(1, (10, 10)), 422)],
)
def test_a_file_that_is_no_photo_is_refused_in_words(
    school: SchoolFixture, content: bytes, status: int
) -> None:
    answer = upload(school, content)
    assert answer.status_code == status  # type: ignore[attr-defined]
    assert len(answer.json()["message"]) > 15  # type: ignore[attr-defined]
    assert school.session.snapshots.count() == 2


def test_a_closed_session_takes_no_photo_after_its_grace_time(school: SchoolFixture) -> None:
    ClassSession.objects.filter(pk=school.session.pk).update(
        state="closed", closed_at=timezone.now(), grace_minutes=0
    )
    answer = upload(school, make.jpeg(6))
    assert answer.status_code == 409  # type: ignore[attr-defined]
    assert "photo-form" not in page(school)


def test_closing_and_opening_again(school: SchoolFixture) -> None:
    client = school.client()
    client.post(reverse("web:session-state", args=[school.session.pk, "close"]))
    school.session.refresh_from_db()
    assert school.session.state == "closed"
    client.post(reverse("web:session-state", args=[school.session.pk, "open"]))
    school.session.refresh_from_db()
    assert school.session.state == "open"
    told = client.post(reverse("web:session-state", args=[school.session.pk, "open"]), follow=True).text
    assert "open already" in told


def test_a_failed_photo_is_sent_again(school: SchoolFixture) -> None:
    assert "could not be processed" in page(school)
    school.client().post(reverse("web:photo-again", args=[school.session.pk, school.failed.pk]), headers=HTMX)
    school.failed.refresh_from_db()
    assert (school.failed.state, school.failed.attempts) == ("received", 0)


def test_an_expired_photo_is_said_to_be_expired(school: SchoolFixture) -> None:
    Snapshot.objects.filter(session=school.session).update(image="", expired_at=timezone.now(), state="done")
    assert "has expired" in page(school)


def test_the_roll_as_a_file(school: SchoolFixture) -> None:
    answer = school.client().get(reverse("web:roll-csv", args=[school.session.pk]))
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    assert answer.content.decode("utf-8-sig").count("\r\n") == 1 + school.session.marks.count()


def test_a_roll_now_opens_a_session_and_the_second_press_finds_it(school: SchoolFixture) -> None:
    course = make.course(school.owner, students=2)
    first = school.client().post(reverse("web:take-now", args=[course.pk]))
    second = school.client().post(reverse("web:take-now", args=[course.pk]))
    assert first["Location"] == second["Location"]
    assert course.sessions.get().marks.count() == 2


def test_a_session_past_midnight_ends_the_day_after(school: SchoolFixture) -> None:
    form = {
        "day": "2026-03-12",
        "starts": "23:30",
        "ends": "00:20",
        "late_after_minutes": 5,
        "min_sightings": 1,
    }
    school.client().post(reverse("web:session-plan", args=[school.course.pk]), form)
    planned = school.course.sessions.get(state="planned")
    assert (planned.ends_at - planned.starts_at).total_seconds() == 50 * 60
    assert (planned.late_after_minutes, planned.min_sightings) == (5, 1)


def test_an_empty_session_says_what_to_do(school: SchoolFixture) -> None:
    for state, words in (
        ("open", "Drop photos"),
        ("planned", "once the session is open"),
        ("closed", "No photo was"),
    ):
        session = make.session(make.course(school.owner), state)
        assert words in school.client().get(reverse("web:session", args=[session.pk])).text
