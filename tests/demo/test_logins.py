"""The demo's logins: their roles, and what is never taken over or taken away."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from attendance import permissions
from attendance.demo import logins
from attendance.demo.removal import remove_demo
from attendance.permissions import Role
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_role_has_a_login() -> None:
    made = logins.ensure()
    assert [permissions.role_of(user) for user in (made.teacher, made.registrar, made.admin)] == [
        Role.TEACHER,
        Role.REGISTRAR,
        Role.ADMINISTRATOR,
    ]
    assert all(user.check_password(logins.PASSWORD) for user in (made.teacher, made.registrar, made.admin))
    assert not User.objects.filter(is_superuser=True).exists()
    assert logins.ensure() == made, "a second demo uses the same logins"


def test_somebody_elses_login_is_left_alone() -> None:
    own = factories.teacher("teacher")
    made = logins.ensure()
    assert made.names == ("demo-teacher", "registrar", "admin")
    own.refresh_from_db()
    assert own.check_password(factories.PASSWORD)
    remove_demo(with_logins=True)
    assert list(User.objects.all()) == [own]


def test_a_demo_login_that_teaches_a_course_of_its_own_stays() -> None:
    made = logins.ensure()
    factories.course(made.teacher)
    removed = remove_demo(with_logins=True)
    assert removed.kept_logins == ("teacher",)
    assert list(User.objects.all()) == [made.teacher]


def test_a_page_leaves_the_logins() -> None:
    made = logins.ensure()
    remove_demo()
    assert User.objects.count() == len(made.names)
