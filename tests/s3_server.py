"""A real S3 protocol server on a port, with faults on demand: ``python -m tests.s3_server ADDRESS PORT BUCKET``."""

from __future__ import annotations

import contextlib
import itertools
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

KEY, SECRET = "rollcall", "a secret of these tests"
ERROR = b'<?xml version="1.0"?><Error><Code>%s</Code><Message>told to</Message></Error>'


@dataclass
class S3:
    """The server; ``fault`` is asked before each request for a status and a code to answer instead, or None."""

    url: str
    bucket: str
    fault: Callable[[int], tuple[int, str] | None] = field(default=lambda number: None)
    delay: float = 0.0
    requests: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def env(self) -> dict[str, str]:
        """The settings of a site whose files lie here."""
        return {
            "ROLLCALL_S3_BUCKET": self.bucket,
            "ROLLCALL_S3_ENDPOINT": self.url,
            "ROLLCALL_S3_ACCESS_KEY": KEY,
            "ROLLCALL_S3_SECRET_KEY": SECRET,
        }

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )  # fmt: skip

    def all_keys(self) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {each["Key"] for page in pages for each in page.get("Contents", ())}

    def content(self, key: str) -> bytes:
        found: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return found

    def works_again(self) -> None:
        self.fault, self.delay = (lambda number: None), 0.0


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any, **more: Any) -> None:
        """Say nothing in the tests' output."""


@contextlib.contextmanager
def s3_server(address: str = "127.0.0.1", port: int = 0, bucket: str = "") -> Iterator[S3]:
    """A server with one empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    site = DomainDispatcherApplication(create_backend_app)
    state = S3("", bucket or f"photos-{uuid.uuid4().hex[:12]}")

    def with_faults(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        state.requests += 1
        if state.delay:
            time.sleep(state.delay)
        fault = state.fault(next(state.numbers))
        if fault is None:
            return site(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = ERROR % fault[1].encode()
        start(f"{fault[0]} Told", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    server = make_server(address, port, with_faults, threaded=True, request_handler=_Quiet)
    state.url = f"http://{address}:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        state.client.create_bucket(Bucket=state.bucket)
        yield state
    finally:
        server.shutdown()


if __name__ == "__main__":
    with s3_server(sys.argv[1], int(sys.argv[2]), sys.argv[3]):
        print("ready", flush=True)
        threading.Event().wait()
