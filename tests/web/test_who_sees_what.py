"""Every page and every file, asked for by everybody: what is not yours does not exist."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils import timezone

from attendance.models import Course, KeptFigures, MailMessage, StudentContact
from attendance.web import urls
from tests.web import calendar_routes, consent_routes

from .conftest import SchoolFixture

Arguments = Callable[[SchoolFixture], list[object]]


def a_contact(school: SchoolFixture) -> StudentContact:
    found, _created = StudentContact.objects.get_or_create(
        student=school.student, email="parent@home.example"
    )
    return found


def failed_mail() -> MailMessage:
    return MailMessage.objects.create(
        template="test",
        to="a@school.example",
        state="failed",
        created_at=timezone.now(),
        content={"text": "a"},
    )


def figures_of(name: str, course: Course | None = None) -> KeptFigures:
    now = timezone.now()
    return KeptFigures.objects.get_or_create(name=name, course=course, defaults={"looked_at": now})[0]


PAGES: dict[str, Arguments] = {
    "course": lambda s: [s.course.pk],
    "course-dashboard": lambda s: [s.course.pk],
    "course-retention": lambda s: [s.course.pk],
    "course-learned": lambda s: [s.course.pk],
    "figures-state": lambda s: [figures_of("learned-course", s.course).pk],
    "report-file": lambda s: ["course", s.course.pk, "xlsx"],
    "warnings": lambda s: [s.course.pk],
    "course-sessions": lambda s: [s.course.pk],
    "course-cameras": lambda s: [s.course.pk],
    "session-plan": lambda s: [s.course.pk],
    "student": lambda s: [s.student.pk],
    "portraits": lambda s: [s.student.pk],
    "session": lambda s: [s.session.pk],
    "session-live": lambda s: [s.session.pk],
    "session-dashboard": lambda s: [s.session.pk],
    "roll-csv": lambda s: [s.session.pk],
    "face": lambda s: [s.session.pk, s.unsure.pk],
    "mark-history": lambda s: [s.session.pk, s.student.pk],
    "photo": lambda s: [s.snapshot.pk, "thumb"],
    "face-crop": lambda s: [s.sighting.pk],
    "template-crop": lambda s: [s.template.pk],
    "portrait": lambda s: [s.held.pk],
}
"""Pages about something that belongs to a course: GET."""

FOR_CHANGERS: dict[str, Arguments] = {"roster-import": lambda s: [s.course.pk]}
"""Pages of a course for those who may change it: GET."""

CHANGES: dict[str, Arguments] = {
    "demo-remove": lambda s: [s.course.pk],
    "warnings-send": lambda s: [s.course.pk],
    "warnings-automatic": lambda s: [s.course.pk],
    "contact-add": lambda s: [s.course.pk, s.student.pk],
    "contact-remove": lambda s: [s.course.pk, a_contact(s).pk],
    "student-add": lambda s: [s.course.pk],
    "student-remove": lambda s: [s.course.pk, s.student.pk],
    "roster-confirm": lambda s: [s.course.pk],
    "take-now": lambda s: [s.course.pk],
    "portraits-add": lambda s: [s.student.pk],
    "portrait-remove": lambda s: [s.held.pk],
    "portrait-accept": lambda s: [s.held.pk],
    "session-state": lambda s: [s.session.pk, "close"],
    "photos-add": lambda s: [s.session.pk],
    "photo-again": lambda s: [s.session.pk, s.failed.pk],
    "marks-rest": lambda s: [s.session.pk],
    "mark-set": lambda s: [s.session.pk, s.student.pk],
    "mark-undo": lambda s: [s.session.pk, s.student.pk],
    "face-decide": lambda s: [s.session.pk, s.unsure.pk],
    "review-undo": lambda s: [s.session.pk, s.review.pk],
    "contest-settle": lambda s: [s.contest.pk],
    "offer-accept": lambda s: [s.student.pk, s.sighting.pk],
    "offer-decline": lambda s: [s.student.pk, s.sighting.pk],
    "offer-again": lambda s: [s.student.pk, s.sighting.pk],
    "contest-reopen": lambda s: [s.contest.pk],
}
"""What changes something of a course: POST."""

OWN: dict[str, Arguments] = {
    "today": lambda s: [],
    "courses": lambda s: [],
    "course-new": lambda s: [],
    "reports": lambda s: [],
    "report-jobs": lambda s: [],
    "overview-file": lambda s: ["summary", "csv"],
    "desk": lambda s: [],
    "digest": lambda s: [],
    "account": lambda s: [],
    "password": lambda s: [],
    "second-factor-setup": lambda s: [],
    "desk-bulk": lambda s: [],
}
"""Pages that show everybody what is theirs: GET."""

SITE_PAGES: dict[str, Arguments] = {
    "warning-texts": lambda s: [],
    "audit": lambda s: [],
    "retention": lambda s: [],
    "cameras": lambda s: [],
    "place": lambda s: [],
    "audit-export": lambda s: [],
    "site": lambda s: [],
    "camera-new": lambda s: [],
    "mood": lambda s: [],
    "learned": lambda s: [],
    "models": lambda s: [],
    "second-factors": lambda s: [],
}
SITE_CHANGES: dict[str, Arguments] = {
    "site-photo-again": lambda s: [s.failed.pk],
    "camera-rotate": lambda s: [s.camera.pk],
    "camera-revoke": lambda s: [s.camera.pk],
    "login-give": lambda s: [s.student.pk],
    "retention-run": lambda s: [],
    "learned-apply": lambda s: [s.course.pk],
    "learned-undo": lambda s: [s.course.pk],
    "login-take": lambda s: [s.student.pk],
    "mood-site": lambda s: [],
    "mood-group": lambda s: [],
    "mood-course": lambda s: [s.course.pk],
    "mail-test": lambda s: [],
    "second-factor-take-off": lambda s: [s.owner.pk],
    "mail-again": lambda s: [failed_mail().pk],
}
FILES_GIVEN_BACK = {"canvas-fill"}
"""What takes a file and gives it back changed, and changes nothing here; tested with the reports."""
OF_STUDENTS: dict[str, Arguments] = {
    "mine": lambda s: [],
    "my-data": lambda s: [],
    "my-lesson": lambda s: [s.session.pk],
    "my-face": lambda s: [s.sighting.pk],
}
"""A student's own pages: GET."""
CHANGES_OF_STUDENTS: dict[str, Arguments] = {
    "my-contest": lambda s: [s.session.pk],
    "my-contest-back": lambda s: [s.contest.pk],
}
OPEN = {"login", "logout", "phone", "phone-manifest", "phone-worker", "camera-agent", "first-sign-in"}
ELSEWHERE = {
    "desk-settle",
    "desk-skip",
    "desk-undo",
    "desk-report-undo",
    "desk-elsewhere",
    "camera-pair",
    "camera-paired",
    "second-factor",
    "second-factor-codes",
    "second-factor-off",
    "token-make",
    "token-end",
    "figures-anew",
}
"""Changes whose object stands in the form; their tests ask with everybody: ``test_desk.py``, ``test_cameras.py``,
``test_second_factor.py``, ``test_account.py``, ``test_kept_figures.py``."""
PERSONAL = {
    "report-ask", "report-job-file", "report-job-again", "report-job-remove",
    "own-data", "own-data-ask", "own-data-file", "own-data-remove",
    "report-save", "saved-report", "saved-schedule", "saved-stop", "saved-make", "saved-remove",
    "code", "code-live", "code-show", "code-stop", "code-tickets", "here", "here-code",
}  # fmt: skip
"""Of one person, or of whoever is in the room; ``test_job_pages.py`` and ``test_signin.py`` ask with everybody."""


