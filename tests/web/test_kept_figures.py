"""Pages and API over very many faces: being worked out, as of when, worked out anew; the same numbers either way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attendance import figure_kinds, figures, intake, tasks
from attendance.learned import counting
from attendance.models import KeptFigures, PolicyOverride
from attendance.reports import comparison_facts
from tests import factories as make

from .conftest import SchoolFixture
from .test_learned_pages import page
from .test_learned_pages import room as room  # a fixture
from .test_second_opinion import differing, opinion


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every face is one too many to be counted while a page waits."""
    monkeypatch.setattr(counting, "FEW_FACES", -1)
    monkeypatch.setattr(comparison_facts, "FEW_FACES", -1)
    monkeypatch.setattr(intake, "publish", lambda *_task, **_more: True)


def work() -> int:
    """What workers do with all that is wanted; how many rows."""
    wanted = list(KeptFigures.objects.filter(wanted_at__isnull=False).values_list("pk", flat=True))
    return sum(tasks.work_out_figures(pk) for pk in wanted)


def values(found: Any) -> set[str]:
    """Every text in a JSON value that is no key."""
    if isinstance(found, dict):
        return set().union(*map(values, found.values())) if found else set()
    if isinstance(found, list):
        return set().union(*map(values, found)) if found else set()
    return {found} if isinstance(found, str) else set()


ADDRESSES = ("learned/", "courses/{course}/learned/", "models/", "models/?course={course}")


def asked(school: SchoolFixture, address: str) -> Any:
    path = address.format(course=school.course.pk)
    return school.client("administrator").get(f"/api/{path}")


@pytest.mark.parametrize("address", ADDRESSES)
def test_both_ways_give_the_same_numbers(
    address: str, room: SchoolFixture, request: pytest.FixtureRequest
) -> None:
    opinion(room.sighting, room.student, "same")
    opinion(room.unsure, None, "neither")
    at_once = asked(room, address).json()
    assert at_once.pop("as_of") is None
    request.getfixturevalue("many")
    waiting = asked(room, address)
    assert (waiting.status_code, waiting.json()) == (202, {"state": "working"})
    assert waiting["Retry-After"] == "5"
    assert work() == 1
    kept = asked(room, address).json()
    row = KeptFigures.objects.get()
    assert kept.pop("as_of")
    assert kept == at_once
    assert values(row.facts) <= {make.ENGINE, "lfwcnn1"}, (
        "numbers and names of networks, nothing about a person"
    )
    kind: figures.Kind[Any] = figure_kinds.KINDS[row.name]
    assert json.loads(json.dumps(kind.pack(kind.unpack(row.facts)))) == row.facts


def test_a_course_s_page_waits_shows_and_counts_anew(room: SchoolFixture, many: None) -> None:
    text = page(room)
    row = KeptFigures.objects.get()
    state = reverse("web:figures-state", args=[row.pk])
    assert "Being worked out" in text
    assert f'hx-get="{state}"' in text
    assert "Faces by camera" in text, "what is quick is there at once"
    assert "more settled faces are needed" not in text
    assert room.client("owner").get(state).status_code == 204
    work()
    ready = room.client("owner").get(state)
    assert (ready.status_code, ready["HX-Refresh"]) == (200, "true")
    text = page(room)
    assert "From 72 faces that people settled and 72 that were named" in text
    assert "As of <time" in text
    assert "Newer corrections are counted in" in text
    anew = reverse("web:figures-anew", args=[row.pk])
    assert anew in text
    room.client("owner").post(anew)
    text = page(room)
    assert "Newer corrections are being counted in." in text
    assert "From 72 faces" in text, "shown while they are counted anew"
    assert anew not in text
    assert work() == 1


def test_who_may_see_and_ask_is_whoever_sees_the_page(school: SchoolFixture, many: None) -> None:
    administrator = school.client("administrator")
    administrator.get(reverse("web:models"))
    administrator.get(reverse("web:models") + f"?course={school.course.pk}")
    page(school)
    for row in KeptFigures.objects.all():
        allowed = (
            {"owner", "registrar", "administrator"} if row.name == "learned-course" else {"administrator"}
        )
        for person in ("owner", "registrar", "administrator", "stranger", "pupil"):
            got = school.client(person).get(reverse("web:figures-state", args=[row.pk])).status_code
            asked_for = school.client(person).post(reverse("web:figures-anew", args=[row.pk])).status_code
            assert (got, asked_for) == ((204, 302) if person in allowed else (404, 404)), (row.name, person)
        assert school.client("nobody").post(reverse("web:figures-anew", args=[row.pk])).status_code == 302
        assert school.client("owner").get(reverse("web:figures-anew", args=[row.pk])).status_code == 405
    assert KeptFigures.objects.count() == 3


