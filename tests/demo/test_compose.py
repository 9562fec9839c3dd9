"""Classroom photos put together: repeatable, with the truth about where faces are."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attendance.demo import people, room
from attendance.demo.compose import Composed, Shot, Sitter, compose
from attendance.demo.cutout import cut_out
from attendance.demo.people import FacePhoto
from attendance.engines import current_engine


def shot(*sitters: Sitter, number: int = 0, seed: int = 1) -> Shot:
    return Shot(sitters, room.seats(11), number, dt.time(9, 16), seed)


def seated(photo: FacePhoto, seat: int, unclear: float = 0.0) -> Sitter:
    return Sitter(room.seats(11)[seat], photo, photo.box, unclear)


def pixels(composed: Composed) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(composed.jpeg)))


def test_the_same_request_gives_the_same_bytes(drawn_person: FacePhoto) -> None:
    asked = shot(seated(drawn_person, 5), seated(drawn_person, 9))
    first = compose(asked)
    cut_out.cache_clear()
    room.back_wall.cache_clear()
    assert compose(asked) == first


def test_another_photo_or_another_seed_is_another_picture(drawn_person: FacePhoto) -> None:
    asked = shot(seated(drawn_person, 5))
    others = [compose(replace(asked, number=1)), compose(replace(asked, seed=2))]
    assert len({composed.jpeg for composed in [compose(asked), *others]}) == 3


def test_faces_are_where_the_truth_says(drawn_person: FacePhoto) -> None:
    with_person, without = compose(shot(seated(drawn_person, 5))), compose(shot())
    left, top, right, bottom = (round(edge) for edge in with_person.faces[0] or ())
    changed = np.abs(pixels(with_person).astype(int) - pixels(without)).max(axis=2) > 40
    assert changed[top:bottom, left:right].mean() > 0.85
    assert changed.sum() < 20 * (right - left) * (bottom - top), "the rest of the room stays as it is"


def test_seats_far_from_the_camera_have_smaller_faces(drawn_person: FacePhoto) -> None:
    faces = compose(shot(seated(drawn_person, 0), seated(drawn_person, 9))).faces
    widths = [box[2] - box[0] for box in faces if box]
    assert 1.4 * widths[0] < widths[1]


def test_whoever_is_bent_over_the_paper_has_no_face() -> None:
    composed = compose(shot(*(Sitter(seat, None) for seat in room.seats(11))))
    assert composed.faces == (None,) * 11
    assert current_engine().detector.detect(pixels(composed)) == []


@pytest.mark.parametrize("count", [1, 11, 12, 33, 45])
def test_there_is_a_seat_for_everybody_inside_the_photo(count: int) -> None:
    seats = room.seats(count)
    assert len(seats) >= count
    assert len(set(seats)) == len(seats)
    for seat in seats:
        assert seat.face_width / 2 < seat.x < room.WIDTH - seat.face_width / 2
        assert seat.face_width < seat.y < room.HEIGHT - 2 * seat.face_width


def test_cutting_out_leaves_the_wall_behind(drawn_person: FacePhoto) -> None:
    cut = cut_out(drawn_person, drawn_person.box, 80)
    x, y = (round(value) for value in cut.centre)
    assert cut.image[y, x, 3] == 255
    assert cut.image[:10, :, 3].max() == 0
    assert cut.image[y, :10, 3].max() == 0


def test_unclear_faces_lose_their_detail(demo_photos: dict[str, Path]) -> None:
    cast = people.built_in(demo_photos)
    sharpness = []
    for unclear in (0.0, 0.5):
        composed = compose(shot(seated(cast.to_check.seen[0], 9, unclear)))
        faces = current_engine().analyse(pixels(composed))
        sharpness.append(faces[0].quality.sharpness if faces else 0.0)
    assert sharpness[0] > 0.3 > sharpness[1]
