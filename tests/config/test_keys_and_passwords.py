"""Keys and passwords, a test for each sentence of that promise."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP
from rest_framework.test import APIClient

from attendance import cameras, second_factor, tasks
from attendance.models import Camera
from tests import factories as make
from tests.conftest import ROOT

SIGN_IN = reverse("web:login")
GOOD = {
    "ROLLCALL_LOCAL": "false",
    "SECRET_KEY": "k3y-" * 15 + "abcdefgh",
    "ROLLCALL_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode(),
    "ROLLCALL_AUDIT_KEY": "an audit key of its own, long enough to be one",
    "ALLOWED_HOSTS": "rollcall.school.example",
    "CSRF_TRUSTED_ORIGINS": "https://rollcall.school.example",
}
STARTS = """
import importlib, json, os, sys
said = {}
for name, env in json.loads(sys.argv[1]).items():
    sys.modules.pop("config.settings", None)
    for key in ("ROLLCALL_LOCAL", "SECRET_KEY", "ROLLCALL_KEYS", "ALLOWED_HOSTS", "DEBUG"):
        os.environ.pop(key, None)
    os.environ.update(env)
    try:
        found = importlib.import_module("config.settings")
        said[name] = {key: getattr(found, key, None) for key in json.loads(sys.argv[2])}
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def starts(tmp_path: Path, ways: dict[str, dict[str, str]], names: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the settings say, or why there is no start, for each way to be started."""
    env = {key: value for key, value in os.environ.items() if not key.endswith("_FILE")}
    done = subprocess.run(
        [sys.executable, "-c", STARTS, json.dumps(ways), json.dumps(names)],
        cwd=ROOT, env=env | {"ROLLCALL_DATA_DIR": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- camera keys ----------------------------------------------------------------------------------
def ask(key: str) -> int:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
    return int(client.get("/api/camera/schedule/").status_code)


@pytest.mark.django_db
def test_a_camera_key_is_stored_hashed_revocable_and_rotated() -> None:
    camera, key = cameras.create("front", make.room(), make.administrator())
    assert ask(key) == 200
    assert key not in str(Camera.objects.values())
    new = cameras.rotate(camera)
    assert (ask(key), ask(new)) == (401, 200)
    cameras.revoke(camera)
    assert ask(new) == 401


@pytest.mark.django_db
def test_a_camera_key_reaches_its_own_room_only() -> None:
    here, there = make.room(), make.room()
    course = make.course(make.teacher(), students=1)
    inside, outside = make.session(course, room=here), make.session(course, room=there)
    _camera, key = cameras.create("front", here, make.administrator())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
    sent = [
        client.generic(
            "POST", f"/api/sessions/{session.pk}/snapshots/", make.jpeg(1), "image/jpeg"
        ).status_code
        for session in (outside, inside)
    ]
    assert sent == [404, 202]
    student = course.students.get()
    for path in (
        "students/",
        f"students/{student.pk}/",
        f"sessions/{inside.pk}/roll/",
        "cameras/",
        "courses/",
    ):
        assert client.get(f"/api/{path}").status_code == 403


# --- log-in ---------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_log_in_attempts_are_limited_for_a_name_and_address() -> None:
    make.teacher("grant")
    make.teacher("stone")
    client = Client()

    def sign_in(name: str, password: str, **more: str) -> int:
        return client.post(SIGN_IN, {"username": name, "password": password}, **more).status_code  # type: ignore[arg-type]

    assert [sign_in("grant", "no") for _ in range(8)] == [200] * 7 + [429]
    assert sign_in("grant", make.PASSWORD) == 429
    assert sign_in("stone", make.PASSWORD) == 302
    client.logout()
    assert sign_in("grant", make.PASSWORD, REMOTE_ADDR="192.0.2.7") == 302
    client.logout()
    later = timezone.now() + dt.timedelta(minutes=16)
    with pytest.MonkeyPatch.context() as time:
        time.setattr("axes.handlers.proxy.now", lambda: later)
        time.setattr("axes.attempts.now", lambda: later, raising=False)
        time.setattr("axes.helpers.now", lambda: later, raising=False)
        assert sign_in("grant", make.PASSWORD) == 302


@pytest.mark.django_db
def test_an_invented_forwarding_header_gives_no_new_tries() -> None:
    make.teacher("grant")
    client = Client()
    answers = [
        client.post(
            SIGN_IN, {"username": "grant", "password": "no"}, headers={"X-Forwarded-For": f"198.51.100.{n}"}
        ).status_code
        for n in range(8)
    ]
    assert answers[-1] == 429


@pytest.mark.django_db
def test_what_was_typed_wrong_is_kept_nowhere() -> None:
    user = make.teacher("grant")
    client = Client()
    client.post(SIGN_IN, {"username": "grant", "password": "my other password"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    second_factor.switch_on(user, f"{TOTP(second_factor.offered(user).key).token():06d}")
    client.post(reverse("web:second-factor"), {"code": "abcd-efgh-ijkl-mnop", "next": "/students/7/"})
    kept = str(list(AccessAttempt.objects.values())) + str(list(AccessLog.objects.values()))
    for typed in ("my other password", "abcd-efgh-ijkl-mnop", "/students/7/"):
        assert typed not in kept
    assert AccessAttempt.objects.get().failures_since_start == 2


@pytest.mark.parametrize("poor", ["", "short", "password123", "qwertyuiop", "1q2w3e4r5t", "grant-grant"])
def test_passwords_are_long_and_not_what_others_would_guess(poor: str, db: None) -> None:
    user = make.teacher("grant-grant")
    with pytest.raises(ValidationError):
        validate_password(poor, user)


def test_passwords_are_stored_by_a_slow_hash() -> None:
    from django.conf import global_settings

    import config.settings as ours

    assert not hasattr(ours, "PASSWORD_HASHERS")
    assert global_settings.PASSWORD_HASHERS[0].endswith("PBKDF2PasswordHasher")


@pytest.mark.django_db
def test_sessions_expire() -> None:
    make.teacher("grant")
    client = Client()
    client.post(SIGN_IN, {"username": "grant", "password": make.PASSWORD})
    assert client.get("/").status_code == 200
    cookie = client.cookies["sessionid"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (12 * 3600, True, "Lax")
    assert Session.objects.get().expire_date <= timezone.now() + dt.timedelta(hours=12)
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    assert client.get("/")["Location"].startswith(SIGN_IN)
    assert Session.objects.exists()
    tasks.forget_sessions()
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_signing_out_ends_the_session_on_the_server() -> None:
    make.teacher("grant")
    client, copy = Client(), Client()
    client.post(SIGN_IN, {"username": "grant", "password": make.PASSWORD})
    copy.cookies["sessionid"] = client.cookies["sessionid"].value
    assert copy.get("/").status_code == 200
    client.post(reverse("web:logout"))
    assert copy.get("/").status_code == 302


@pytest.mark.django_db
def test_every_change_needs_the_form_of_this_site() -> None:
    user = make.administrator()
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    camera, _key = cameras.create("front", make.room(), user)
    for path in (reverse("web:camera-revoke", args=[camera.pk]), f"/api/cameras/{camera.pk}/revoke/"):
        assert client.post(path, content_type="application/json").status_code == 403
    camera.refresh_from_db()
    assert camera.revoked_at is None


# --- secrets --------------------------------------------------------------------------------------
def test_without_secrets_of_its_own_nothing_starts_outside_local_use(tmp_path: Path) -> None:
    without = {name: {k: v for k, v in GOOD.items() if k != name} for name in ("SECRET_KEY", "ROLLCALL_KEYS")}
    ways = without | {
        "the default": GOOD | {"SECRET_KEY": "local-use-only-not-a-secret"},
        "a name in the network": {"ALLOWED_HOSTS": "rollcall.school.example"},
        "debugging": GOOD | {"DEBUG": "true"},
        "good": GOOD,
        "local": {},
    }
    said = starts(tmp_path, ways, ("LOCAL_ONLY", "SECRET_KEY"))
    for refused in ("SECRET_KEY", "the default", "a name in the network"):
        assert "SECRET_KEY must be set" in said[refused]
    assert "ROLLCALL_KEYS must be set" in said["ROLLCALL_KEYS"]
    assert "DEBUG" in said["debugging"]
    assert said["good"] == {"LOCAL_ONLY": False, "SECRET_KEY": GOOD["SECRET_KEY"]}
    assert said["local"]["LOCAL_ONLY"] is True


def test_outside_local_use_all_goes_through_tls_and_administrators_need_a_second_factor(
    tmp_path: Path,
) -> None:
    names = (
        "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "ROLLCALL_SECOND_FACTOR_REQUIRED",
    )  # fmt: skip
    said = starts(tmp_path, {"good": GOOD, "local": {}}, names)
    assert said["good"] == dict.fromkeys(names, True) | {"SECURE_HSTS_SECONDS": 31_536_000}
    assert said["local"]["ROLLCALL_SECOND_FACTOR_REQUIRED"] is False
    assert said["local"]["SECURE_SSL_REDIRECT"] is None


def test_the_production_settings_pass_djangos_own_examination(tmp_path: Path) -> None:
    # Browser tests in this process set it for themselves.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=env | GOOD | {"ROLLCALL_DATA_DIR": str(tmp_path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
