"""The daily e-mail to those who asked for it: how much waits at the review desk. Counts and a link, nobody's name."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from attendance import errors, mailing, permissions, schooltime
from attendance.desk import queue
from attendance.models import ReviewDigest

HOUR = 7
"""From this hour of the school's day on."""


def is_on(user: User) -> bool:
    return ReviewDigest.objects.filter(user=user).exists()


def switch(user: User, on: bool) -> None:
    """For this user alone; off until they say so. Raises MailNotSetUp, and NoAddress without an address."""
    if not on:
        ReviewDigest.objects.filter(user=user).delete()
        return
    if not mailing.is_set_up():
        raise errors.MailNotSetUp
    if not user.email:
        raise errors.NoAddress
    ReviewDigest.objects.get_or_create(user=user, defaults={"switched_on_at": timezone.now()})


def send_due(now: dt.datetime | None = None) -> int:
    """One e-mail a school day to each who wants it and for whom something is open. How many were sent.

    Two processes at once, or a process that died, send none twice: the day is taken before the e-mail is stored,
    in one transaction.
    """
    now = now or timezone.now()
    today = schooltime.school_day(now)
    if not mailing.is_set_up() or now.astimezone(schooltime.school_zone()).hour < HOUR:
        return 0
    due = ReviewDigest.objects.filter(Q(last_sent_on__isnull=True) | Q(last_sent_on__lt=today))
    return sum(_send(each, today) for each in due.select_related("user"))


def _send(wanted: ReviewDigest, today: dt.date) -> bool:
    user = wanted.user
    if not user.is_active or not user.email or permissions.is_student(user):
        return False
    waiting = queue.items_for(permissions.sessions_for(user))
    left = queue.left(waiting)
    with transaction.atomic():
        free = ReviewDigest.objects.filter(pk=wanted.pk).exclude(last_sent_on=today)
        if not free.update(last_sent_on=today) or not left.items:
            return False
        context = {
            "items": left.items,
            "lessons": len({each.session.pk for each in waiting}),
            "marks": left.marks,
            "minutes": max(1, round(left.seconds / 60)),
            "link": mailing.link_to(reverse("web:desk")),
            "stop": mailing.link_to(reverse("web:digest")),
        }
        mailing.send("review_digest", [user.email], context)
    return True
