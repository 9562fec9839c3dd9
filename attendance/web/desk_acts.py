"""What a form of the desk asks for -> one call of a service -> what to tell, and how to take it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from attendance import contests, errors, permissions
from attendance.desk import acts
from attendance.desk.shown import shown_at
from attendance.models import ClassSession, Contest, Review, Student
from attendance.web.answers import user_of
from attendance.web.asked import number


@dataclass(frozen=True, slots=True)
class Done:
    """``undo``: where the way back is; ``settled`` and ``moved``: faces and marks."""

    words: str
    undo: str
    settled: int
    moved: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A form of the desk, read and checked against what this person may see."""

    request: HttpRequest
    session: ClassSession
    by: User
    faces: list[int]
    student: Student | None
    shown: dict[str, Any]


def session_of(request: HttpRequest) -> ClassSession:
    """The form's session, which this person may change. Raises Http404, RollcallError."""
    wanted = number(request.POST.get("session"))
    session = get_object_or_404(permissions.sessions_for(request.user), pk=wanted)
    if not permissions.may_change_course(request.user, session.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    return session


def act(request: HttpRequest) -> Done:
    """Do what the form's ``verdict``, or the button that sent it, says. Raises UnknownStatus for one there is not."""
    session = session_of(request)
    button = next((name for name in BUTTONS if request.POST.get(name)), "")
    verdict = BUTTONS.get(button) or request.POST.get("verdict") or "is"
    chosen = number(request.POST.get(STUDENT_OF.get(button, "student")))
    asked = Asked(
        request=request,
        session=session,
        by=user_of(request),
        faces=_faces(request, button),
        student=_student(request, session, chosen, elsewhere=verdict in acts.ELSEWHERE) if chosen else None,
        shown=shown_at(session, request.POST.get("key", "").partition("-")[2]),
    )
    if verdict in REPORTS:
        return _answer_report(asked, verdict)
    done = acts.decide(
        session,
        verdict,
        asked.by,
        faces=asked.faces,
        student=asked.student,
        off=numbers(request, "off"),
        shown=asked.shown,
    )
    words = WORDS[acts.Act(verdict)] % {"name": asked.student.full_name if asked.student else ""}
    return Done(words, reverse("web:desk-undo", args=[done.batch]), done.faces, len(done.moved))


def _faces(request: HttpRequest, button: str) -> list[int]:
    """Whose faces are meant: a choice's, this item's and another's, the whole group's, or the large one."""
    faces = numbers(request, "face")
    if button == "pick":
        return numbers(request, "pick")
    if button == "merge":
        return [*faces, *numbers(request, "merge")]
    return faces if button == "split" or request.POST.get("whole_group") == "1" else faces[:1]


def numbers(request: HttpRequest, name: str) -> list[int]:
    """All numbers given under a name, a list of them between commas included."""
    values = (part for value in request.POST.getlist(name) for part in value.split(","))
    return [found for value in values if (found := number(value))]


def _student(request: HttpRequest, session: ClassSession, pk: int, *, elsewhere: bool) -> Student:
    if not elsewhere:
        return get_object_or_404(Student, pk=pk, marks__session=session)
    if not permissions.is_administrator(request.user):
        raise Http404
    return get_object_or_404(Student, pk=pk)


def _answer_report(asked: Asked, verdict: str) -> Done:
    """Agree with a student's report, or leave everything as it is."""
    wanted = number(asked.request.POST.get("report"))
    contest = get_object_or_404(Contest, pk=wanted, session=asked.session)
    answer = contests.uphold if verdict == "uphold" else contests.decline
    contest = answer(contest, asked.by)
    said = Review.objects.filter(batch=contest.batch) if contest.batch else Review.objects.none()
    moved = sum(len(review.changed) for review in said) + int(contest.mark_change_id is not None)
    undo = reverse("web:desk-report-undo", args=[contest.pk])
    return Done(str(REPORTS[verdict]), undo, int(bool(contest.sighting_id)), moved)


BUTTONS = {
    "pick": "is",
    "reject": "is_not",
    "absent": "absent",
    "guest": "guest",
    "on_roster": "on_roster",
    "merge": "merge",
    "split": "split",
}
"""Buttons that carry a value of their own, and the verdict each stands for."""

STUDENT_OF = {
    "pick": "about",
    "reject": "reject",
    "absent": "absent",
    "guest": "guest",
    "on_roster": "on_roster",
}
"""The field that names the student, where it is not ``student``."""

REPORTS: Mapping[str, str | Promise] = {
    "uphold": gettext_lazy("Put right."),
    "decline": gettext_lazy("Left as it is."),
}

WORDS: Mapping[acts.Act, str | Promise] = {
    acts.Act.IS: gettext_lazy("This is %(name)s."),
    acts.Act.IS_NOT: gettext_lazy("This is not %(name)s."),
    acts.Act.NOT_IN_CLASS: gettext_lazy("Not in this class."),
    acts.Act.NOT_A_FACE: gettext_lazy("Not a face."),
    acts.Act.ABSENT: gettext_lazy("%(name)s is absent."),
    acts.Act.MERGE: gettext_lazy("One person from now on."),
    acts.Act.SPLIT: gettext_lazy("Two people from now on."),
    acts.Act.GUEST: gettext_lazy("%(name)s is a guest here."),
    acts.Act.ON_ROSTER: gettext_lazy("%(name)s is on this roster now."),
}
