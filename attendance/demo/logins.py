"""The demo's three logins: well known, so for local use only, and removed with the demo where nothing hangs on them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db.models import ProtectedError

from attendance import permissions
from attendance.demo.errors import NotLocal

PASSWORD = "rollcall-demo"  # noqa: S105 - printed by the command, refused outside local use
GROUP = "demo logins"
ROLES = (
    ("teacher", "Demo", "Teacher", ""),
    ("registrar", "Demo", "Registrar", permissions.REGISTRARS),
    ("admin", "Demo", "Administrator", permissions.ADMINISTRATORS),
)


@dataclass(frozen=True, slots=True)
class Logins:
    teacher: User
    registrar: User
    admin: User

    @property
    def names(self) -> tuple[str, ...]:
        return (self.teacher.username, self.registrar.username, self.admin.username)


def check_local() -> None:
    """Raise NotLocal where the server is open to others than this machine and its school's network."""
    if not settings.LOCAL_ONLY:
        raise NotLocal(
            "The demo makes logins with a well-known password, so it is loaded only where ROLLCALL_LOCAL is on."
        )


def ensure() -> Logins:
    """The three logins, made where they are missing. Somebody else's login of that name is left alone."""
    check_local()
    group, _created = Group.objects.get_or_create(name=GROUP)
    made = [_ensure_one(group, *role) for role in ROLES]
    return Logins(*made)


def remove() -> list[str]:
    """Delete the demo's logins; the names of those that stay because something of others hangs on them."""
    kept = []
    for user in User.objects.filter(groups__name=GROUP):
        if user.courses.exists():
            kept.append(user.username)
            continue
        try:
            user.delete()
        except ProtectedError:
            kept.append(user.username)
    if not kept:
        Group.objects.filter(name=GROUP).delete()
    return kept


def _ensure_one(group: Group, username: str, first: str, last: str, role: str) -> User:
    for name in (username, f"demo-{username}"):
        known = User.objects.filter(username=name).first()
        if known is None:
            user = User.objects.create_user(name, password=PASSWORD, first_name=first, last_name=last)
            user.groups.add(group)
            if role:
                user.groups.add(Group.objects.get_or_create(name=role)[0])
            return user
        if known.groups.filter(pk=group.pk).exists():
            return known
    raise NotLocal(
        f"The logins {username} and demo-{username} belong to somebody else; the demo cannot use them."
    )
