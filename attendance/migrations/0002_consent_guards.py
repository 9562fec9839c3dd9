"""Consent is guarded by the database itself: no portrait, template or withdrawal can slip past the code."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

GUARDED = ("attendance_portrait", "attendance_facetemplate")
NO_CONSENT = "no consent is recorded for this student"
STILL_STORED = "portraits or templates still exist for this student"
WRONG_OWNER = "a template belongs to its portrait''s student"

SQLITE_FORWARD = [
    *(
        f"""CREATE TRIGGER {table}_{event}_needs_consent BEFORE {event} ON {table}
        WHEN NOT EXISTS (SELECT 1 FROM attendance_consent
                         WHERE student_id = NEW.student_id AND state = 'given')
        BEGIN SELECT RAISE(ABORT, '{NO_CONSENT}'); END"""
        for table in GUARDED
        for event in ("INSERT", "UPDATE")
    ),
    *(
        f"""CREATE TRIGGER attendance_facetemplate_{event}_owner BEFORE {event} ON attendance_facetemplate
        WHEN NOT EXISTS (SELECT 1 FROM attendance_portrait
                         WHERE id = NEW.portrait_id AND student_id = NEW.student_id)
        BEGIN SELECT RAISE(ABORT, '{WRONG_OWNER}'); END"""
        for event in ("INSERT", "UPDATE")
    ),
    f"""CREATE TRIGGER attendance_consent_update_empties_first BEFORE UPDATE ON attendance_consent
    WHEN NEW.state <> 'given' AND (
        EXISTS (SELECT 1 FROM attendance_portrait WHERE student_id = OLD.student_id)
        OR EXISTS (SELECT 1 FROM attendance_facetemplate WHERE student_id = OLD.student_id))
    BEGIN SELECT RAISE(ABORT, '{STILL_STORED}'); END""",
    f"""CREATE TRIGGER attendance_consent_delete_empties_first BEFORE DELETE ON attendance_consent
    WHEN EXISTS (SELECT 1 FROM attendance_portrait WHERE student_id = OLD.student_id)
        OR EXISTS (SELECT 1 FROM attendance_facetemplate WHERE student_id = OLD.student_id)
    BEGIN SELECT RAISE(ABORT, '{STILL_STORED}'); END""",
]
SQLITE_TRIGGERS = [
    *(f"{table}_{event}_needs_consent" for table in GUARDED for event in ("INSERT", "UPDATE")),
    *(f"attendance_facetemplate_{event}_owner" for event in ("INSERT", "UPDATE")),
    "attendance_consent_update_empties_first",
    "attendance_consent_delete_empties_first",
]

# FOR SHARE: a withdrawal and a new template at the same time wait for each other.
POSTGRES_FORWARD = [
    f"""CREATE FUNCTION attendance_needs_consent() RETURNS trigger AS $$
    BEGIN
        PERFORM 1 FROM attendance_consent
            WHERE student_id = NEW.student_id AND state = 'given' FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION '{NO_CONSENT}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$ LANGUAGE plpgsql""",
    f"""CREATE FUNCTION attendance_template_owner() RETURNS trigger AS $$
    BEGIN
        PERFORM 1 FROM attendance_portrait
            WHERE id = NEW.portrait_id AND student_id = NEW.student_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION '{WRONG_OWNER}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$ LANGUAGE plpgsql""",
    f"""CREATE FUNCTION attendance_consent_empties_first() RETURNS trigger AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.state = 'given' THEN
            RETURN NEW;
        END IF;
        IF EXISTS (SELECT 1 FROM attendance_portrait WHERE student_id = OLD.student_id)
            OR EXISTS (SELECT 1 FROM attendance_facetemplate WHERE student_id = OLD.student_id) THEN
            RAISE EXCEPTION '{STILL_STORED}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$ LANGUAGE plpgsql""",
    *(
        f"""CREATE TRIGGER {table}_needs_consent BEFORE INSERT OR UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION attendance_needs_consent()"""
        for table in GUARDED
    ),
    """CREATE TRIGGER attendance_facetemplate_owner BEFORE INSERT OR UPDATE ON attendance_facetemplate
    FOR EACH ROW EXECUTE FUNCTION attendance_template_owner()""",
    """CREATE TRIGGER attendance_consent_empties_first BEFORE UPDATE OR DELETE ON attendance_consent
    FOR EACH ROW EXECUTE FUNCTION attendance_consent_empties_first()""",
]
POSTGRES_BACKWARD = [
    *(f"DROP TRIGGER {table}_needs_consent ON {table}" for table in GUARDED),
    "DROP TRIGGER attendance_facetemplate_owner ON attendance_facetemplate",
    "DROP TRIGGER attendance_consent_empties_first ON attendance_consent",
    "DROP FUNCTION attendance_needs_consent()",
    "DROP FUNCTION attendance_template_owner()",
    "DROP FUNCTION attendance_consent_empties_first()",
]


def forward(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in POSTGRES_FORWARD if _is_postgres(schema_editor) else SQLITE_FORWARD:
        schema_editor.execute(statement)


def backward(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if _is_postgres(schema_editor):
        statements = POSTGRES_BACKWARD
    else:
        statements = [f"DROP TRIGGER {name}" for name in SQLITE_TRIGGERS]
    for statement in statements:
        schema_editor.execute(statement)


def _is_postgres(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


class Migration(migrations.Migration):
    dependencies = [("attendance", "0001_initial")]
    operations = [migrations.RunPython(forward, backward)]
