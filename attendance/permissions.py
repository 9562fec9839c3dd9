"""Who may see what, in one place. Somebody else's object is a 404, as if it did not exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from attendance.models import (
    Camera,
    ClassSession,
    Course,
    Excuse,
    Portrait,
    Review,
    Room,
    RosterEntry,
    Sighting,
    Snapshot,
    Student,
)
from attendance.models.contests import Contest
from attendance.models.sessions import Mark

ADMINISTRATORS = "administrators"
REGISTRARS = "registrars"

Viewer = User | AnonymousUser


class Role(StrEnum):
    NOBODY = "nobody"
    STUDENT = "student"
    TEACHER = "teacher"
    REGISTRAR = "registrar"
    ADMINISTRATOR = "administrator"


def role_of(user: Viewer) -> Role:
    """The strongest role a user has; cached on the user for the request."""
    if not isinstance(user, User) or not user.is_active:
        return Role.NOBODY
    cached: Role | None = getattr(user, "_rollcall_role", None)
    if cached is None:
        rows = User.objects.filter(pk=user.pk).values_list("groups__name", "student_account")
        groups, accounts = (set(column) for column in zip(*rows, strict=True)) if rows else (set(), set())
        if user.is_superuser or ADMINISTRATORS in groups:
            cached = Role.ADMINISTRATOR
        elif REGISTRARS in groups:
            cached = Role.REGISTRAR
        elif accounts - {None}:
            cached = Role.STUDENT
        else:
            cached = Role.TEACHER
        user._rollcall_role = cached  # type: ignore[attr-defined]
    return cached


def is_student(user: Viewer) -> bool:
    """Signed in with a student's log-in: their own marks and faces, and nothing of anybody else."""
    return role_of(user) is Role.STUDENT


def is_administrator(user: Viewer) -> bool:
    return role_of(user) is Role.ADMINISTRATOR


def administrators() -> QuerySet[User]:
    """Everybody who may change the site itself."""
    return User.objects.filter(
        Q(is_superuser=True) | Q(groups__name=ADMINISTRATORS), is_active=True
    ).distinct()


def sees_all_courses(user: Viewer) -> bool:
    return role_of(user) in (Role.ADMINISTRATOR, Role.REGISTRAR)


def courses_for(user: Viewer) -> QuerySet[Course]:
    if sees_all_courses(user):
        return Course.objects.all()
    if isinstance(user, User) and role_of(user) is Role.TEACHER:
        taught = Course.teachers.through.objects.filter(user=user)
        return Course.objects.filter(pk__in=taught.values("course_id"))
    return Course.objects.none()


def sessions_for(user: Viewer) -> QuerySet[ClassSession]:
    return ClassSession.objects.filter(course__in=courses_for(user)).select_related("course", "room")


def students_for(user: Viewer) -> QuerySet[Student]:
    if sees_all_courses(user):
        return Student.objects.all()
    return Student.objects.filter(
        pk__in=courses_for(user).filter(roster_entries__isnull=False).values("roster_entries__student_id")
    )


def portraits_for(user: Viewer) -> QuerySet[Portrait]:
    """Portraits of the students this user may see; changing them asks ``may_change_student`` as well."""
    return Portrait.objects.filter(student__in=students_for(user))


def snapshots_for(user: Viewer) -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(session__course__in=courses_for(user))


def sightings_for(user: Viewer) -> QuerySet[Sighting]:
    return Sighting.objects.filter(snapshot__session__course__in=courses_for(user))


def reviews_for(user: Viewer) -> QuerySet[Review]:
    return Review.objects.filter(sighting__snapshot__session__course__in=courses_for(user))


def cameras_for(user: Viewer) -> QuerySet[Camera]:
    """Cameras belong to the site: administrators only."""
    return Camera.objects.all() if is_administrator(user) else Camera.objects.none()


def rooms_to_pair(user: Viewer) -> QuerySet[Room]:
    """Rooms this user may bring a camera to: administrators all, teachers those their sessions are in."""
    if is_administrator(user):
        return Room.objects.all()
    if role_of(user) is Role.TEACHER:
        return Room.objects.filter(
            pk__in=ClassSession.objects.filter(course__in=courses_for(user), room__isnull=False).values(
                "room"
            )
        )
    return Room.objects.none()


def cameras_to_pair(user: Viewer) -> QuerySet[Camera]:
    """Cameras this user may give a new key: administrators all, teachers what they brought themselves."""
    if is_administrator(user):
        return Camera.objects.all()
    if isinstance(user, User):
        return Camera.objects.filter(created_by=user, revoked_at__isnull=True, room__in=rooms_to_pair(user))
    return Camera.objects.none()


def excuses_for(user: Viewer) -> QuerySet[Excuse]:
    """Excuses one may see: of one's students, for a course of one's own or for all their courses."""
    if sees_all_courses(user):
        return Excuse.objects.all()
    return Excuse.objects.filter(student__in=students_for(user)).filter(
        Q(course__isnull=True) | Q(course__in=courses_for(user))
    )


def excuses_to_decide(user: Viewer) -> QuerySet[Excuse]:
    """What waits for this person: of one's own courses; those for all courses wait for the office."""
    waiting = excuses_for(user).filter(state=Excuse.State.ASKED)
    return waiting if sees_all_courses(user) else waiting.filter(course__isnull=False)