PAGES |= calendar_routes.PAGES
FOR_CHANGERS |= calendar_routes.FOR_CHANGERS
CHANGES |= calendar_routes.CHANGES
OWN |= calendar_routes.OWN
SITE_PAGES |= calendar_routes.SITE_PAGES
SITE_CHANGES |= calendar_routes.SITE_CHANGES
ELSEWHERE |= calendar_routes.ELSEWHERE
PAGES |= consent_routes.PAGES
CHANGES |= consent_routes.PAPERWORK
SITE_PAGES |= consent_routes.SITE_PAGES
ELSEWHERE |= consent_routes.ELSEWHERE


def address(name: str, arguments: Arguments, school: SchoolFixture) -> str:
    return reverse(f"web:{name}", args=arguments(school))


def is_sign_in(response: object) -> bool:
    return response.status_code == 302 and response["Location"].startswith(reverse("web:login"))  # type: ignore[attr-defined]


def test_every_route_has_a_rule_here() -> None:
    known = PAGES | FOR_CHANGERS | CHANGES | OWN | SITE_PAGES | SITE_CHANGES
    known |= OF_STUDENTS | CHANGES_OF_STUDENTS
    rest = OPEN | FILES_GIVEN_BACK | ELSEWHERE | PERSONAL | consent_routes.BY_SECRET
    assert {pattern.name for pattern in urls.urlpatterns} == set(known) | rest


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_course(name: str, school: SchoolFixture) -> None:
    path = address(name, PAGES[name], school)
    statuses = {
        person: school.client(person).get(path).status_code
        for person in ("owner", "registrar", "administrator", "stranger")
    }
    assert statuses == {"owner": 200, "registrar": 200, "administrator": 200, "stranger": 404}
    assert is_sign_in(school.client("nobody").get(path))


