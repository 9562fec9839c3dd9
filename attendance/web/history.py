"""The history of one mark, in sentences."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from attendance import history, permissions
from attendance.history import Event, FaceFact, Kind, WordFact
from attendance.models import Mark, Student
from attendance.web.answers import page
from attendance.web.words import FACE_REASONS, MARK_REASONS, UNUSABLE, in_words, status_word

ICONS = {
    Kind.RECOGNISED: "camera",
    Kind.UNSURE: "camera",
    Kind.UNKNOWN: "camera",
    Kind.NOT_SEEN: "camera-off",
    Kind.UNUSABLE: "photo-off",
    Kind.SAID: "checks",
    Kind.TAKEN_BACK: "refresh",
    Kind.CHANGED: "user",
    Kind.DESK: "checks",
    Kind.CONTESTED: "alert-circle",
    Kind.ANSWERED: "circle-check",
    Kind.WITHDRAWN: "shield-off",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it is read."""

    at: dt.datetime
    icon: str
    kind: str
    words: str
    more: str = ""
    note: str = ""
    crop_url: str = ""
    face_url: str = ""
    expired: bool = False


@page
@require_GET
def mark_history(request: HttpRequest, session_id: int, student_id: int) -> HttpResponse:
    session = get_object_or_404(permissions.sessions_for(request.user), pk=session_id)
    student = get_object_or_404(Student, pk=student_id, marks__session=session)
    found = history.of_mark(session, student)
    context = {
        "session": session,
        "student": student,
        "mark": found.mark,
        "history": found,
        "lines": [_line(event, student, session_id) for event in found.events],
        "reason": in_words(MARK_REASONS, found.mark.reason) if found.mark.reason else "",
        "machine": _machine(found.mark),
    }
    return render(request, "web/mark_history.html", context)


def _machine(mark: Mark) -> str:
    """What recognition says, or would say beside a mark by hand."""
    status = status_word(mark.machine_status)
    reason = in_words(MARK_REASONS, mark.machine_reason) if mark.machine_reason else ""
    return f"{status} ({reason})" if reason else status


def _line(event: Event, student: Student, session_id: int) -> Line:
    icon, kind = ICONS[event.kind], str(event.kind)
    if event.face is not None:
        return _face_line(event, event.face, session_id)
    if event.photo is not None:
        if event.kind is Kind.UNUSABLE:
            why = in_words(UNUSABLE, event.photo.unusable)
            return Line(event.at, icon, kind, _("This photo does not count: %(why)s.") % {"why": why})
        return Line(event.at, icon, kind, _("Not seen in this photo."))
    assert event.word is not None
    return Line(event.at, icon, kind, _said(event, event.word, student), note=event.word.note)


def _face_line(event: Event, face: FaceFact, session_id: int) -> Line:
    words = {
        Kind.RECOGNISED: _("Recognised."),
        Kind.UNSURE: _("Perhaps seen; not sure enough to count."),
        Kind.UNKNOWN: _("A face that recognition gave another name, or none."),
    }[event.kind]
    reason = in_words(FACE_REASONS, face.reason) if face.reason else ""
    # Nothing a model says is certain, so it is never written as 0 or 100.
    chance = None if face.probability is None else min(max(round(face.probability * 100), 1), 99)
    parts = [
        _("%(percent)d %% likely") % {"percent": chance} if chance is not None else "",
        _("distance %(distance).2f") % {"distance": face.distance} if face.distance is not None else "",
        _("quality %(quality)d %%") % {"quality": round(face.quality * 100)},
        _("%(pixels)d pixels") % {"pixels": face.pixels},
        {
            "agrees": _("the second network agrees"),
            "differs": _("the second network names somebody else"),
            "unsure": _("the second network is not sure"),
        }.get(face.second, ""),
    ]
    return Line(
        event.at,
        ICONS[event.kind],
        str(event.kind),
        f"{words} {reason}".strip(),
        more=" · ".join(filter(None, parts)),
        crop_url=reverse("web:face-crop", args=[face.sighting_id]) if face.has_crop else "",
        face_url=reverse("web:face", args=[session_id, face.sighting_id]),
        expired=not face.has_crop,
    )


def _said(event: Event, word: WordFact, student: Student) -> str:
    """One sentence for what a person did. Names stand in it as they are written, gender nowhere."""
    names = {"who": word.by, "name": word.student or student.full_name, "time": _time(word.photo_at)}
    if event.kind is Kind.TAKEN_BACK:
        what = _said(Event(word.at, word.kind, word=word), word, student)
        return _("%(who)s took back: “%(what)s”") % {"who": word.undone_by or word.by, "what": what}
    if word.kind is Kind.CHANGED:
        words = {"who": word.by, "old": status_word(word.before), "new": status_word(word.what)}
        return _("%(who)s changed the mark by hand from %(old)s to %(new)s.") % words
    sentence = {
        (Kind.SAID, "is"): _("%(who)s said: the face of %(time)s is %(name)s."),
        (Kind.SAID, "is_not"): _("%(who)s said: the face of %(time)s is not %(name)s."),
        (Kind.SAID, "not_in_class"): _("%(who)s said: the face of %(time)s is nobody of this class."),
        (Kind.SAID, "not_a_face"): _("%(who)s said: what was found at %(time)s is not a face."),
        (Kind.DESK, "absent"): _("%(who)s said at the desk: %(name)s is really absent."),
        (Kind.DESK, "guest"): _("%(who)s said at the desk: %(name)s is a guest of another course."),
        (Kind.DESK, "on_roster"): _("%(who)s put %(name)s on the roster at the desk."),
        (Kind.CONTESTED, "not_me"): _("%(who)s objected: “That wasn't me”, about the face of %(time)s."),
        (Kind.CONTESTED, "was_there"): _("%(who)s objected: “I was there”."),
        (Kind.ANSWERED, "upheld"): _("%(who)s answered the objection: it was put right."),
        (Kind.ANSWERED, "declined"): _("%(who)s answered the objection: it stays as it is."),
        (Kind.WITHDRAWN, "withdrawn"): _(
            "Consent was withdrawn (recorded by %(who)s): what was known about the face is deleted."
        ),
    }.get((word.kind, word.what), _("%(who)s decided something about %(name)s."))
    return sentence % names


def _time(at: dt.datetime | None) -> str:
    return time_format(localtime(at), "H:i") if at else ""