def may_enter_excuse(user: Viewer, student: Student, course: Course | None) -> bool:
    """Registrars and administrators, and teachers of the course, or of any course of the student for all."""
    if sees_all_courses(user):
        return True
    if role_of(user) is not Role.TEACHER:
        return False
    mine = courses_for(user).filter(roster_entries__student=student)
    return mine.filter(pk=course.pk).exists() if course else mine.exists()


def may_decide_excuse(user: Viewer, student: Student, course: Course | None) -> bool:
    """Approve, decline, withdraw: registrars and administrators; a teacher for courses that are all their own."""
    key = student.pk, course.pk if course else None
    return key in excuses_decidable(user, [key])


def excuses_decidable(user: Viewer, wanted: Iterable[tuple[int, int | None]]) -> set[tuple[int, int | None]]:
    """Those of these pairs of a student and a course (None: all of theirs) this user decides about; three queries."""
    pairs = set(wanted)
    if sees_all_courses(user) or not pairs:
        return pairs
    mine = set(courses_for(user).values_list("pk", flat=True))
    entries = RosterEntry.objects.filter(student_id__in={student for student, _course in pairs})
    own: dict[int, set[int]] = defaultdict(set)
    elsewhere: set[int] = set()
    for student_id, course_id, left_on in entries.values_list("student_id", "course_id", "left_on"):
        if course_id in mine:
            own[student_id].add(course_id)
        elif left_on is None:
            elsewhere.add(student_id)
    return {
        (student_id, course_id)
        for student_id, course_id in pairs
        if own[student_id] and (course_id in own[student_id] if course_id else student_id not in elsewhere)
    }


def may_read_attachment(user: Viewer, excuse: Excuse) -> bool:
    """A doctor's letter is for whoever decides on it and whoever brought it."""
    mine = isinstance(user, User) and excuse.entered_by_id == user.pk
    return mine or may_decide_excuse(user, excuse.student, excuse.course)


def may_change_course(user: Viewer, course: Course) -> bool:
    """Registrars read; teachers of the course and administrators change."""
    role = role_of(user)
    if role is Role.ADMINISTRATOR:
        return True
    return role is Role.TEACHER and courses_for(user).filter(pk=course.pk).exists()


def may_change_student(user: Viewer, student: Student) -> bool:
    """Teachers of a course with the student, and administrators: portraits."""
    role = role_of(user)
    if role is Role.ADMINISTRATOR:
        return True
    return role is Role.TEACHER and courses_for(user).filter(roster_entries__student=student).exists()


def may_keep_consent(user: Viewer, course: Course) -> bool:
    """Ask for consent and write down what came back: the office does the school's paperwork, so registrars too."""
    return sees_all_courses(user) or may_change_course(user, course)


def may_keep_consent_of(user: Viewer, student: Student) -> bool:
    """Record and withdraw: a parent who says so at the office is not sent away."""
    return sees_all_courses(user) or may_change_student(user, student)


def may_give_logins(user: Viewer) -> bool:
    """Students' log-ins are made by administrators."""
    return is_administrator(user)


def students_behind(user: Viewer) -> QuerySet[Student]:
    """The student a log-in belongs to; nobody for staff."""
    if not isinstance(user, User) or not is_student(user):
        return Student.objects.none()
    return Student.objects.filter(account__user=user)


def contests_for(user: Viewer) -> QuerySet[Contest]:
    """For staff those of their courses; for a student their own."""
    if is_student(user):
        return Contest.objects.filter(student__in=students_behind(user))
    return Contest.objects.filter(session__course__in=courses_for(user))


def own_marks(user: Viewer) -> QuerySet[Mark]:
    """A student's own marks."""
    return Mark.objects.filter(student__in=students_behind(user)).select_related("session__course")


def own_sightings(user: Viewer) -> QuerySet[Sighting]:
    """Faces that count as this student's now."""
    return sightings_that_show(students_behind(user))


def sightings_that_show(students: QuerySet[Student]) -> QuerySet[Sighting]:
    """Faces that count as these students' now. An unsure face may be somebody else's, so it is not among them."""
    me = students.values("pk")
    words = Review.objects.filter(sighting=OuterRef("pk"), undone_at__isnull=True)
    said_to_be = Exists(words.filter(verdict=Review.Verdict.IS, student__in=me))
    said_otherwise = Exists(
        words.filter(
            Q(verdict__in=[Review.Verdict.NOT_IN_CLASS, Review.Verdict.NOT_A_FACE])
            | Q(verdict=Review.Verdict.IS) & ~Q(student__in=me)
            | Q(verdict=Review.Verdict.IS_NOT, student__in=me)
        )
    )
    named = Q(decision=Sighting.Decision.RECOGNISED, student__in=me) & ~said_otherwise
    return Sighting.objects.filter(said_to_be | named)


def may_create_courses(user: Viewer) -> bool:
    return role_of(user) in (Role.ADMINISTRATOR, Role.REGISTRAR, Role.TEACHER)


def sessions_for_camera(camera: Camera) -> QuerySet[ClassSession]:
    """A camera reaches the sessions of its own room, and no other."""
    if camera.revoked_at is not None:
        return ClassSession.objects.none()
    return ClassSession.objects.filter(room_id=camera.room_id).select_related("course", "room")


def snapshots_for_camera(camera: Camera) -> QuerySet[Snapshot]:
    """What a camera sent itself."""
    return Snapshot.objects.filter(camera=camera)
