"""One's own account: tokens for scripts, and the password."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import api_tokens, audit
from attendance.models import ApiToken
from tests import factories as make

ACCOUNT, MAKE, PASSWORD = (reverse(f"web:{name}") for name in ("account", "token-make", "password"))
MINE = {"password": make.PASSWORD}
pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def courses_with(text: str) -> int:
    return Client(headers={"Authorization": f"Token {text}"}).get("/api/courses/").status_code


# --- tokens ---------------------------------------------------------------------------------------
def test_a_token_is_shown_once_and_stored_as_a_hash() -> None:
    user = make.teacher()
    client = signed_in(user)
    answer = client.post(MAKE, {"name": "timetable", "days": "90", **MINE})
    text = re.search(r'id="token">([^<]+)<', answer.text)[1]  # type: ignore[index]
    assert answer["Cache-Control"] == "no-store"
    assert courses_with(text) == 200
    token = ApiToken.objects.get()
    assert token.token_hash == hashlib.sha256(text.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM attendance_apitoken")
        assert text not in str(cursor.fetchall())
    page = client.get(ACCOUNT).text
    assert text not in page
    assert "timetable" in page
    assert text[:10] in page


def test_when_it_was_used_last_is_shown() -> None:
    user = make.teacher()
    token, text = api_tokens.make(user, "timetable", 30)
    assert "never" in signed_in(user).get(ACCOUNT).text
    courses_with(text)
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert "just now" in signed_in(user).get(ACCOUNT).text


def test_a_token_that_is_ended_opens_nothing() -> None:
    user = make.teacher()
    token, text = api_tokens.make(user, "timetable", 30)
    signed_in(user).post(reverse("web:token-end", args=[token.pk]))
    assert courses_with(text) == 401
    assert "Ended in the last month" in signed_in(user).get(ACCOUNT).text


def test_a_token_ends_on_its_day() -> None:
    token, text = api_tokens.make(make.teacher(), "timetable", 30)
    now = timezone.now()
    ApiToken.objects.update(created_at=now - dt.timedelta(days=31), expires_at=now - dt.timedelta(seconds=1))
    assert courses_with(text) == 401
    assert not api_tokens.alive(token.owner).exists()


def test_a_token_of_somebody_whose_account_is_switched_off_opens_nothing() -> None:
    user = make.administrator()
    _token, text = api_tokens.make(user, "timetable", 30)
    assert courses_with(text) == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert courses_with(text) == 401
    user.delete()
    assert courses_with(text) == 401


def test_a_token_may_no_more_than_its_person() -> None:
    user = make.administrator()
    _token, text = api_tokens.make(user, "cameras", 30)
    program = Client(headers={"Authorization": f"Token {text}"})
    assert program.get("/api/cameras/").status_code == 200
    user.groups.clear()
    assert program.get("/api/cameras/").status_code == 403
    assert program.get("/account/").status_code == 302
    assert program.post(MAKE, {"name": "more", "days": "30"}).status_code == 302
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("text", ["", "x", "rtok_", "rtok_" + "a" * 43, "é" * 50, "a" * 101, "\x00", "a b"])
def test_what_is_no_token_is_a_401(text: str) -> None:
    assert courses_with(text) in (401, 403)


def test_nobody_ends_somebody_elses() -> None:
    token, text = api_tokens.make(make.teacher(), "timetable", 30)
    for user in (make.teacher(), make.administrator()):
        assert signed_in(user).post(reverse("web:token-end", args=[token.pk])).status_code == 404
    assert Client().post(reverse("web:token-end", args=[token.pk]))["Location"].startswith("/sign-in/")
    assert courses_with(text) == 200


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("", "30"),
        ("  ", "30"),
        ("x" * 81, "30"),
        ("a", "0"),
        ("a", "36500"),
        ("a", "soon"),
        ("a", ""),
    ],
)
def test_a_token_without_name_or_end_is_refused_in_words(name: str, days: str) -> None:
    client = signed_in(make.teacher())
    answer = client.post(MAKE, {"name": name, "days": days, **MINE}, follow=True)
    assert "Give the token a name" in answer.text
    assert not ApiToken.objects.exists()


def test_a_browser_left_open_makes_no_token() -> None:
    user = make.teacher()
    client = signed_in(user)
    form = {"name": "mine now", "days": "365"}
    for wrong in ({}, {"password": ""}, {"password": "guess"}):
        assert "not the password" in client.post(MAKE, form | wrong, follow=True).text
    for number in range(5):
        answer = client.post(MAKE, form | {"password": f"guess {number}"})
    assert answer.status_code == 429
    assert client.get(ACCOUNT)["Location"].startswith("/sign-in/")
    assert not ApiToken.objects.exists()


def test_there_is_an_end_to_tokens() -> None:
    user = make.teacher()
    for number in range(api_tokens.MOST):
        api_tokens.make(user, f"{number}", 30)
    with pytest.raises(api_tokens.TooManyTokens):
        api_tokens.make(user, "one more", 30)
    api_tokens.revoke(api_tokens.alive(user)[0])
    api_tokens.make(user, "one more", 30)


def test_a_name_is_shown_as_text() -> None:
    client = signed_in(make.teacher())
    answer = client.post(MAKE, {"name": "<script>alert(1)</script>", "days": "30", **MINE})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_making_and_ending_tokens_is_written_down() -> None:
    user = make.teacher()
    client = signed_in(user)
    client.post(MAKE, {"name": "a", "days": "30", **MINE})
    client.post(reverse("web:token-end", args=[ApiToken.objects.get().pk]))
    assert [entry.what for entry in audit.search(verb="changed")] == ["web:token-end", "web:token-make"]


def test_a_token_made_at_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    user = make.teacher()
    call_command("token", user.username, "nightly export", "--days", "30")
    text = capsys.readouterr().out.split()[0]
    assert courses_with(text) == 200
    for arguments, words in ((("nobody", "a"), "nobody"), ((user.username, " "), "name")):
        with pytest.raises(CommandError, match=words):
            call_command("token", *arguments)


def test_tokens_that_lay_in_clear_go_on_working_and_their_table_is_gone() -> None:
    user, gone = make.teacher(), make.teacher()
    old = {user.pk: "0123456789abcdef0123456789abcdef01234567", gone.pk: "f" * 40}
    kind = "timestamptz" if connection.vendor == "postgresql" else "datetime"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE authtoken_token (key varchar(40), created {kind}, user_id integer)")
        for pk, key in old.items():
            cursor.execute(
                "INSERT INTO authtoken_token VALUES (%s, %s, %s)", [key, "2026-03-01 09:00:00.123456+00", pk]
            )
    migration = importlib.import_module("attendance.migrations.0019_tokens_are_hashed")
    migration.carry_over(apps, SimpleNamespace(connection=connection))
    assert "authtoken_token" not in connection.introspection.table_names()
    assert not set(old.values()) & set(ApiToken.objects.values_list("token_hash", flat=True))
    token = ApiToken.objects.get(owner=user)
    assert (token.created_at.year, token.created_at.month) == (2026, 3)
    assert token.expires_at - timezone.now() > dt.timedelta(days=364)
    assert courses_with(old[user.pk]) == 200
    migration.carry_over(apps, SimpleNamespace(connection=connection))


# --- the password ---------------------------------------------------------------------------------
def change(client: Client, old: str, new: str) -> Any:
    return client.post(PASSWORD, {"old_password": old, "new_password1": new, "new_password2": new})


def test_a_new_password_ends_the_other_browsers() -> None:
    user = make.teacher()
    here, elsewhere = signed_in(user), signed_in(user)
    assert "not the password you have now" in change(here, "wrong", "a better battery").text
    assert change(here, make.PASSWORD, "a better battery")["Location"] == ACCOUNT
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


@pytest.mark.parametrize("poor", ["short", "password12", "1234567890", "teacherlongname"])
def test_poor_passwords_are_refused_in_words(poor: str) -> None:
    user = make.teacher("teacherlongname")
    answer = change(signed_in(user), make.PASSWORD, poor)
    assert 'class="error"' in answer.text
    user.refresh_from_db()
    assert user.check_password(make.PASSWORD)


def test_guessing_the_old_password_ends_the_session() -> None:
    """Somebody at a browser that was left open."""
    user = make.teacher()
    client = signed_in(user)
    answers = [change(client, f"guess {number}", "a better battery").status_code for number in range(8)]
    assert answers == [200] * 7 + [429]
    assert client.get("/")["Location"].startswith("/sign-in/")
    client = signed_in(user)
    assert change(client, make.PASSWORD, "a better battery").status_code == 429
    user.refresh_from_db()
    assert user.check_password(make.PASSWORD)
