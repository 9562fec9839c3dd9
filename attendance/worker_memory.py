"""What a worker that has nothing to do must forget: galleries of people who withdrew in the meantime.

A gallery is checked whenever it is used; a worker without photos uses none, so a thread of each worker process looks.
"""

from __future__ import annotations

import logging
import threading
import time

from celery.signals import worker_process_init
from django.db import DatabaseError, connection

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


@worker_process_init.connect(weak=False)
def watch(**_more: object) -> None:
    """Begin to look, in this process."""
    threading.Thread(target=_look_again_and_again, name="forgets-galleries", daemon=True).start()


def _look_again_and_again() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        look()


def look() -> None:
    """Forget what is out of date; without the database all of it, as nobody can say what is."""
    # Imported here: this file is read at every start of Django, and galleries need OpenCV.
    from attendance import galleries

    try:
        galleries.forget_stale()
    except DatabaseError as error:
        log.warning("what was remembered is forgotten: %s", type(error).__name__)
        galleries.forget()
    finally:
        connection.close()
