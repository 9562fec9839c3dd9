"""The same files in an S3-compatible store, for sites of several machines. An object is put whole or not at all.

A store that is away (no answer, an error of its own, refused keys, a bucket that is not there) raises StorageAway and
never looks like a file that is missing. After a call without an answer the next ones fail at once for some seconds, so
that pages and workers do not each wait for their own time-out.
"""

from __future__ import annotations

import base64
import datetime as dt
import errno
import hashlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any, cast

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from attendance import errors, sealed_files
from attendance.storage import SealedStorage

log = logging.getLogger(__name__)

IN_MEMORY = 8 * 1024 * 1024
"""A file larger than this passes through a temporary file; it is sealed there too."""
PAUSE = 3.0
"""Seconds without another call after one that nobody answered."""
MISSING = {"NoSuchKey", "404", "NotFound"}
FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
REASONS = {
    "NoSuchBucket": _("The bucket for photos does not exist."),
    "InvalidAccessKeyId": _("The store of photos does not know our key."),
    "SignatureDoesNotMatch": _("The store of photos refuses our secret key."),
    "AccessDenied": _("The store of photos refuses us."),
    "RequestTimeTooSkewed": _("This machine's clock is wrong: the store of photos refuses its requests."),
}
NO_ANSWER = _("The store of photos does not answer: new photos are refused until it does.")


class ObjectStorage(SealedStorage, S3Storage):  # type: ignore[misc]
    """Options as django-storages has them, and ``seconds``: how long an answer may take."""

    def __init__(self, *, seconds: float = 8.0, tries: int = 3, **options: Any) -> None:
        style = "path" if options.get("endpoint_url") else "auto"
        config = Config(
            connect_timeout=min(2.0, seconds),
            read_timeout=seconds,
            retries={"mode": "standard", "total_max_attempts": tries},
            s3={"addressing_style": options.pop("addressing_style", None) or style},
            signature_version="s3v4",
            # Newer trailing checksums are unknown to many compatible stores: each put carries its MD5 instead.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=16,
        )
        super().__init__(client_config=config, **options)
        self._silent_until = 0.0
        self._making = threading.Lock()
        self._made: tuple[int, Any] | None = None

    # --- what SealedStorage asks for ---
    def stored(self, name: str) -> IO[bytes]:
        out = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 (the caller's)
        try:
            with self._asking(name):
                answer = self._client.get_object(Bucket=self.bucket_name, Key=self._key(name))
                for piece in answer["Body"].iter_chunks(1024 * 1024):
                    out.write(piece)
            if out.tell() != answer["ContentLength"]:
                raise errors.StorageAway(f"{name} was cut off on its way")
        except BaseException:
            out.close()
            raise
        out.seek(0)
        return out

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            digest = hashlib.md5(usedforsecurity=False)  # S3's own check of what arrived
            for piece in pieces:
                body.write(piece)
                digest.update(piece)
            size = body.tell()
            body.seek(0)
            with self._asking(name):
                self._client.put_object(
                    Bucket=self.bucket_name,
                    Key=self._key(name),
                    Body=body,
                    ContentLength=size,
                    ContentMD5=base64.b64encode(digest.digest()).decode(),
                    ContentType="application/octet-stream",
                )

    def head(self, name: str) -> tuple[bytes, int]:
        last = sealed_files.HEADER_BYTES - 1
        with self._asking(name):
            answer = self._client.get_object(
                Bucket=self.bucket_name, Key=self._key(name), Range=f"bytes=0-{last}"
            )
            header = answer["Body"].read()
        whole = answer.get("ContentRange", "").rpartition("/")[2]
        return header, int(whole) if whole.isdigit() else int(answer["ContentLength"])

    def delete(self, name: str) -> None:
        """Gone afterwards, or written down to be deleted as soon as the store answers again."""
        from attendance.stored_files import delete_later  # it stands on the models

        try:
            self.remove(name)
        except errors.StorageAway:
            delete_later(name)

    def remove(self, name: str) -> None:
        """Gone afterwards, also where it was gone before. Raises StorageAway."""
        with self._asking(name):
            self._client.delete_object(Bucket=self.bucket_name, Key=self._key(name))

    def exists(self, name: str) -> bool:
        try:
            self.head(name)
        except FileNotFoundError:
            return False
        return True

    def names(self, before: dt.datetime, folder: str = "") -> Iterator[str]:
        prefix = f"{self.location.strip('/')}/" if self.location.strip("/") else ""
        within = f"{prefix}{folder}/" if folder else prefix
        asked: dict[str, str] = {"Bucket": self.bucket_name, "Prefix": within}
        while True:
            with self._asking():
                page = self._client.list_objects_v2(**asked)
            for each in page.get("Contents", ()):
                if each["LastModified"] < before:
                    yield each["Key"].removeprefix(prefix)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def check_room(self) -> None:
        """A store says itself when it is full."""

    def works(self) -> tuple[bool, str | Promise]:
        try:
            self._quick_client.list_objects_v2(Bucket=self.bucket_name, MaxKeys=1)
        except ClientError as error:
            return False, REASONS.get(_code(error), NO_ANSWER)
        except (BotoCoreError, HTTPClientError, OSError):
            return False, NO_ANSWER
        return True, _("works")

    # --- for the doctor ---
    def keeps_old_versions(self) -> bool:
        """Whether what is deleted stays in the bucket as an old version. Raises StorageAway."""
        with self._asking():
            answer = self._client.get_bucket_versioning(Bucket=self.bucket_name)
        return str(answer.get("Status", "")) == "Enabled"

    def is_public(self) -> bool:
        """Whether anybody may list the bucket without a key. Raises StorageAway."""
        stranger = self._make_client(signature_version=UNSIGNED)
        try:
            stranger.list_objects_v2(Bucket=self.bucket_name, MaxKeys=1)
        except ClientError:
            return False
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise errors.StorageAway(str(error)) from error
        return True

    # --- within ---
    @contextmanager
    def _asking(self, name: str = "") -> Iterator[None]:
        """Whatever the store says or does not say becomes one of three errors."""
        if time.monotonic() < self._silent_until:
            raise errors.StorageAway("it did not answer a moment ago")
        try:
            yield
        except ClientError as error:
            code = _code(error)  # it answered, so that others may ask: only silence makes them wait
            if code in MISSING:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
            if code in FULL:
                raise errors.StorageFull from error
            raise self._away(f"it answered {code}") from error
        except (BotoCoreError, HTTPClientError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE
            raise self._away(f"{type(error).__name__}: {error}") from error

    def _away(self, reason: str) -> errors.StorageAway:
        log.warning("the store of files: %s", reason)
        return errors.StorageAway(reason)

    def _key(self, name: str) -> str:
        return str(self._normalize_name(clean_name(name)))

    @property
    def _client(self) -> Any:
        """One for each process: it serves many threads, but does not outlive a fork."""
        with self._making:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), self._make_client())
            return self._made[1]

    @cached_property
    def _quick_client(self) -> Any:
        """For questions that must be answered while somebody waits for a page about it."""
        return self._make_client(connect_timeout=1.0, read_timeout=2.0, retries={"total_max_attempts": 1})

    def _make_client(self, **config: Any) -> Any:
        return self._create_session().client(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.endpoint_url,
            use_ssl=self.use_ssl,
            verify=self.verify,
            config=self.client_config.merge(Config(**config)),
        )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
