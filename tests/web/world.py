"""A school to look at: drawn faces, a full class, an open session with photos. No model is needed."""

from __future__ import annotations

import colorsys
import datetime as dt
import hashlib
import io
import random
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image, ImageDraw, ImageFilter

from attendance import marks
from attendance.models import Camera, Candidate, ClassSession, Course, Portrait, Sighting, Snapshot, Student
from tests import factories as make

NAMES = """Ruth Adams;Li Brown;Ana Cole;Omar Diaz;Noor El-Sayed;Tomás Fernández;Grace Gill;Hugo Hansen;Ines Ito
Jamal Jones
Katarzyna Kowalczyk;Luca Lombardi;Maya Mbeki;Nils Nyström;Sinéad O'Neil;Priya Patel;Quinn Quigley;Rosa Ramírez
Sofia Santos;Theo Tanaka;Uma Usman;Viktor Vogel;Wen Wang;Xenia Xu;Yusuf Yılmaz;Zoë Zimmermann;Ben Abbott;Cleo Baptiste
Maximiliana Wolfeschlegelsteinhausenbergerdorff-Montgomery;محمد عبد الله"""


@dataclass(frozen=True)
class World:
    teacher: User
    other: User
    admin: User
    course: Course
    session: ClassSession
    planned: ClassSession
    students: list[Student]


