"""The keys that callers' numbers are sealed with, as the database knows them, and sealing what is not sealed with the first.

A node with a key file of its own would write numbers that no other node can read: the database keeps the names of the keys
that were used, and a process whose file lacks one of them does not start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from ivr.core.call_form import read_call
from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.store.caller_numbers import (
    SEALED,
    NumberSeals,
    hide,
    hide_in_state,
    opened_recipient,
    opened_state,
    sealed_caller,
    sealed_recipient,
    show,
)
from ivr.store.database import Database, milliseconds
from ivr.store.remembered import sealed_to
from ivr.store.tables import call, number_key, remembered_caller, text_message

AT_ONCE = 200


@dataclass(frozen=True)
class NumberKey:
    """`rows`: those that have something sealed with it: calls and texts a number, and what callers agreed to have remembered."""

    id: str
    since: datetime
    rows: int


def register_key(database: Database, numbers: NumberSeals) -> None:
    """ConfigError where the file lacks a key that was used before: it is another line's, or this node made one of its own."""
    with database.calls() as connection:
        if _is_known(connection, numbers):
            return
    with database.money() as connection:
        database.hold(connection, "number_key")
        if not _is_known(connection, numbers):
            row = {"id": numbers.sealing, "since": milliseconds(datetime.now(UTC))}
            connection.execute(insert(number_key), row)


def _is_known(connection: Connection, numbers: NumberSeals) -> bool:
    known = set(connection.execute(select(number_key.c.id)).scalars())
    if missing := sorted(known - numbers.ids):
        raise ConfigError(
            f"numbers.key lacks the key {', '.join(missing)}, with which callers' numbers of this database are sealed: copy the "
            f"file (VAR/keys/numbers.key) from another node or a backup; where it is lost, `{COMMAND} data keys --lost "
            f"{missing[0]}` goes on without those numbers"
        )
    return numbers.sealing in known


class NumberKeys:
    """Thread-safe; for a store that was opened with keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def number_keys(self) -> Sequence[NumberKey]:
        """The oldest first."""
        with self._database.calls() as connection:
            rows = connection.execute(select(number_key).order_by(number_key.c.since, number_key.c.id)).all()
            return [
                NumberKey(
                    row.id,
                    datetime.fromtimestamp(row.since / 1000, UTC),
                    sum(connection.execute(_sealed_with(column, row.id)).scalar_one() for column in COLUMNS),
                )
                for row in rows
            ]

    def drop_number_key(self, key: str) -> bool:
        """Numbers that are sealed with it cannot be read from now on. False for one that is not known."""
        with self._database.money() as connection:
            return connection.execute(delete(number_key).where(number_key.c.id == key)).rowcount == 1

    def seal_numbers(self, *, renew: bool = False) -> int:
        """Seals what is in clear, and with `renew` also what is sealed with another key than the first; how many rows. Others
        may read and write meanwhile: a row that was changed in between is taken again."""
        sealed = self._seal_calls(renew) + self._seal_texts(renew) + (self._seal_remembered() if renew else 0)
        if sealed:
            self._database.drop_wal()
        return sealed

    def _seal_calls(self, renew: bool) -> int:
        numbers, count, last = self._seals, 0, ""
        wanted = _unsealed(call.c.caller_hash, call.c.caller, numbers, renew)
        columns = call.c.id, call.c.state, call.c.answer, call.c.flow, call.c.caller, call.c.version
        while rows := self._next(select(*columns).where(wanted, call.c.id > last).order_by(call.c.id)):
            for row in rows:
                count += self._seal_call(numbers, row)
            last = rows[-1].id
        return count

    def _seal_call(self, numbers: NumberSeals, row: Row[Any]) -> int:
        for _ in range(3):  # of a call that goes on: then a save of its own seals it
            state = opened_state(numbers, row.id, row.state, row.caller)
            ani = read_call(state, row.id, row.flow)[0].ani
            kept = {"state": hide_in_state(state, ani), "answer": hide(show(row.answer, ani), ani)}
            kept |= {"caller": sealed_caller(numbers, row.id, ani), "caller_hash": numbers.hash(ani)}
            as_read = and_(call.c.id == row.id, call.c.version == row.version, call.c.state == row.state)
            with self._database.money() as connection:
                if connection.execute(update(call).where(as_read).values(kept)).rowcount == 1:
                    return 1
                again = connection.execute(select(call).where(call.c.id == row.id)).first()
            if again is None:
                return 0
            row = again
        return 0

    def _seal_texts(self, renew: bool) -> int:
        numbers, count, last = self._seals, 0, ""
        columns = text_message.c
        wanted = _unsealed(columns.recipient_hash, columns.recipient, numbers, renew)
        while rows := self._next(select(text_message).where(wanted, columns.id > last).order_by(columns.id)):
            with self._database.money() as connection:
                for row in rows:
                    to = opened_recipient(numbers, row.id, row.recipient)
                    kept = sealed_recipient(numbers, {"id": row.id, "recipient": to, "body": show(row.body, to)})
                    count += connection.execute(update(text_message).where(columns.id == row.id).values(kept)).rowcount
            last = rows[-1].id
        return count

    def _seal_remembered(self) -> int:
        """It was never in clear. A row that its caller has kept anew meanwhile is sealed with the first key already."""
        numbers, count, last, columns = self._seals, 0, "", remembered_caller.c
        wanted = _is_old(columns.kept, numbers)
        while rows := self._next(select(remembered_caller).where(wanted, columns.id > last).order_by(columns.id)):
            with self._database.money() as connection:
                for row in rows:
                    if kept := numbers.open(row.kept, sealed_to(row.id)):
                        anew = {"kept": numbers.seal(kept, sealed_to(row.id))}
                        as_read = columns.id == row.id, columns.kept == row.kept
                        count += connection.execute(update(remembered_caller).where(*as_read).values(anew)).rowcount
            last = rows[-1].id
        return count

    def _next(self, wanted: Any) -> Sequence[Row[Any]]:
        with self._database.calls() as connection:
            return list(connection.execute(wanted.limit(AT_ONCE)).all())

    @property
    def _seals(self) -> NumberSeals:
        assert self._database.numbers is not None, "opened without the keys of numbers"
        return self._database.numbers


COLUMNS = (call.c.caller, text_message.c.recipient, remembered_caller.c.kept)


def _unsealed(of_hash: Any, sealed: Any, numbers: NumberSeals, renew: bool) -> ColumnElement[bool]:
    if not renew:
        return of_hash.is_(None)  # type: ignore[no-any-return]
    return or_(of_hash.is_(None), _is_old(sealed, numbers))


def _is_old(sealed: Any, numbers: NumberSeals) -> ColumnElement[bool]:
    """Sealed with another key than the first."""
    return and_(sealed.startswith(SEALED), ~sealed.startswith(f"{SEALED}{numbers.sealing}:"))


def _sealed_with(column: Any, key: str) -> Any:
    return select(func.count()).where(column.startswith(f"{SEALED}{key}:"))