@pytest.mark.parametrize("name", FOR_CHANGERS)
def test_a_page_for_those_who_change(name: str, school: SchoolFixture) -> None:
    path = address(name, FOR_CHANGERS[name], school)
    assert school.client("owner").get(path).status_code == 200
    assert school.client("administrator").get(path).status_code == 200
    assert school.client("registrar").get(path).status_code == 302
    assert school.client("stranger").get(path).status_code == 404
    assert is_sign_in(school.client("nobody").get(path))


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_by_somebody_else(name: str, school: SchoolFixture) -> None:
    path = address(name, CHANGES[name], school)
    before = (
        school.session.marks.values_list("student", "status", "source"),
        school.course.roster_entries.count(),
    )
    assert school.client("stranger").post(path).status_code == 404
    assert is_sign_in(school.client("nobody").post(path))
    assert school.client("owner").get(path).status_code == 405
    after = (
        school.session.marks.values_list("student", "status", "source"),
        school.course.roster_entries.count(),
    )
    assert [list(before[0]), before[1]] == [list(after[0]), after[1]]


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"demo-remove", *consent_routes.PAPERWORK}))
def test_a_registrar_reads_and_does_not_change(name: str, school: SchoolFixture) -> None:
    path = address(name, CHANGES[name], school)
    response = school.client("registrar").post(path, {"status": "absent"}, headers={"HX-Request": "true"})
    assert response.status_code == 400
    assert "not change" in response["HX-Trigger"]


@pytest.mark.parametrize("name", sorted(consent_routes.PAPERWORK))
def test_a_registrar_does_the_paperwork_of_consent(name: str, school: SchoolFixture) -> None:
    path = address(name, consent_routes.PAPERWORK[name], school)
    response = school.client("registrar").post(path, headers={"HX-Request": "true"})
    assert response.status_code in (200, 302, 409, 422), "done, or refused for another reason"
    assert "not change" not in response.get("HX-Trigger", "")


@pytest.mark.parametrize("name", OWN)
def test_an_own_page(name: str, school: SchoolFixture) -> None:
    path = address(name, OWN[name], school)
    assert {school.client(person).get(path).status_code for person in ("owner", "stranger", "registrar")} == {
        200
    }
    assert is_sign_in(school.client("nobody").get(path))


@pytest.mark.parametrize("name", SITE_PAGES | SITE_CHANGES)
def test_the_site_pages_exist_for_administrators_only(name: str, school: SchoolFixture) -> None:
    path = address(name, (SITE_PAGES | SITE_CHANGES)[name], school)
    for person in ("owner", "registrar", "stranger"):
        client = school.client(person)
        assert (client.get(path) if name in SITE_PAGES else client.post(path)).status_code == 404
    administrator = school.client("administrator")
    response = administrator.get(path) if name in SITE_PAGES else administrator.post(path)
    assert response.status_code in (200, 302)
    assert is_sign_in(school.client("nobody").post(path))


@pytest.mark.parametrize("name", PAGES | FOR_CHANGERS | CHANGES | OWN | SITE_PAGES | SITE_CHANGES)
def test_no_page_of_the_staff_exists_for_a_students_log_in(name: str, school: SchoolFixture) -> None:
    every = PAGES | FOR_CHANGERS | CHANGES | OWN | SITE_PAGES | SITE_CHANGES
    path = address(name, every[name], school)
    pupil = school.client("pupil")
    if path == "/":
        assert pupil.get(path)["Location"] == reverse("web:mine")
        return
    assert (pupil.get(path).status_code, pupil.post(path).status_code) in ((404, 404), (405, 404), (404, 405))


@pytest.mark.parametrize("name", OF_STUDENTS | CHANGES_OF_STUDENTS)
def test_students_pages_exist_for_students_only(name: str, school: SchoolFixture) -> None:
    path = address(name, (OF_STUDENTS | CHANGES_OF_STUDENTS)[name], school)
    for person in ("owner", "registrar", "stranger", "administrator"):
        client = school.client(person)
        assert (client.get(path) if name in OF_STUDENTS else client.post(path)).status_code == 404
    assert is_sign_in(school.client("nobody").post(path))


@pytest.mark.parametrize("name", OF_STUDENTS)
def test_a_student_sees_their_own(name: str, school: SchoolFixture) -> None:
    assert school.client("pupil").get(address(name, OF_STUDENTS[name], school)).status_code == 200


def test_a_list_shows_only_own_courses(school: SchoolFixture) -> None:
    assert school.course.name in school.client("owner").get(reverse("web:courses")).text
    assert school.course.name not in school.client("stranger").get(reverse("web:courses")).text


def test_a_face_of_another_session_is_not_found_under_this_one(school: SchoolFixture) -> None:
    from tests import factories as make

    other = make.session(school.course)
    path = reverse("web:face", args=[other.pk, school.unsure.pk])
    assert school.client("owner").get(path).status_code == 404