def drawn_face(seed: int, size: int = 300, blur: float = 0) -> Image.Image:
    """A plain drawing of a head, the same one for the same seed."""
    rng = random.Random(seed)
    hue = rng.random()

    def tone(saturation: float, value: float, turn: float = 0) -> tuple[int, int, int]:
        red, green, blue = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
        return round(red * 255), round(green * 255), round(blue * 255)

    skin = rng.choice([(244, 208, 177), (224, 172, 125), (198, 134, 88), (141, 85, 54), (96, 60, 42)])
    hair = rng.choice([(40, 30, 26), (92, 58, 34), (160, 110, 60), (30, 30, 34), (120, 50, 30)])
    image = Image.new("RGB", (size, size), tone(0.12, 0.9))
    pen = ImageDraw.Draw(image)

    def oval(x: float, y: float, w: float, h: float, fill: tuple[int, int, int]) -> None:
        pen.ellipse(
            [(x - w / 2) * size, (y - h / 2) * size, (x + w / 2) * size, (y + h / 2) * size], fill=fill
        )

    oval(0.5, 1.08, 0.95, 0.6, tone(0.5, 0.55, 0.4))
    oval(0.5, 0.42, 0.62, 0.66, hair)
    oval(0.5, 0.5, 0.5, 0.62, skin)
    if rng.random() < 0.5:
        pen.pieslice([0.22 * size, 0.14 * size, 0.78 * size, 0.6 * size], 180, 360, fill=hair)
    for x in (0.4, 0.6):
        oval(x, 0.48, 0.07, 0.05, (250, 250, 250))
        oval(x, 0.48, 0.035, 0.04, (40, 40, 45))
    pen.arc(
        [0.42 * size, 0.56 * size, 0.58 * size, 0.7 * size],
        20,
        160,
        fill=(120, 50, 50),
        width=max(size // 60, 1),
    )
    return image.filter(ImageFilter.GaussianBlur(blur)) if blur else image


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def build(students: int = 30) -> World:
    """An open session: most seen in every photo, some late, some unsure, one stranger, two without consent."""
    teacher, other, admin = make.teacher("grant"), make.teacher("stone"), make.administrator()
    teacher.first_name, teacher.last_name = "Amelia", "Grant"
    teacher.save()
    course = make.course(teacher, name="Algebra II", code="ALG2-B")
    people = [_person(course, index) for index in range(students)]
    room = make.room("Room 204")
    Camera.objects.create(
        name="Ceiling, front", room=room, key_hash="0" * 64, key_prefix="rcam_Ab3d", created_by=admin,
        last_seen_at=timezone.now() - dt.timedelta(seconds=40),
    )  # fmt: skip
    start = (timezone.now() - dt.timedelta(minutes=32)).replace(second=0, microsecond=0)
    for week in range(1, 4):
        past = make.session(course, "closed", start - dt.timedelta(days=7 * week), room=room)
        marks.recompute(past.pk)
        rng = random.Random(week)
        for mark in past.marks.all():
            mark.status = rng.choices(["present", "late", "absent", "excused"], [20, 2, 2, 1])[0]
            mark.save()
    session = make.session(course, "open", start, room=room, opened_at=start)
    for number, minute in enumerate((4, 10, 15, 20, 26, 31)):
        _photo(session, people, number, minute)
    marks.recompute(session.pk)
    late, excused = people[4], people[7]
    marks.set_by_hand(session, excused, "excused", teacher)
    session.marks.filter(student=late).update(status="late", minutes_late=14)
    planned = make.session(
        make.course(teacher, students=4, name="Geometry", code="GEO-A"),
        "planned",
        timezone.now() + dt.timedelta(hours=1),
        room=room,
    )
    return World(teacher, other, admin, course, session, planned, people)


def _person(course: Course, index: int) -> Student:
    names = NAMES.replace("\n", ";").split(";")
    given, _, family = names[index % len(names)].strip().partition(" ")
    student = make.student(
        course,
        given_name=given,
        family_name=family,
        number=f"{2026000 + index * 7}",
        email=f"s{index}@school.example",
    )
    if index in (2, 9):
        return student
    for variant in range(1 + index % 3):
        template = make.template(student)
        chip = jpeg(drawn_face(index, 150, blur=variant * 1.5))
        template.chip = make.stored("templates", chip)
        template.quality = 0.92 - 0.1 * variant
        template.save()
        Portrait.objects.filter(pk=template.portrait_id).update(
            image=make.stored("portraits", jpeg(drawn_face(index)))
        )
    return student


def _photo(session: ClassSession, people: list[Student], number: int, minute: int) -> Snapshot:
    """Rows of drawn heads, those at the back smaller; each with its box."""
    width, height = 1600, 1000
    room = Image.new("RGB", (width, height), (226, 222, 210))
    pen = ImageDraw.Draw(room)
    pen.rectangle([0, 0, width, 230], fill=(206, 214, 210))
    pen.rectangle([420, 30, 1180, 200], fill=(44, 84, 68))
    for row in range(4):
        pen.rectangle([0, 400 + row * 180, width, 412 + row * 180], fill=(168, 132, 96))
    faces = []
    for index, student in enumerate([*people, None]):
        away = student is not None and (index % 11 == 5 or (index == 4 and number < 2))
        if away:
            continue
        row, seat = divmod(index, 8)
        size = 74 + row * 16
        left = 30 + seat * 195 + (row % 2) * 60 + number * 3
        top = 280 + row * 175 + (number % 2) * 4
        room.paste(drawn_face(index if student else 99, size), (left, top))
        faces.append((student, index, left, top, size))
    snapshot = make.snapshot(session, minute, width=width, height=height)
    snapshot.image = make.stored("photos", jpeg(room))
    snapshot.faces = len(faces)
    snapshot.save()
    for position, (student, index, left, top, size) in enumerate(faces):
        _face(snapshot, student, index, position, (left, top, size), people)
    return snapshot


def _face(
    snapshot: Snapshot, student: Student | None, index: int, position: int, at: tuple[int, int, int],
    people: list[Student],
) -> None:  # fmt: skip
    left, top, size = at
    unsure = index in (12, 20)
    decision = "unknown" if student is None or index in (2, 9) else "uncertain" if unsure else "recognised"
    sighting = make.sighting(
        snapshot,
        student if decision != "unknown" else None,
        decision,
        position,
        left=left + size * 0.2,
        top=top + size * 0.15,
        width=size * 0.62,
        height=size * 0.7,
        reason={"recognised": "clear", "uncertain": "middle_band", "unknown": "too_far"}[decision],
    )
    if decision != "recognised":
        sighting.chip = make.stored("chips", jpeg(drawn_face(index, 150, blur=2)))
        sighting.save()
        for rank, candidate in enumerate([people[index % len(people)], people[(index + 3) % len(people)]]):
            Candidate.objects.create(
                sighting=sighting, student=candidate, rank=rank, distance=0.52 + rank * 0.07, score=1 - rank * 0.1,
                probability=0.71 - rank * 0.5,
            )  # fmt: skip


def portrait_answers(student: Student, twin: Student, by: User) -> None:
    """A portrait of every kind that needs a look."""
    if not student.portraits.exists():
        make.consent(student)
    for seed, (name, state, problems) in enumerate(
        [
            ("IMG_2231.jpg", "rejected", ["blurred", "too_dark"]),
            ("class photo.jpg", "rejected", ["several_faces"]),
            ("webcam 2.jpg", "held", ["looks_like_another"]),
            ("webcam 3.jpg", "received", []),
        ]
    ):
        Portrait.objects.create(
            student=student, name=name, state=state, problems=problems, uploaded_by=by, uploaded_at=timezone.now(),
            image=make.stored("portraits", jpeg(drawn_face(40 + seed, blur=4 if seed == 0 else 0))),
            sha256=hashlib.sha256(f"{student.pk}{seed}".encode()).hexdigest(),
            looks_like=twin if state == "held" else None,
        )  # fmt: skip


def best_sighting(session: ClassSession, decision: str) -> Sighting:
    return Sighting.objects.filter(snapshot__session=session, decision=decision).order_by(
        "-snapshot__taken_at"
    )[0]
