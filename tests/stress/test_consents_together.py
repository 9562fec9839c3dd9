"""Answers about one student at the same moment, each with a connection of its own to a real database."""

from __future__ import annotations

import pytest

from tests.stress.site import site_in

NO_REDIS = "redis://127.0.0.1:1/0"

AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from attendance import consent_links, consents, errors, privacy
from attendance.models import Consent, ConsentLink, FaceTemplate, Student
from tests import factories as make

def together(*calls):
    gate = Barrier(len(calls))
    def run(call):
        gate.wait()
        try:
            call()
            return "done"
        except errors.RollcallError as error:
            return error.code
        finally:
            connection.close()
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))

by = make.teacher()
course = make.course(by)

def fresh():
    return make.template(make.student(course)).student

found = []
for _ in range(V["rounds"]):
    # a yes on paper and a withdrawal, twice each
    one = fresh()
    said = together(*[
        lambda: privacy.withdraw_consent(Student.objects.get(pk=one.pk), by),
        lambda: consents.record(Student.objects.get(pk=one.pk), consents.Answer(True, "guardian", "Maria"), by),
    ] * 2)
    state = Consent.objects.get(student=one).state
    last = one.consent_events.order_by("-pk")[0].state
    kept = FaceTemplate.objects.filter(student=one).exists()
    # one link, sent off four times: twice yes, twice no
    two = make.student(course)
    now = timezone.now()
    link = ConsentLink.objects.create(
        student=two, token_hash=consent_links.hash_of(str(two.pk)), to="a@b.example", reader="guardian", language="en",
        text_version="2026-1", sent_by=by, sent_at=now, expires_at=now + timedelta(days=1))
    answers = together(*[
        lambda: consent_links.answer(ConsentLink.objects.get(pk=link.pk), yes=True, name="Maria"),
        lambda: consent_links.answer(ConsentLink.objects.get(pk=link.pk), yes=False, name="Maria"),
    ] * 2)
    link.refresh_from_db()
    found.append({
        "said": said, "state": state, "last": last, "kept": kept, "answers": sorted(answers),
        "link": link.answer, "standing": Consent.objects.get(student=two).standing,
        "steps": two.consent_events.count(),
    })
answer(found)
"""


@pytest.mark.slow
def test_answers_at_once_leave_one_truth(tmp_path_factory: pytest.TempPathFactory) -> None:
    with site_in(tmp_path_factory.mktemp("site"), NO_REDIS) as site:
        rounds = site.python(AT_ONCE, rounds=3)
    assert len(rounds) == 3
    for found in rounds:
        assert found["said"] == ["done"] * 4, "nobody is turned away by the other"
        assert found["state"] == found["last"]
        assert found["state"] == "given" or not found["kept"], "no template without consent"
        assert found["answers"] == ["consent_link_used", "consent_link_used", "done", "done"]
        assert (found["link"], found["steps"]) == (found["standing"], 1)
