"""docker-compose.yml, the images and the proxy: each promise about them fails here when one service loses it."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = {"migrate", "web", "worker", "office", "beat", "backup"}
ONCE = {"migrate", "backup"}
SECRETS = {"secret_key", "rollcall_keys", "audit_key", "postgres_password", "metrics_token"}

Compose = dict[str, Any]
Service = dict[str, Any]


def loaded() -> Compose:
    """The file with its anchors merged, as compose reads it."""
    found: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def is_unprivileged(name: str, service: Service) -> bool:
    return not service["user"].startswith(("0", "root"))


def writes_only_where_it_may(name: str, service: Service) -> bool:
    return service["read_only"] is True and all("noexec" in one for one in service["tmpfs"])


def has_limits(name: str, service: Service) -> bool:
    return bool(service["mem_limit"]) and service["pids_limit"] <= 256


def has_no_capability(name: str, service: Service) -> bool:
    return service["cap_drop"] == ["ALL"] and "cap_add" not in service and "privileged" not in service


def gains_nothing(name: str, service: Service) -> bool:
    return "no-new-privileges:true" in service["security_opt"]


def is_looked_after(name: str, service: Service) -> bool:
    if name in ONCE:
        return service["restart"] == "no"
    return service["restart"] == "unless-stopped" and bool(service["healthcheck"]["test"])


def rotates_its_log(name: str, service: Service) -> bool:
    options = service["logging"]["options"]
    return options["max-size"] == "10m" and int(options["max-file"]) >= 2


def keeps_secrets_in_files(name: str, service: Service) -> bool:
    given = service.get("environment", {})
    open_ones = [key for key in given if key.endswith(("KEY", "KEYS", "PASSWORD", "TOKEN", "SECRET"))]
    if name in OURS and set(service["secrets"]) != SECRETS:
        return False
    return not open_ones and "@" not in given.get("DATABASE_URL", "").replace("rollcall@", "")


def stays_inside(name: str, service: Service) -> bool:
    """Only the proxy has ports; only the proxy and what sends e-mail have a way out."""
    out = "outside" in service["networks"]
    return ("ports" in service) == (name == "caddy") and (not out or name in ("caddy", "office"))


def waits_for_the_tables(name: str, service: Service) -> bool:
    if name not in OURS - ONCE:
        return True
    return service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def speaks_tls_and_json(name: str, service: Service) -> bool:
    if name not in OURS:
        return True
    given = service["environment"]
    return given["ROLLCALL_LOCAL"] == "false" and given["ROLLCALL_LOG_FORMAT"] == "json"


def keeps_its_data(name: str, service: Service) -> bool:
    named = set(loaded()["volumes"])
    return all(
        volume.startswith("./deploy/") or volume.split(":")[0] in named for volume in service["volumes"]
    )


PROMISES: list[Callable[[str, Service], bool]] = [
    is_unprivileged, writes_only_where_it_may, has_limits, has_no_capability, gains_nothing, is_looked_after,
    rotates_its_log, keeps_secrets_in_files, stays_inside, waits_for_the_tables, speaks_tls_and_json, keeps_its_data,
]  # fmt: skip


def held(promise: Callable[[str, Service], bool], name: str, service: Service) -> bool:
    try:
        return promise(name, service)
    except (KeyError, TypeError):
        return False


@pytest.mark.parametrize("promise", PROMISES)
def test_every_service_keeps_every_promise(promise: Callable[[str, Service], bool]) -> None:
    broken = [name for name, service in loaded()["services"].items() if not held(promise, name, service)]
    assert broken == []


@pytest.mark.parametrize(
    ("promise", "service", "key", "value"),
    [
        (is_unprivileged, "redis", "user", None),
        (is_unprivileged, "worker", "user", "0:0"),
        (writes_only_where_it_may, "postgres", "read_only", None),
        (writes_only_where_it_may, "web", "tmpfs", ["/tmp"]),
        (has_limits, "beat", "mem_limit", None),
        (has_limits, "caddy", "pids_limit", None),
        (has_no_capability, "caddy", "cap_add", ["NET_ADMIN"]),
        (has_no_capability, "web", "cap_drop", None),
        (gains_nothing, "office", "security_opt", None),
        (is_looked_after, "worker", "healthcheck", None),
        (rotates_its_log, "postgres", "logging", None),
        (keeps_secrets_in_files, "web", "environment", {"SECRET_KEY": "x"}),
        (keeps_secrets_in_files, "web", "environment", {"DATABASE_URL": "postgres://rollcall:x@postgres/rollcall"}),
        (stays_inside, "web", "ports", ["8000:8000"]),
        (stays_inside, "postgres", "networks", ["back", "outside"]),
        (waits_for_the_tables, "web", "depends_on", {}),
        (speaks_tls_and_json, "web", "environment", {}),
        (keeps_its_data, "redis", "volumes", ["/data"]),
    ],
)  # fmt: skip
def test_a_service_that_loses_one_is_found(
    promise: Callable[[str, Service], bool], service: str, key: str, value: object
) -> None:
    changed = copy.deepcopy(loaded()["services"][service])
    if value is None:
        del changed[key]
    else:
        changed[key] = value
    assert not held(promise, service, changed)


def test_inner_networks_have_no_way_out_and_every_secret_is_a_file() -> None:
    compose = loaded()
    assert {name for name, net in compose["networks"].items() if not net.get("internal")} == {"outside"}
    assert {name: secret["file"] for name, secret in compose["secrets"].items()} == {
        name: f"./secrets/{name}" for name in SECRETS
    }


def test_compose_itself_reads_the_file(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    assert program, (
        "docker-compose (Debian: apt-get install docker-compose) is needed to check docker-compose.yml"
    )
    done = subprocess.run(
        [program, "-f", str(ROOT / "docker-compose.yml"), "config", "--services"],
        env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= OURS - {"backup"} | {"caddy", "redis", "postgres"}


def with_store(tmp_path: Path, **given: str) -> Compose:
    """What compose makes of both files with these settings."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose (Debian: apt-get install docker-compose) is needed"
    files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(ROOT / "deploy" / "compose.s3.yml")]
    done = subprocess.run(
        [program, "--project-directory", str(ROOT), "--profile", "by-hand", *files, "config"],
        env={**os.environ, "HOME": str(tmp_path), **given}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    merged: Compose = yaml.safe_load(done.stdout)
    return merged


def test_a_store_of_photos_gets_its_settings_and_its_keys_as_files(tmp_path: Path) -> None:
    """Every name the settings read is handed on; the keys are files, and whoever handles photos reaches the store."""
    settings = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r"\"(ROLLCALL_S3_[A-Z_]+)\"", settings))
    keys = {"ROLLCALL_S3_ACCESS_KEY", "ROLLCALL_S3_SECRET_KEY"}
    given = {name: f"value-of-{name}" for name in read - keys}
    services = with_store(tmp_path, **given)["services"]
    for name in OURS:
        environment = services[name]["environment"]
        assert {key: environment[key] for key in given} == given, name
    for name in OURS - {"migrate"}:
        service = services[name]
        assert {f"{key}_FILE" for key in keys} <= set(service["environment"]), name
        assert not keys & set(service["environment"]), name
        known = {one if isinstance(one, str) else one["source"] for one in service["secrets"]}
        assert known == SECRETS | {"s3_access_key", "s3_secret_key"}, name
        assert {"back", "outside"} <= set(service["networks"]), name
    for name in ("redis", "postgres"):
        assert "outside" not in services[name]["networks"]


