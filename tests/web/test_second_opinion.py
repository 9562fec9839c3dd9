"""Two models on the pages: beside one face, and all of them compared."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attendance.models import AuditEntry, Candidate, Review, SecondOpinion, Sighting, Student
from tests import factories as make

from .conftest import SchoolFixture


def opinion(sighting: Sighting, student: Student | None, agreement: str, **fields: object) -> SecondOpinion:
    names = agreement in ("same", "second_only", "different")
    return SecondOpinion.objects.create(
        **{
            "sighting": sighting,
            "student": student,
            "distance": 0.2,
            "probability": 0.84,
            "decision": "recognised" if names else "unknown",
            "agreement": agreement,
            "confidence": 0.97,
            "encoder_version": "lfwcnn1",
            "milliseconds": 2.5,
            **fields,
        }
    )


def panel(school: SchoolFixture, sighting: Sighting) -> str:
    return school.client().get(reverse("web:face", args=[school.session.pk, sighting.pk])).text


def test_the_face_panel_tells_that_both_agree(school: SchoolFixture) -> None:
    assert "second model" not in panel(school, school.sighting)
    opinion(school.sighting, school.student, "same")
    text = panel(school, school.sighting)
    assert f"The second model names {school.student.full_name} as well: 84 % likely." in text
    assert "Both together: 97 % likely." in text


def test_the_face_panel_offers_whom_only_the_second_model_names(school: SchoolFixture) -> None:
    Sighting.objects.filter(pk=school.sighting.pk).update(decision="uncertain", reason="models_disagree")
    Candidate.objects.create(
        sighting=school.sighting, student=school.student, rank=0, distance=0.3, score=1, probability=0.9
    )
    opinion(school.sighting, school.without_consent, "different", probability=0.995)
    text = panel(school, school.sighting)
    assert "The two models name different students." in text
    assert f"The second model names {school.without_consent.full_name}: 99 % likely." in text
    assert "named by the second model" in text


def test_the_face_panel_tells_that_the_second_model_is_not_sure(school: SchoolFixture) -> None:
    opinion(school.sighting, school.without_consent, "first_only", probability=0.12)
    text = panel(school, school.sighting)
    assert f"Nearest to it is {school.without_consent.full_name}: 12 % likely." in text


def test_the_face_panel_names_nobody_who_is_not_on_this_roll(school: SchoolFixture) -> None:
    opinion(school.sighting, make.student(), "different")
    assert "second model" not in panel(school, school.sighting)


# --- the comparison ---------------------------------------------------------------------------------
def compared(school: SchoolFixture, query: str = "", person: str = "administrator") -> str:
    return school.client(person).get(reverse("web:models") + query).text


def differing(school: SchoolFixture, faces: int = 1) -> list[Sighting]:
    """Faces the first model takes for one student and the second for another, both enrolled."""
    other = make.student(school.course)
    make.template(other)
    made = []
    for index in range(faces):
        found = make.sighting(
            school.snapshot, school.student, "uncertain", 10 + index, reason="models_disagree"
        )
        opinion(found, other, "different")
        made.append(found)
    return made


def test_without_any_answer_the_page_says_what_to_do(school: SchoolFixture) -> None:
    text = compared(school)
    assert "No face was read by both models yet" in text
    assert "The second opinion is switched off." in text


def test_the_page_counts_both_models_against_peoples_words(school: SchoolFixture) -> None:
    opinion(school.sighting, school.student, "same")
    opinion(school.unsure, None, "neither")
    (face,) = differing(school)
    Review.objects.create(
        sighting=face, verdict="is", student=school.student, by=school.owner, at=timezone.now()
    )
    text = " ".join(compared(school).split())
    assert "1 of 2 faces both name" in text
    assert "2.5 ms" in text
    assert 'Different names <span class="count num">1</span>' in text
    assert f"A person said: {school.student.full_name}" in text
    assert text.count("100.0 %") == 2, "nearest and named of the first model"
    assert text.count("<b>0.0 %</b>") == 2, "of the second"


def test_crops_come_by_the_permission_layer_alone(school: SchoolFixture) -> None:
    differing(school)
    text = compared(school)
    template = school.template.pk
    assert reverse("web:template-crop", args=[template]) in text
    assert school.template.chip.name not in text
    assert school.client("stranger").get(reverse("web:template-crop", args=[template])).status_code == 404


def test_a_course_a_kind_and_a_page_can_be_chosen(school: SchoolFixture) -> None:
    differing(school, 14)
    opinion(school.sighting, school.student, "same")
    elsewhere = make.session(make.course(name="Botany", students=1))
    student = elsewhere.course.students.get()
    opinion(make.sighting(make.snapshot(elsewhere), student), student, "same")
    assert compared(school).count('class="card pair"') == 12
    assert compared(school, "?page=2").count('class="card pair"') == 2
    assert compared(school, f"?course={school.course.pk}&show=same").count('class="card pair"') == 1
    assert compared(school, "?show=same").count('class="card pair"') == 2
    assert "1 of 1 faces both name" in compared(school, f"?course={elsewhere.course.pk}")


@pytest.mark.parametrize(
    "query",
    ["?page=x&show=perhaps", "?page=-3", "?page=99999999999999999999", "?course=x", f"?course={'9' * 40}"],
)
def test_what_makes_no_sense_in_the_address_is_passed_over(query: str, school: SchoolFixture) -> None:
    differing(school)
    assert 'class="card pair"' in compared(school, query)


@pytest.mark.parametrize("course", ["0", "9" * 18, "999999"])
def test_a_course_that_is_not_there_is_not_found(course: str, school: SchoolFixture) -> None:
    path = reverse("web:models") + f"?course={course}"
    assert school.client("administrator").get(path).status_code == 404


def test_answers_of_older_weights_are_told_and_not_counted(school: SchoolFixture) -> None:
    opinion(school.unsure, school.student, "second_only", encoder_version="lfwcnn0")
    opinion(school.sighting, school.student, "same")
    text = compared(school)
    assert "1 face read by older weights is not counted." in text
    assert "Second model: lfwcnn1." in text


def test_the_number_of_queries_is_fixed(school: SchoolFixture) -> None:
    client, path = school.client("administrator"), reverse("web:models")

    def settle(face: Sighting, student: Student) -> None:
        now = timezone.now()
        Review.objects.create(sighting=face, verdict="is", student=student, by=school.owner, at=now)

    def queries() -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    settle(differing(school, 2)[0], school.student)
    few = queries()
    for _ in range(4):
        session = make.session(make.course(students=2))
        one, two = session.course.students.all()
        make.template(two)
        for student in (one, two):
            face = make.sighting(make.snapshot(session), one, "uncertain", reason="models_disagree")
            opinion(face, two, "different")
            settle(face, student)
    assert queries() == few
    assert few <= 20


def test_the_api_gives_the_same_numbers(school: SchoolFixture) -> None:
    opinion(school.sighting, school.student, "same")
    differing(school, 3)
    client = school.client("administrator")
    body = client.get(reverse("api:models")).json()
    assert body["version"] == "lfwcnn1"
    assert body["total"]["course"] is None
    assert body["total"]["faces"] == 4
    assert body["total"]["agreement"]["different"]["faces"] == 3
    assert [line["course"] for line in body["courses"]] == [school.course.pk]
    one = client.get(reverse("api:models"), {"course": school.course.pk}).json()
    assert one["total"]["faces"] == 4
    assert client.get(reverse("api:models"), {"course": 10**30}).status_code == 400
    assert client.get(reverse("api:models"), {"course": 999_999}).status_code == 404


def test_the_site_page_has_the_comparison_in_four_numbers(school: SchoolFixture) -> None:
    client = school.client("administrator")
    assert "No face was read by both models yet" in client.get(reverse("web:site")).text
    opinion(school.sighting, school.student, "same")
    differing(school)
    text = client.get(reverse("web:site")).text
    assert "50.0 %" in text
    assert "2.5 ms" in text


def test_looking_at_the_faces_is_written_into_the_log(school: SchoolFixture) -> None:
    differing(school)
    compared(school)
    assert AuditEntry.objects.filter(verb="looked", what="web:models").count() == 1
