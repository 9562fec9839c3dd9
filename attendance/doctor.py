"""Every part looked at, one sentence and one next step each; for whoever has a terminal and a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from attendance import audit, consent_sweep, health, health_parts, places, schooltime, second_factor
from attendance.errors import StorageAway
from attendance.models import FaceTemplate
from attendance.permissions import administrators
from attendance.retention import due, strays
from attendance.sealing import SealBroken, keyring
from attendance.storage import media
from recognition.errors import RecognitionError


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    ok: bool
    sentence: str
    next_step: str = ""


NEXT_STEPS = {
    "database": "Start it, or mend DATABASE_URL.",
    "storage": "Make room on the disk that holds ROLLCALL_DATA_DIR; or, with ROLLCALL_S3_BUCKET, mend those settings.",
    "queue": "Start Redis, or mend REDIS_URL; accepted photos are kept meanwhile.",
    "workers": "Look into the worker's log, or start another worker (docs/operations.md: what one gets done).",
    "office": "Look into the office program's log, or start one: ./run office",
    "beat": "Look into beat's log, or start it: ./run beat (exactly one).",
    "models": "Install the pinned packages again: rm -r .venv && ./run setup",
    "mood": "Restore emotion/weights from the release, or switch the mood off.",
    "clock": "Let every machine set its clock by the network (timedatectl set-ntp true).",
    "second_opinion": "Restore recognition/lfw_cnn/weights from the release, or set ROLLCALL_SECOND_OPINION=off.",
}


def examine() -> Iterator[Finding]:
    """Looks at the parts one after the other; a part that breaks does not hide those after it."""
    for part in health.check():
        if part.name == "keys":
            continue  # looked at below, with more to say
        known_to_be_wrong = not part.ok and part.message != health_parts.UNKNOWN
        step = NEXT_STEPS.get(part.name, "") if known_to_be_wrong else ""
        yield Finding(part.name, part.ok, str(part.message), step)
    looks: tuple[Callable[[], Finding], ...] = (
        _tables, _keys, _bucket, _engine, _people, _place, _consent, _kept, _log, _settings,
    )  # fmt: skip
    for look in looks:
        try:
            yield look()
        except DatabaseError:
            yield Finding(look.__name__.strip("_"), False, str(health_parts.UNKNOWN))
        except StorageAway as away:
            yield Finding(look.__name__.strip("_"), False, str(away.message), NEXT_STEPS["storage"])


def migrations_due() -> int:
    """How many have not run on this database. Raises DatabaseError where it does not answer."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _tables() -> Finding:
    if due := migrations_due():
        return Finding("tables", False, f"{due} migrations have not run.", "./run manage migrate")
    return Finding("tables", True, "up to date")


def _keys() -> Finding:
    try:
        newest = keyring().newest
    except ImproperlyConfigured as error:
        return Finding("keys", False, str(error), "Mend ROLLCALL_KEYS; ./run manage keys new makes one.")
    if newest is None:
        return Finding(
            "keys",
            False,
            "Photos and templates lie unsealed.",
            "Set ROLLCALL_KEYS (./run manage keys new), then ./run manage keys rotate.",
        )
    try:
        FaceTemplate.objects.order_by("-pk").first()
    except SealBroken as error:
        return Finding("keys", False, str(error), "Put the key it was sealed with back into ROLLCALL_KEYS.")
    return Finding("keys", True, f"{len(keyring().keys)} in use")


def _bucket() -> Finding:
    """Where photos lie in a bucket: whether deleted means gone, and whether strangers are kept out."""
    from attendance.object_storage import ObjectStorage  # its library is loaded only where it is used

    bucket = media() if settings.ROLLCALL_S3_BUCKET else None
    if not isinstance(bucket, ObjectStorage):
        return Finding("files", True, "in a folder of this machine")
    try:
        versions, public = bucket.keeps_old_versions(), bucket.is_public()
    except StorageAway as error:
        return Finding(
            "files", False, f"The bucket cannot be looked at: {error.reason}", NEXT_STEPS["storage"]
        )
    if versions:
        return Finding(
            "files",
            False,
            "The bucket keeps old versions: what is deleted here stays there.",
            "Suspend its versioning, and delete the versions it has.",
        )
    if public:
        return Finding("files", False, "Anybody may list the bucket.", "Take away its public access.")
    return Finding("files", True, f"in the bucket {settings.ROLLCALL_S3_BUCKET}")