def test_without_a_store_the_settings_are_empty_and_fit(tmp_path: Path) -> None:
    """What an unset variable becomes is what the settings take for no store."""
    given = {name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", value)
             for name, value in loaded()["x-rollcall"]["environment"].items() if "_S3_" in name}  # fmt: skip
    code = "from config import settings; print(settings.STORAGES['default']['BACKEND'], settings.S3_OPTIONS['seconds'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **given, "ROLLCALL_DATA_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["attendance.storage.DurableStorage", "8.0"], done.stderr


def test_images_pass_hadolint_and_end_without_rights() -> None:
    files = [ROOT / "Dockerfile", ROOT / "deploy" / "caddy" / "Dockerfile"]
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    for file in files:
        users = [line for line in file.read_text().splitlines() if line.startswith("USER")]
        assert users, file
        assert not users[-1].startswith(("USER 0", "USER root"))


def test_nothing_secret_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"secrets", ".env", "var", ".git"} <= set(ignored)


@pytest.mark.parametrize("tls", ["automatic", "internal", "files"])
def test_caddy_reads_its_file(tls: str, tmp_path: Path) -> None:
    program = shutil.which("caddy")
    assert program, "caddy (Debian: apt-get install caddy) is needed to check deploy/caddy/Caddyfile"
    env = {"ROLLCALL_TLS": tls, "ROLLCALL_DOMAIN": "rollcall.school.example", "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, "adapt", "--config", str(ROOT / "deploy" / "caddy" / "Caddyfile")],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = done.stdout
    assert '"warn"' not in done.stderr
    assert "rollcall.school.example" in found
    assert ('"module":"internal"' in found) == (tls == "internal")
    assert ("certificate.pem" in found) == (tls == "files")


def test_secrets_are_made_once_long_and_different(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    run = [str(tmp_path / "deploy" / "make-secrets")]
    subprocess.run(run, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == SECRETS
    assert len(set(made.values())) == len(SECRETS)
    assert min(len(text) for text in made.values()) >= 43
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    again = subprocess.run(run, check=True, capture_output=True, text=True)
    assert again.stdout.count("is there already") == len(SECRETS)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made

    from attendance.sealing import make_keyring

    make_keyring([made["rollcall_keys"]])
