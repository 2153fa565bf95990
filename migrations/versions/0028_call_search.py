"""Calls are found by day, flow, outcome and the end of the caller's number, within one index."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

AT_ONCE = 1000
NEXT = sa.text("SELECT id, state, is_over FROM call WHERE id > :last ORDER BY id LIMIT :most")
NOTE = sa.text("UPDATE call SET outcome = :outcome, caller_end = :caller_end WHERE id = :id")


def upgrade() -> None:
    op.add_column("call", sa.Column("outcome", sa.String(10)))
    op.add_column("call", sa.Column("caller_end", sa.String(3), nullable=False, server_default=""))
    connection, last = op.get_bind(), ""
    while rows := connection.execute(NEXT, {"last": last, "most": AT_ONCE}).all():
        connection.execute(NOTE, [noted(row) for row in rows])
        last = rows[-1].id
    op.create_index("call_by_day", "call", ["started_at", "flow", "outcome", "caller_end"])
    op.drop_index("call_by_start", "call")


def noted(row: sa.Row) -> dict[str, str | None]:
    """As this version notes them; nothing of a row that cannot be read."""
    try:
        state = json.loads(row.state)
        ani, outcome = str(state.get("ani", "")), state.get("outcome")
    except (ValueError, AttributeError):
        ani, outcome = "", None
    digits = [one for one in ani if one.isdecimal()]
    end = "".join(digits[-3:]) if len(digits) > 6 else ""
    is_ending = row.is_over and outcome in ("paid", "reserved", "unpaid", "pending")
    return {"id": row.id, "outcome": outcome if is_ending else None, "caller_end": end}


def downgrade() -> None:
    op.create_index("call_by_start", "call", ["started_at"])
    op.drop_index("call_by_day", "call")
    op.drop_column("call", "caller_end")
    op.drop_column("call", "outcome")
