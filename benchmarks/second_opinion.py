"""``python -m benchmarks.second_opinion``: what the second opinion costs a person at the desk, and the worker.

``desk``: made-up lessons of people of LFW whom the second network never saw and on whom nothing was fitted: 30
students with three templates, three of them away, two visitors, one to three photos. Each photo goes through
``identify`` and through the rule of the second opinion, as in the worker; then the sightings of the lesson are weighed.
``time``: the batch of one photo's faces, and the rule behind it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attendance.second_rule import Considered, Names, SecondGallery, consider
from recognition import threads
from recognition.engine import load_engine
from recognition.evaluate.encoded import Encoded, encode_lfw
from recognition.evaluate.lfw_data import Lfw
from recognition.evidence import SightingEvidence, presence
from recognition.gallery import Gallery, Template
from recognition.identification import Decision, Identification, Probe, identify
from recognition.lfw_cnn import load_second_encoder, splits
from recognition.lfw_cnn.frames import frames_of
from recognition.lfw_cnn.opinion import load_policy
from recognition.policy import MatchPolicy

STUDENTS, AWAY, VISITORS, TEMPLATES, PHOTOS = 30, 3, 2, 3, 3
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Rows of the data set: ``templates`` (30, 3), the last three students being away; ``photos`` (3, 29): the 27
    who are there and two visitors."""

    templates: Rows
    photos: Rows


@dataclass(frozen=True, slots=True)
class Photo:
    """Recognition's answers, and what both networks' come to, in the order of the faces."""

    first: list[Identification]
    both: list[Considered]


def draw(data: Lfw, usable: NDArray[np.bool_], lessons: int, seed: int) -> list[Lesson]:
    rng = np.random.default_rng(seed)
    rows = {p: data.rows_of[p][usable[data.rows_of[p]]] for p in sorted(splits.test_people(data))}
    often = [person for person, own in rows.items() if len(own) >= TEMPLATES + PHOTOS]
    drawn = []
    for _ in range(lessons):
        people = [often[i] for i in rng.choice(len(often), STUDENTS + VISITORS, replace=False)]
        pictures = [rng.permutation(rows[person])[: TEMPLATES + PHOTOS] for person in people]
        there = [*pictures[: STUDENTS - AWAY], *pictures[STUDENTS:]]
        drawn.append(
            Lesson(
                np.array([own[:TEMPLATES] for own in pictures[:STUDENTS]]),
                np.array([own[TEMPLATES:] for own in there]).T,
            )
        )
    return drawn


class Worker:
    """Both networks over rows of the data set."""

    def __init__(self, data: Lfw, cache: Path, chips: Path) -> None:
        engine = load_engine()
        self.first: Encoded = encode_lfw(data, [engine], cache)[0]
        self.match = MatchPolicy.default_for(engine.version)
        self.opinion = load_policy()
        frames, found = frames_of(data, chips)
        rows = np.flatnonzero(np.isin(data.person, list(splits.test_people(data))))
        self.second = np.zeros((len(frames), load_second_encoder().dimensions), np.float32)
        self.second[rows] = load_second_encoder().encode_frames(frames[rows])
        self.usable = self.first.found & found

    def look(self, lesson: Lesson) -> list[Photo]:
        """Both answers about every face of the lesson's photos."""
        templates = [
            Template(student, self.first.encodings[row].astype(np.float32), float(self.first.quality[row]))
            for student, own in enumerate(lesson.templates)
            for row in own
        ]
        gallery = Gallery.build(templates, version=self.match.engine_version)
        second = SecondGallery.build({s: self.second[own] for s, own in enumerate(lesson.templates)})
        photos = []
        for rows in lesson.photos:
            first = identify([self._probe(row) for row in rows], gallery, self.match)
            both = [
                consider(answer, self.second[row], second, self.opinion, self.match.evidence)
                for row, answer in zip(rows, first, strict=True)
            ]
            photos.append(Photo(first, both))
        return photos

    def _probe(self, row: int) -> Probe:
        return Probe(
            self.first.encodings[row].astype(np.float32),
            float(self.first.quality[row]),
            float(self.first.face_pixels[row]),
        )


def weighed(answers: Sequence[Sequence[Identification]], policy: MatchPolicy) -> dict[int, str]:
    """What the roll makes of the sightings of each student."""
    seen: dict[int, list[SightingEvidence]] = defaultdict(list)
    for number, photo in enumerate(answers):
        for answer in photo:
            if answer.decision is not Decision.UNKNOWN:
                best = answer.candidates[0]
                seen[best.subject_id].append(SightingEvidence(number, best.probability or 0.0))
    return {student: presence(seen[student], policy).decision for student in range(STUDENTS)}


