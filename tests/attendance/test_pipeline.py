"""A photo's way through the worker: claimed once, written once, set aside after three failures."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from attendance import classes, intake, pipeline, privacy, reviews, sweeper, tasks
from attendance.models import Candidate, ClassSession, Sighting, Snapshot
from attendance.pipeline import Outcome
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near

pytestmark = pytest.mark.django_db

Sent = list[tuple[str, tuple[Any, ...]]]


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=2))


def waiting(session: ClassSession, minute: int = 5, **fields: object) -> Snapshot:
    return make.snapshot(session, minute, **{"state": "queued", "queued_at": timezone.now(), **fields})


def test_faces_become_sightings_with_candidates_and_marks(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    one, two = session.course.students.order_by("pk")
    known = make.encoding(1)
    make.template(one, known)
    make.template(two, make.encoding(2))
    engine.faces = [face(near(known, 0.3)), face(make.encoding(3), left=100)]
    for minute in (2, 14):
        assert pipeline.process(waiting(session, minute).pk) is Outcome.DONE
    first, stranger = Snapshot.objects.first().sightings.all()
    assert (first.decision, first.student) == ("recognised", one)
    assert (stranger.decision, stranger.student) == ("unknown", None)
    assert next(c.student for c in first.candidates.all()) == one
    mark = session.marks.get(student=one)
    assert (mark.status, mark.seen_in) == ("present", 2)


def test_an_unsure_face_stands_for_its_best_candidate_to_be_checked(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    one = session.course.students.first()
    known = make.encoding(1)
    make.template(one, known)
    engine.faces = [face(near(known, 0.53))]
    pipeline.process(waiting(session).pk)
    sighting = Sighting.objects.get()
    assert (sighting.decision, sighting.student, sighting.reason) == ("uncertain", one, "middle_band")
    assert session.marks.get(student=one).to_check


def test_a_snapshot_is_claimed_once(session: ClassSession, engine: FakeEngine, sent: Sent) -> None:
    shot = waiting(session)
    assert pipeline.claim_snapshot(shot.pk) is not None
    assert pipeline.claim_snapshot(shot.pk) is None
    assert pipeline.process(shot.pk) is Outcome.NOT_OURS
    assert engine.calls == 0


def test_a_redelivered_task_changes_nothing(session: ClassSession, engine: FakeEngine, sent: Sent) -> None:
    engine.faces = [face(make.encoding(3))]
    shot = waiting(session)
    assert pipeline.process(shot.pk) is Outcome.DONE
    before = list(Sighting.objects.values())
    assert pipeline.process(shot.pk) is Outcome.NOT_OURS
    assert list(Sighting.objects.values()) == before


@pytest.mark.parametrize("found", [0, 1])
def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(
    session: ClassSession, engine: FakeEngine, sent: Sent, monkeypatch: pytest.MonkeyPatch, found: int
) -> None:
    shot = waiting(session)
    engine.faces = [face(make.encoding(3))] * found
    real = engine.analyse

    def asleep(image: Any) -> Any:
        """The other worker takes over and finishes while this one sleeps."""
        monkeypatch.setattr(engine, "analyse", real)
        Snapshot.objects.filter(pk=shot.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        assert pipeline.process(shot.pk) is Outcome.DONE
        return [face(make.encoding(4)), face(make.encoding(5))]

    monkeypatch.setattr(engine, "analyse", asleep)
    assert pipeline.process(shot.pk) is Outcome.NOT_OURS
    assert shot.sightings.count() == found
    chips = sum(1 for _ in Path(default_storage.path("chips")).rglob("*.jpg"))
    assert chips == found, "the late worker leaves no files behind"


def test_a_photo_that_fails_is_tried_three_times_and_then_set_aside(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    engine.broken = RuntimeError("the model choked")
    shot = waiting(session)
    assert [pipeline.process(shot.pk) for _ in range(4)] == [
        Outcome.RETRY, Outcome.RETRY, Outcome.FAILED, Outcome.NOT_OURS,
    ]  # fmt: skip
    shot.refresh_from_db()
    assert (shot.state, shot.attempts) == ("failed", 3)
    assert "the model choked" in shot.error
    engine.broken = None
    intake.send_again(shot)
    assert pipeline.process(shot.pk) is Outcome.DONE


def test_a_photo_that_kills_its_worker_is_set_aside_by_the_sweeper(session: ClassSession, sent: Sent) -> None:
    shot = waiting(session)
    for _ in range(settings.ROLLCALL_MAX_ATTEMPTS):
        assert pipeline.claim_snapshot(shot.pk) is not None  # and then the process is gone
        Snapshot.objects.filter(pk=shot.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert pipeline.claim_snapshot(shot.pk) is None
    sweeper.sweep()
    shot.refresh_from_db()
    assert shot.state == "failed"
    assert ("process_snapshot", (shot.pk,)) not in sent


def test_the_sweeper_queues_what_was_lost_and_leaves_the_rest(
    session: ClassSession, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    long_ago = now - dt.timedelta(minutes=10)
    lost = [
        make.snapshot(session, state="received", received_at=long_ago),
        make.snapshot(session, state="queued", queued_at=long_ago),
        make.snapshot(session, state="processing", token="0" * 32, lease_until=long_ago, attempts=1),
    ]
    make.snapshot(session, state="received", received_at=now)
    make.snapshot(session, state="queued", queued_at=now)
    make.snapshot(session, state="processing", token="0" * 32, lease_until=now + dt.timedelta(minutes=1))
    make.snapshot(session, state="done")
    make.snapshot(session, state="failed")
    monkeypatch.setattr(intake, "tasks_waiting", lambda: 1)
    assert sweeper.sweep(now) == 3
    assert {arguments[0] for _name, arguments in sent} == {shot.pk for shot in lost}


def test_a_long_backlog_is_not_queued_twice(
    session: ClassSession, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    minutes = (40, 30, 20, 10, 1)
    backlog = [
        make.snapshot(session, state="queued", queued_at=now - dt.timedelta(minutes=minute))
        for minute in minutes
    ]
    monkeypatch.setattr(intake, "tasks_waiting", lambda: 5)
    assert sweeper.sweep(now) == 0
    monkeypatch.setattr(intake, "tasks_waiting", lambda: 3)
    assert sweeper.sweep(now) == 2
    assert [arguments[0] for _name, arguments in sent] == [shot.pk for shot in backlog[:2]]
    monkeypatch.setattr(intake, "tasks_waiting", lambda: 0)
    assert sweeper.sweep(now + dt.timedelta(minutes=3)) == 5


def test_the_queue_says_how_many_tasks_lie_on_it(real_redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = tasks.process_snapshot.app
    monkeypatch.setitem(app.conf, "broker_url", real_redis.replace("unix://", "redis+socket://"))
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    assert intake.tasks_waiting() == 0
    for priority in (None, 0, 9):
        assert intake.publish(tasks.process_snapshot, 1, priority=priority)
    assert intake.tasks_waiting() == 3
    monkeypatch.setitem(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    assert intake.tasks_waiting() == 0


def test_the_sweeper_sends_open_sessions_first(session: ClassSession, sent: Sent) -> None:
    long_ago = timezone.now() - dt.timedelta(hours=1)
    closed = make.session(make.course(), state="closed")
    old = make.snapshot(closed, state="received", received_at=long_ago)
    young = make.snapshot(session, state="received", received_at=long_ago + dt.timedelta(minutes=30))
    sweeper.sweep()
    assert [arguments[0] for _name, arguments in sent] == [young.pk, old.pk]


def test_what_a_lost_worker_held_of_an_open_session_is_next(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: dict[int, int] = {}

    def publish(_task: Any, pk: int, priority: int) -> bool:
        places[pk] = priority
        return True

    monkeypatch.setattr(intake, "publish", publish)
    closed, long_ago = make.session(make.course(), state="closed"), timezone.now() - dt.timedelta(hours=1)
    held = {"state": "processing", "token": "0" * 32, "lease_until": long_ago, "attempts": 1}
    photos = [
        make.snapshot(session, **held),
        make.snapshot(session, state="received", received_at=long_ago),
        make.snapshot(closed, **held),
        make.snapshot(closed, state="received", received_at=long_ago),
    ]
    assert sweeper.sweep() == 4
    expected = [intake.AT_ONCE, intake.OPEN_SESSION, intake.BACKLOG, intake.BACKLOG]
    assert [places[shot.pk] for shot in photos] == expected


def test_with_the_queue_gone_the_sweeper_stops_and_nothing_is_lost(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "publish", lambda *a, **k: False)
    shot = make.snapshot(session, state="received", received_at=timezone.now() - dt.timedelta(hours=1))
    assert sweeper.sweep() == 0
    shot.refresh_from_db()
    assert shot.state == "received"


def test_somebody_who_withdraws_while_a_photo_is_looked_at_is_not_named(
    session: ClassSession, engine: FakeEngine, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = session.course.students.first()
    known = make.encoding(1)
    make.template(one, known)
    engine.faces = [face(near(known, 0.2))]
    pipeline.process(waiting(session, 2).pk)  # the worker's gallery is warm
    real = engine.analyse

    def slow(image: Any) -> Any:
        privacy.withdraw_consent(one, make.teacher())
        return real(image)

    monkeypatch.setattr(engine, "analyse", slow)
    assert pipeline.process(waiting(session, 14).pk) is Outcome.DONE
    assert not Sighting.objects.filter(student=one).exists()
    assert not Candidate.objects.filter(student=one).exists()


def test_not_this_person_holds_for_the_same_face_in_later_photos(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    one = session.course.students.first()
    owner = session.course.teachers.get()
    known = make.encoding(1)
    make.template(one, known)
    wrong = near(known, 0.4)
    engine.faces = [face(wrong)]
    pipeline.process(waiting(session, 2).pk)
    review = reviews.decide(Sighting.objects.get(), "is_not", owner, one)
    engine.faces = [face(near(wrong, 0.1))]
    pipeline.process(waiting(session, 8).pk)
    second = Sighting.objects.last()
    assert (second.student, second.reason) == (None, "rejected_by_person")
    reviews.undo(review, owner)
    engine.faces = [face(near(wrong, 0.1, seed=7))]
    pipeline.process(waiting(session, 14).pk)
    assert Sighting.objects.last().student == one


def test_only_the_sessions_own_roster_is_searched(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    known = make.encoding(1)
    make.template(make.student(make.course()), known)
    engine.faces = [face(near(known, 0.1))]
    pipeline.process(waiting(session).pk)
    sighting = Sighting.objects.get()
    assert (sighting.decision, sighting.reason, sighting.candidates.count()) == (
        "unknown",
        "empty_gallery",
        0,
    )


def test_a_photo_that_comes_after_closing_still_counts(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    one = session.course.students.first()
    known = make.encoding(1)
    make.template(one, known)
    engine.faces = [face(near(known, 0.2))]
    shots = [waiting(session, minute) for minute in (2, 14, 30)]
    classes.close_session(session)
    assert session.marks.get(student=one).status == "not_evaluated"
    for shot in shots:
        pipeline.process(shot.pk)
    assert session.marks.get(student=one).status == "present"


@pytest.mark.parametrize(
    ("level", "expected"), [(0, "black"), (20, "dark"), (127, "blurred"), (250, "bright")]
)
def test_photos_that_prove_nothing_are_told_apart(level: int, expected: str) -> None:
    import numpy as np

    assert pipeline.why_unusable(np.full((120, 160, 3), level, np.uint8), []) == expected


def test_a_photo_with_a_clear_face_is_usable_however_dark_the_room_is() -> None:
    import numpy as np

    dark = np.zeros((120, 160, 3), np.uint8)
    assert pipeline.why_unusable(dark, [face(make.encoding(1))]) == ""
    assert pipeline.why_unusable(dark, [face(make.encoding(1), overall=0.1)]) == "black"
    sharp = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    assert pipeline.why_unusable(sharp, []) == ""
