"""What every page knows: the school's name and which part of the site this is."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from attendance import logos, permissions, schooltime

SECTIONS = {
    "courses": "courses",
    "students": "courses",
    "excuses": "courses",
    "calendar": "courses",
    "sessions": "courses",
    "reports": "reports",
    "site": "site",
    "my": "my",
}


def school(request: HttpRequest) -> dict[str, object]:
    first = request.path.lstrip("/").split("/", 1)[0]
    # A request refused early (a wrong host name) has not got as far as having a user.
    user = getattr(request, "user", None) or AnonymousUser()
    return {
        "school_name": schooltime.get_school().name if user.is_authenticated else "",
        "school_logo": logos.current() if user.is_authenticated else None,
        "section": SECTIONS.get(first, "today" if first == "" else ""),
        "is_administrator": permissions.is_administrator(user),
        "is_student": permissions.is_student(user),
    }
