"""The database written anew: what holds it up is waited for, and said."""

from __future__ import annotations

import pytest
from django.db import connection

from attendance import erasing
from attendance.erasing import Anew

pytestmark = pytest.mark.django_db(transaction=True)


def earlier_transactions_end(patience: float) -> bool:
    with connection.cursor() as cursor:
        return erasing._earlier_transactions_end(cursor, patience)


def test_a_transaction_that_is_still_open_keeps_what_was_deleted() -> None:
    if connection.vendor == "sqlite":  # nobody else can have one open while it is written anew
        assert erasing.write_anew() is Anew.WHOLE
        return
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        assert not earlier_transactions_end(0.1), "one that writes"
        other.rollback()
        with other.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM attendance_student")
        assert not earlier_transactions_end(0.1), "one that only reads"
        other.rollback()
    finally:
        other.close()
    assert earlier_transactions_end(60)
