"""What has been kept for long enough is deleted or forgotten, kind by kind and a few rows at a time; money never is.

A kind is one or more tables. What is still needed stays however old it is: a call that goes on or has an open charge, a text that
waits. The ledger, the audit trail and what callers agreed to are of no kind here: they stay.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, delete, func, or_, select, update

from ivr.core.call import OPEN
from ivr.store.database import milliseconds
from ivr.store.tables import (
    call,
    call_turn,
    guess,
    merchant_notice,
    payment_intent,
    portal_failure,
    portal_session,
    remembered_caller,
    text_message,
)
from ivr.store.turns import Turns

KeptKind = Literal["turns", "texts", "numbers", "calls", "notices", "sessions", "remembered"]
# In place of a caller's hash. Every hash is hexadecimal, so it sorts before this, and an index tells them apart.
FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class KeptSoFar:
    """`oldest`: None where nothing is kept. `due`: rows that have been kept for longer than they should."""

    oldest: datetime | None
    due: int


@dataclass(frozen=True)
class Rows:
    """Of one table: `key` names them, `at` is how old they are, `old` which may go; `drop` deletes or forgets those of these keys."""

    key: Column[Any]
    at: Column[Any]
    old: ColumnElement[bool]
    drop: Callable[[Connection, Sequence[Any]], object]


class Retention(Turns):
    """Thread-safe; several processes may do it at once."""

    def kept_so_far(self, kind: KeptKind, before: datetime | None) -> KeptSoFar:
        """`before`: what is older is due; None: nothing is, it is kept for ever."""
        oldest, due = list[int](), 0
        with self._database.calls() as connection:
            for rows in KINDS[kind]:
                at = connection.execute(select(func.min(rows.at)).where(rows.old)).scalar_one()
                oldest += [] if at is None else [at]
                if before is not None:
                    counted = select(func.count(rows.key.distinct())).where(rows.old, rows.at < milliseconds(before))
                    due += connection.execute(counted).scalar_one()
        return KeptSoFar(datetime.fromtimestamp(min(oldest) / 1000, UTC) if oldest else None, due)

    def drop_old(self, kind: KeptKind, before: datetime, limit: int = 100) -> int:
        """At most `limit` rows of each table of the kind; how many. What SQLite has deleted leaves its log as well."""
        if kind == "turns":  # a call's all go together
            dropped = self.drop_turns(before, limit)
        else:
            dropped = sum(self._drop(rows, before, limit) for rows in KINDS[kind])
        if dropped:
            self._database.drop_wal()
        return dropped

    def _drop(self, rows: Rows, before: datetime, limit: int) -> int:
        found = select(rows.key).where(rows.old, rows.at < milliseconds(before)).distinct().limit(limit)
        with self._database.calls() as connection:
            keys = connection.execute(found).scalars().all()
        if keys:
            with self._database.money() as connection:
                # Once more: what came up meanwhile, such as a charge that is captured late, keeps its row.
                still = connection.execute(select(rows.key).where(rows.key.in_(keys), rows.old).distinct())
                rows.drop(connection, still.scalars().all())
        return len(keys)


def forget_numbers(connection: Connection, calls: Sequence[str]) -> None:
    """Of these calls: marks in their texts stand for nothing from then on."""
    nothing = {"caller": "", "caller_hash": "", "caller_end": ""}
    connection.execute(update(call).where(call.c.id.in_(calls)).values(nothing))


def forget_payers(connection: Connection, references: Sequence[str]) -> None:
    """Each charge has a mark of its own: nothing says that two were one caller's."""
    for reference in references:
        mark = f"{FORGOTTEN}-{secrets.token_hex(8)}"
        of_it = payment_intent.c.reference == reference
        connection.execute(update(payment_intent).where(of_it).values(ani_hash=mark, ani_block=""))


def delete_calls(connection: Connection, calls: Sequence[str]) -> None:
    connection.execute(delete(call_turn).where(call_turn.c.call.in_(calls)))
    connection.execute(delete(call).where(call.c.id.in_(calls)))


def _forget_recipients(connection: Connection, texts: Sequence[str]) -> None:
    nothing = {"recipient": "", "recipient_hash": ""}
    connection.execute(update(text_message).where(text_message.c.id.in_(texts)).values(nothing))


def _deleted(key: Column[Any]) -> Callable[[Connection, Sequence[Any]], object]:
    return lambda connection, keys: connection.execute(delete(key.table).where(key.in_(keys)))


def _is_open(of_call: ColumnElement[Any]) -> ColumnElement[bool]:
    """A charge of the call has no final answer, or a part of a bill waits for another."""
    columns = payment_intent.c
    open_ones = select(columns.reference).where(
        columns.call == of_call, or_(columns.status.in_(OPEN), columns.waiting != "")
    )
    return open_ones.exists()


_OVER = call.c.is_over & ~_is_open(call.c.id)
_GOES_ON = select(call.c.id).where(call.c.id == call_turn.c.call, ~call.c.is_over)
_HAS_NUMBER = (call.c.caller_hash > "") & _OVER
_HAS_PAYER = (payment_intent.c.ani_hash > "") & (payment_intent.c.ani_hash < FORGOTTEN)
_SENT = text_message.c.state != "waiting"

KINDS: Mapping[KeptKind, Sequence[Rows]] = {
    "turns": [Rows(call_turn.c.call, call_turn.c.at, ~_GOES_ON.exists(), _deleted(call_turn.c.call))],
    "texts": [Rows(text_message.c.id, text_message.c.at, _SENT, _deleted(text_message.c.id))],
    "numbers": [
        Rows(call.c.id, call.c.started_at, _HAS_NUMBER, forget_numbers),
        Rows(
            payment_intent.c.reference,
            payment_intent.c.created_at,
            _HAS_PAYER & payment_intent.c.status.not_in(OPEN) & (payment_intent.c.waiting == ""),
            forget_payers,
        ),
        Rows(text_message.c.id, text_message.c.at, (text_message.c.recipient_hash > "") & _SENT, _forget_recipients),
        Rows(guess.c.id, guess.c.at, guess.c.ani_hash > "", _deleted(guess.c.id)),
    ],
    "calls": [Rows(call.c.id, call.c.started_at, _OVER, delete_calls)],
    "notices": [
        Rows(
            merchant_notice.c.id,
            merchant_notice.c.at,
            merchant_notice.c.state != "waiting",
            _deleted(merchant_notice.c.id),
        )
    ],
    "sessions": [
        Rows(
            portal_session.c.digest,
            portal_session.c.seen_at,
            portal_session.c.digest != "",
            _deleted(portal_session.c.digest),
        ),
        Rows(portal_failure.c.id, portal_failure.c.at, portal_failure.c.id > 0, _deleted(portal_failure.c.id)),
    ],
    "remembered": [
        Rows(
            remembered_caller.c.id,
            remembered_caller.c.at,
            remembered_caller.c.id != "",
            _deleted(remembered_caller.c.id),
        )
    ],
}
