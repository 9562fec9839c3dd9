"""Signing in to a lesson with the code on the projector: no camera, no face, nobody at a disadvantage.

The code is an address that changes every fifteen seconds: session, step and an HMAC under a secret of this window.
Whoever opens it in time gets a claim bound to their browser, good for three minutes: time to sign in, of no use to
anybody it is sent to. A student then signs in with their own log-in, or with a number on paper that was handed to
them in the room. One browser signs in one student.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from attendance import errors, marks, shared_cache
from attendance.models import ClassSession, SignInArrival, SignInTicket, SignInWindow, Student

STEP_SECONDS = 15
STEPS_BACK = 1
"""A code is good for its own step and the next: 15 to 30 seconds."""
CLAIM_SECONDS = 180
WINDOW = dt.timedelta(minutes=20)
PIN_DIGITS = 6
WRONG_PINS = 5
"""Wrong tries after which a ticket is void: a guess hits one in 200,000."""
WRONG_TRIES_A_DEVICE = 10
OPENED_A_MINUTE = 240
"""Codes opened from one address in a minute: a whole school behind one address, and no more."""
_SALT = "rollcall.sign-in"


class SignInRefused(errors.RollcallError):
    code = "sign_in_refused"
    status = 403
    message = _("That did not work. Please scan the code on the screen again.")


class CodeExpired(SignInRefused):
    code = "code_expired"
    status = 410
    message = _("This code has changed in the meantime. Please scan the one that is on the screen now.")


class WindowClosed(SignInRefused):
    code = "window_closed"
    status = 409
    message = _("Signing in to this lesson is over. Please see your teacher.")


class WrongTicket(SignInRefused):
    code = "wrong_ticket"
    message = _(
        "Student number and ticket do not belong together. After five wrong tries the ticket is void."
    )


class DeviceUsed(SignInRefused):
    code = "device_used"
    status = 409
    message = _("Somebody has signed in to this lesson with this device already. Please see your teacher.")


class NotInClass(SignInRefused):
    code = "not_in_class"
    message = _("You are not on the roster of this lesson. Please see your teacher.")


class TooManyTries(SignInRefused):
    code = "too_many_tries"
    status = 429
    message = _("Too many tries. Please wait a minute, or see your teacher.")


class OutsideTheSchool(SignInRefused):
    code = "outside_the_school"
    message = _("Signing in works in the school's own network only.")


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody opened the code in time, with this browser."""

    session_id: int
    opened_at: str
    """Of the window: a new one ends every claim on the old."""
    device: str


# --- the teacher's side -----------------------------------------------------------------------------
def open_window(session: ClassSession, by: User) -> SignInWindow:
    """Show the code from now on. Raises SessionState unless the session is open."""
    if session.state != ClassSession.State.OPEN or session.is_cancelled:
        raise errors.SessionState(_("Open the session first; then students can sign in."))
    now = timezone.now()
    window, _created = SignInWindow.objects.update_or_create(
        session=session,
        defaults={
            "secret": secrets.token_hex(32), "opened_by": by, "opened_at": now, "closes_at": now + WINDOW,
        },
    )  # fmt: skip
    return window


def close_window(session: ClassSession) -> None:
    SignInWindow.objects.filter(session=session, closes_at__gt=timezone.now()).update(
        closes_at=timezone.now()
    )


def is_open(window: SignInWindow, now: dt.datetime | None = None) -> bool:
    open_session = window.session.state == ClassSession.State.OPEN and not window.session.is_cancelled
    return open_session and (now or timezone.now()) < window.closes_at


def code_now(window: SignInWindow, now: dt.datetime | None = None) -> str:
    """``<session>.<step>.<mac>``, for an address."""
    return _code(window, _step(now or timezone.now()))


def seconds_left(now: dt.datetime | None = None) -> int:
    """Until the code on the screen changes."""
    return STEP_SECONDS - int((now or timezone.now()).timestamp()) % STEP_SECONDS


def make_tickets(session: ClassSession) -> list[tuple[Student, str]]:
    """A number on paper for everybody on the roster, in place of any made before. They are never shown again."""
    now = timezone.now()
    made = []
    with transaction.atomic():
        SignInTicket.objects.filter(session=session, used_at=None).delete()
        used = set(SignInTicket.objects.filter(session=session).values_list("student_id", flat=True))
        rows = []
        for entry in marks.roster_on_day(session).select_related("student"):
            if entry.student_id not in used:
                pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
                rows.append(
                    SignInTicket(
                        session=session, student=entry.student, made_at=now,
                        pin_hash=_pin_hash(session.pk, entry.student_id, pin),
                    )
                )  # fmt: skip
                made.append((entry.student, pin))
        SignInTicket.objects.bulk_create(rows)
    return sorted(made, key=lambda one: (one[0].sort_name.casefold(), one[0].number))


