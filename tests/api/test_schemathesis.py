"""Every operation asked what its own description allows and what it forbids; short, and the same each time.

``python -m tests.api.attack`` does the same over a real server, for as long as one likes.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.api.conftest import World

load_all_checks()
CHECKS: list[Any] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
EXAMPLES = 2


def ask(
    operation: APIOperation[Any, Any, Any], mode: GenerationMode, known: dict[str, Any], header: str
) -> list[str]:
    """What was found: the operation and the sentence about each answer that is not as described."""
    found: list[str] = []

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=known or None))
    def run(case: Case[Any, Any, Any]) -> None:
        with transaction.atomic():  # what one example changed is not there for the next
            try:
                answer = case.call(headers={"Authorization": header})
                case.validate_response(answer, checks=CHECKS)
            except (AssertionError, ExceptionGroup) as error:
                inner = getattr(error, "exceptions", [error])
                found.extend(f"{operation.label}: {each}"[:600] for each in inner)
            transaction.set_rollback(True)

    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong in a request that has no parts
        run()
    return found


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The application itself would end each request by closing the connection that holds the test's rows."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("who", ["administrator", "owner", "camera"])
def test_answers_are_what_the_schema_says_whatever_is_asked(world: World, settings: Any, who: str) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {}}
    asking = world.client("administrator")._credentials["HTTP_AUTHORIZATION"]
    schema = schemathesis.openapi.from_wsgi(
        "/api/schema/?format=json", application, headers={"Authorization": asking}
    )
    header = world.client(who)._credentials["HTTP_AUTHORIZATION"]
    ids = {"snapshot_id": world.snapshot, "sighting_id": world.sighting, "camera_id": world.camera}
    ids |= {"course_id": world.course, "session_id": world.session, "student_id": world.students[0]}
    findings: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if who == "camera" and "/camera/" not in operation.path and "snapshots" not in operation.path:
            continue
        wanted = re.findall(r"{(\w+)}", operation.path)
        known = {name: ids[name].pk for name in wanted if name in ids}
        findings += ask(operation, GenerationMode.POSITIVE, known, header)
        if who == "administrator":  # what is malformed is refused to everybody alike
            findings += ask(operation, GenerationMode.NEGATIVE, {}, header)
    assert not findings, "\n\n".join(findings)