def test_another_strictness_takes_the_suggestion_away_until_it_is_compared(
    room: SchoolFixture, many: None
) -> None:
    administrator, apply = room.client("administrator"), reverse("web:learned-apply", args=[room.course.pk])
    page(room)
    work()
    shown = page(room, "administrator")
    shift = shown.split('name="shift" value="')[1].split('"')[0]
    administrator.post(apply, {"shift": shift})
    assert PolicyOverride.objects.get().shown["reviews_now"] > 0
    text = page(room, "administrator")
    assert "The strictness has changed since the figures were worked out" in text
    assert 'name="shift"' not in text
    assert asked(room, "courses/{course}/learned/").json()["suggestion"] is None
    work()
    assert "The strictness has changed" not in page(room, "administrator")


def test_a_suggestion_that_corrections_changed_is_not_applied_from_kept_figures(
    room: SchoolFixture, many: None
) -> None:
    page(room)
    work()
    shift = page(room, "administrator").split('name="shift" value="')[1].split('"')[0]
    room.course.sessions.all().delete()
    apply = reverse("web:learned-apply", args=[room.course.pk])
    text = room.client("administrator").post(apply, {"shift": shift}, follow=True).text
    assert "has changed since this page was opened" in text
    assert not PolicyOverride.objects.exists()


def test_figures_that_cannot_be_worked_out_say_so(
    school: SchoolFixture, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(school)
    KeptFigures.objects.update(attempts=figures.MAX_ATTEMPTS)
    text = page(school)
    assert "These figures could not be worked out." in text
    assert 'hx-get="/figures/' not in text
    assert asked(school, "courses/{course}/learned/").json() == {"state": "failed"}
    row = KeptFigures.objects.get()
    school.client("owner").post(reverse("web:figures-anew", args=[row.pk]))
    assert work() == 1


def test_the_models_and_site_pages_wait_and_show(school: SchoolFixture, many: None) -> None:
    differing(school)
    administrator = school.client("administrator")
    for name in ("models", "site"):
        text = administrator.get(reverse(f"web:{name}")).text
        assert "go through very many faces" in text
        assert 'hx-get="/figures/' in text
    assert work() == 1, "both pages show the same figures"
    models = administrator.get(reverse("web:models")).text
    assert 'Different names <span class="count num">1</span>' in models
    assert f'<option value="{school.course.pk}"' in models
    assert "As of <time" in models
    assert "As of <time" in administrator.get(reverse("web:site")).text
    assert "As of <time" not in administrator.get(reverse("web:models") + "?course=0").text


def test_a_course_deleted_since_has_no_line(school: SchoolFixture, many: None) -> None:
    differing(school)
    opinion(make.sighting(make.snapshot(make.session(make.course())), None, "unknown"), None, "neither")
    asked(school, "models/")
    work()
    assert len(asked(school, "models/").json()["courses"]) == 2
    school.course.sessions.all().delete()
    school.course.roster_entries.all().delete()
    school.course.delete()
    assert len(asked(school, "models/").json()["courses"]) == 1


def test_kept_pages_ask_as_often_for_many_faces_as_for_few(room: SchoolFixture, many: None) -> None:
    client, address = room.client("owner"), reverse("web:course-learned", args=[room.course.pk])

    def queries() -> int:
        client.get(address)
        work()
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    few = queries()
    for minute in (30, 40):
        photo = make.snapshot(make.session(room.course, "closed"), minute, camera=room.camera)
        for index in range(4):
            make.sighting(photo, None, "unknown", index)
    assert queries() == few


def test_in_spanish(room: SchoolFixture, many: None) -> None:
    client, address = room.client("owner"), reverse("web:course-learned", args=[room.course.pk])
    client.cookies["django_language"] = "es"
    assert "En cálculo" in client.get(address).text
    work()
    text = client.get(address).text
    assert "Datos de: <time" in text
    assert "Contar de nuevo ahora" in text
