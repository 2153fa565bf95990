"""Audit events; the sealed fields' table is cleaned up eagerly (PostgreSQL)."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("what", sa.String(80), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_refuses_{verb.lower()} BEFORE {verb} ON audit_event "
                "BEGIN SELECT RAISE(ABORT, 'audit events are added, never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit events are added, never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE ON audit_event "
        "FOR EACH ROW EXECUTE FUNCTION audit_refuses()"
    )
    # A deleted row's bytes stay in its page until vacuum has been there: not a fifth of the table later, but at once.
    op.execute(
        "ALTER TABLE sealed_field SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20, "
        "toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20)"
    )


def downgrade() -> None:
    op.drop_table("audit_event")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION IF EXISTS audit_refuses()")
        op.execute(
            "ALTER TABLE sealed_field RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, "
            "toast.autovacuum_vacuum_scale_factor, toast.autovacuum_vacuum_threshold)"
        )