def _engine() -> Finding:
    from attendance.engines import current_engine

    try:
        version = current_engine().version
    except (RecognitionError, OSError) as error:
        return Finding(
            "recognition", False, str(error), "Install the pinned packages again: rm -r .venv && ./run setup"
        )
    old = FaceTemplate.objects.exclude(encoder_version=version).exclude(
        portrait__templates__encoder_version=version
    )
    if old.exists():
        return Finding(
            "recognition",
            False,
            f"{old.count()} templates were made by an older engine.",
            "./run manage reencode",
        )
    return Finding("recognition", True, version)


def _people() -> Finding:
    if not administrators().exists():
        return Finding("people", False, "There is no administrator.", "./run manage createsuperuser")
    alone = [each for each in second_factor.holders() if each.administrator and each.since is None]
    if alone and settings.ROLLCALL_SECOND_FACTOR_REQUIRED:
        return Finding(
            "people",
            False,
            f"{len(alone)} administrators have no second factor yet and are let in nowhere before.",
            "Each is asked to set it up when signing in: ./run manage second_factor list",
        )
    return Finding("people", True, f"{administrators().count()} administrators")


def _place() -> Finding:
    country = places.place_of(schooltime.get_school()).country
    if not country:
        return Finding(
            "law",
            False,
            "It is not known where the school is.",
            "Say so on the page Site, Where the school is.",
        )
    return Finding("law", True, country)


def _consent() -> Finding:
    swept = consent_sweep.sweep()
    if not swept.clean:
        found = "; ".join(f"{left.what}: {', '.join(left.examples)}" for left in swept.left)
        return Finding(
            "consent",
            False,
            f"Something is kept of students without consent. {found}.",
            "Withdraw consent once more on the student's page; delete files that belong to nobody.",
        )
    return Finding(
        "consent",
        True,
        f"{swept.rows} rows and {swept.files} files looked at, none of a student without consent",
    )


def _kept() -> Finding:
    """Nothing is kept longer than said, and files and rows agree."""
    name, outlook = "retention", due.outlook()
    if outlook.overdue:
        late = outlook.overdue[0]
        return Finding(
            name, False, f"{late.count} {late.what} are overdue. {late.reason}", "./run manage retention"
        )
    try:
        found = strays.compare(timezone.now())
    except StorageAway as error:
        return Finding(name, False, str(error.message))
    if found.missing or found.strays:
        return Finding(
            name,
            False,
            f"{len(found.strays)} files that no row knows, {len(found.missing)} rows whose file is missing.",
            "./run manage retention --dry-run --files",
        )
    return Finding(name, True, f"{found.files} files, each with its row; nothing is overdue")


def _log() -> Finding:
    verdict = audit.verify()
    if not verdict.whole:
        return Finding(
            "audit log",
            False,
            "Its chain is broken: somebody changed or removed entries.",
            "Keep a copy of the database; ./run manage audit",
        )
    return Finding("audit log", True, f"{verdict.entries} entries, all unchanged")


def _settings() -> Finding:
    if settings.LOCAL_ONLY:
        return Finding("settings", True, "for this machine and its network only (ROLLCALL_LOCAL)")
    found = [message for message in run_checks(include_deployment_checks=True) if message.level >= WARNING]
    if found:
        return Finding(
            "settings",
            False,
            f"{len(found)} warnings, the first: {found[0].msg}",
            "./run manage check --deploy",
        )
    return Finding("settings", True, "fit for the internet")
