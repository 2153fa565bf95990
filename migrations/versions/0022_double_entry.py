"""Double entry: what each entry of the ledger moves between two accounts, also of entries that are there already.

The rules are those of `ivr.store.postings` as they were when this was written: a migration stays what it was.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

AT_ONCE = 1000  # charges
MOVES = (
    *("requested", "unknown", "approved", "declined", "reversed", "not_sent", "refunded", "voided", "refunded_at_bank"),
    *("part_counted", "part_undone"),
)
DONE = {"refund_failed": "refunded", "void_failed": "voided", "capture_failed": "captured"}
REFUNDS = ("refunded", "refunded_at_bank", "refund_failed", "bank_refund_failed")
Move = tuple[str, str, int]
"""Debit, credit, minor units."""
REFUSALS = {"ledger_entry": "ledger", "transfer": "transfers"}


def upgrade() -> None:
    make_transfers()
    op.add_column("ledger_entry", sa.Column("last_line", sa.Integer))
    let_ledger_rows_change()
    post_those_that_are_there()
    with op.batch_alter_table("ledger_entry") as entries:
        kinds = ", ".join(map(repr, MOVES))
        entries.create_check_constraint(
            "entries_that_move_have_transfers", f"last_line IS NOT NULL OR kind NOT IN ({kinds})"
        )
        entries.create_foreign_key(
            *("last_transfer_of_an_entry", "transfer", ["id", "last_line"], ["entry", "line"]),
            deferrable=True,
            initially="DEFERRED",
        )
    refuse_changes("ledger_entry")
    refuse_changes("transfer")


def make_transfers() -> None:
    op.create_table(
        "transfer",
        sa.Column("entry", sa.Integer, sa.ForeignKey("ledger_entry.id"), primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("debit_account", sa.String(140), nullable=False),
        sa.Column("credit_account", sa.String(140), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="transfer_of_more_than_nothing"),
        sa.CheckConstraint("debit_account <> credit_account", name="transfer_between_two_accounts"),
        sqlite_with_rowid=False,
    )


# ---- what is there already


def post_those_that_are_there() -> None:
    connection, last = op.get_bind(), ""
    page = sa.text("SELECT * FROM payment_intent WHERE reference > :last ORDER BY reference LIMIT :most")
    while intents := connection.execute(page, {"last": last, "most": AT_ONCE}).mappings().all():
        first, last = intents[0]["reference"], intents[-1]["reference"]
        stories, bills = (
            by_reference("ledger_entry", "id", first, last),
            by_reference("intent_bill", "number", first, last),
        )
        reopening = {
            (one["reference"], one["number"])
            for rows in by_reference("modification", "number", first, last).values()
            for one in rows
            if one["reopens_bill"]
        }
        for intent in intents:
            reference = intent["reference"]
            post(Charge(intent, bills.get(reference, []), reopening), stories.get(reference, []))


def by_reference(table: str, order: str, first: str, last: str) -> dict[str, list[Any]]:
    rows = op.get_bind().execute(
        sa.text(f"SELECT * FROM {table} WHERE reference BETWEEN :first AND :last ORDER BY {order}"),  # noqa: S608
        {"first": first, "last": last},
    )
    found: dict[str, list[Any]] = {}
    for row in rows.mappings():
        found.setdefault(row["reference"], []).append(row)
    return found


def post(charge: "Charge", story: list[Any]) -> None:
    rows: list[dict[str, object]] = []
    for entry in [*story, *charge.decided(story)]:
        moves = [one for one in charge.enter(entry) if one[2] > 0]
        if moves:
            rows += list(rows_of(entry, moves))
    if not rows:
        return
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "INSERT INTO transfer (entry, line, debit_account, credit_account, amount_minor, currency, at) "
            "VALUES (:entry, :line, :debit, :credit, :minor, :currency, :at)"
        ),
        rows,
    )
    last = {row["entry"]: row["line"] for row in rows}
    connection.execute(
        sa.text("UPDATE ledger_entry SET last_line = :line WHERE id = :entry"),
        [{"entry": entry, "line": line} for entry, line in last.items()],
    )


def rows_of(entry: Any, moves: list[Move]) -> Iterator[dict[str, object]]:
    about = {"entry": entry["id"], "currency": entry["currency"], "at": entry["at"]}
    for line, (debit, credit, minor) in enumerate(moves, 1):
        yield about | {"line": line, "debit": debit, "credit": credit, "minor": minor}


class Charge:
    """What each entry of one charge moves, told one after the other."""

    def __init__(self, intent: Any, bills: list[Any], reopening: set[tuple[str, int]]) -> None:
        self.intent, self.reopening = intent, reopening
        self.bank, self.merchant = intent["bank"], intent["merchant"]
        self.balances: Counter[tuple[str, str]] = Counter()
        self.moved: dict[tuple[str, int], list[Move]] = {}
        self.asked = 0
        self.is_unknown = False
        self.captures: set[int] = set()  # that the bank has made, and that have not failed since
        self.taken: Counter[str] = Counter()  # by the bank, whatever it has refunded of it
        key = f"{intent['payable_source']}:{intent['payable_key']}" if intent["payable_key"] else ""
        self.held = f"held:{key or self.merchant}"
        room = [(f"bill:{one['payable_source']}:{one['payable_key']}", one["amount_minor"]) for one in bills]
        credited = intent["amount_minor"] - intent["fee_minor"]
        self.room = room or [(f"bill:{key}" if key else f"sales:{self.merchant}", credited)]

    def decided(self, story: list[Any]) -> list[Any]:
        """The entry that says what became of a part: there was none before. The part itself says it."""
        intent = self.intent
        kind = {"": "part_counted", "undone": "part_undone"}.get(intent["part"])
        if not intent["split"] or intent["status"] != "approved" or kind is None or not story:
            return []
        row = {"reference": intent["reference"], "kind": kind, "amount_minor": intent["amount_minor"]}
        row |= {"currency": intent["currency"], "at": story[-1]["at"], "modification": 0}
        # Its place in the ledger is its number: it is given one past all that are there.
        added = op.get_bind().execute(
            sa.text(
                f"INSERT INTO ledger_entry ({', '.join(row)}) VALUES (:{', :'.join(row)}) RETURNING id"  # noqa: S608
            ),
            row,
        )
        return [row | {"id": added.scalar_one()}]

    def enter(self, entry: Any) -> list[Move]:
        moves = [one for one in self.moves(entry, entry["kind"], entry["amount_minor"]) if one[2] > 0]
        for debit, credit, minor in moves:
            self.balances[debit, entry["currency"]] += minor
            self.balances[credit, entry["currency"]] -= minor
            of_bank = minor * ((debit == f"bank:{self.bank}") - (credit == f"bank:{self.bank}"))
            self.taken[entry["currency"]] += of_bank * (entry["kind"] not in REFUNDS)
        self.moved[entry["kind"], entry["modification"]] = moves
        self.is_unknown = self.is_unknown or entry["kind"] == "unknown"
        if entry["kind"] == "captured":
            self.captures.add(entry["modification"])
        elif entry["kind"] == "capture_failed":
            self.captures.discard(entry["modification"])
        return moves

    def moves(self, entry: Any, kind: str, minor: int) -> list[Move]:
        bank, pending = f"bank:{self.bank}", f"pending:{self.merchant}"
        in_flight, suspense = f"in_flight:{self.bank}", f"suspense:{self.bank}"
        uncollected = f"uncollected:{self.bank}"
        reserves, currency = self.intent["captures_later"], entry["currency"]
        match kind:
            case "requested":
                self.asked = minor
                return [(in_flight, pending, minor)]
            case "unknown":
                return [(suspense, in_flight, self.asked)]
            case "approved" | "declined" | "reversed" | "not_sent":
                ended = (pending, suspense if self.is_unknown else in_flight, self.asked)
                return [ended, *self.approved(minor)] if kind == "approved" else [ended]
            case "captured" if reserves:
                return [] if self.captures else self.captured(minor, currency)
            case "captured":
                return [(bank, uncollected, self.balances[uncollected, currency])]
            case "capture_failed" if reserves:
                return self.turned(DONE[kind], entry["modification"])
            case "capture_failed" if not self.captures - {entry["modification"]}:
                return [(uncollected, bank, self.taken[currency])]
            case "hold_lapsed":
                return [(self.held, f"reserved:{self.bank}", self.balances[f"reserved:{self.bank}", currency])]
            case "refunded" | "voided" | "refunded_at_bank":
                return self.given_back(entry, minor)
            case "refund_failed" | "void_failed":
                return self.turned(DONE[kind], entry["modification"])
            case "bank_refund_failed":
                return [(bank, f"refunds:{self.merchant}", minor)]
            case "part_counted":
                paid = [(self.held, account, part) for account, part in self.paid(minor)]
                return [*self.turned("part_undone", 0), *paid]
            case "part_undone":
                held, back = -self.balances[self.held, currency], self.balances[f"refunds:{self.merchant}", currency]
                returned = min(held, back)
                return [(self.held, f"refunds:{self.merchant}", returned), (self.held, uncollected, held - returned)]
        return []

    def approved(self, minor: int) -> list[Move]:
        if self.intent["captures_later"]:
            return [] if self.captures else [(f"reserved:{self.bank}", self.held, minor)]
        if self.intent["split"]:
            return [(f"bank:{self.bank}", self.held, minor)]
        return [(f"bank:{self.bank}", account, part) for account, part in self.paid(minor)]

    def captured(self, minor: int, currency: str) -> list[Move]:
        reserved = f"reserved:{self.bank}"
        there = self.balances[reserved, currency]
        more, less = (reserved, self.held, minor - there), (self.held, reserved, there - minor)
        paid = [(self.held, account, part) for account, part in self.paid(minor)]
        return [more, less, (f"bank:{self.bank}", reserved, minor), *paid]

    def given_back(self, entry: Any, minor: int) -> list[Move]:
        bank, reserved = f"bank:{self.bank}", f"reserved:{self.bank}"
        there = self.balances[reserved, entry["currency"]] if entry["kind"] == "voided" else 0
        of_hold = max(min(minor, there), 0)
        uncollected = f"uncollected:{self.bank}"
        if entry["kind"] == "voided" and self.balances[uncollected, entry["currency"]] >= minor:
            bank = uncollected
        if (self.intent["reference"], entry["modification"]) in self.reopening:
            back = [(account, bank, part) for account, part in self.still_paid(minor - of_hold, entry["currency"])]
        else:
            back = [(f"refunds:{self.merchant}", bank, minor - of_hold)]
        return [(self.held, reserved, of_hold), *back]

    def turned(self, kind: str, modification: int) -> list[Move]:
        return [(credit, debit, minor) for debit, credit, minor in self.moved.get((kind, modification), [])]

    def paid(self, minor: int) -> list[tuple[str, int]]:
        return self.spread(minor, self.room, 0)

    def still_paid(self, minor: int, currency: str) -> list[tuple[str, int]]:
        """Of a part of a bill as if it counted from the first: that is written last here."""
        counted = bool(self.intent["split"])
        room = [(account, max(most * counted - self.balances[account, currency], 0)) for account, most in self.room]
        return self.spread(minor, room, max(self.balances[f"refunds:{self.merchant}", currency], 0))

    def spread(self, minor: int, room: list[tuple[str, int]], skipped: int) -> list[tuple[str, int]]:
        found, left = [], minor
        for account, most in room:
            passed = min(skipped, most)
            taken = min(left, most - passed)
            found.append((account, taken))
            skipped, left = skipped - passed, left - taken
        return [(account, taken) for account, taken in (*found, (f"fees:{self.merchant}", left)) if taken > 0]


# ---- rows are added, never changed


def let_ledger_rows_change() -> None:
    """While this migration runs. It holds the database's only writer, or the table."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER ledger_refuses_{verb}")
        return
    op.execute("DROP TRIGGER ledger_refuses_change ON ledger_entry")


def refuse_changes(table: str) -> None:
    name = REFUSALS[table]
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {name}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'ledger rows are added, never changed'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {name}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuses()"
    )


def downgrade() -> None:
    let_ledger_rows_change()
    with op.batch_alter_table("ledger_entry") as entries:
        entries.drop_constraint("last_transfer_of_an_entry", type_="foreignkey")
        entries.drop_constraint("entries_that_move_have_transfers", type_="check")
        entries.drop_column("last_line")
    op.drop_table("transfer")
    op.execute("DELETE FROM ledger_entry WHERE kind IN ('part_counted', 'part_undone')")
    refuse_changes("ledger_entry")
