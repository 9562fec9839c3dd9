"""Who looked at whom is written down, and nobody can rewrite it unnoticed."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from attendance import audit, audit_trail, marks
from attendance.models import AuditEntry, AuditHead
from tests import factories as make

Verb = AuditEntry.Verb
pytestmark = pytest.mark.django_db


def some_entries(count: int = 5) -> None:
    for n in range(count):
        audit.record(Verb.CHANGED, "web:mark-set", {"student": n, "session": 1})


def raw(statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS attendance_auditentry_only_added")
        else:
            cursor.execute(
                "ALTER TABLE attendance_auditentry DISABLE TRIGGER attendance_auditentry_only_added"
            )
        cursor.execute(statement)


def test_a_chain_nobody_touched_is_whole() -> None:
    assert audit.verify() == audit.Verdict(0)
    some_entries()
    assert audit.verify() == audit.Verdict(5)
    call_command("audit")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attendance_auditentry SET actor = 'somebody else' WHERE number = 3",
        'UPDATE attendance_auditentry SET about = \'{"student": 9, "session": 1}\' WHERE number = 3',
        "UPDATE attendance_auditentry SET student_id = 9 WHERE number = 3",
        "DELETE FROM attendance_auditentry WHERE number = 3",
    ],
)
def test_a_changed_or_removed_entry_is_found(statement: str) -> None:
    some_entries()
    raw(statement)
    assert audit.verify().broken_at == 3
    with pytest.raises(CommandError, match="entry 3"):
        call_command("audit")


def test_an_end_cut_off_is_found_also_when_its_head_is_set_back() -> None:
    some_entries()
    raw("DELETE FROM attendance_auditentry WHERE number > 3")
    assert audit.verify().missing == 2
    AuditHead.objects.update(number=3)
    assert not audit.verify().whole


def test_the_digests_cannot_be_made_again_without_the_key(settings: Any) -> None:
    some_entries()
    settings.ROLLCALL_AUDIT_KEY = "what a thief guesses"
    assert audit.verify().broken_at == 1


def test_the_database_refuses_a_change() -> None:
    some_entries(1)
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(actor="me")


def test_search_by_who_what_whom_and_when() -> None:
    user = make.teacher("ada")
    audit.record(Verb.LOOKED, "web:student", {"student": 7}, by=user)
    audit.record(Verb.EXPORTED, "web:roll-csv", {"session": 3})
    assert [entry.actor for entry in audit.search(student_id=7)] == ["ada"]
    assert audit.search(actor="AD").count() == 1
    assert audit.search(verb="exported").count() == 1
    assert audit.search(since=timezone.now() + dt.timedelta(hours=1)).count() == 0


def test_looking_changing_and_exporting_are_written_once_each(client: Client) -> None:
    teacher = make.teacher("ada")
    session = make.session(make.course(teacher, students=1))
    student = session.course.students.get()
    client.force_login(teacher)
    before = AuditEntry.objects.count()
    for _ in range(3):
        assert client.get(reverse("web:student", args=[student.pk])).status_code == 200
    client.post(reverse("web:session-state", args=[session.pk, "close"]))
    marks.recompute(session.pk)
    client.post(reverse("web:mark-set", args=[session.pk, student.pk]), {"status": "present"})
    client.get(reverse("web:roll-csv", args=[session.pk]))
    written = [(entry.verb, entry.what) for entry in audit.search().order_by("number")[before:]]
    assert written == [
        ("looked", "web:student"),
        ("changed", "web:session-state"),
        ("changed", "web:mark-set"),
        ("exported", "web:roll-csv"),
    ]
    assert audit.search(student_id=student.pk).count() == 2
    assert student.given_name not in str(list(AuditEntry.objects.values_list("about", "what")))


def test_an_entry_holds_ids_and_words_of_the_program_and_nothing_of_a_face(client: Client) -> None:
    """Every look, change and export a page offers about one face: its entries are numbers and names of routes."""
    teacher = make.teacher("ada")
    session = make.session(make.course(teacher, students=1))
    student = session.course.students.get()
    template = make.template(student)
    sighting = make.sighting(make.snapshot(session), student)
    marks.recompute(session.pk)
    client.force_login(teacher)
    for name, arguments in (
        ("student", [student.pk]), ("session", [session.pk]), ("face", [session.pk, sighting.pk]),
        ("face-crop", [sighting.pk]), ("template-crop", [template.pk]), ("roll-csv", [session.pk]),
        ("mark-history", [session.pk, student.pk]),
    ):  # fmt: skip
        assert client.get(reverse(f"web:{name}", args=arguments)).status_code == 200
    client.post(reverse("web:face-decide", args=[session.pk, sighting.pk]), {"verdict": "not_a_face"})
    client.post(reverse("web:consent-withdraw", args=[student.pk]))
    entries = list(audit.search())
    assert len({entry.what for entry in entries} - {"web:login"}) == 9
    for entry in entries:
        assert set(entry.about) <= {"student", "session", "sighting", "template"}, entry.what
        assert all(isinstance(value, int) for value in entry.about.values()), entry.what
        assert student.number not in f"{entry.what} {entry.actor} {entry.about}"


def test_a_refused_look_is_not_written_as_one(client: Client) -> None:
    session = make.session(make.course(make.teacher(), students=1))
    client.force_login(make.teacher("curious"))
    assert client.get(reverse("web:session", args=[session.pk])).status_code == 404
    assert not audit.search(verb="looked").exists()


def test_signing_in_and_failing_to_are_written(client: Client) -> None:
    make.teacher("ada")
    client.post(reverse("web:login"), {"username": "ada", "password": "wrong"})
    client.post(reverse("web:login"), {"username": "ada", "password": make.PASSWORD})
    assert [entry.verb for entry in audit.search().order_by("number")] == ["refused", "signed_in"]


def routes() -> set[str]:
    found = set()
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and resolver.namespace in ("web", "api"):
            found |= {f"{resolver.namespace}:{pattern.name}" for pattern in resolver.url_patterns}
    return found


def test_every_named_route_exists() -> None:
    assert routes() >= audit_trail.LOOKS | audit_trail.EXPORTS | audit_trail.UNWRITTEN


def test_every_change_of_every_route_is_written_but_for_those_that_are_named() -> None:
    unwritten = {route for route in routes() if audit_trail.verb_of(route, "POST") is None}
    assert unwritten == audit_trail.UNWRITTEN & routes()


def test_the_page_searches_and_verifies(client: Client) -> None:
    client.force_login(make.administrator())
    some_entries()
    page = client.get(reverse("web:audit"), {"verb": "changed", "verify": "1"})
    assert "The chain is whole" in page.text
    assert "No entry fits" in client.get(reverse("web:audit"), {"number": "nobody"}).text
    assert client.get(reverse("web:audit"), {"since": "not a day"}).status_code == 200
    lines = (
        b"".join(client.get(reverse("web:audit-export"), {"verb": "changed"}).streaming_content)
        .decode()
        .splitlines()
    )
    assert lines[0] == "number,at,actor,verb,what,about,previous,digest"
    assert len(lines) == 6


@pytest.mark.django_db(transaction=True)
def test_entries_of_many_at_once_keep_one_chain() -> None:
    with ThreadPoolExecutor(6) as pool:

        def write(n: int) -> None:
            try:
                audit.record(Verb.LOOKED, "web:face-crop", {"sighting": n})
            finally:
                connections.close_all()

        if connection.vendor == "sqlite":  # one connection in memory for all: one after the other
            for n in range(12):
                audit.record(Verb.LOOKED, "web:face-crop", {"sighting": n})
        else:
            list(pool.map(write, range(12)))
    assert audit.verify() == audit.Verdict(12)


@pytest.mark.parametrize("entries", [0, 5, 6, 7])
def test_an_export_reads_some_at_a_time_and_leaves_nothing_out(
    entries: int, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(audit, "AT_ONCE", 3)
    for number in range(entries):
        audit.record(Verb.CHANGED if number % 2 else Verb.LOOKED, f"thing {number}", {"course": number})
    with django_assert_num_queries(1):
        first = next(audit.oldest_first(audit.search(), "what", "about"), None)
    assert first == (("thing 0", {"course": 0}) if entries else None)
    with django_assert_num_queries(entries // 3 + 1):
        found = list(audit.oldest_first(audit.search(), "what"))
    assert found == [(f"thing {number}",) for number in range(entries)]
    changed = audit.oldest_first(audit.search(verb=Verb.CHANGED), "number")
    assert list(changed) == list(audit.search(verb=Verb.CHANGED).order_by("number").values_list("number"))
