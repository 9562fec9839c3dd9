"""Signing in by code: in time, once, with one's own browser and one's own proof; what a teacher said stands."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import errors, marks, signin
from attendance.models import (
    ClassSession,
    MarkChange,
    SignInArrival,
    SignInTicket,
    SignInWindow,
    Student,
    StudentAccount,
)
from tests import factories as make

pytestmark = pytest.mark.django_db
HERE = "10.1.2.3"


@pytest.fixture
def session() -> ClassSession:
    course = make.course(make.teacher("owner"), students=3)
    found = make.session(course, "open", timezone.now() - dt.timedelta(minutes=4), opened_at=timezone.now())
    marks.recompute(found.pk)
    return found


@pytest.fixture
def owner(session: ClassSession) -> User:
    return session.course.teachers.get()


@pytest.fixture
def window(session: ClassSession, owner: User) -> SignInWindow:
    return signin.open_window(session, owner)


@pytest.fixture
def students(session: ClassSession) -> list[Student]:
    return list(session.course.students.order_by("pk"))


def claim(window: SignInWindow, device: str = "phone") -> str:
    return signin.open_code(signin.code_now(window), device, HERE)


def log_in(student: Student) -> Client:
    user = make.teacher(f"s{student.pk}")
    StudentAccount.objects.create(student=student, user=user, created_by=user, created_at=timezone.now())
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_student_signs_in_with_their_log_in(
    window: SignInWindow, students: list[Student], owner: User
) -> None:
    arrival = signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    mark = window.session.marks.get(student=students[0])
    assert (mark.status, mark.source, mark.reason, mark.decided_by) == ("present", "manual", "qr", owner)
    assert arrival.counted
    marks.recompute(window.session_id)
    mark.refresh_from_db()
    assert (mark.status, mark.reason) == ("present", "qr"), "a new roll changes nothing"
    assert MarkChange.objects.filter(mark=mark).count() == 1


def test_coming_late(window: SignInWindow, students: list[Student]) -> None:
    ClassSession.objects.update(starts_at=timezone.now() - dt.timedelta(minutes=14, seconds=10))
    signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    mark = window.session.marks.get(student=students[0])
    assert (mark.status, mark.minutes_late) == ("late", 14)


def test_whom_the_camera_saw_in_time_is_not_late_by_signing_in_later(
    window: SignInWindow, students: list[Student]
) -> None:
    ClassSession.objects.update(starts_at=timezone.now() - dt.timedelta(minutes=30))
    window.session.marks.filter(student=students[0]).update(status="present")
    signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    assert window.session.marks.get(student=students[0]).status == "present"


def test_whom_the_camera_saw_late_is_no_later_by_signing_in(
    window: SignInWindow, students: list[Student]
) -> None:
    ClassSession.objects.update(starts_at=timezone.now() - dt.timedelta(minutes=32))
    window.session.marks.filter(student=students[0]).update(status="late", minutes_late=14)
    signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    mark = window.session.marks.get(student=students[0])
    assert (mark.status, mark.minutes_late) == ("late", 14)


def test_a_teachers_word_stands(window: SignInWindow, students: list[Student], owner: User) -> None:
    marks.set_by_hand(window.session, students[0], "absent", owner)
    arrival = signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    assert window.session.marks.get(student=students[0]).status == "absent"
    assert not arrival.counted


def test_a_code_is_good_for_thirty_seconds_at_most(window: SignInWindow) -> None:
    at = dt.datetime.fromtimestamp((int(timezone.now().timestamp()) // 15) * 15, dt.UTC)
    code = signin.code_now(window, at)
    for later in (0, 14.9, 15, 29.9):
        assert signin.open_code(code, "phone", HERE, at + dt.timedelta(seconds=later))
    for wrong in (30, 60, 3600, -1):
        with pytest.raises(signin.CodeExpired):
            signin.open_code(code, "phone", HERE, at + dt.timedelta(seconds=wrong))
    assert signin.code_now(window, at + dt.timedelta(seconds=15)) != code


def test_codes_that_nobody_made(window: SignInWindow, session: ClassSession) -> None:
    session_id, step, mac = signin.code_now(window).split(".")
    other = "0" if mac[0] != "0" else "1"
    for code in (
        f"{session_id}.{step}.{other}{mac[1:]}", f"{session_id}.{int(step) + 1}.{mac}",
        f"{int(session_id) + 1}.{step}.{mac}",
        f"{session_id}.{step}", "x", "", "..", "٣.٤.a", f"{'9' * 40}.{step}.{mac}", f"{session_id}.{step}.é",
    ):  # fmt: skip
        with pytest.raises(signin.CodeExpired):
            signin.open_code(code, "phone", HERE)


def test_a_claim_is_of_no_use_to_anybody_it_is_sent_to(window: SignInWindow, students: list[Student]) -> None:
    mine = claim(window, "my phone")
    for device in ("a friend's phone", ""):
        with pytest.raises(signin.CodeExpired):
            signin.arrive_by_login(mine, device, students[0], HERE)
    with pytest.raises(signin.CodeExpired):
        signin.arrive_by_login(mine + "x", "my phone", students[0], HERE)
    assert not SignInArrival.objects.exists()


def test_a_claim_ends(window: SignInWindow, students: list[Student], monkeypatch: pytest.MonkeyPatch) -> None:
    mine = claim(window)
    monkeypatch.setattr(signin, "CLAIM_SECONDS", -1)
    with pytest.raises(signin.CodeExpired):
        signin.arrive_by_login(mine, "phone", students[0], HERE)


def test_a_new_window_ends_what_was_before(
    window: SignInWindow, owner: User, students: list[Student]
) -> None:
    code, mine = signin.code_now(window), claim(window)
    signin.open_window(window.session, owner)
    with pytest.raises(signin.CodeExpired):
        signin.open_code(code, "phone", HERE)
    with pytest.raises(signin.CodeExpired):
        signin.arrive_by_login(mine, "phone", students[0], HERE)


def test_nothing_after_the_window_or_the_session(window: SignInWindow, students: list[Student]) -> None:
    mine = claim(window)
    signin.close_window(window.session)
    with pytest.raises(signin.WindowClosed):
        signin.arrive_by_login(mine, "phone", students[0], HERE)
    SignInWindow.objects.update(closes_at=timezone.now() + dt.timedelta(minutes=5))
    ClassSession.objects.update(state="closed", closed_at=timezone.now())
    with pytest.raises(signin.WindowClosed):
        signin.arrive_by_login(mine, "phone", students[0], HERE)
    window.session.refresh_from_db()
    with pytest.raises(errors.SessionState):
        signin.open_window(window.session, window.opened_by)


def test_one_device_signs_in_one_student(window: SignInWindow, students: list[Student]) -> None:
    signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    again = signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    assert SignInArrival.objects.get() == again
    with pytest.raises(signin.DeviceUsed):
        signin.arrive_by_login(claim(window), "phone", students[1], HERE)
    assert window.session.marks.get(student=students[1]).source == "recognised", (
        "nothing was marked on the way"
    )


def test_somebody_of_another_class(window: SignInWindow) -> None:
    with pytest.raises(signin.NotInClass):
        signin.arrive_by_login(claim(window), "phone", make.student(make.course()), HERE)


def test_tickets(window: SignInWindow, students: list[Student]) -> None:
    first = dict(signin.make_tickets(window.session))
    made = dict(signin.make_tickets(window.session))
    pin = made[students[0]]
    assert re.fullmatch(r"\d{6}", pin)
    stored = SignInTicket.objects.get(student=students[0])
    assert pin not in stored.pin_hash
    for number, wrong in (("nobody", pin), (students[1].number, pin), (students[0].number, "")):
        with pytest.raises(signin.WrongTicket):
            signin.arrive_by_ticket(claim(window), "phone", number, wrong, HERE)
    if first[students[0]] != pin:
        with pytest.raises(signin.WrongTicket):
            signin.arrive_by_ticket(claim(window), "phone", students[0].number, first[students[0]], HERE)
    assert (
        signin.arrive_by_ticket(claim(window), "phone", f" {students[0].number} ", pin, HERE).via == "ticket"
    )
    with pytest.raises(signin.WrongTicket):
        signin.arrive_by_ticket(claim(window, "second"), "second", students[0].number, pin, HERE)
    assert students[0] not in dict(signin.make_tickets(window.session)), "who has signed in needs none"


def test_a_ticket_cannot_be_guessed(window: SignInWindow, students: list[Student]) -> None:
    pin = dict(signin.make_tickets(window.session))[students[0]]
    wrong = "000000" if pin != "000000" else "000001"
    for number in range(signin.WRONG_PINS):
        with pytest.raises(signin.WrongTicket):
            signin.arrive_by_ticket(
                claim(window, f"d{number}"), f"d{number}", students[0].number, wrong, HERE
            )
    with pytest.raises(signin.WrongTicket):
        signin.arrive_by_ticket(claim(window), "phone", students[0].number, pin, HERE)
    for _ in range(signin.WRONG_TRIES_A_DEVICE - 1):
        with pytest.raises(signin.WrongTicket):
            signin.arrive_by_ticket(claim(window), "phone", "nobody", wrong, HERE)
    with pytest.raises(signin.TooManyTries):
        signin.arrive_by_ticket(claim(window), "phone", "nobody", wrong, HERE)


def test_codes_are_opened_at_a_bounded_rate(window: SignInWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "OPENED_A_MINUTE", 3)
    for _ in range(3):
        claim(window)
    with pytest.raises(signin.TooManyTries):
        claim(window)


def test_only_in_the_schools_network(window: SignInWindow, settings: Any) -> None:
    settings.ROLLCALL_SIGN_IN_NETWORKS = ["10.0.0.0/8", "2001:db8::/32"]
    assert claim(window)
    assert signin.open_code(signin.code_now(window), "phone", "2001:db8::7")
    with pytest.raises(signin.OutsideTheSchool):
        signin.open_code(signin.code_now(window), "phone", "192.0.2.1")


def test_constraints(window: SignInWindow, students: list[Student]) -> None:
    signin.arrive_by_login(claim(window), "phone", students[0], HERE)
    row = SignInArrival.objects.get()
    for changes in (
        {"student": students[1]},
        {"device": "x" * 64},
        {"student": students[1], "device": "y", "via": "dove"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SignInArrival.objects.create(
                **{
                    "session": row.session,
                    "student": row.student,
                    "at": row.at,
                    "via": "login",
                    "device": row.device,
                }
                | changes
            )


# --- pages --------------------------------------------------------------------------------------------
def teacher(owner: User) -> Client:
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_from_the_projector_to_the_roll(session: ClassSession, owner: User, students: list[Student]) -> None:
    desk = teacher(owner)
    assert "Show the code" in desk.get(reverse("web:code", args=[session.pk])).text
    desk.post(reverse("web:code-show", args=[session.pk]))
    screen = desk.get(reverse("web:code-live", args=[session.pk]))
    assert "<svg" in screen.text
    assert screen["Cache-Control"] == "private, no-store"
    assert "<b>0</b> of 3" in screen.text
    phone = log_in(students[0])
    address = reverse("web:here-code", args=[signin.code_now(SignInWindow.objects.get())])
    page = phone.get(address, follow=True)
    assert f"You are signed in as {students[0].full_name}" in page.text
    mine = re.search(r'name="claim" value="([^"]+)"', page.text)
    assert mine
    done = phone.post(reverse("web:here"), {"claim": mine[1]})
    assert f"You are in, {students[0].given_name}" in done.text
    screen = desk.get(reverse("web:code-live", args=[session.pk])).text
    assert "<b>1</b> of 3" in screen
    assert students[0].given_name in screen
    assert "signed in by code" in desk.get(reverse("web:session", args=[session.pk])).text
    desk.post(reverse("web:code-stop", args=[session.pk]))
    late = Client().get(address)
    assert late.status_code in (409, 410)


def test_a_phone_without_a_log_in(session: ClassSession, owner: User, students: list[Student]) -> None:
    desk, phone = teacher(owner), Client()
    desk.post(reverse("web:code-show", args=[session.pk]))
    sheet = desk.post(reverse("web:code-tickets", args=[session.pk]))
    assert students[0].sort_name in sheet.text
    assert SignInTicket.objects.count() == 3
    page = phone.get(
        reverse("web:here-code", args=[signin.code_now(SignInWindow.objects.get())]), follow=True
    )
    assert "or with a ticket" in page.text
    assert students[0].full_name not in page.text
    mine = re.search(r'name="claim" value="([^"]+)"', page.text)
    assert mine
    wrong = phone.post(reverse("web:here"), {"claim": mine[1], "number": students[0].number, "pin": "x"})
    assert wrong.status_code == 403
    assert "do not belong together" in wrong.text
    pin = dict(signin.make_tickets(session))[students[0]]
    done = phone.post(reverse("web:here"), {"claim": mine[1], "number": students[0].number, "pin": pin})
    assert "You are in" in done.text


@pytest.mark.parametrize("path", ["/here/", "/here/?claim=x", "/here/1.2.3/", "/here/é/"])
def test_nonsense_on_a_phone_is_answered_in_words(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 410
    assert "Not signed in" in answer.text
    assert Client().post("/here/", {"claim": "x" * 5000}).status_code == 410


def test_a_character_that_no_database_stores_is_refused_before_the_page() -> None:
    answer = Client().get("/here/%00/")
    assert answer.status_code == 400
    assert "character" in answer.text


@pytest.mark.parametrize("name", ["code", "code-live", "code-show", "code-stop", "code-tickets"])
def test_the_screen_is_the_teachers(name: str, session: ClassSession) -> None:
    path = reverse(f"web:{name}", args=[session.pk])
    ask = "get" if name in ("code", "code-live") else "post"
    assert getattr(teacher(make.teacher()), ask)(path).status_code == 404
    assert getattr(teacher(make.registrar()), ask)(path).status_code == 302
    assert getattr(log_in(session.course.students.first()), ask)(path).status_code == 404
    assert not SignInWindow.objects.exists()
    assert not SignInTicket.objects.exists()
