"""The second factor: set up, asked for, and attacked."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken

from attendance import api_tokens, audit, second_factor
from attendance.models import Authenticator
from tests import factories as make

SIGN_IN, ASK, SET_UP = (reverse(f"web:{name}") for name in ("login", "second-factor", "second-factor-setup"))
CODE_LINE = re.compile(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>")
pytestmark = pytest.mark.django_db


class Clock:
    """The time that authenticator, phone and throttle all read."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def passes(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    here = Clock()
    monkeypatch.setattr("attendance.models.second_factor.time.time", lambda: here.now.timestamp())
    monkeypatch.setattr("django.utils.timezone.now", lambda: here.now)
    return here  # type: ignore[return-value]


def code_of(user: User, clock: Clock, steps: int = 0) -> str:
    """What the phone shows."""
    device = Authenticator.objects.get(user=user)
    totp = TOTP(device.key)
    totp.time = clock.now.timestamp() + steps * 30
    return f"{totp.token():06d}"


def wrong_code(user: User, clock: Clock) -> str:
    good = {code_of(user, clock, steps) for steps in (-1, 0, 1)}
    return next(f"{guess:06d}" for guess in range(10) if f"{guess:06d}" not in good)


def switched_on(user: User, clock: Clock) -> list[str]:
    """Recovery codes of a person whose second factor was set up a while ago."""
    second_factor.offered(user)
    codes = second_factor.switch_on(user, code_of(user, clock))[1]
    clock.passes(90)
    return codes


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def give(client: Client, code: str, **more: str) -> Any:
    return client.post(ASK, {"code": code, **more})


# --- setting it up --------------------------------------------------------------------------------
def test_setting_it_up_shows_the_key_and_then_ten_codes_once(clock: Clock) -> None:
    user = make.teacher()
    client = signed_in(user)
    page = client.get(SET_UP)
    device = Authenticator.objects.get(user=user)
    assert page["Cache-Control"] == "no-store"
    assert "<svg" in page.text
    letters = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page.text))
    assert letters == device.letters
    assert not second_factor.has(user)
    assert client.get("/").status_code == 200
    answer = client.post(SET_UP, {"code": code_of(user, clock)})
    codes = CODE_LINE.findall(answer.text)
    assert len(set(codes)) == 10
    assert answer["Cache-Control"] == "no-store"
    assert second_factor.has(user)
    assert client.get("/").status_code == 200
    for path in (SET_UP, reverse("web:account"), reverse("web:second-factors")):
        assert not any(code in client.get(path, follow=True).text for code in codes)
    assert [entry.what for entry in audit.search(verb="changed")] == ["second-factor:on"]


def test_a_wrong_first_code_switches_nothing_on(clock: Clock) -> None:
    user = make.teacher()
    client = signed_in(user)
    client.get(SET_UP)
    before = Authenticator.objects.get(user=user).letters
    answer = client.post(SET_UP, {"code": wrong_code(user, clock)})
    assert answer.status_code == 403
    assert "not right" in answer.text
    assert not second_factor.has(user)
    assert Authenticator.objects.get(user=user).letters == before


def test_a_key_that_was_shown_and_never_confirmed_is_replaced(clock: Clock) -> None:
    user = make.teacher()
    first = second_factor.offered(user).letters
    assert second_factor.offered(user).letters == first
    clock.passes(3700)
    assert second_factor.offered(user).letters != first


