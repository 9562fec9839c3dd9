"""Two models on the pages: beside one face, and all of them compared."""

from __future__ import annotations

from django.urls import reverse

from attendance.models import Candidate, SecondOpinion, Sighting, Student
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
