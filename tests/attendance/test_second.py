"""The second opinion in the worker: on, off, broken; what it keeps, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance import engines, enrolment, galleries, marks, pipeline, privacy, reviews, second
from attendance.models import (
    ClassSession,
    FaceTemplate,
    SecondOpinion,
    Sighting,
    Snapshot,
    Student,
    TemplateEmbedding,
)
from attendance.pipeline import Outcome
from attendance.retention import purge
from recognition import lfw_cnn
from recognition.types import Face
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near
from tests.attendance.test_second_rule import POLICY

pytestmark = pytest.mark.django_db

Sent = list[tuple[str, tuple[Any, ...]]]
BRIGHTNESS = 20
"""Chips of the tests are flat; the fake network tells them apart by how bright they are, in steps of this."""


@dataclass
class FakeEncoder:
    """Sees a face's brightness, and calls ``meanwhile`` before it answers."""

    version: str = "second-a"
    dimensions: int = 12
    batches: list[int] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def encode(self, chips: np.ndarray) -> np.ndarray:
        assert chips.dtype == np.uint8
        assert chips.shape[1:] == (150, 150, 3)
        self.batches.append(len(chips))
        self.meanwhile()
        steps = np.rint(chips.mean(axis=(1, 2, 3)) / BRIGHTNESS).astype(int)
        return np.eye(self.dimensions, dtype=np.float32)[steps]


def use(encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    network = engines.SecondNetwork(encoder, POLICY)  # type: ignore[arg-type]
    monkeypatch.setattr(engines, "_load_second_network", lambda: network)


@pytest.fixture
def encoder(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEncoder]:
    settings.ROLLCALL_SECOND_OPINION = True
    fake = FakeEncoder()
    use(fake, monkeypatch)
    yield fake
    second._unreadable.clear()


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=3))


def chip(step: int) -> np.ndarray:
    return np.full((150, 150, 3), step * BRIGHTNESS, np.uint8)


def enrolled(session: ClassSession) -> list[Student]:
    """Three students; to both networks each is unlike the others: seeds and steps 1, 2, 3."""
    students = list(session.course.students.order_by("pk"))
    for step, student in enumerate(students, 1):
        add_template(student, step)
    return students


def add_template(student: Student, step: int) -> FaceTemplate:
    template = make.template(student, make.encoding(step))
    name = make.stored("templates", second.photos.encode_jpeg(chip(step)))
    FaceTemplate.objects.filter(pk=template.pk).update(chip=name)
    return template


def seen(first: int, second_step: int, left: float = 0.0) -> Face:
    """A face that recognition takes for student ``first`` and the second network for ``second_step``."""
    return replace(face(near(make.encoding(first), 0.3), left), chip=chip(second_step))


def waiting(session: ClassSession, minute: float = 5) -> Snapshot:
    return make.snapshot(session, minute, state="queued", queued_at=timezone.now())


def opinions() -> list[tuple[str, int | None]]:
    return list(SecondOpinion.objects.order_by("sighting__index").values_list("agreement", "student_id"))


