"""What people say at the desk beyond single faces, and that every key press can be taken back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from attendance import classes, contests, errors, marks, privacy, reviews
from attendance.desk import acts, bulk, queue
from attendance.desk.items import Kind
from attendance.desk.settle import settle
from attendance.desk.shown import shown_at
from attendance.desk.undo import press_of, undo
from attendance.engines import to_bytes
from attendance.models import Candidate, ClassSession, DeskFact, Mark, Review, RosterEntry, Sighting, Student
from tests import factories as make
from tests.attendance.conftest import near
from tests.attendance.test_desk import unsure_faces, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=3))


@pytest.fixture
def student(session: ClassSession) -> Student:
    return session.course.students.order_by("pk").first()


def owner(session: ClassSession) -> User:
    return session.course.teachers.get()


def unknown_faces(session: ClassSession, photos: int, person: int, index: int = 5) -> list[Sighting]:
    return [
        make.sighting(
            make.snapshot(session, 3 + 10 * n), None, "unknown", index, reason="too_far",
            encoding=to_bytes(near(make.encoding(person), 0.2, seed=n)),
        )
        for n in range(photos)
    ]  # fmt: skip


def status(session: ClassSession, student: Student) -> str:
    return Mark.objects.get(session=session, student=student).status


# --- merge and split ------------------------------------------------------------------------------
def test_a_group_is_split_stays_so_and_can_be_put_back(session: ClassSession, student: Student) -> None:
    faces = [face.pk for face in unsure_faces(session, student, 3)]
    said = acts.decide(session, "split", owner(session), faces=faces, off=faces[:1])
    assert sorted(len(each.item.faces) for each in waiting(session)) == [1, 2]
    undo(said.batch, owner(session))
    assert [len(each.item.faces) for each in waiting(session)] == [3]
    with pytest.raises(errors.NothingToUndo):
        undo(said.batch, owner(session))


def test_two_people_are_put_together(session: ClassSession, student: Student) -> None:
    one = unsure_faces(session, student, 1, person=1, chance=0.4)
    two = unsure_faces(session, student, 1, person=2, chance=0.4)
    assert len(waiting(session)) == 2
    ids = [face.pk for face in [*one, *two]]
    acts.decide(session, "merge", owner(session), faces=ids)
    again = acts.decide(session, "merge", owner(session), faces=ids)
    (item,) = waiting(session)
    assert len(item.item.faces) == 2
    assert DeskFact.objects.count() == 1, "pressed twice is once"
    undo(again.batch, owner(session))
    assert len(waiting(session)) == 2


def test_what_cannot_be_split_or_merged_is_refused_in_words(session: ClassSession, student: Student) -> None:
    shot = make.snapshot(session, 3)
    here = [make.sighting(shot, None, "unknown", index).pk for index in (0, 1)]
    for act, faces, off, error in (
        ("merge", here, [], errors.FacesOfOnePhoto),
        ("merge", here[:1], [], errors.NothingToMerge),
        ("split", here, [], errors.NothingToSplit),
        ("split", here, here, errors.NothingToSplit),
        ("merge", [10**9, here[0]], [], errors.AlreadyDecided),
        ("dance", here, [], errors.UnknownStatus),
    ):
        with pytest.raises(error):
            acts.decide(session, act, owner(session), faces=faces, off=off)
    assert not DeskFact.objects.exists()


# --- never seen ------------------------------------------------------------------------------------
def two_lessons_without(student: Student) -> ClassSession:
    """The student was recognised in none of two lessons; somebody unknown sat in the later one."""
    make.template(student)
    course = student.courses.get()
    for _ in range(2):
        session = make.session(course, "open")
        for minute in (5, 20, 40):
            make.snapshot(session, minute)
        unknown_faces(session, 3, person=50)
        session = classes.close_session(session)
    return session


def test_a_student_never_seen_is_asked_about_with_the_unnamed_people(student: Student) -> None:
    session = two_lessons_without(student)
    items = [each for each in waiting(session) if each.item.kind is Kind.NEVER_SEEN]
    assert [each.item.student_id for each in items] == [student.pk]
    (choice,) = items[0].item.groups
    settle(session, [face.sighting_id for face in choice], "is", owner(session), student)
    assert status(session, student) == "present"
    assert waiting(session) == []


def test_really_absent_is_a_persons_word_and_can_be_taken_back(student: Student) -> None:
    session = two_lessons_without(student)
    said = acts.decide(session, "absent", owner(session), student=student)
    mark = Mark.objects.get(session=session, student=student)
    assert (mark.status, mark.source) == ("absent", "manual")
    assert waiting(session) == []
    assert acts.decide(session, "absent", owner(session), student=student).batch == said.batch
    with pytest.raises(errors.AlreadyDecided):
        acts.decide(session, "absent", make.teacher(), student=student)
    undo(said.batch, owner(session))
    assert Mark.objects.get(session=session, student=student).source == "recognised"
    assert len(waiting(session)) == 1


def test_a_mark_changed_since_stays_when_really_absent_is_taken_back(student: Student) -> None:
    session = two_lessons_without(student)
    said = acts.decide(session, "absent", owner(session), student=student)
    marks.set_by_hand(session, student, "excused", make.teacher())
    undo(said.batch, owner(session))
    assert status(session, student) == "excused"


def test_one_lesson_missed_is_no_reason_to_ask(student: Student) -> None:
    make.template(student)
    session = make.session(student.courses.get())
    for minute in (5, 20, 40):
        make.snapshot(session, minute)
    unknown_faces(session, 2, person=50)
    assert waiting(classes.close_session(session)) == []


# --- students of other courses -----------------------------------------------------------------------
def test_a_guest_gets_no_mark_and_no_more_questions(session: ClassSession, student: Student) -> None:
    faces = [face.pk for face in unsure_faces(session, student, 2)]
    guest, admin = make.student(make.course()), make.administrator()
    said = acts.decide(session, "guest", admin, faces=faces, student=guest)
    assert waiting(session) == []
    assert not Mark.objects.filter(student=guest).exists()
    assert DeskFact.objects.get().student == guest
    undo(said.batch, admin)
    assert len(waiting(session)) == 1
    assert DeskFact.objects.get().undone_at is not None


def test_put_on_the_roster_from_the_lessons_day_on(session: ClassSession, student: Student) -> None:
    faces = [face.pk for face in unsure_faces(session, student, 2)]
    newcomer, admin = make.student(make.course()), make.administrator()
    version = session.course.gallery_version
    said = acts.decide(session, "on_roster", admin, faces=faces, student=newcomer)
    assert status(session, newcomer) == "present"
    session.course.refresh_from_db()
    assert session.course.gallery_version > version
    undo(said.batch, admin)
    assert not RosterEntry.objects.filter(course=session.course, student=newcomer).exists()
    assert not Mark.objects.filter(session=session, student=newcomer).exists()


def test_only_students_of_other_courses_are_guests(session: ClassSession, student: Student) -> None:
    faces = [face.pk for face in unsure_faces(session, student, 1)]
    for who in (student, make.student()):
        for act in ("guest", "on_roster"):
            with pytest.raises(errors.NotElsewhere):
                acts.decide(session, act, make.administrator(), faces=faces, student=who)


def test_a_withdrawal_takes_a_guests_faces_and_facts_along(session: ClassSession, student: Student) -> None:
    faces = [face.pk for face in unsure_faces(session, student, 1)]
    guest = make.student(make.course())
    make.consent(guest)
    acts.decide(session, "guest", make.administrator(), faces=faces, student=guest)
    privacy.withdraw_consent(guest, make.administrator())
    assert not DeskFact.objects.filter(student=guest).exists()
    assert Sighting.objects.get(pk=faces[0]).encoding is None


def test_a_withdrawal_takes_likenesses_out_of_what_was_shown(session: ClassSession, student: Student) -> None:
    other = session.course.students.order_by("pk").last()
    (face,) = unsure_faces(session, student, 1)
    make.template(other)
    Candidate.objects.create(sighting=face, student=other, rank=1, distance=0.6, score=-0.6, probability=0.3)
    shown = shown_at(session, f"face-{face.pk}")
    settle(session, [face.pk], "not_a_face", owner(session), shown=shown)
    privacy.withdraw_consent(other, owner(session))
    assert [line[0] for line in Review.objects.get().shown["candidates"]] == [student.pk]


# --- not this person --------------------------------------------------------------------------------
def test_not_this_person_leaves_the_others_to_choose_from(session: ClassSession, student: Student) -> None:
    faces = unsure_faces(session, student, 2)
    other = session.course.students.order_by("pk").last()
    make.template(other)
    for face in faces:
        Candidate.objects.create(
            sighting=face, student=other, rank=1, distance=0.6, score=-0.6, probability=0.3
        )
    said = acts.decide(session, "is_not", owner(session), faces=[f.pk for f in faces], student=student)
    (item,) = waiting(session)
    assert [each.likeness.student_id for each in item.item.candidates] == [other.pk]
    undo(said.batch, owner(session))
    assert waiting(session)[0].item.candidates[0].likeness.student_id == student.pk


# --- reports --------------------------------------------------------------------------------------
def test_what_a_student_reports_comes_first_and_leaves_when_answered(
    session: ClassSession, student: Student
) -> None:
    make.template(student)
    faces = [make.sighting(make.snapshot(session, minute), student) for minute in (2, 14)]
    marks.recompute(session.pk)
    unsure_faces(session, session.course.students.order_by("pk").last(), 2)
    contest = contests.say_not_me(faces[0], student, "I was ill")
    first = waiting(session)[0].item
    assert (first.kind, first.worth, first.student_id, first.report.words) == (
        Kind.REPORT, 1.0, student.pk, "I was ill",
    )  # fmt: skip
    contests.uphold(contest, owner(session))
    assert all(each.item.kind is not Kind.REPORT for each in waiting(session))


def test_i_was_there_shows_the_unnamed_people(session: ClassSession, student: Student) -> None:
    marks.set_by_hand(session, student, "absent", owner(session))
    unknown_faces(session, 2, person=60)
    contests.say_was_there(session, student)
    (item,) = waiting(session)
    assert (item.item.kind, item.item.faces, len(item.item.groups)) == (Kind.REPORT, (), 1)


# --- many at once -------------------------------------------------------------------------------------
def test_many_are_confirmed_with_one_press_and_taken_back_with_one() -> None:
    course = make.course(make.teacher(), students=3)
    sessions = [make.session(course) for _ in range(3)]
    for session, person in zip(sessions, course.students.order_by("pk"), strict=True):
        unsure_faces(session, person, 2, chance=0.97)
    everything = queue.items_for(ClassSession.objects.all())
    offers = bulk.offers(everything, 0.95)
    assert len(offers) == 3
    assert bulk.offers(everything, 0.99) == []
    wanted = [
        bulk.Wanted(each.desk_item.key, each.student_id, frozenset(each.sighting_ids)) for each in offers
    ]
    by = course.teachers.get()
    settle(sessions[0], offers_of(offers, sessions[0]), "not_in_class", make.teacher())
    done = bulk.confirm([*wanted, bulk.Wanted("9-face-9", 1, frozenset({1}))], offers, by)
    assert (done.faces, done.marks, done.overtaken) == (4, 2, 2)
    assert press_of(done.batch).sessions == {sessions[1].pk, sessions[2].pk}
    undo(done.batch, by)
    assert len(queue.items_for(ClassSession.objects.all())) == 2


def offers_of(offers: list[bulk.Offer], session: ClassSession) -> list[int]:
    return [pk for each in offers if each.desk_item.session == session for pk in each.sighting_ids]


# --- facts ------------------------------------------------------------------------------------------
def test_what_was_shown_and_what_changed_is_kept(session: ClassSession, student: Student) -> None:
    faces = unsure_faces(session, student, 2)
    shown = shown_at(session, f"face-{faces[1].pk}")
    settle(session, [f.pk for f in faces], "is", owner(session), student, shown=shown)
    kept = Review.objects.order_by("pk").first()
    assert kept.shown["candidates"] == [[student.pk, 0.5, 0.8]]
    assert kept.shown["kind"] == "uncertain"
    assert kept.changed == [{"student": student.pk, "from": "not_evaluated", "to": "present"}]
    assert shown_at(session, "face-0") == {}


def test_undo_brings_back_what_stood_before(session: ClassSession, student: Student) -> None:
    other = session.course.students.order_by("pk").last()
    (face,) = unsure_faces(session, student, 1)
    first = settle(session, [face.pk], "is", owner(session), student)
    second = settle(session, [face.pk], "is", owner(session), other)
    undo(second.batch, owner(session))
    standing = Review.objects.get(undone_at__isnull=True)
    assert (standing.student, standing.batch) == (student, first.batch)
    undo(first.batch, owner(session))
    assert not Review.objects.filter(undone_at__isnull=True).exists()


def test_every_mark_that_is_to_be_checked_has_its_item(session: ClassSession) -> None:
    for number, person in enumerate(session.course.students.order_by("pk")):
        unsure_faces(session, person, 1 + number % 2, person=70 + number, chance=0.1 + number / 3)
    to_check = set(session.marks.filter(to_check=True).values_list("student_id", flat=True))
    asked = {each.item.candidates[0].likeness.student_id for each in waiting(session)}
    assert to_check
    assert to_check <= asked


def test_a_face_that_would_end_a_lateness_is_worth_a_look(session: ClassSession, student: Student) -> None:
    make.template(student)
    early = make.sighting(make.snapshot(session, 2), None, "unknown", 0, reason="poor_quality")
    Candidate.objects.create(
        sighting=early, student=student, rank=0, distance=0.7, score=-0.7, probability=0.02
    )
    make.snapshot(session, 8)
    for minute in (14, 20, 40):
        make.sighting(make.snapshot(session, minute), student)
    marks.recompute(session.pk)
    assert status(session, student) == "late"
    (item,) = waiting(session)
    settle(session, [item.item.probe.sighting_id], "is", owner(session), student)
    assert status(session, student) == "present"


def test_a_known_visitor_is_not_asked_about_again(session: ClassSession, student: Student) -> None:
    make.template(student)

    def visitor(lesson: ClassSession) -> list[int]:
        faces = unknown_faces(lesson, 2, person=80)
        for face in faces:
            Candidate.objects.create(
                sighting=face, student=student, rank=0, distance=0.7, score=-0.7, probability=0.1
            )
        marks.recompute(lesson.pk)
        return [face.pk for face in faces]

    first = visitor(session)
    assert len(waiting(session)) == 1
    said = reviews.decide_all(list(Sighting.objects.filter(pk__in=first)), "not_in_class", owner(session))
    later = make.session(session.course)
    visitor(later)
    assert waiting(later) == []
    undo(said.batch, owner(session))
    assert len(waiting(later)) == 1
