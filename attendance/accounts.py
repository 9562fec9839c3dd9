"""Students' log-ins: made by an administrator, opened with a link that works once, gone with the student."""

from __future__ import annotations

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from attendance.models import MailMessage, Student, StudentAccount, StudentContact


def account_of(student: Student) -> StudentAccount | None:
    return StudentAccount.objects.select_related("user").filter(student=student).first()


def give_login(student: Student, by: User) -> StudentAccount:
    """A log-in for this student, without a password until the link is used; the one they have, if they have one.

    The user name is the student number, with a digit behind it where somebody else has that name.
    """
    known = account_of(student)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            user = User(
                username=_free_name(student.number),
                first_name=student.given_name[:150],
                last_name=student.family_name[:150],
                email=student.email,
            )
            user.set_unusable_password()
            user.save()
            return StudentAccount.objects.create(
                student=student, user=user, created_by=by, created_at=timezone.now()
            )
    except IntegrityError:  # two administrators at once
        return StudentAccount.objects.select_related("user").get(student=student)


def new_link(account: StudentAccount) -> tuple[str, str]:
    """(uid, token) of a link that lets the student choose a password: once, and for three days.

    Links made before, the old password and browsers signed in with it end at once.
    """
    account.user.set_unusable_password()
    account.user.save(update_fields=["password"])
    uid = urlsafe_base64_encode(force_bytes(account.user_id))
    return uid, default_token_generator.make_token(account.user)


def take_login(student: Student) -> None:
    """The log-in ends at once; what the student said stays. Nothing happens where there is none."""
    User.objects.filter(student_account__student=student).delete()


def forget_login(student: Student) -> None:
    """The log-in, and what is written elsewhere under its name: tries to sign in, browsers signed in, mail sent."""
    account = account_of(student)
    names = {student.number} | ({account.user.username} if account else set())
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(username__in=names).delete()
    if account is not None:
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
            if session.get_decoded().get(SESSION_KEY) == str(account.user_id):
                session.delete()
    addresses = {student.email, *student.contacts.values_list("email", flat=True)}
    addresses |= set(student.consent_links.values_list("to", flat=True))
    addresses |= {account.user.email} if account else set()
    MailMessage.objects.filter(to__in=addresses - {""} - _still_used(addresses, student)).delete()
    take_login(student)


def _still_used(addresses: set[str], student: Student) -> set[str]:
    """Addresses that are somebody else's too: a parent of two, a teacher with a child here."""
    users = User.objects.filter(email__in=addresses).exclude(student_account__student=student)
    contacts = StudentContact.objects.filter(email__in=addresses).exclude(student=student)
    students = Student.objects.filter(email__in=addresses).exclude(pk=student.pk)
    return {email for rows in (users, contacts, students) for email in rows.values_list("email", flat=True)}


def _free_name(number: str) -> str:
    taken = set(User.objects.filter(username__startswith=number).values_list("username", flat=True))
    names = (number if count == 1 else f"{number}-{count}" for count in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