def test_key_and_codes_do_not_lie_in_the_database_in_clear(clock: Clock) -> None:
    user = make.teacher()
    codes = switched_on(user, clock)
    device = Authenticator.objects.get(user=user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM attendance_authenticator")
        stored = bytes(cursor.fetchone()[0])
    assert stored.startswith(b"RCS1")
    assert bytes(device.key) not in stored
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert not kept & {code.replace("-", "") for code in codes}
    assert len(kept) == 10


# --- being asked ----------------------------------------------------------------------------------
def test_after_the_password_nothing_opens_before_the_code(clock: Clock) -> None:
    user = make.administrator()
    switched_on(user, clock)
    client = Client()
    entered = client.post(SIGN_IN, {"username": user.username, "password": make.PASSWORD})
    assert entered.status_code == 302
    for path in ("/", "/courses/", "/site/", "/account/", SET_UP, "/api/docs/", "/site/audit/audit.csv"):
        answer = client.get(path)
        assert (path, answer.status_code) == (path, 302)
        assert answer["Location"].startswith(ASK)
    assert client.post(reverse("web:mood-site"), {"on": "1"})["Location"] == ASK
    assert client.get("/api/courses/").status_code == 403
    answer = give(client, code_of(user, clock), next="/courses/?q=1")
    assert answer["Location"] == "/courses/?q=1"
    assert client.get("/site/second-factors/").status_code == 200
    assert client.get("/api/courses/").status_code == 200


def test_what_is_refused_at_the_gate_is_not_written_as_done(clock: Clock) -> None:
    user = make.administrator()
    switched_on(user, clock)
    client = signed_in(user)
    client.post(reverse("web:mood-site"), {"on": "1"})
    client.get(reverse("web:audit-export"))
    assert not audit.search(verb="exported").exists()
    assert [entry.what for entry in audit.search(verb="changed")] == ["second-factor:on"]


def test_a_part_of_a_page_leads_the_whole_page_to_the_code(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    answer = signed_in(user).get("/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == ASK


def test_signing_out_and_the_other_language_stay_open(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = signed_in(user)
    assert client.post(reverse("set_language"), {"language": "es"}).status_code == 302
    assert "Un paso más" in client.get(ASK).text
    assert client.post(reverse("web:logout"))["Location"] == SIGN_IN
    assert client.get(ASK)["Location"].startswith(SIGN_IN)


def test_a_session_from_before_is_asked_too(clock: Clock) -> None:
    """Two browsers; the factor is switched on in one of them."""
    user = make.administrator()
    here, elsewhere = signed_in(user), signed_in(user)
    assert elsewhere.get("/site/second-factors/").status_code == 200
    here.get(SET_UP)
    here.post(SET_UP, {"code": code_of(user, clock)})
    assert here.get("/site/second-factors/").status_code == 200
    assert elsewhere.get("/site/second-factors/")["Location"].startswith(ASK)
    assert elsewhere.get("/api/courses/").status_code == 403


def test_the_session_gets_a_new_key_with_the_code(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = signed_in(user)
    before = client.session.session_key
    give(client, code_of(user, clock))
    assert client.session.session_key != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert thief.get("/").status_code == 302


def test_somebody_elses_device_in_the_session_opens_nothing(clock: Clock) -> None:
    user, other = make.teacher(), make.teacher()
    switched_on(user, clock)
    switched_on(other, clock)
    client = signed_in(user)
    session = client.session
    session["otp_device_id"] = Authenticator.objects.get(user=other).persistent_id
    session.save()
    assert client.get("/courses/")["Location"].startswith(ASK)


# --- where it is needed ---------------------------------------------------------------------------
def test_an_administrator_who_needs_it_reaches_the_set_up_page_and_nothing_else(
    clock: Clock, settings: Any
) -> None:
    user = make.administrator()
    client = signed_in(user)
    assert client.get("/site/second-factors/").status_code == 200
    token = api_tokens.make(user, "script", 30)[1]
    settings.ROLLCALL_SECOND_FACTOR_REQUIRED = True
    for path in ("/", "/courses/", "/site/", "/account/", ASK, "/api/docs/"):
        assert client.get(path)["Location"].startswith(SET_UP)
    assert client.get("/api/courses/").status_code == 403
    program = Client(headers={"Authorization": f"Token {token}"})
    refused = program.get("/api/courses/")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:rollcall:problem:second-factor-needed")
    assert client.get(SET_UP).status_code == 200
    client.post(SET_UP, {"code": code_of(user, clock)})
    assert client.get("/site/second-factors/").status_code == 200
    assert program.get("/api/courses/").status_code == 200


def test_teachers_and_registrars_do_not_need_it(settings: Any) -> None:
    settings.ROLLCALL_SECOND_FACTOR_REQUIRED = True
    for user in (make.teacher(), make.registrar()):
        assert signed_in(user).get("/").status_code == 200


def test_a_session_that_owes_a_code_is_not_helped_by_an_odd_header(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = signed_in(user)
    for header in ("Basic eDp5", "Bearer x", "Token", "Token nothing", "Camera nothing", "x"):
        answer = client.get("/api/courses/", headers={"Authorization": header})
        assert answer.status_code in (401, 403)


# --- attacks --------------------------------------------------------------------------------------
def test_a_code_works_once(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    code = code_of(user, clock)
    assert give(signed_in(user), code).status_code == 302
    again = give(signed_in(user), code)
    assert again.status_code == 403
    assert "used already" in again.text


def test_the_code_it_was_set_up_with_does_not_sign_in(clock: Clock) -> None:
    user = make.teacher()
    second_factor.offered(user)
    code = code_of(user, clock)
    second_factor.switch_on(user, code)
    assert give(signed_in(user), code).status_code == 403


def test_an_older_code_than_the_last_one_does_not_work(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    older = code_of(user, clock)
    clock.passes(30)
    assert give(signed_in(user), code_of(user, clock)).status_code == 302
    assert give(signed_in(user), older).status_code == 403


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_codes_of_another_time_do_not_work(clock: Clock, steps: int) -> None:
    user = make.teacher()
    switched_on(user, clock)
    assert give(signed_in(user), code_of(user, clock, steps)).status_code == 403


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "12345",
        "1234567",
        "٠١٢٣٤٥",
        "-12345",
        "1e5",
        "９９９９９９",
        "9" * 5000,
        "123 456 789",
    ],
)
def test_what_is_no_code_is_refused_in_words(clock: Clock, text: str) -> None:
    user = make.teacher()
    switched_on(user, clock)
    answer = give(signed_in(user), text)
    assert (answer.status_code, "not right" in answer.text) == (403, True)


def test_guessing_gets_17_tries_a_day(clock: Clock) -> None:
    """A robot that knows the password and tries every half second of a day, from ever new sessions."""
    user = make.teacher()
    switched_on(user, clock)
    tried, asked = 0, 0.0
    while asked < 24 * 3600 and tried < 100:
        try:
            second_factor.check(user, wrong_code(user, clock))
        except second_factor.WrongCode:
            tried += 1
            step = 0.5
        except second_factor.TooSoon as wait:
            step = wait.seconds / 2 if wait.seconds > 2 else 0.5
        clock.passes(step)
        asked += step
    assert tried == 17


def test_a_right_code_does_not_help_while_guesses_must_wait(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = signed_in(user)
    for _ in range(4):
        give(client, wrong_code(user, clock))
        clock.passes(9)
    give(client, wrong_code(user, clock))
    answer = give(client, code_of(user, clock))
    assert answer.status_code == 429
    assert "Too many wrong codes" in answer.text
    clock.passes(40)
    assert give(client, code_of(user, clock)).status_code == 302


def test_eight_wrong_codes_close_the_door_and_end_the_session(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = Client()
    client.post(SIGN_IN, {"username": user.username, "password": make.PASSWORD})
    for _ in range(7):
        assert give(client, wrong_code(user, clock)).status_code == 403
        Authenticator.objects.update(throttling_failure_count=0)
    assert give(client, wrong_code(user, clock)).status_code == 429
    assert client.get("/")["Location"].startswith(SIGN_IN)
    assert client.post(SIGN_IN, {"username": user.username, "password": make.PASSWORD}).status_code == 429
    assert audit.search(verb="refused").count() >= 8


def test_the_code_page_leads_to_no_other_site(clock: Clock) -> None:
    for place in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil",
    ):
        user = make.teacher()
        switched_on(user, clock)
        client = signed_in(user)
        assert f'value="{place}"' in client.get(ASK, {"next": place}).text
        assert give(client, code_of(user, clock), next=place)["Location"] == "/"
        newcomer = make.teacher()
        client = signed_in(newcomer)
        client.get(SET_UP, {"next": place})
        shown = client.post(SET_UP, {"code": code_of(newcomer, clock), "next": place})
        assert 'href="/">' in shown.text
        assert "evil" not in shown.text


def test_a_forged_form_from_elsewhere_is_refused(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert give(client, code_of(user, clock)).status_code == 403
    assert client.get("/").status_code == 302
    for name in ("second-factor-off", "second-factor-codes", "token-make"):
        assert client.post(reverse(f"web:{name}"), {"code": "1"}).status_code in (302, 403)


# --- recovery codes -------------------------------------------------------------------------------
def test_a_recovery_code_signs_in_once(clock: Clock) -> None:
    user = make.teacher()
    codes = switched_on(user, clock)
    client = signed_in(user)
    assert "Recovery code" in client.get(f"{ASK}?recovery").text
    assert give(client, codes[3].upper().replace("-", " ")).status_code == 302
    assert client.get("/").status_code == 200
    assert second_factor.codes_left(user) == 9
    assert give(signed_in(user), codes[3]).status_code == 403
    clock.passes(5)
    assert give(signed_in(user), codes[4]).status_code == 302


def test_recovery_codes_of_somebody_else_open_nothing(clock: Clock) -> None:
    user, other = make.teacher(), make.teacher()
    switched_on(user, clock)
    assert give(signed_in(user), switched_on(other, clock)[0]).status_code == 403


def test_new_recovery_codes_need_a_code_and_end_the_old_ones(clock: Clock) -> None:
    user = make.teacher()
    old = switched_on(user, clock)
    client = signed_in(user)
    give(client, code_of(user, clock))
    clock.passes(60)
    path = reverse("web:second-factor-codes")
    assert client.post(path, {"code": wrong_code(user, clock)}).status_code == 302
    assert second_factor.codes_left(user) == 10
    clock.passes(5)
    new = CODE_LINE.findall(client.post(path, {"code": code_of(user, clock)}).text)
    assert len(new) == 10
    assert client.get("/").status_code == 200
    for code, status in ((old[0], 403), (new[0], 302)):
        assert give(signed_in(user), code).status_code == status
        clock.passes(5)


@pytest.mark.parametrize("kind", ["recovery", "app"])
def test_a_code_is_taken_under_the_lock_of_its_row(
    clock: Clock, kind: str, django_assert_max_num_queries: Any
) -> None:
    """What makes two at once impossible; ``test_second_factor_together.py`` tries it with real connections."""
    user = make.teacher()
    codes = switched_on(user, clock)
    code = codes[0] if kind == "recovery" else code_of(user, clock)
    with django_assert_max_num_queries(8) as seen:
        second_factor.check(user, code)
    said = [query["sql"] for query in seen.captured_queries]
    read = next(sql for sql in said if sql.startswith("SELECT"))
    assert "FOR UPDATE" in read or not connection.features.has_select_for_update


# --- taking it off --------------------------------------------------------------------------------
def test_switching_off_needs_a_code(clock: Clock) -> None:
    user = make.teacher()
    switched_on(user, clock)
    client = signed_in(user)
    give(client, code_of(user, clock))
    clock.passes(60)
    path = reverse("web:second-factor-off")
    client.post(path, {"code": ""})
    client.post(path)
    assert second_factor.has(user)
    clock.passes(60)
    client.post(path, {"code": code_of(user, clock)})
    assert not second_factor.has(user)
    assert not StaticToken.objects.exists()
    assert client.get("/").status_code == 200


def test_another_administrator_takes_it_off_and_the_log_says_who(clock: Clock) -> None:
    lost, helper = make.administrator(), make.administrator()
    switched_on(lost, clock)
    given = signed_in(lost)
    give(given, code_of(lost, clock))
    client = signed_in(helper)
    assert lost.username in client.get(reverse("web:second-factors")).text
    client.post(reverse("web:second-factor-take-off", args=[lost.pk]))
    assert not second_factor.has(lost)
    entry = audit.search(verb="changed").first()
    assert entry is not None
    assert (entry.what, entry.about, entry.actor) == ("second-factor:off", {"user": lost.pk}, helper.username)
    assert not given.session.get("otp_device_id") or given.get("/").status_code == 200


def test_ones_own_is_not_taken_off_without_a_code(clock: Clock) -> None:
    user = make.administrator()
    switched_on(user, clock)
    client = signed_in(user)
    give(client, code_of(user, clock))
    client.post(reverse("web:second-factor-take-off", args=[user.pk]))
    assert second_factor.has(user)


def test_teachers_take_off_nobodys(clock: Clock) -> None:
    admin = make.administrator()
    switched_on(admin, clock)
    for user in (make.teacher(), make.registrar()):
        path = reverse("web:second-factor-take-off", args=[admin.pk])
        assert signed_in(user).post(path).status_code == 404
    assert second_factor.has(admin)


def test_the_terminal_takes_it_off(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    user = make.administrator()
    switched_on(user, clock)
    call_command("second_factor", "list")
    assert user.username in capsys.readouterr().out
    call_command("second_factor", "reset", user.username)
    assert not second_factor.has(user)
    entry = audit.search(verb="changed").first()
    assert entry is not None
    assert (entry.what, entry.actor) == ("second-factor:off", "")
    with pytest.raises(CommandError, match="has none"):
        call_command("second_factor", "reset", user.username)
    with pytest.raises(CommandError, match="nobody"):
        call_command("second_factor", "reset", "nobody")


def test_whose_account_is_switched_off_gets_nowhere(clock: Clock) -> None:
    user = make.administrator()
    codes = switched_on(user, clock)
    client = signed_in(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert give(client, codes[0])["Location"].startswith(SIGN_IN)
    assert second_factor.codes_left(user) == 10


def test_students_have_none(clock: Clock) -> None:
    from attendance import accounts

    pupil = accounts.give_login(make.student(make.course(make.teacher())), make.administrator()).user
    client = signed_in(pupil)
    for path in (SET_UP, ASK, reverse("web:account")):
        assert client.get(path).status_code == 404
    assert not Authenticator.objects.exists()


def test_the_doctor_says_who_is_without(clock: Clock, settings: Any) -> None:
    from attendance import doctor

    user = make.administrator()
    assert doctor._people().ok
    settings.ROLLCALL_SECOND_FACTOR_REQUIRED = True
    assert not doctor._people().ok
    switched_on(user, clock)
    assert doctor._people().ok


def test_the_picture_says_what_apps_understand(clock: Clock) -> None:
    from urllib.parse import parse_qs, urlsplit

    device = second_factor.offered(make.teacher("ana.maría"))
    address = urlsplit(second_factor.address_of(device, "Escuela: Nº 5"))
    said = {key: value[0] for key, value in parse_qs(address.query).items()}
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == "/Rollcall%20Escuela%20N%C2%BA%205%3Aana.mar%C3%ADa"
    assert said == {
        "secret": device.letters, "issuer": "Rollcall Escuela Nº 5", "algorithm": "SHA1", "digits": "6",
        "period": "30",
    }  # fmt: skip
