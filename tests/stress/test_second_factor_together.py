"""One code, many browsers at one moment: one gets in. Threads with connections of their own, on a real database."""

from __future__ import annotations

from pathlib import Path

from tests.stress.site import site_in

NO_REDIS = "redis://127.0.0.1:1/0"
TOGETHER = """
import threading, time
from django.db import connection
from attendance import second_factor
from attendance.models import Authenticator
from django_otp.oath import TOTP
from tests import factories as make

user = make.teacher()
device = second_factor.offered(user)
codes = second_factor.switch_on(user, f"{TOTP(device.key).token():06d}")[1]
# As if it had been switched on a while ago: the code of this moment has not been used.
Authenticator.objects.update(last_step=-1)

def at_once(code):
    answers, start = [], threading.Barrier(8)
    def one():
        start.wait()
        try:
            second_factor.check(user, code)
            answers.append("in")
        except Exception as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()
    threads = [threading.Thread(target=one) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sorted(answers)

recovery = at_once(codes[0])
answer({
    "recovery": recovery, "left": second_factor.codes_left(user),
    "app": at_once(f"{TOTP(device.key).token():06d}"),
})
"""


def test_of_eight_at_once_with_one_code_one_gets_in(tmp_path: Path) -> None:
    with site_in(tmp_path, NO_REDIS) as site:
        found = site.python(TOGETHER)
    assert found["left"] == 9
    for kind in ("recovery", "app"):
        assert found[kind].count("in") == 1
        assert set(found[kind]) <= {"in", "WrongCode", "TooSoon"}
