"""Lines of the log: told by kind, route and number; nothing of a person gets through."""

from __future__ import annotations

import io
import json
import logging
import smtplib
from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.logs import SafeFormatter, settings_for, told
from config.middleware import RealAddress, RequestLog
from recognition.errors import ModelFileMissing

NAME = "Ruth Adams"


@pytest.fixture(params=["plain", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, Callable[[], str]]]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(SafeFormatter(request.param))
    logger = logging.getLogger("attendance.tests_of_logs")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    yield logger, out.getvalue
    logger.handlers, logger.propagate = [], True


def test_only_known_fields_stand_beside_a_line(
    written: tuple[logging.Logger, Callable[[], str]],
) -> None:
    logger, said = written
    logger.info("looked at", extra={"photo": 12, "seconds": 0.25, "student": "Ruth Adams"})
    assert "Ruth" not in said()
    assert "12" in said()
    assert "0.25" in said()


def test_an_errors_text_is_left_out_and_its_place_kept(
    written: tuple[logging.Logger, Callable[[], str]],
) -> None:
    logger, said = written
    try:
        try:
            int(NAME)
        except ValueError as error:
            raise KeyError(NAME) from error
    except KeyError as error:
        logger.exception("photo %s could not be looked at: %s", 3, error)
    assert "Ruth" not in said()
    assert "ValueError" in said()
    assert "KeyError" in said()
    assert "test_logs.py" in said()
    assert "photo 3" in said()


@pytest.mark.parametrize("form", ["plain", "json"])
def test_arguments_that_do_not_fit_lose_no_line_and_show_nothing(form: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 1, "%d photos of %s", (NAME,), None)
    said = SafeFormatter(form).format(record)
    assert "photos of" in said
    assert "Ruth" not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("Ruth"), "ValueError"),
        (smtplib.SMTPRecipientsRefused({"ruth@school.example": (550, b"no")}), "SMTPRecipientsRefused"),
        (smtplib.SMTPDataError(554, b"ruth@school.example"), "SMTPDataError 554"),
        (
            IntegrityError('violates unique constraint "x"\nDETAIL: (Ruth) exists'),
            'IntegrityError: violates unique constraint "x"',
        ),
        (PermissionError(13, "Permission denied", "/home/ruth"), "PermissionError: Permission denied"),
        (ModelFileMissing("model file a.dat does not exist"), "ModelFileMissing: model file a.dat does not exist"),
    ],
)  # fmt: skip
def test_errors_are_told_by_kind(error: Exception, words: str) -> None:
    assert told(error) == words


def test_json_lines_are_json_and_plain_lines_are_for_people() -> None:
    record = logging.LogRecord("attendance.pipeline", logging.INFO, "", 1, "photo %s done", (3,), None)
    record.seconds = 0.5
    line = json.loads(SafeFormatter("json").format(record))
    assert line["event"] == "photo 3 done"
    assert (line["level"], line["logger"], line["seconds"]) == ("info", "attendance.pipeline", 0.5)
    assert line["time"].endswith("Z")
    plain = SafeFormatter("plain").format(record)
    assert "INFO attendance.pipeline: photo 3 done seconds=0.5" in plain


def test_celerys_failures_come_without_values() -> None:
    facts = {"name": "send_mail", "id": "1", "exc": "ValueError('Ruth')", "args": "('Ruth',)", "kwargs": "{}"}
    record = logging.LogRecord(
        "celery.app.trace", logging.ERROR, "", 1, "Task %(name)s: %(exc)s %(args)s", None, None
    )
    record.args = facts
    assert "Task send_mail: ValueError " in SafeFormatter("plain").format(record)
    assert "Ruth" not in SafeFormatter("json").format(record)


def test_addresses_are_told_by_their_route() -> None:
    record = logging.LogRecord(
        "django.request", logging.WARNING, "", 1, "%s: %s", ("Not Found", "/calendar/secret-token.ics"), None
    )
    assert "secret-token" not in SafeFormatter("plain").format(record)


def test_the_level_is_for_our_own_lines() -> None:
    found = settings_for("DEBUG", "json")
    assert found["root"]["level"] == "INFO"
    assert found["loggers"]["attendance"]["level"] == "DEBUG"
    assert settings_for("ERROR", "json")["root"]["level"] == "ERROR"
    assert settings_for("ERROR", "json")["loggers"]["celery.beat"]["level"] == "INFO"


def test_each_answer_has_a_number_and_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "config.middleware")
    answer = RequestLog(lambda request: HttpResponse(status=201))(RequestFactory().post("/students/?q=Ruth"))
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["status"]) == ("INFO", 201)
    assert "Ruth" not in str(record.__dict__)
    assert len(answer["X-Request-ID"]) == 12


@pytest.mark.parametrize(
    ("peer", "header", "found"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "10.1.1.1, 203.0.113.9", "203.0.113.9"),  # what the client claims stands first
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("198.51.100.4", "203.0.113.9", "198.51.100.4"),  # not our proxy
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_our_own_proxy_says_where_a_request_comes_from(
    settings: object, peer: str, header: str, found: str
) -> None:
    settings.ROLLCALL_PROXIES = ["127.0.0.0/8", "::1"]  # type: ignore[attr-defined]
    seen: list[str] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    headers = {"X-Forwarded-For": header} if header else {}
    RealAddress(answer)(RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers))
    assert seen == [found]


@pytest.mark.parametrize("sent", ["a\nERROR forged", "a\r\nb", "a\x1b[31mred", "a\u2028b", "a\u202eb"])
def test_what_somebody_sent_begins_no_line_of_its_own(sent: str) -> None:
    record = logging.LogRecord("attendance", logging.WARNING, __file__, 1, "refused: %s", (sent,), None)
    lines = SafeFormatter("plain").format(record).splitlines()
    assert len(lines) == 1
    assert lines[0].isprintable()
