"""The school and who belongs where: terms, rooms, courses, students, rosters."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class School(models.Model):
    """The one row of settings of this site."""

    name = models.CharField(_("name"), max_length=200, default="My school")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    photo_days = models.PositiveSmallIntegerField(_("days photos are kept"), default=30)
    unknown_face_days = models.PositiveSmallIntegerField(_("days unknown faces are kept"), default=7)
    template_days_after_term = models.PositiveSmallIntegerField(
        _("days templates are kept after the term"), default=30
    )
    courses_may_keep_longer = models.BooleanField(_("courses may keep things longer"), default=False)
    consent_text_version = models.CharField(max_length=32, default="2026-1")
    country = models.CharField(_("country"), max_length=2, blank=True)
    """ISO 3166-1, two letters; blank until an administrator has said."""
    region = models.CharField(_("region"), max_length=3, blank=True)
    """A part of the country whose law differs, as ``law.REGIONS`` names them."""
    institution = models.CharField(_("kind of institution"), max_length=10, blank=True)
    """One of ``law.Institution``."""
    mood_enabled = models.BooleanField(_("mood of the class"), default=False)
    mood_switched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    mood_switched_at = models.DateTimeField(null=True, blank=True)
    mood_minimum_group = models.PositiveSmallIntegerField(_("faces needed for a mood"), default=5)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="school_is_one_row"),
            models.CheckConstraint(condition=Q(mood_minimum_group__gte=5), name="school_mood_is_of_a_group"),
        ]

    def __str__(self) -> str:
        return self.name


class Term(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="term_ends_after_start")
        ]

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Student(models.Model):
    """A person on a roster. Known by id and school number, never by name."""

    number = models.CharField(_("student number"), max_length=40, unique=True)
    given_name = models.CharField(_("given name"), max_length=120)
    family_name = models.CharField(_("family name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["family_name", "given_name", "number"]
        constraints = [
            models.CheckConstraint(condition=~Q(number=""), name="student_has_a_number"),
            models.CheckConstraint(condition=~Q(given_name=""), name="student_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """``Ruth Adams``; people with one name have only that."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def sort_name(self) -> str:
        """``Adams, Ruth``, as class lists are kept."""
        return f"{self.family_name}, {self.given_name}" if self.family_name else self.given_name

    @property
    def initials(self) -> str:
        return (self.given_name[:1] + self.family_name[:1]).upper()


class Course(models.Model):
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="courses", verbose_name=_("term"))
    teachers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="courses", blank=True, verbose_name=_("teachers")
    )
    students = models.ManyToManyField(Student, through="RosterEntry", related_name="courses")
    gallery_version = models.PositiveIntegerField(default=1)
    mood_enabled = models.BooleanField(_("mood of the class"), default=False)
    mood_switched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    mood_switched_at = models.DateTimeField(null=True, blank=True)
    is_demo = models.BooleanField(default=False)
    about = models.TextField(_("about"), blank=True)

    class Meta:
        ordering = ["name", "code"]
        constraints = [
            models.UniqueConstraint(fields=["term", "code"], name="course_code_once_a_term"),
            models.CheckConstraint(
                condition=Q(mood_enabled=False)
                | Q(mood_switched_by__isnull=False, mood_switched_at__isnull=False),
                name="mood_was_switched_on_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RosterEntry(models.Model):
    """A student on a course's roster from one day to another."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="roster_entries")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="roster_entries")
    enrolled_on = models.DateField(_("on the roster since"))
    left_on = models.DateField(_("left on"), null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "student"], name="student_once_on_a_roster"),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("enrolled_on")),
                name="roster_left_after_enrolled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} in {self.course}"
