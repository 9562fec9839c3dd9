"""Taking the roll is a pure function: every case of it in milliseconds."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.rollcall import (
    Evidence,
    Line,
    Photo,
    Reason,
    RosterMember,
    Seen,
    SessionFacts,
    Source,
    Status,
    moments,
    take_roll,
)

START = dt.datetime(2026, 3, 12, 9, 0, tzinfo=dt.UTC)
END = START + dt.timedelta(minutes=50)
OVER = SessionFacts(START, END, final=True)
RUNNING = SessionFacts(START, END, final=False)


def photos(*minutes: float, usable: bool = True) -> list[Photo]:
    """Photos numbered by the minute they were taken in."""
    return [Photo(int(m), START + dt.timedelta(minutes=m), usable) for m in minutes]


def seen(student_id: int, *minutes: int, certain: bool = True) -> list[Seen]:
    return [Seen(student_id, minute, certain) for minute in minutes]


def one(
    sightings: list[Seen], taken: list[Photo], session: SessionFacts = OVER, *, has_templates: bool = True
) -> Line:
    (line,) = take_roll(session, [RosterMember(1, has_templates)], taken, sightings)
    return line


def test_a_student_nobody_saw_is_on_the_roll_and_absent_when_the_session_is_over() -> None:
    line = one([], photos(2, 14, 30))
    assert (line.status, line.reason) == (Status.ABSENT, Reason.NEVER_SEEN)


def test_a_student_nobody_saw_yet_is_not_absent_while_the_session_runs() -> None:
    line = one([], photos(2, 14, 30), RUNNING)
    assert (line.status, line.reason) == (Status.NOT_EVALUATED, Reason.NOT_SEEN_YET)


@pytest.mark.parametrize(
    "taken",
    [[], photos(2), photos(2, 14), photos(2, 14, 20, 30, usable=False)],
    ids=["no photo", "one photo", "two photos", "four black ones"],
)
def test_a_dead_camera_marks_nobody_absent(taken: list[Photo]) -> None:
    line = one([], taken)
    assert (line.status, line.reason) == (Status.NOT_EVALUATED, Reason.TOO_FEW_PHOTOS)


def test_seen_often_enough_is_present() -> None:
    line = one(seen(1, 2, 14), photos(2, 14, 30))
    assert (line.status, line.seen_in, line.source) == (Status.PRESENT, 2, Source.RECOGNISED)
    assert line.first_seen_at == START + dt.timedelta(minutes=2)


def test_seen_too_seldom_goes_to_a_person() -> None:
    line = one(seen(1, 14), photos(2, 14, 30))
    assert (line.status, line.reason, line.to_check) == (Status.NOT_EVALUATED, Reason.SEEN_TOO_SELDOM, True)


def test_an_unsure_face_goes_to_a_person_and_never_makes_absent_or_present() -> None:
    line = one(seen(1, 2, 14, 30, certain=False), photos(2, 14, 30))
    assert (line.status, line.reason, line.to_check) == (Status.NOT_EVALUATED, Reason.FACE_TO_CHECK, True)


def test_two_faces_of_one_student_in_one_photo_count_once() -> None:
    line = one(seen(1, 14) * 5, photos(2, 14, 30))
    assert (line.status, line.seen_in) == (Status.NOT_EVALUATED, 1)


def test_one_confirmed_face_is_enough() -> None:
    line = one([Seen(1, 2, certain=True, confirmed=True)], photos(2, 14, 30), RUNNING)
    assert (line.status, line.reason, line.source) == (Status.PRESENT, Reason.CONFIRMED, Source.REVIEWED)


def test_first_seen_after_the_limit_is_late_with_whole_minutes() -> None:
    line = one(seen(1, 14, 30), photos(2, 8, 14, 30))
    assert (line.status, line.minutes_late) == (Status.LATE, 14)


def test_exactly_at_the_limit_is_not_late() -> None:
    assert one(seen(1, 10, 30), photos(2, 10, 30)).status is Status.PRESENT


def test_a_late_camera_makes_nobody_late() -> None:
    assert one(seen(1, 20, 30), photos(20, 30, 40)).status is Status.PRESENT


def test_one_missed_first_photo_makes_nobody_late() -> None:
    assert one(seen(1, 14, 30), photos(2, 14, 30)).status is Status.PRESENT
    assert one(seen(1, 14, 30), [*photos(2, 14, 30), *photos(8, usable=False)]).status is Status.PRESENT
    assert one(seen(1, 14, 30), photos(2, 8, 14, 30)).status is Status.LATE


def test_two_cameras_that_missed_somebody_at_once_are_one_missed_photo() -> None:
    at_once = by_cameras((2, 7), (2.1, 8), (14, 7), (14.1, 8), (30, 7))
    assert one([Seen(1, 2, True), Seen(1, 4, True)], at_once).status is Status.PRESENT


@given(st.lists(st.integers(0, 49), unique=True, min_size=2, max_size=12), st.data())
def test_coming_late_and_leaving_early_are_told_by_the_same_rule(
    taken: list[int], data: st.DataObject
) -> None:
    """A lesson played backwards: who came late has left early, by as many minutes, and the other way round."""
    on = data.draw(st.lists(st.sampled_from(taken), unique=True, min_size=2))
    line = one(seen(1, *on), photos(*taken))
    back = one(seen(1, *(50 - minute for minute in on)), photos(*(50 - minute for minute in taken)))
    first_missed = sum(minute < min(on) for minute in taken)
    assert (line.status is Status.LATE) == (min(on) > 10 and first_missed >= 2)
    if line.status is Status.LATE and max(on) >= 40:
        assert (back.status, back.minutes_early) == (Status.LEFT_EARLY, line.minutes_late)


def test_left_early_needs_two_photos_without_the_student() -> None:
    assert one(seen(1, 2, 14), photos(2, 14, 30)).status is Status.PRESENT
    line = one(seen(1, 2, 14), photos(2, 14, 30, 45))
    assert (line.status, line.reason, line.minutes_early) == (Status.LEFT_EARLY, Reason.SEEN_LEAVING, 36)


def test_one_confirmed_face_says_present_and_not_for_how_long() -> None:
    assert one([Seen(1, 2, certain=True, confirmed=True)], photos(2, 14, 30, 45)).status is Status.PRESENT


def test_nobody_has_left_early_while_the_session_runs() -> None:
    assert one(seen(1, 2, 8), photos(2, 8, 14, 20), RUNNING).status is Status.PRESENT


def test_without_templates_a_student_is_never_absent_by_camera() -> None:
    line = one([], photos(2, 14, 30), has_templates=False)
    assert (line.status, line.reason) == (Status.NOT_EVALUATED, Reason.NO_TEMPLATE)


def test_people_who_are_not_on_the_roster_get_no_line() -> None:
    assert take_roll(OVER, [], photos(2), seen(9, 2)) == []


def test_faces_of_photos_that_are_not_given_do_not_count() -> None:
    assert one(seen(1, 99, 98), photos(2, 14, 30)).status is Status.ABSENT


def weighed(sightings: list[Seen], taken: list[Photo], weight: Evidence) -> Line:
    (line,) = take_roll(OVER, [RosterMember(1)], taken, sightings, {1: weight})
    return line


def test_many_unsure_faces_that_weigh_enough_together_are_presence() -> None:
    line = weighed(seen(1, 2, 14, 30, certain=False), photos(2, 14, 30), Evidence.PRESENT)
    assert (line.status, line.seen_in) == (Status.PRESENT, 3)


def test_named_faces_that_do_not_weigh_enough_go_to_a_person() -> None:
    for weight in (Evidence.REVIEW, Evidence.NOT_SEEN):
        line = weighed(seen(1, 2, 14), photos(2, 14, 30), weight)
        assert (line.status, line.to_check) == (Status.NOT_EVALUATED, True)


def test_an_unsure_face_that_weighs_nothing_does_not_cost_a_person_time() -> None:
    line = weighed(seen(1, 2, certain=False), photos(2, 14, 30), Evidence.NOT_SEEN)
    assert (line.status, line.to_check) == (Status.ABSENT, False)


def test_a_persons_word_outweighs_everything() -> None:
    line = weighed([Seen(1, 2, certain=True, confirmed=True)], photos(2, 14, 30), Evidence.NOT_SEEN)
    assert line.status is Status.PRESENT


minutes = st.integers(0, 49)
sightings = st.lists(st.builds(Seen, st.integers(1, 5), minutes, st.booleans(), st.just(False)), max_size=40)


@given(st.lists(minutes, unique=True, max_size=12), sightings, st.booleans(), st.randoms())
def test_the_order_of_facts_never_matters(
    taken: list[int], faces: list[Seen], final: bool, random: object
) -> None:
    roster = [RosterMember(n) for n in range(1, 6)]
    facts = SessionFacts(START, END, final=final)
    shots = photos(*taken)
    first = take_roll(facts, roster, shots, faces)
    random.shuffle(shots)  # type: ignore[attr-defined]
    random.shuffle(faces)  # type: ignore[attr-defined]
    assert take_roll(facts, roster, shots, faces) == first


@given(st.lists(minutes, unique=True, max_size=12), sightings, st.booleans())
def test_everybody_on_the_roster_has_exactly_one_line(
    taken: list[int], faces: list[Seen], final: bool
) -> None:
    roster = [RosterMember(n) for n in range(1, 6)]
    lines = take_roll(SessionFacts(START, END, final=final), roster, photos(*taken), faces)
    assert [line.student_id for line in lines] == [1, 2, 3, 4, 5]


@given(st.lists(minutes, unique=True, max_size=12), sightings)
def test_absent_always_means_enough_usable_photos_and_no_face_at_all(
    taken: list[int], faces: list[Seen]
) -> None:
    shots = photos(*taken)
    ids = {photo.photo_id for photo in shots}
    for line in take_roll(OVER, [RosterMember(n) for n in range(1, 6)], shots, faces):
        if line.status is Status.ABSENT:
            assert len(shots) >= OVER.policy.min_usable_photos
            assert not any(face.student_id == line.student_id and face.photo_id in ids for face in faces)


@given(st.lists(minutes, unique=True, max_size=12), sightings)
def test_one_more_certain_face_never_takes_presence_away(taken: list[int], faces: list[Seen]) -> None:
    shots = photos(*taken)
    here = {Status.PRESENT, Status.LATE, Status.LEFT_EARLY}
    before = take_roll(OVER, [RosterMember(1)], shots, faces)[0]
    if before.status in here and shots:
        after = take_roll(OVER, [RosterMember(1)], shots, [*faces, Seen(1, shots[0].photo_id, certain=True)])[
            0
        ]
        assert after.status in here


def by_cameras(*taken: tuple[float, int], usable: bool = True) -> list[Photo]:
    """Photos numbered as they come: minute and camera."""
    return [
        Photo(number, START + dt.timedelta(minutes=minute), usable, camera)
        for number, (minute, camera) in enumerate(taken)
    ]


def test_a_student_seen_by_two_cameras_at_once_was_seen_once() -> None:
    taken = by_cameras((2, 7), (2.2, 8), (14, 7), (14.1, 8))
    at_once = [Seen(1, 0, True), Seen(1, 1, True)]
    line = one(at_once, taken)
    assert (line.status, line.reason, line.seen_in) == (
        Status.NOT_EVALUATED,
        Reason.SEEN_TOO_SELDOM,
        1,
    )
    later = one([*at_once, Seen(1, 3, True)], taken)
    assert (later.status, later.seen_in) == (Status.PRESENT, 2)


def test_only_other_cameras_photos_of_the_same_minute_are_one_look() -> None:
    assert moments(by_cameras((0, 7), (0.1, 8), (0.5, 7), (0.6, 8))) == {0: 0, 1: 0, 2: 2, 3: 2}
    assert moments(by_cameras((0, 7), (1.2, 8))) == {0: 0, 1: 1}
    assert moments(photos(0, 1)) == {0: 0, 1: 1}


def test_a_second_camera_that_sees_nobody_neither_makes_them_leave_nor_come_late() -> None:
    minutes = (1, 12, 24, 36, 48)
    taken = by_cameras(*((minute, camera) for minute in minutes for camera in (7, 8)))
    line = one([Seen(1, 2 * turn, True) for turn in range(5)], taken)
    assert (line.status, line.seen_in) == (Status.PRESENT, 5)


def test_a_blind_second_camera_marks_nobody_absent() -> None:
    good = by_cameras((2, 7), (14, 7), (30, 7))
    dark = [Photo(9, START + dt.timedelta(minutes=2), False, 8)]
    assert one([], good).status == Status.ABSENT
    assert one([], [*good, *dark]).reason == Reason.TOO_FEW_PHOTOS
    by_hand = [Photo(n, START + dt.timedelta(minutes=n), True) for n in (10, 20, 40)]
    assert one([], [*good, *dark, *by_hand]).status == Status.ABSENT
