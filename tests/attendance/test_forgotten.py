"""A backup made before somebody withdrew does not bring them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from attendance import forgotten, privacy
from attendance.models import Consent, FaceTemplate, Student
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path: Path, settings: Any) -> Path:
    settings.ROLLCALL_FORGOTTEN_FILE = str(tmp_path / "list" / "forgotten.jsonl")
    return Path(settings.ROLLCALL_FORGOTTEN_FILE)


def brought_back(student: Student) -> Student:
    """As a backup has it: the same row, with its consent and template of then."""
    back = Student(
        **{field.attname: getattr(student, field.attname) for field in Student._meta.concrete_fields}
    )
    Student.objects.filter(pk=back.pk).delete()
    back.save(force_insert=True)
    Student.objects.filter(pk=back.pk).update(created_at=student.created_at)
    make.template(back)
    return back


def test_who_was_deleted_is_deleted_again_and_nobody_else(path: Path) -> None:
    student, other = make.student(), make.student()
    row = Student.objects.get(pk=student.pk)
    privacy.delete_student(student)
    brought_back(row)
    assert forgotten.replay(path) == forgotten.Replayed(0, 1)
    assert list(Student.objects.all()) == [other]


def test_a_new_student_with_an_old_row_number_stays(path: Path) -> None:
    student = make.student()
    pk = student.pk
    privacy.delete_student(student)
    make.student(pk=pk, number=student.number)
    assert forgotten.replay(path) == forgotten.Replayed(0, 0)


def test_who_withdrew_is_withdrawn_again_unless_they_agreed_since(path: Path) -> None:
    teacher = make.teacher()
    student = make.student(make.course(teacher))
    make.template(student)
    row = Student.objects.get(pk=student.pk)
    before = list(student.consent_events.values_list("recorded_at", flat=True))
    privacy.withdraw_consent(student, teacher)
    back = brought_back(row)
    back.consent_events.update(recorded_at=before[0])
    assert forgotten.replay(path) == forgotten.Replayed(1, 0)
    assert Consent.objects.get(student=back).state == "withdrawn"
    assert not FaceTemplate.objects.exists()
    make.template(back)  # a new consent, recorded now
    assert forgotten.replay(path) == forgotten.Replayed(0, 0)
    assert FaceTemplate.objects.exists()


def test_the_list_holds_nobodys_name_or_number_and_is_for_its_owner_alone(path: Path) -> None:
    student = make.student(number="4711-S", given_name="Zephyrine")
    privacy.delete_student(student)
    text = path.read_text()
    assert "4711-S" not in text
    assert "Zephyrine" not in text
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "line", ["not JSON", "{}", '{"at": "yesterday", "what": "deleted", "who": "", "by": null}']
)
def test_a_damaged_list_is_said_and_changes_nothing(line: str, path: Path) -> None:
    student = make.student()
    path.parent.mkdir(parents=True)
    path.write_text(line + "\n")
    with pytest.raises(CommandError, match="line 1"):
        call_command("forget_again", str(path))
    assert Student.objects.filter(pk=student.pk).exists()


def test_no_list_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("forget_again", str(tmp_path / "missing.jsonl"))
