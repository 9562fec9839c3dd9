"""Codes of the services put into words people use. The only place that knows both."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from attendance import labels

LETTERS: Mapping[str, str] = {
    "present": "P",
    "late": "L",
    "left_early": "E",
    "excused": "X",
    "absent": "A",
    "not_evaluated": "–",
    "check": "?",
}
"""Letters of the marks; also their keys. They stay the same in every language, like the registers they fill."""

KEYS: Mapping[str, str] = {letter: status for status, letter in LETTERS.items() if letter.isalpha()}

STATUS_WORDS: Mapping[str, str | Promise] = {
    "present": _("present"),
    "late": _("late"),
    "left_early": _("left early"),
    "excused": _("excused"),
    "absent": _("absent"),
    "not_evaluated": _("not evaluated"),
    "check": _("to check"),
}

MARK_REASONS: Mapping[str, str | Promise] = {
    "seen": "",
    "seen_late": "",
    "seen_leaving": _("not seen afterwards"),
    "confirmed": _("confirmed by a person"),
    "never_seen": _("never seen"),
    "not_seen_yet": _("not seen yet"),
    "too_few_photos": _("too few usable photos"),
    "seen_too_seldom": _("seen too seldom to be sure"),
    "face_to_check": _("not sure enough: please look"),
    "no_template": _("no enrolled photo: mark by hand"),
    "qr": _("signed in by code"),
    "excused": "",
}

PORTRAIT_PROBLEMS: Mapping[str, str | Promise] = {
    "no_face": _("No face was found. Use a photo that shows the face from the front."),
    "several_faces": _("There are several faces. Use a photo of this student alone."),
    "too_small": _("The face is too small. Move closer, or use a photo with more pixels."),
    "blurred": _("The face is blurred. Hold the camera still and take it again."),
    "too_dark": _("The face is too dark. Face a window or switch on a light."),
    "too_bright": _("The face is too bright. Step out of the direct light."),
    "cut_off": _("The face is cut off at the edge. Keep the whole head in the picture."),
    "turned_away": _("The face is turned away. Look towards the camera."),
    "looks_like_another": _("This face looks like another student's."),
    "could_not_be_read": _("This photo could not be looked at. Please use another one."),
}

CAMERA_ADVICE: Mapping[str, str | Promise] = {
    "move_closer": _("Many faces are small: move the camera closer or raise its resolution."),
    "hold_still": _("Many faces are blurred: fix the camera firmly, clean the lens, set the focus."),
    "more_light": _("Many faces are dark: more light on the class, and no window behind it."),
}

OFFER_ADDS: Mapping[str, str | Promise] = {
    "turned_left": _("head turned to the left of the photo"),
    "turned_right": _("head turned to the right of the photo"),
    "poor_light": _("poor light"),
    "small": _("small face, far from the camera"),
    "looks_different": _("looks different from the enrolled photos"),
}

FACE_REASONS: Mapping[str, str | Promise] = {
    "clear": _("A clear match."),
    "close_runner_up": _("Two students look alike here."),
    "middle_band": _("Alike, but not enough to be sure."),
    "too_far": _("Nobody on the roster looks like this face."),
    "poor_quality": _("The face is too small, blurred or turned away to be sure."),
    "taken_in_photo": _("This student was found at another place in the same photo."),
    "empty_gallery": _("Nobody on this roster is enrolled yet."),
    "models_disagree": _("The two models name different students."),
    "rejected_by_person": _("A person said that this is not the student."),
    "consent_withdrawn": _("What was known about this face has been deleted."),
}

UNUSABLE: Mapping[str, str | Promise] = {
    "black": _("black: is the lens covered?"),
    "dark": _("too dark to count"),
    "blurred": _("too blurred to count"),
    "bright": _("too bright to count"),
}

SITE_PARTS: Mapping[str, str | Promise] = {
    "database": _("Database"),
    "storage": _("Storage"),
    "queue": _("Queue"),
    "workers": _("Workers"),
    "office": _("Reports and e-mail"),
    "beat": _("Regular work"),
    "keys": pgettext_lazy("what photos are sealed with", "Keys"),
    "models": _("Face recognition"),
    "mood": _("Mood of the class"),
    "clock": _("Clock"),
    "second_opinion": _("Second opinion"),
}


def in_words(words: Mapping[str, str | Promise], code: str) -> str:
    """The words for ``code``; a code nobody has put into words yet is shown with spaces."""
    return str(words.get(code, code.replace("_", " ")))


def status_word(status: str) -> str:
    """The mark in words: the school's own where it has chosen one."""
    return labels.in_force().get(status) or in_words(STATUS_WORDS, status)