def test_every_face_gets_both_answers_in_one_batch(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    one, two, three = enrolled(session)
    engine.faces = [seen(1, 1), seen(2, 9, 100), seen(7, 3, 200), seen(8, 9, 300)]
    assert pipeline.process(waiting(session).pk) is Outcome.DONE
    assert encoder.batches == [3, 4], "the roster's templates once, then the photo's faces together"
    assert [name for name, _ in opinions()] == ["same", "first_only", "second_only", "neither"]
    best = SecondOpinion.objects.get(sighting__index=0)
    assert (best.student_id, best.encoder_version) == (one.pk, "second-a")
    assert best.distance == pytest.approx(0.0, abs=1e-5)
    assert best.probability is not None
    assert best.probability > 0.9
    assert best.milliseconds > 0
    faces = Sighting.objects.order_by("index")
    assert [f.decision for f in faces] == ["recognised", "recognised", "unknown", "unknown"]
    assert [f.student_id for f in faces] == [one.pk, two.pk, None, None]
    assert SecondOpinion.objects.get(sighting__index=2).student == three


def test_two_names_send_the_face_to_a_person(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    one, two, _three = enrolled(session)
    engine.faces = [seen(1, 2)]
    for minute in (2, 14):
        pipeline.process(waiting(session, minute).pk)
    sighting = Sighting.objects.first()
    assert sighting is not None
    assert (sighting.decision, sighting.reason, sighting.student) == ("uncertain", "models_disagree", one)
    opinion = second.opinion_of(sighting)
    assert opinion is not None
    assert (opinion.agreement, opinion.student) == ("different", two)
    assert session.marks.get(student=one).to_check
    reviews.decide(sighting, "is", session.course.teachers.get(), one)
    pipeline.process(waiting(session, 20).pk)
    marks.recompute(session.pk)
    assert session.marks.get(student=one).status == "present", "a person's word stands"


def test_switched_off_nothing_is_read_and_nothing_changes(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent, settings: Any
) -> None:
    settings.ROLLCALL_SECOND_OPINION = False
    one, _two, _three = enrolled(session)
    engine.faces = [seen(1, 2)]
    assert pipeline.process(waiting(session).pk) is Outcome.DONE
    assert encoder.batches == []
    assert not SecondOpinion.objects.exists()
    assert not TemplateEmbedding.objects.exists()
    sighting = Sighting.objects.get()
    assert (sighting.decision, sighting.student) == ("recognised", one)
    assert second.opinion_of(sighting) is None


@pytest.mark.parametrize("damage", ["missing", "other bytes", "no sums"])
def test_missing_or_damaged_weights_are_a_line_in_the_log(
    damage: str, session: ClassSession, engine: FakeEngine, sent: Sent, settings: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    settings.ROLLCALL_SECOND_OPINION = True
    weights = tmp_path / "second.safetensors"
    if damage != "missing":
        weights.write_bytes(b"not weights at all")
    if damage == "other bytes":
        weights.with_name(lfw_cnn.CHECKSUMS).write_text(f"{'0' * 64}  {weights.name}\n")
    monkeypatch.setattr(lfw_cnn, "WEIGHTS", weights)
    engines._load_second_network.cache_clear()
    try:
        one, _two, _three = enrolled(session)
        engine.faces = [seen(1, 2)]
        with caplog.at_level(logging.WARNING):
            outcomes = {pipeline.process(waiting(session, minute).pk) for minute in (1, 2, 3)}
    finally:
        engines._load_second_network.cache_clear()
    assert outcomes == {Outcome.DONE}
    assert Sighting.objects.filter(decision="recognised", student=one).count() == 3
    assert not SecondOpinion.objects.exists()
    said = [record.message for record in caplog.records if "no second opinion" in record.message]
    assert len(said) == 1, "said once a process, not once a photo"


def test_a_network_that_fails_costs_its_opinion_and_nothing_else(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    def fail() -> None:
        raise RuntimeError("out of numbers")

    enrolled(session)
    encoder.meanwhile = fail
    engine.faces = [seen(1, 1)]
    assert pipeline.process(waiting(session).pk) is Outcome.DONE
    assert Sighting.objects.get().decision == "recognised"
    assert not SecondOpinion.objects.exists()


def test_constants_that_do_not_fit_cost_the_opinion_and_nothing_else(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent, monkeypatch: Any
) -> None:
    one, _two, _three = enrolled(session)
    older = engines.SecondNetwork(encoder, replace(POLICY, weights={}))  # type: ignore[arg-type]
    monkeypatch.setattr(engines, "_load_second_network", lambda: older)
    engine.faces = [seen(1, 2)]
    assert pipeline.process(waiting(session).pk) is Outcome.DONE
    assert Sighting.objects.get().student == one
    assert not SecondOpinion.objects.exists()


def test_a_template_whose_crop_is_gone_is_passed_over_and_not_tried_for_every_photo(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    one, two, _three = enrolled(session)
    default_storage.delete(one.templates.get().chip.name)
    engine.faces = [seen(1, 2), seen(2, 2, 100)]
    for minute in (1, 2):
        assert pipeline.process(waiting(session, minute).pk) is Outcome.DONE
    assert encoder.batches == [2, 2, 2]
    named = Sighting.objects.filter(snapshot=Snapshot.objects.first()).order_by("index")
    assert [each.decision for each in named] == ["recognised", "recognised"]
    assert second.opinion_of(named[0]) is None, "nobody is doubted for lacking an embedding"
    assert second.opinion_of(named[1]).student == two  # type: ignore[union-attr]


def test_the_number_of_queries_does_not_grow_with_faces_or_students(
    engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    def queries(students: int) -> int:
        session = make.session(make.course(make.teacher(), students=students))
        for step, student in enumerate(session.course.students.order_by("pk"), 1):
            add_template(student, step)
        engine.faces = [seen(step, step, 100.0 * step) for step in range(1, students + 1)]
        pipeline.process(waiting(session).pk)
        shot = waiting(session)
        with CaptureQueriesContext(connection) as captured:
            assert pipeline.process(shot.pk) is Outcome.DONE
        return len(captured)

    assert queries(2) == queries(9)


# --- withdrawal and expiry ----------------------------------------------------------------------------
def test_withdrawal_takes_embeddings_and_opinions_also_from_a_warm_worker(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    one, two, _three = enrolled(session)
    engine.faces = [seen(1, 1), seen(2, 1, 100), seen(3, 3, 200)]
    pipeline.process(waiting(session).pk)
    assert one.pk in galleries.second_gallery_for(session, encoder.version).students
    privacy.withdraw_consent(one, session.course.teachers.get())
    assert not TemplateEmbedding.objects.filter(template__student=one).exists()
    assert TemplateEmbedding.objects.filter(template__student=two).exists()
    assert not SecondOpinion.objects.filter(student=one).exists()
    assert [agreement for agreement, _student in opinions()] == ["same"]
    assert one.pk not in galleries.second_gallery_for(session, encoder.version).students
    kept = [gallery.students for gallery in galleries._second_galleries._kept.values()]
    assert not any(one.pk in students for students in kept)


def test_a_photo_in_flight_does_not_name_who_withdrew(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    one, _two, _three = enrolled(session)
    second.bring_up_to_date(session)
    owner = session.course.teachers.get()
    encoder.meanwhile = lambda: privacy.withdraw_consent(one, owner) if one.templates.exists() else None
    engine.faces = [seen(1, 1), seen(9, 1, 100)]
    assert pipeline.process(waiting(session).pk) is Outcome.DONE
    assert not SecondOpinion.objects.filter(student=one).exists()
    assert not Sighting.objects.filter(student=one).exists()


def test_consent_that_ends_while_templates_are_embedded_leaves_no_embedding(
    session: ClassSession, encoder: FakeEncoder
) -> None:
    one, two, _three = enrolled(session)
    owner = session.course.teachers.get()
    encoder.meanwhile = lambda: privacy.withdraw_consent(one, owner) if one.templates.exists() else None
    due = list(second.templates_without(encoder.version).values_list("pk", flat=True))
    assert second.embed(due) == 2
    assert not TemplateEmbedding.objects.filter(template__student=one).exists()
    assert TemplateEmbedding.objects.filter(template__student=two).exists()


def test_photos_that_expire_take_their_opinions_along(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent
) -> None:
    enrolled(session)
    engine.faces = [seen(1, 1), seen(8, 9, 100)]
    pipeline.process(waiting(session).pk)
    week, month = timezone.timedelta(days=8), timezone.timedelta(days=31)
    purge.purge_expired(timezone.now() + week)
    assert [agreement for agreement, _student in opinions()] == ["same"], "unknown faces go first"
    purge.purge_expired(timezone.now() + month)
    assert opinions() == []


# --- enrolled faces -----------------------------------------------------------------------------------
def received(student: Student) -> Any:
    make.consent(student)
    return enrolment.receive_portrait(student, make.jpeg(student.pk), make.teacher())


def test_enrolment_makes_the_embedding_with_the_template(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent, monkeypatch: Any
) -> None:
    monkeypatch.setattr(enrolment, "portrait_problems", lambda image, faces: [])
    student = session.course.students.first()
    engine.faces = [seen(1, 4)]
    enrolment.check_portrait(received(student).pk)
    embedding = TemplateEmbedding.objects.get(template__student=student)
    assert embedding.encoder_version == "second-a"
    assert engines.from_bytes(embedding.embedding).argmax() == 4


def test_a_second_network_that_fails_hinders_no_enrolment(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent, monkeypatch: Any
) -> None:
    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(enrolment, "portrait_problems", lambda image, faces: [])
    encoder.meanwhile = fail
    student = session.course.students.first()
    engine.faces = [seen(1, 4)]
    enrolment.check_portrait(received(student).pk)
    assert student.portraits.get().state == "accepted"
    assert not TemplateEmbedding.objects.exists()


def test_reencode_goes_on_where_it_was_killed(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, monkeypatch: Any, capsys: Any
) -> None:
    for step, student in enumerate([*session.course.students.all()] * 3, 1):
        add_template(student, step)
    monkeypatch.setattr(second, "BATCH", 4)

    def killed() -> None:
        if len(encoder.batches) == 2:
            raise KeyboardInterrupt

    encoder.meanwhile = killed
    with pytest.raises(KeyboardInterrupt):
        call_command("reencode")
    assert TemplateEmbedding.objects.count() == 4
    encoder.meanwhile = lambda: None
    call_command("reencode")
    assert TemplateEmbedding.objects.count() == 9
    assert encoder.batches == [4, 4, 4, 1], "what was made is not made again"
    call_command("reencode")
    assert "0 embeddings made by second-a" in capsys.readouterr().out


def test_reencode_says_that_there_is_no_second_opinion(
    engine: FakeEngine, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ROLLCALL_SECOND_OPINION = False
    call_command("reencode")
    assert "no second opinion here" in capsys.readouterr().out


def test_weights_replaced_while_a_photo_is_in_flight(
    session: ClassSession, engine: FakeEngine, encoder: FakeEncoder, sent: Sent, monkeypatch: Any
) -> None:
    one, _two, _three = enrolled(session)
    old, new = encoder, FakeEncoder(version="second-b")
    second.bring_up_to_date(session)

    def replaced() -> None:
        """Another process, started with the new weights, makes its embeddings and removes the old ones."""
        use(new, monkeypatch)
        second.bring_up_to_date(session)
        second.remove_outdated(new.version)
        use(old, monkeypatch)

    old.meanwhile = replaced
    engine.faces = [seen(1, 1)]
    assert pipeline.process(waiting(session, 1).pk) is Outcome.DONE
    assert opinions() == [], "embeddings of two networks are never compared"
    assert Sighting.objects.get().student == one
    use(new, monkeypatch)
    assert pipeline.process(waiting(session, 2).pk) is Outcome.DONE
    assert SecondOpinion.objects.get().encoder_version == "second-b"
    assert set(TemplateEmbedding.objects.values_list("encoder_version", flat=True)) == {"second-b"}


def test_the_shipped_network_answers_in_the_worker(
    session: ClassSession, engine: FakeEngine, sent: Sent, settings: Any
) -> None:
    settings.ROLLCALL_SECOND_OPINION = True
    noise = np.random.default_rng(5).integers(0, 255, (2, 150, 150, 3), dtype=np.uint8)
    one, two, _three = session.course.students.order_by("pk")
    for student, pixels, seed in ((one, noise[0], 1), (two, noise[1], 2)):
        template = make.template(student, make.encoding(seed))
        name = make.stored("templates", second.photos.encode_jpeg(pixels))
        FaceTemplate.objects.filter(pk=template.pk).update(chip=name)
    engine.faces = [replace(face(near(make.encoding(1), 0.3)), chip=noise[0])]
    assert pipeline.process(waiting(session).pk) is Outcome.DONE
    network = engines.second_network()
    assert network is not None
    opinion = SecondOpinion.objects.get()
    assert (opinion.student, opinion.encoder_version) == (one, network.policy.version)
    assert opinion.distance is not None
    assert opinion.distance < 0.1, "the very crop it was enrolled with"
    assert TemplateEmbedding.objects.filter(encoder_version=network.encoder.version).count() == 2