def desk(chosen: argparse.Namespace) -> dict[str, float]:
    data = Lfw(chosen.data)
    worker = Worker(data, chosen.out / "cache", chosen.chips)
    counts: Counter[str] = Counter()
    lessons = draw(data, worker.usable, chosen.lessons, chosen.seed)
    for lesson in lessons:
        photos = worker.look(lesson)[: chosen.photos]
        for photo in photos:
            for place, answer in enumerate(photo.both):
                count_face(counts, answer, place if place < STUDENTS - AWAY else None)
        alone = [photo.first for photo in photos]
        with_second = [[each.identification for each in photo.both] for photo in photos]
        for name, answers in (("alone", alone), ("with_second", with_second)):
            for student, decision in weighed(answers, worker.match).items():
                is_there = student < STUDENTS - AWAY
                counts[f"{name}_{'there' if is_there else 'away'}_{decision}"] += 1
    there, away = len(lessons) * (STUDENTS - AWAY), len(lessons) * AWAY
    lines = {name: float(count) for name, count in sorted(counts.items())}
    for name in ("alone", "with_second"):
        lines[f"{name}_to_check_a_lesson"] = (
            counts[f"{name}_there_review"] + counts[f"{name}_away_review"]
        ) / len(lessons)
        lines[f"{name}_missed"] = counts[f"{name}_there_not_seen"] / there
        lines[f"{name}_false_marks"] = counts[f"{name}_away_present"] / away
    lines["faces_held_back_a_photo"] = counts["held_back"] / (len(lessons) * chosen.photos)
    lines["share_of_faces_held_back"] = counts["held_back"] / counts["faces"]
    return lines


def count_face(counts: Counter[str], answer: Considered, own: int | None) -> None:
    counts["faces"] += 1
    counts[f"names_{answer.names}"] += 1
    if answer.names is Names.DIFFERENT:
        counts["held_back"] += 1
        first = answer.identification.candidates[0].subject_id
        second = answer.opinion.subject_id if answer.opinion else None
        counts["held_back_first_right"] += first == own
        counts["held_back_second_right"] += own is not None and second == own


def seconds(chosen: argparse.Namespace) -> dict[str, float]:
    """Milliseconds a photo: the network on its chips (by the clock, and of processor time, which a busy machine
    lengthens less), and the rule on its encodings."""
    encoder, opinion = load_second_encoder(), load_policy()
    rng = np.random.default_rng(chosen.seed)
    lines: dict[str, float] = {}
    for cores in (1, 2):
        threads.limit(cores)
        for faces in (10, 30):
            chips = rng.integers(0, 255, (faces, 150, 150, 3), dtype=np.uint8)
            clock, processor = [], []
            for _ in range(chosen.runs + 2):
                start = time.perf_counter(), time.process_time()
                encoder.encode(chips)
                clock.append((time.perf_counter() - start[0]) * 1000)
                processor.append((time.process_time() - start[1]) * 1000)
            name = f"{faces}_faces_{cores}_threads"
            lines[f"ms_{name}_best"] = min(clock[2:])
            lines[f"ms_{name}_median"] = float(np.median(clock[2:]))
            lines[f"cpu_ms_{name}_median"] = float(np.median(processor[2:]))
    own = rng.normal(size=(30, 3, encoder.dimensions))
    gallery = SecondGallery.build(dict(enumerate(own)))
    probes = rng.normal(size=(30, encoder.dimensions))
    start = time.perf_counter()
    for probe in probes:
        gallery.opinion(probe / np.linalg.norm(probe), opinion)
    lines["ms_rule_30_faces_30_students"] = (time.perf_counter() - start) * 1000
    return lines


def main() -> None:
    made = argparse.ArgumentParser(prog="python -m benchmarks.second_opinion", description=__doc__)
    made.add_argument("part", choices=("desk", "time"))
    made.add_argument("--data", type=Path, help="lfw.zip")
    made.add_argument("--out", type=Path, default=Path("runs/evaluate"), help="where encodings are kept")
    made.add_argument("--chips", type=Path, default=Path("runs/lfw_cnn/chips"))
    made.add_argument("--lessons", type=int, default=200)
    made.add_argument("--photos", type=int, default=PHOTOS, choices=range(1, PHOTOS + 1))
    made.add_argument("--runs", type=int, default=30)
    made.add_argument("--seed", type=int, default=0)
    chosen = made.parse_args()
    for name, value in (desk if chosen.part == "desk" else seconds)(chosen).items():
        print(f"{name}: {value:.6g}")


if __name__ == "__main__":
    main()