# --- the student's side -----------------------------------------------------------------------------
def open_code(code: str, device: str, address: str, now: dt.datetime | None = None) -> str:
    """A claim for who opens the code in time. Raises CodeExpired, WindowClosed, TooManyTries, OutsideTheSchool."""
    now = now or timezone.now()
    _check_address(address)
    _count(f"sign-in-opened:{address}", OPENED_A_MINUTE, 60)
    session_id, _dot, rest = code.partition(".")
    step, _dot, _mac = rest.partition(".")
    if not (_is_number(session_id) and _is_number(step)):
        raise CodeExpired
    window = SignInWindow.objects.select_related("session").filter(session_id=int(session_id)).first()
    if window is None or not constant_time_compare(code, _code(window, int(step))):
        raise CodeExpired
    if not 0 <= _step(now) - int(step) <= STEPS_BACK:
        raise CodeExpired
    if not is_open(window, now):
        raise WindowClosed
    claim = [window.session_id, window.opened_at.isoformat(), _device(device, window.session_id)]
    return signing.dumps(claim, salt=_SALT)


def window_of(claim: str, device: str, now: dt.datetime | None = None) -> tuple[SignInWindow, Claim]:
    """What a claim is for. Raises CodeExpired, WindowClosed."""
    try:
        session_id, opened_at, holder = signing.loads(claim, salt=_SALT, max_age=CLAIM_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        raise CodeExpired from None
    found = Claim(session_id, opened_at, holder)
    window = (
        SignInWindow.objects.select_related("session__course", "opened_by")
        .filter(session_id=session_id)
        .first()
    )
    if window is None or window.opened_at.isoformat() != found.opened_at:
        raise CodeExpired
    if not device or not constant_time_compare(found.device, _device(device, session_id)):
        raise CodeExpired
    if not is_open(window, now):
        raise WindowClosed
    return window, found


def arrive_by_login(claim: str, device: str, student: Student, address: str) -> SignInArrival:
    """Raises SignInRefused and its kinds."""
    _check_address(address)
    window, found = window_of(claim, device)
    return _arrive(window, found, student, SignInArrival.Via.LOGIN)


def arrive_by_ticket(claim: str, device: str, number: str, pin: str, address: str) -> SignInArrival:
    """Raises SignInRefused and its kinds. Whether number or ticket was wrong is not said."""
    _check_address(address)
    window, found = window_of(claim, device)
    _count(f"sign-in-tries:{found.device}", WRONG_TRIES_A_DEVICE, 600)
    ticket = SignInTicket.objects.filter(
        session=window.session, student__number=number.strip(), used_at=None
    ).first()
    if ticket is None:
        raise WrongTicket
    # Counted before it is compared: tries at once do not get around the limit.
    if not SignInTicket.objects.filter(pk=ticket.pk, used_at=None, wrong_tries__lt=WRONG_PINS).update(
        wrong_tries=F("wrong_tries") + 1
    ):
        raise WrongTicket
    if not constant_time_compare(
        ticket.pin_hash, _pin_hash(window.session_id, ticket.student_id, pin.strip())
    ):
        raise WrongTicket
    with transaction.atomic():
        if not SignInTicket.objects.filter(pk=ticket.pk, used_at=None).update(used_at=timezone.now()):
            raise WrongTicket
        return _arrive(window, found, ticket.student, SignInArrival.Via.TICKET)


def _arrive(window: SignInWindow, claim: Claim, student: Student, via: str) -> SignInArrival:
    """The arrival, and the mark by the person who shows the code. Signing in twice changes nothing."""
    already = SignInArrival.objects.filter(session=window.session, student=student).first()
    if already is not None:
        return already
    now = timezone.now()
    try:
        with transaction.atomic():
            mark = marks.set_by_code(window.session, student, window.opened_by, now)
            return SignInArrival.objects.create(
                session=window.session, student=student, at=now, via=via, device=claim.device,
                counted=mark.reason == marks.BY_CODE,
            )  # fmt: skip
    except errors.NotOnRoster:
        raise NotInClass from None
    except IntegrityError:
        twice = SignInArrival.objects.filter(session=window.session, student=student).first()
        if twice is not None:
            return twice
        raise DeviceUsed from None


def _step(now: dt.datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


def _code(window: SignInWindow, step: int) -> str:
    said = f"{window.session_id}.{step}"
    mac = hmac.new(bytes.fromhex(window.secret), said.encode(), hashlib.sha256).hexdigest()[:24]
    return f"{said}.{mac}"


def _device(cookie: str, session_id: int) -> str:
    """The browser in this lesson; says nothing about it in another."""
    return hashlib.sha256(f"{cookie}:{session_id}".encode()).hexdigest()


def _pin_hash(session_id: int, student_id: int, pin: str) -> str:
    return salted_hmac(_SALT, f"{session_id}:{student_id}:{pin}", algorithm="sha256").hexdigest()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _count(key: str, most: int, seconds: int) -> None:
    """Raises TooManyTries. Counted by all processes together: a bound, not a ledger."""
    if shared_cache.count(key, seconds) > most:
        raise TooManyTries


def _check_address(address: str) -> None:
    """Where the school named its networks, others are refused: a picture of the code is of no use at home."""
    networks = settings.ROLLCALL_SIGN_IN_NETWORKS
    if networks and not any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in networks):
        raise OutsideTheSchool
