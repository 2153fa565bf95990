"""Rows of the ledger and of the audit trail are not replaced or emptied either, where only UPDATE and DELETE were refused.

SQLite's INSERT OR REPLACE removes the row that is in its way without asking a trigger for DELETE (unless the connection has
`recursive_triggers`), and PostgreSQL's TRUNCATE asks no trigger of rows.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# By table: what the other triggers are called by, what they say, and the keys by which a new row would take the place of another.
REFUSED = {
    "ledger_entry": (
        "ledger",
        "ledger rows are added, never changed",
        ("id = NEW.id", "reference = NEW.reference AND kind = NEW.kind AND modification = NEW.modification"),
    ),
    "transfer": ("transfers", "ledger rows are added, never changed", ("entry = NEW.entry AND line = NEW.line",)),
    "audit_event": ("audit", "audit events are added, never changed", ("id = NEW.id",)),
}


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, (name, said, keys) in REFUSED.items():
        if is_sqlite:
            taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {key})" for key in keys)  # noqa: S608
            op.execute(
                f"CREATE TRIGGER {name}_refuses_replace BEFORE INSERT ON {table} WHEN {taken} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        else:
            function = "audit_refuses" if name == "audit" else "ledger_refuses"
            op.execute(
                f"CREATE TRIGGER {name}_refuses_truncate BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, (name, _, _) in REFUSED.items():
        op.execute(
            f"DROP TRIGGER {name}_refuses_replace" if is_sqlite else f"DROP TRIGGER {name}_refuses_truncate ON {table}"
        )
