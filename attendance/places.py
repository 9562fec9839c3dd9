"""Where the school stands: asked of an administrator, and consulted before anything the law there may forbid."""

from __future__ import annotations

from django.db import transaction

from attendance import errors, law, schooltime
from attendance.models import Course, School, SnapshotMood, Student
from emotion.law import iso_code


def place_of(school: School) -> law.Place:
    """Where a school is; a country stored under a code that no country has is not known."""
    try:
        country = iso_code(school.country) if school.country else ""
    except ValueError:
        country = ""
    return law.Place(country, school.region, school.institution)


def forbidden(effect: law.Effect, school: School | None = None) -> law.Rule | None:
    """The rule that forbids something where the school stands; None where none does or it is not known where."""
    # Only read: this is asked before every photo, and a site without settings has no place either.
    known = school or School.objects.filter(pk=1).first() or School()
    return law.forbids(place_of(known), effect)


def set_place(country: str, region: str = "", institution: str = "") -> School:
    """Store where the school is; what the law there forbids is switched off at once, and stored moods are deleted.

    Raises UnknownCountry, and UnknownPlace of a region or kind of institution.
    """
    try:
        country = iso_code(country)
    except ValueError:
        raise errors.UnknownCountry from None
    region = region.strip().upper()
    if not law.is_region(country, region) or institution not in {"", *law.Institution}:
        raise errors.UnknownPlace
    school = schooltime.get_school()
    school.country, school.region, school.institution = country, region, institution
    with transaction.atomic():
        if forbidden(law.Effect.NO_MOOD, school):
            school.mood_enabled = False
            # Locked, so that no worker stores another one meanwhile.
            list(Course.objects.select_for_update().order_by("pk").values_list("pk"))
            Course.objects.update(mood_enabled=False)
            SnapshotMood.objects.all().delete()
        school.save(update_fields=["country", "region", "institution", "mood_enabled"])
    return school


def check_recognition(course: Course) -> None:
    """Raises RecognitionProhibited where the law forbids recognition; nobody in the demo class is a pupil."""
    if not course.is_demo and forbidden(law.Effect.NO_RECOGNITION):
        raise errors.RecognitionProhibited


def check_enrolment(student: Student) -> None:
    """Raises RecognitionProhibited for everybody but the people of the demo class."""
    if forbidden(law.Effect.NO_RECOGNITION) and not student.courses.filter(is_demo=True).exists():
        raise errors.RecognitionProhibited
