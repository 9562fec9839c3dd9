"""Faces offered as templates: which, what they become, and that wrong words cannot walk a gallery to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from hypothesis import given
from hypothesis import strategies as st

from attendance import enrolment, errors, galleries, marks, offers, privacy, reviews
from attendance.engines import from_bytes, to_bytes
from attendance.models import ClassSession, Course, FaceTemplate, Portrait, Review, Sighting, Student
from recognition import growth
from recognition.gallery import Gallery, Template
from recognition.growth import Verdict
from recognition.identification import Probe
from recognition.policy import MatchPolicy
from tests import factories as make

POLICY = MatchPolicy.default_for("never.measured")
"""Scores are minus the distance: accept at 0.40, ask from 0.55, guard at 0.475."""


def at(distance: float, of: np.ndarray, seed: int = 0) -> np.ndarray:
    """An encoding this far from another."""
    way = np.random.default_rng(seed).normal(size=128)
    return (of + distance * way / np.linalg.norm(way)).astype(np.float32)


ADA, BEN = make.encoding(1), make.encoding(2)
OTHERS = Gallery.build([Template(2, BEN, 0.9)], version=POLICY.engine_version)


def verdict(probe: np.ndarray, added: list[np.ndarray] | None = None, quality: float = 0.8) -> Verdict:
    return growth.judge(Probe(probe, quality, 60.0), [ADA], added or [], OTHERS, POLICY).verdict


def test_each_reason_for_and_against() -> None:
    assert verdict(at(0.45, ADA)) is Verdict.ADDS
    assert verdict(at(0.45, ADA), quality=0.2) is Verdict.POOR
    assert verdict(at(0.20, ADA)) is Verdict.NOTHING_NEW
    assert verdict(at(0.45, ADA), [at(0.45, ADA)]) is Verdict.NOTHING_NEW
    assert verdict(at(0.55, ADA)) is Verdict.DRIFTS
    assert verdict(at(0.45, ADA), [at(9.0, ADA)] * 3) is Verdict.ENOUGH
    assert verdict((ADA + BEN) / 2) in (Verdict.LIKE_ANOTHER, Verdict.DRIFTS)
    assert verdict(at(0.1, BEN)) is Verdict.LIKE_ANOTHER
    nobody = growth.judge(Probe(ADA, 0.8, 60.0), [], [ADA], OTHERS, POLICY)
    assert nobody.verdict is Verdict.NO_PORTRAIT


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30))
def test_no_chain_of_wrong_words_walks_away_from_the_portraits(seeds: list[int]) -> None:
    """Somebody confirms, again and again, the face that lies furthest towards another person."""
    limit = -growth.guard_score(POLICY, 2)
    added: list[np.ndarray] = []
    for seed in seeds:
        towards = added[-1] if added else ADA
        step = at(0.44, towards, seed)
        if verdict(step, added) is Verdict.ADDS:
            added.append(step)
    assert len(added) <= growth.MOST_ADDED
    assert all(np.linalg.norm(each - ADA) <= limit + 1e-6 for each in added)
    grown = Gallery.build(
        [Template(1, each, 0.9) for each in (ADA, *added)] + [Template(2, BEN, 0.9)],
        version=POLICY.engine_version,
    )
    distances = grown.distances(np.asarray([BEN], dtype=np.float64))[0]
    assert distances[0] > -POLICY.review > distances[1]


# --- with the database ----------------------------------------------------------------------------
@pytest.fixture
def course(db: None) -> Course:
    return make.course(make.teacher("grant"))


@pytest.fixture
def session(course: Course) -> ClassSession:
    return make.session(course, "closed", min_sightings=1)


def enrolled(course: Course, vector: np.ndarray) -> Student:
    student = make.student(course)
    make.template(student, vector)
    return student


def unsure(session: ClassSession, of: Student, vector: np.ndarray, **fields: Any) -> Sighting:
    snapshot = make.snapshot(session, 5)
    face = {"decision": "uncertain", "encoding": to_bytes(vector), "left": 40, "top": 30, **fields}
    return make.sighting(snapshot, of, **face)


def corrected(session: ClassSession, student: Student, vector: np.ndarray, **fields: Any) -> Sighting:
    sighting = unsure(session, student, vector, **fields)
    reviews.decide(sighting, "is", session.course.teachers.get(), student)
    return sighting


def test_a_corrected_face_is_offered_and_becomes_a_portrait_of_its_own(session: ClassSession) -> None:
    ada = enrolled(session.course, ADA)
    sighting = corrected(session, ada, at(0.45, ADA))
    (offer,) = offers.offers_for(ada)
    assert (offer.sighting, offer.student) == (sighting, ada)
    version = Course.objects.get().gallery_version

    portrait = offers.accept(sighting, ada, session.course.teachers.get())
    assert (portrait.state, portrait.sighting) == ("accepted", sighting)
    assert portrait.from_class_at is not None
    template = portrait.templates.get()
    assert np.allclose(from_bytes(template.encoding), at(0.45, ADA))
    assert Course.objects.get().gallery_version > version
    assert ada.templates.count() == 2
    assert len(galleries.gallery_for(session, make.ENGINE).encodings) == 2
    assert offers.offers_for(ada) == []
    from PIL import Image

    with default_storage.open(str(portrait.image)) as stored, Image.open(stored) as picture:
        assert picture.size == (76, 76)  # the 40 pixels of the face and 45 % round it


def test_other_peoples_faces_in_the_cut_are_painted_over(session: ClassSession) -> None:
    ada = enrolled(session.course, ADA)
    sighting = corrected(session, ada, at(0.45, ADA))
    make.sighting(sighting.snapshot, None, "unknown", 1, left=84, top=30)
    portrait = offers.accept(sighting, ada, session.course.teachers.get())
    from PIL import Image

    with default_storage.open(str(portrait.image)) as stored, Image.open(stored) as picture:
        beside = np.asarray(picture.convert("L"))[22:55, 66:]
    assert np.abs(beside.astype(int) - 127).mean() < 12


@pytest.mark.parametrize(
    ("vector", "fields"),
    [
        (at(0.45, ADA), {"decision": "recognised"}),
        (at(0.2, ADA), {}),
        (at(0.6, ADA), {}),
        (at(0.45, ADA), {"quality": 0.1}),
        (at(0.45, ADA), {"chip": ""}),
    ],
    ids=["confident", "nothing new", "too far", "poor", "expired"],
)
def test_what_is_never_offered(session: ClassSession, vector: np.ndarray, fields: dict[str, Any]) -> None:
    ada = enrolled(session.course, ADA)
    sighting = corrected(session, ada, vector, **fields)
    assert offers.offers_for(ada) == []
    with pytest.raises(errors.OfferGone):
        offers.accept(sighting, ada, session.course.teachers.get())
    assert ada.templates.count() == 1


def test_a_face_settled_in_bulk_is_not_offered(session: ClassSession) -> None:
    ada = enrolled(session.course, ADA)
    corrected(session, ada, at(0.45, ADA))
    Review.objects.update(shown={"bulk": True})
    assert offers.offers_for(ada) == []


def test_without_consent_nothing_is_offered_or_taken(session: ClassSession) -> None:
    ada = enrolled(session.course, ADA)
    sighting = corrected(session, ada, at(0.45, ADA))
    privacy.withdraw_consent(ada, session.course.teachers.get())
    assert offers.offers_for(ada) == []
    with pytest.raises(errors.ConsentMissing):
        offers.accept(sighting, ada, session.course.teachers.get())
    assert not Portrait.objects.exists()


def test_a_withdrawal_takes_the_crop_with_it(
    session: ClassSession, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = enrolled(session.course, ADA)
    portrait = offers.accept(corrected(session, ada, at(0.45, ADA)), ada, session.course.teachers.get())
    with django_capture_on_commit_callbacks(execute=True):
        privacy.withdraw_consent(ada, session.course.teachers.get())
    assert not FaceTemplate.objects.exists()
    assert not Path(default_storage.path(str(portrait.image))).exists()


def test_the_word_taken_back_takes_the_template_with_it(
    session: ClassSession, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada, teacher = enrolled(session.course, ADA), session.course.teachers.get()
    sighting = corrected(session, ada, at(0.45, ADA))
    offers.accept(sighting, ada, teacher)
    with django_capture_on_commit_callbacks(execute=True):
        reviews.undo(sighting.reviews.get(), teacher)
    assert (ada.templates.count(), ada.portraits.count()) == (1, 1)


def test_another_word_about_the_face_takes_it_as_well_even_if_the_server_stopped(
    session: ClassSession,
) -> None:
    ada, teacher = enrolled(session.course, ADA), session.course.teachers.get()
    sighting = corrected(session, ada, at(0.45, ADA))
    offers.accept(sighting, ada, teacher)
    reviews.decide(sighting, "not_in_class", teacher)  # what follows the commit never ran
    assert ada.templates.count() == 2
    assert offers.drop_unfounded() == 1
    assert ada.templates.count() == 1
    assert offers.drop_unfounded() == 0


def test_crops_do_not_stand_alone(session: ClassSession) -> None:
    ada = enrolled(session.course, ADA)
    offers.accept(corrected(session, ada, at(0.45, ADA)), ada, session.course.teachers.get())
    enrolment.remove_portrait(ada.portraits.get(from_class_at__isnull=True))
    assert not ada.templates.exists()
    assert not ada.portraits.exists()


def test_removed_it_is_as_before(session: ClassSession) -> None:
    ada = enrolled(session.course, ADA)
    sighting = corrected(session, ada, at(0.45, ADA))
    enrolment.remove_portrait(offers.accept(sighting, ada, session.course.teachers.get()))
    assert [offer.sighting for offer in offers.offers_for(ada)] == [sighting]


def test_declined_it_is_not_offered_again_until_undone(session: ClassSession) -> None:
    ada, teacher = enrolled(session.course, ADA), session.course.teachers.get()
    sighting = corrected(session, ada, at(0.45, ADA))
    offers.decline(sighting, ada, teacher)
    offers.decline(sighting, ada, teacher)
    assert offers.offers_for(ada) == []
    offers.undo_decline(sighting, ada)
    assert len(offers.offers_for(ada)) == 1
    with pytest.raises(errors.NothingToUndo):
        offers.undo_decline(sighting, ada)


def test_a_drift_attack_through_the_review_never_reaches_another_student(session: ClassSession) -> None:
    """A teacher calls face after face of the way from Ada to Ben *Ada*, and takes whatever is offered."""
    ada, teacher = enrolled(session.course, ADA), session.course.teachers.get()
    ben = enrolled(session.course, BEN)
    for step in range(1, 20):
        corrected(session, ada, ADA + (BEN - ADA) * step / 20)
        for offer in offers.offers_for(ada):
            offers.accept(offer.sighting, ada, teacher)
    gallery = galleries.gallery_for(session, make.ENGINE)
    policy = MatchPolicy.default_for(make.ENGINE)
    _distances, scores = policy.compare(np.asarray([BEN], float), np.array([60.0]), gallery)
    by_student = dict(zip(gallery.subject_ids, scores[0], strict=True))
    accept, review = policy.thresholds(len(gallery))
    assert by_student[ada.pk] < review < accept < by_student[ben.pk]
    assert ada.templates.count() <= 1 + growth.MOST_ADDED


def test_the_list_of_a_course_costs_the_same_for_every_class(
    session: ClassSession, django_assert_max_num_queries: Any
) -> None:
    for seed in range(10, 18):
        one = make.encoding(seed)
        corrected(session, enrolled(session.course, one), at(0.45, one))
    marks.recompute(session.pk)
    with django_assert_max_num_queries(4):
        assert len(offers.offers_in(session.course)) == 8
