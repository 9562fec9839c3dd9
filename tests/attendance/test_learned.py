"""What is learned: rates with intervals, replayed strictness, cameras, and a course's own policy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from attendance import errors, marks, policies, reviews
from attendance.learned import cameras, counting, rates, reading, replay, service
from attendance.learned.facts import NOBODY, Face, Likeness, Photo, Session
from attendance.learned.rates import Share
from attendance.models import Camera, ClassSession, Course, PolicyOverride
from recognition.policy import MatchPolicy
from tests import factories as make

POLICY = MatchPolicy.default_for("never.measured")
"""A name from -0.40 on, a person asked from -0.55 on, margin 0.06, step 0.05 a decade, gallery of 30."""
START = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)


# --- rates ----------------------------------------------------------------------------------------
def test_wilson_s_interval_against_published_values() -> None:
    """Brown, Cai and DasGupta (2001): 0 of 10 and 5 of 10 at 95 %."""
    assert (Share(0, 10).low, round(Share(0, 10).high, 3)) == (0.0, 0.278)
    assert (round(Share(5, 10).low, 3), round(Share(5, 10).high, 3)) == (0.237, 0.763)
    assert (Share(0, 0).value, Share(0, 0).low, Share(0, 0).high) == (None, 0.0, 1.0)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_in_its_interval(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    assert 0.0 <= share.low <= (share.value or 0.0) <= share.high <= 1.0


def face(
    number: int, score: float, *, student: int = 1, truth: int | None = None, reason: str = "", **more: Any
) -> Face:
    named = score >= POLICY.accept
    likely = Likeness(student, score, POLICY.probability(score, 30))
    return Face(
        number, more.pop("photo", number), "recognised" if named else "uncertain", reason,
        student if named else None, (likely,), truth, **more,
    )  # fmt: skip


def test_bands_count_what_people_settled() -> None:
    faces = [
        face(1, -0.30, truth=1),
        face(2, -0.30, truth=2),
        face(3, -0.30),
        face(4, -0.30, rejected=frozenset({1})),
        face(5, -0.54, truth=NOBODY),
    ]
    found = {band.low: band.right for band in rates.bands(faces, rates.first_model)}
    assert found[0.99] == Share(1, 3)
    assert found[0.0] == Share(0, 1)
    assert rates.bands(faces, rates.second_model)[0].right == Share(0, 0)


def lesson(number: int, faces: list[Face], said: dict[int, bool] | None = None, roster: int = 30) -> Session:
    photos = tuple(
        Photo(photo, START + dt.timedelta(minutes=photo % 40), True) for photo in {f.photo_id for f in faces}
    )
    policy = {
        "late_after_minutes": 60,
        "early_before_minutes": 60,
        "min_sightings": 1,
        "min_usable_photos": 1,
    }
    everybody = dict.fromkeys(range(1, roster + 1), True)
    return Session(
        number, START, START + dt.timedelta(minutes=50), policy, everybody, photos, tuple(faces), said or {}
    )


def test_error_rates_one_comparison_at_a_time() -> None:
    found = rates.measure(
        [
            lesson(
                1,
                [
                    face(1, -0.30),  # named and left standing: right
                    face(2, -0.50, truth=1),  # missed
                    face(3, -0.30, student=2, truth=1),  # somebody else reached the threshold
                    face(4, -0.50, student=3, truth=NOBODY),
                    face(5, -0.50, student=4),  # nobody said anything
                ],
            )
        ],
        POLICY,
    )
    assert found.false_non_match == Share(2, 3)
    assert found.false_match == Share(1, 29 + 29 + 29 + 30)
    assert found.wrong_names == Share(1, 2)
    assert (found.settled, found.left_standing) == (3, 1)


# --- replay ---------------------------------------------------------------------------------------
def test_a_shift_moves_thresholds_and_probabilities_together() -> None:
    moved = replay.shifted(POLICY, 0.04)
    assert (moved.accept, moved.review) == pytest.approx((-0.36, -0.51))
    assert moved.probability(-0.36, 30) == pytest.approx(POLICY.probability(-0.40, 30))


def generous_room() -> list[Session]:
    """Students named in two photos, a little short of certain, confirmed by people; strangers far below."""
    lessons = []
    for number in range(12):
        faces = [
            face(number * 100 + i, -0.31, student=i, truth=i, photo=number * 10 + 1) for i in range(1, 6)
        ]
        faces += [
            face(
                number * 100 + 50 + i,
                -0.31,
                student=i,
                truth=i,
                photo=number * 10 + 2,
            )
            for i in range(1, 6)
        ]
        faces += [face(number * 100 + 90, -0.54, student=9, truth=NOBODY, photo=number * 10 + 3)]
        lessons.append(lesson(number, faces, dict.fromkeys(range(1, 6), True)))
    return lessons


def test_a_room_that_people_confirm_again_and_again_may_be_more_generous() -> None:
    lessons = generous_room()
    assert replay.missing(lessons) == (0, 0)
    found = replay.suggest(lessons, POLICY)
    assert found is not None
    assert found.shift < 0
    assert found.reviews_saved == found.now.reviews - found.then.reviews > 0
    assert found.marks_changed > 0
    assert (found.then.wrong_marks, found.then.wrong_names) == (0, 0)


def test_strangers_near_the_threshold_hold_generosity_back() -> None:
    lessons = [
        lesson(
            each.session_id,
            [
                *each.faces,
                face(
                    each.session_id * 100 + 99,
                    -0.43,
                    student=20,
                    truth=NOBODY,
                    photo=each.session_id * 10 + 4,
                ),
            ],
            dict(each.said),
        )
        for each in generous_room()
    ]
    found = replay.suggest(lessons, POLICY)
    assert found is None or found.shift >= 0


def test_wrong_names_ask_for_strictness() -> None:
    lessons = [
        lesson(n, [face(n * 10, -0.39, truth=NOBODY), face(n * 10 + 1, -0.2, student=2, truth=2)])
        for n in range(30)
    ]
    found = replay.suggest(lessons, POLICY)
    assert found is not None
    assert found.shift > 0
    assert found.then.wrong_names < found.now.wrong_names == 30


def test_nothing_to_gain_is_no_suggestion() -> None:
    lessons = [
        lesson(n, [face(n * 10, -0.2, truth=1), face(n * 10 + 1, -0.2, photo=n * 10 + 2)]) for n in range(60)
    ]
    assert replay.suggest(lessons, POLICY) is None


def test_a_face_held_back_for_another_reason_is_never_named_by_a_replay() -> None:
    held = [face(n, -0.2, truth=1, reason="models_disagree", photo=n) for n in range(3)]
    assert replay.Replays([lesson(1, held)], POLICY).at(-0.05).wrong_names == 0
    assert not any(certain for _face, _student, certain in replay.names(held, 30, POLICY))


@given(st.lists(st.floats(-0.7, -0.1), min_size=1, max_size=12), st.sampled_from(replay.STEPS))
def test_a_replay_names_nobody_twice_in_a_photo(scores: list[float], step: float) -> None:
    faces = [face(n, score, student=n % 3 + 1, photo=n % 2) for n, score in enumerate(scores)]
    policy = replay.shifted(POLICY, step * POLICY.step_per_decade)
    ranked = sorted(faces, key=lambda each: -each.candidates[0].score)
    named = [
        (found.photo_id, student) for found, student, certain in replay.names(ranked, 30, policy) if certain
    ]
    assert len(named) == len(set(named))


# --- cameras --------------------------------------------------------------------------------------
def test_advice_waits_for_enough_faces_and_names_what_is_wrong() -> None:
    assert cameras.judge(10, 10, 0, 0).missing == 40
    assert cameras.judge(10, 10, 0, 0).advice == ()
    assert cameras.judge(60, 60, 0, 0).advice == ("move_closer",)
    assert cameras.judge(60, 0, 60, 60).advice == ("hold_still", "more_light")
    assert cameras.judge(60, 10, 0, 0).advice == ()


@pytest.mark.django_db
def test_the_database_counts_small_blurred_and_dark_faces_of_each_camera() -> None:
    session = make.session(make.course(make.teacher("grant")))
    boss = make.administrator()
    ceiling, door = (
        Camera.objects.create(name=name, room=make.room(), key_hash=name, key_prefix=name, created_by=boss)
        for name in ("ceiling", "door")
    )
    photo = make.snapshot(session, camera=ceiling)
    small = {"face_pixels": 30.0, "sharpness": 0.1, "light": 0.9}
    blurred = {"face_pixels": 90.0, "sharpness": 0.1, "light": 0.2}
    good = {"face_pixels": 90.0, "sharpness": 0.8, "light": 0.9}
    for index, measured in enumerate([small, small, blurred, good, {"light": 0.1}, {}]):
        make.sighting(photo, None, "unknown", index, quality_details=measured)
    assert reading.cameras([ceiling, door]) == [
        (ceiling, cameras.judge(5, 2, 1, 2)),
        (door, cameras.judge(0, 0, 0, 0)),
    ]


# --- a course's own policy ------------------------------------------------------------------------
@pytest.fixture
def course(db: None) -> Course:
    return make.course(make.teacher("grant"))


def test_a_policy_is_applied_bounded_replaced_and_undone(course: Course) -> None:
    admin = make.administrator()
    measured = MatchPolicy.default_for(make.ENGINE)
    assert policies.policy_for(course.pk, make.ENGINE) == measured
    for shift in (0.0, 0.06, -0.06, 5.0):
        with pytest.raises(errors.PolicyOutOfBounds):
            policies.apply(course, make.ENGINE, shift, admin)
    first = policies.apply(course, make.ENGINE, -0.05, admin, {"marks_changed": 3})
    assert policies.policy_for(course.pk, make.ENGINE).accept == pytest.approx(measured.accept - 0.05)
    policies.apply(course, make.ENGINE, 0.025, admin)
    first.refresh_from_db()
    assert (first.undone_by, first.shown) == (admin, {"marks_changed": 3})
    assert policies.policy_for(course.pk, make.ENGINE).accept == pytest.approx(measured.accept + 0.025)
    assert policies.policy_for(make.course().pk, make.ENGINE) == measured
    assert policies.policy_for(course.pk, "another-engine").accept == pytest.approx(measured.accept)
    policies.undo(course, make.ENGINE, admin)
    assert policies.policy_for(course.pk, make.ENGINE) == measured
    with pytest.raises(errors.NothingToUndo):
        policies.undo(course, make.ENGINE, admin)


def test_the_database_keeps_the_bounds_and_one_standing_policy(course: Course) -> None:
    from django.db import transaction

    admin = make.administrator()
    policies.apply(course, make.ENGINE, 0.05, admin)
    for shift in (0.05, 0.5):
        with pytest.raises(IntegrityError), transaction.atomic():
            PolicyOverride.objects.create(
                course=course, engine_version=make.ENGINE, shift=shift, by=admin, at=timezone.now()
            )


def closed(course: Course, days: int) -> ClassSession:
    start = timezone.now() - dt.timedelta(days=days)
    return make.session(course, "closed", start, min_sightings=1)


def test_facts_come_from_reviews_and_marks(course: Course) -> None:
    student, other = make.student(course), make.student(course)
    make.template(student)
    make.template(other)
    session = closed(course, 2)
    unsure = make.sighting(make.snapshot(session, 5), student, "uncertain")
    unsure.candidates.create(student=student, rank=0, distance=0.45, score=-0.45, probability=0.6)
    stranger = make.sighting(make.snapshot(session, 9), None, "unknown")
    not_a_face = make.sighting(make.snapshot(session, 12), None, "unknown")
    teacher = course.teachers.get()
    reviews.decide(unsure, "is", teacher, student)
    reviews.decide(stranger, "not_in_class", teacher)
    reviews.decide(not_a_face, "not_a_face", teacher)
    taken_back = make.sighting(make.snapshot(session, 15), other, "uncertain")
    reviews.undo(reviews.decide(taken_back, "is", teacher, other), teacher)
    marks.set_by_hand(session, other, "absent", teacher)

    (found,) = reading.lessons(reading.latest(course.pk), make.ENGINE)
    assert {each.sighting_id: each.truth for each in found.faces} == {
        unsure.pk: student.pk,
        stranger.pk: NOBODY,
        taken_back.pk: None,
    }
    assert found.said == {student.pk: True, other.pk: False}
    assert found.enrolled == 2
    learned = counting.of_course(course.pk)
    assert (learned.missing_settled, learned.suggestion) == (48, None)
    assert counting.of_site().rates.settled == 2


def test_a_fixed_number_of_queries(course: Course, django_assert_num_queries: Any) -> None:
    def grow(count: int) -> None:
        for _ in range(count):
            student = make.student(course)
            make.template(student)
            session = closed(course, count)
            face_of = make.sighting(make.snapshot(session, 5), student, "uncertain")
            face_of.candidates.create(student=student, rank=0, distance=0.4, score=-0.4, probability=0.5)
            reviews.decide(face_of, "is", course.teachers.get(), student)

    grow(2)
    with django_assert_num_queries(17) as few:
        service.of_course(course)
    grow(5)
    with django_assert_num_queries(len(few)):
        service.of_course(course)
