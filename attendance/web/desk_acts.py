"""What a form of the desk asks for -> one call of a service -> what to tell, and how to take it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from attendance import contests, errors, permissions, reviews
from attendance.desk import facts, queue
from attendance.desk.settle import settle
from attendance.models import ClassSession, Contest, DeskFact, Review, Student
from attendance.web import desk_screen
from attendance.web.answers import user_of
from attendance.web.desk_filters import number


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
        student=_student(request, session, chosen, elsewhere=verdict in ELSEWHERE) if chosen else None,
        shown=_shown(session, request.POST.get("key", "").partition("-")[2]),
    )
    return ACTS.get(verdict, _unknown)(asked)


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


def _shown(session: ClassSession, address: str) -> dict[str, Any]:
    """What the person had before them, as the desk builds it at this moment."""
    items = queue.items_for(ClassSession.objects.filter(pk=session.pk))
    return next((desk_screen.shown(each.item) for each in items if each.item.answers_to(address)), {})


def _word(asked: Asked, verdict: str, words: str) -> Done:
    decision = settle(asked.session, asked.faces, verdict, asked.by, asked.student, shown=asked.shown)
    return _decided(decision, words)


def _decided(decision: reviews.Decision, words: str) -> Done:
    undo = reverse("web:desk-undo", args=[decision.batch])
    return Done(words, undo, len(decision.reviews), len(decision.moved))


def _is(asked: Asked) -> Done:
    name = asked.student.full_name if asked.student else ""
    return _word(asked, "is", _("This is %(name)s.") % {"name": name})


def _is_not(asked: Asked) -> Done:
    name = asked.student.full_name if asked.student else ""
    return _word(asked, "is_not", _("This is not %(name)s.") % {"name": name})


def _not_in_class(asked: Asked) -> Done:
    return _word(asked, "not_in_class", _("Not in this class."))


def _not_a_face(asked: Asked) -> Done:
    return _word(asked, "not_a_face", _("Not a face."))


def _absent(asked: Asked) -> Done:
    if asked.student is None:
        raise errors.UnknownStatus
    fact = facts.really_absent(asked.session, asked.student, asked.by, shown=asked.shown)
    return _fact(fact, _("%(name)s is absent.") % {"name": asked.student.full_name})


def _fact(fact: DeskFact, words: str) -> Done:
    return Done(words, reverse("web:desk-undo", args=[fact.batch]), 0, len(fact.changed))


def _guest(asked: Asked) -> Done:
    if asked.student is None:
        raise errors.UnknownStatus
    decision = facts.guest(asked.session, asked.faces, asked.student, asked.by, shown=asked.shown)
    return _decided(decision, _("%(name)s is a guest here.") % {"name": asked.student.full_name})


def _on_roster(asked: Asked) -> Done:
    if asked.student is None:
        raise errors.UnknownStatus
    decision = facts.put_on_roster(asked.session, asked.faces, asked.student, asked.by, shown=asked.shown)
    return _decided(decision, _("%(name)s is on this roster now.") % {"name": asked.student.full_name})


def _uphold(asked: Asked) -> Done:
    contest = contests.uphold(_contest(asked), asked.by)
    return _answered(contest, _("Put right."))


def _decline(asked: Asked) -> Done:
    return _answered(contests.decline(_contest(asked), asked.by), _("Left as it is."))


def _answered(contest: Contest, words: str) -> Done:
    said = Review.objects.filter(batch=contest.batch) if contest.batch else Review.objects.none()
    moved = sum(len(review.changed) for review in said) + int(contest.mark_change_id is not None)
    return Done(
        words, reverse("web:desk-report-undo", args=[contest.pk]), int(bool(contest.sighting_id)), moved
    )


def _contest(asked: Asked) -> Contest:
    wanted = number(asked.request.POST.get("report"))
    return get_object_or_404(Contest, pk=wanted, session=asked.session)


def _merge(asked: Asked) -> Done:
    fact = facts.merge(asked.session, asked.faces, asked.by)
    return _fact(fact, _("One person from now on."))


def _split(asked: Asked) -> Done:
    fact = facts.split(asked.session, asked.faces, numbers(asked.request, "off"), asked.by)
    return _fact(fact, _("Two people from now on."))


def _unknown(asked: Asked) -> Done:
    raise errors.UnknownStatus


ELSEWHERE = ("guest", "on_roster")
"""Students of other courses: administrators only."""

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

ACTS: dict[str, Callable[[Asked], Done]] = {
    "is": _is,
    "is_not": _is_not,
    "not_in_class": _not_in_class,
    "not_a_face": _not_a_face,
    "absent": _absent,
    "guest": _guest,
    "on_roster": _on_roster,
    "uphold": _uphold,
    "decline": _decline,
    "merge": _merge,
    "split": _split,
}
