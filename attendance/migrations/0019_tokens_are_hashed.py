"""Tokens that lay in clear go on working: their hashes are kept, the table they lay in is emptied and dropped."""

import datetime as dt
import hashlib

from django.db import migrations
from django.utils import timezone

TABLE = "authtoken_token"
NAME = "made by an earlier version"
LASTS = dt.timedelta(days=365)


def carry_over(apps, schema_editor):
    connection = schema_editor.connection
    if TABLE not in connection.introspection.table_names():
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, user_id, created FROM {TABLE}")
        rows = cursor.fetchall()
        apps.get_model("attendance", "ApiToken").objects.bulk_create(
            [
                _hashed(apps.get_model("attendance", "ApiToken"), key, user_id, created, now)
                for key, user_id, created in rows
            ],
            batch_size=500,
        )
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA secure_delete = ON")  # freed pages are overwritten, not only let go
        cursor.execute(f"DELETE FROM {TABLE}")
        cursor.execute(f"DROP TABLE {TABLE}")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'authtoken'")


def _hashed(model, key, user_id, created, now):
    if isinstance(created, str):  # SQLite keeps instants as text
        created = dt.datetime.fromisoformat(created)
    if timezone.is_naive(created):
        created = created.replace(tzinfo=dt.timezone.utc)
    return model(
        owner_id=user_id,
        name=NAME,
        token_hash=hashlib.sha256(key.encode()).hexdigest(),
        prefix=key[:4],
        created_at=min(created, now),
        expires_at=now + LASTS,
    )


class Migration(migrations.Migration):
    dependencies = [("attendance", "0018_tokens_and_second_factor")]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop, elidable=False)]
