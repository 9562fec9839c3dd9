"""A browser left open changes nobody's second factor: the password is asked for again."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from attendance import second_factor
from attendance.models import Authenticator
from attendance.web import again
from tests import factories as make

SET_UP, CODES, OFF, ACCOUNT = (
    reverse(f"web:{name}")
    for name in ("second-factor-setup", "second-factor-codes", "second-factor-off", "account")
)
pytestmark = pytest.mark.django_db


def signed_in(user: User, seconds_ago: float = again.RECENT_SECONDS + 1) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[again.GIVEN_AT] = time.time() - seconds_ago
    session.save()
    return client


def code_of(user: User, steps: int = 0) -> str:
    totp = TOTP(Authenticator.objects.get(user=user).key)
    totp.time = time.time() + steps * 30
    return f"{totp.token():06d}"


def switched_on(user: User) -> None:
    second_factor.offered(user)
    second_factor.switch_on(user, code_of(user, -1))


def let_in(client: Client, user: User) -> None:
    """The code at the door; the next one is still good."""
    assert client.post(reverse("web:second-factor"), {"code": code_of(user)}).status_code == 302


def test_the_key_is_not_shown_before_the_password() -> None:
    user = make.teacher()
    client = signed_in(user)
    page = client.get(f"{SET_UP}?next=/courses/")
    assert page["Cache-Control"] == "no-store"
    assert "Is it you?" in page.text
    assert f'action="{SET_UP}?next=/courses/"' in page.text
    assert not Authenticator.objects.filter(user=user).exists(), "no key is made"
    assert "Is it you?" in client.post(SET_UP, {"code": "123456"}).text
    shown = client.post(f"{SET_UP}?next=/courses/", {"password": make.PASSWORD})
    assert "<svg" in shown.text
    assert 'name="next" value="/courses/"' in shown.text
    assert "<svg" in client.get(SET_UP).text, "not asked again for ten minutes"


def test_a_sign_in_of_a_moment_ago_counts() -> None:
    user = make.teacher()
    entered = Client()
    entered.post(reverse("web:login"), {"username": user.username, "password": make.PASSWORD})
    assert "<svg" in entered.get(SET_UP).text
    assert "Is it you?" in signed_in(user, again.RECENT_SECONDS + 1).get(SET_UP).text
    assert "Is it you?" in signed_in(user, -3600).get(SET_UP).text, "a clock that was set back"


def test_it_is_not_taken_off_without_the_password() -> None:
    user = make.teacher()
    switched_on(user)
    client = signed_in(user)
    let_in(client, user)
    assert 'id="factor-password"' in client.get(ACCOUNT).text
    code = code_of(user, 1)
    for path in (OFF, CODES):
        assert "Is it you?" in client.post(path, {"code": code}).text
        refused = client.post(path, {"code": code, "password": "a wrong one"})
        assert refused.status_code == 403
        assert "not the password" in refused.text
        assert f'name="code" value="{code}"' in refused.text, "the code is handed on"
    assert second_factor.has(user)
    assert client.post(OFF, {"code": code, "password": make.PASSWORD})["Location"] == ACCOUNT
    assert not second_factor.has(user)
    assert 'id="factor-password"' not in client.get(ACCOUNT).text


def test_a_colleagues_is_not_taken_off_without_the_password() -> None:
    colleague = make.teacher()
    switched_on(colleague)
    client = signed_in(make.administrator())
    path = reverse("web:second-factor-take-off", args=[colleague.pk])
    assert "Is it you?" in client.post(path).text
    assert second_factor.has(colleague)
    assert client.post(path, {"password": make.PASSWORD})["Location"] == reverse("web:second-factors")
    assert not second_factor.has(colleague)


def test_wrong_passwords_are_counted_as_at_the_door(settings: object) -> None:
    client = signed_in(make.administrator())
    answers = [client.post(SET_UP, {"password": f"wrong {n}"}).status_code for n in range(8)]
    assert answers == [403] * 7 + [429]
    assert client.get(SET_UP).status_code == 302, "signed out"


def test_an_administrator_who_must_set_it_up_is_asked_in_place(settings: object) -> None:
    settings.ROLLCALL_SECOND_FACTOR_REQUIRED = True  # type: ignore[attr-defined]
    client = signed_in(make.administrator())
    assert client.get("/")["Location"].startswith(SET_UP)
    assert "Is it you?" in client.get(SET_UP).text
    assert "<svg" in client.post(SET_UP, {"password": make.PASSWORD}).text
