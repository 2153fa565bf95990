"""The embedded billing table, and what has been paid of bills that another system keeps."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, delete, insert, select

from ivr.core.money import Money
from ivr.store.accounts_file import Bill, read_bills
from ivr.store.audit import add_event
from ivr.store.database import Database
from ivr.store.tables import bill

log = structlog.get_logger()
LONGEST_NAME = 100
IMPORTED = "accounts imported"
_COLUMNS = "account, due_minor, minimum_minor, currency, belongs_to, details"
_FIND = f"SELECT {_COLUMNS} FROM bill WHERE account = ?"  # noqa: S608
_FIND_ALL = f"SELECT {_COLUMNS} FROM bill WHERE belongs_to = ? ORDER BY account"  # noqa: S608
_PER_STATEMENT = 500  # SQLite takes a limited number of parameters


@dataclass(frozen=True)
class Renewal:
    """What an accounts file changes; `changed` are pairs of before and after."""

    added: Sequence[Bill]
    changed: Sequence[tuple[Bill, Bill]]
    removed: Sequence[Bill]
    unchanged: int

    @property
    def counts(self) -> str:
        """For people, and for the audit trail."""
        counts = (len(self.added), len(self.changed), len(self.removed), self.unchanged)
        return "{} added, {} changed, {} removed, {} as before".format(*counts)


class BillRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find_bill(self, account: str) -> Bill | None:
        """None for a row that cannot be read as well; the log names it."""
        row = self._database.run(_FIND, (account,)).fetchone()
        return next(_as_they_stand([row] if row is not None else []), None)

    def find_bills(self, customer: str) -> Sequence[Bill]:
        """Every bill of a customer, by account, paid ones too; not a row that cannot be read, which the log names."""
        return list(_as_they_stand(self._database.run(_FIND_ALL, (customer,)).fetchall()))

    def seed_bills(self, file: Path, *, anew: bool = False, by: str = "") -> int:
        """Adds the file's accounts that are not there yet; the others keep what they owe by now, unless `anew`. `by`: who says so, for an audit event."""
        bills = read_bills(file)
        with self._database.money() as connection:
            known = set(connection.execute(select(bill.c.account)).scalars())
            new = [one for one in bills if anew or one.account not in known]
            _write(connection, new, {})
            if new and by:
                self._note_import(connection, by, f"{len(new)} added, from {file.name[:LONGEST_NAME]}")
        return len(new)

    def _note_import(self, connection: Connection, by: str, about: str) -> None:
        add_event(self._database, connection, by, IMPORTED, about, datetime.now(UTC))

    def renew_bills(
        self, bills: Sequence[Bill], *, replace_all: bool = False, only_show: bool = False, by: str = ""
    ) -> Renewal:
        """The given accounts owe what is given; the others go, if `replace_all`. One transaction, with an audit event of
        who (`by`) says so; calls go on meanwhile."""
        with self._database.money() as connection:
            renewal = _compare(_known(connection), bills, replace_all=replace_all)
            if not only_show:
                changed = [after for _, after in renewal.changed]
                _write(connection, [*renewal.added, *changed], {one.account: one for one in renewal.removed})
                if by:
                    self._note_import(connection, by, renewal.counts)
        return renewal


def _known(connection: Connection) -> dict[str, Bill]:
    return {one.account: one for one in _readable(connection.execute(select(bill)))}


def _readable(rows: Iterable[Any]) -> Iterator[Bill]:
    for row in rows:
        try:
            yield _bill(*row)
        except (ValueError, AttributeError):
            log.error("a bill cannot be read: import its account again", account=row[0])


def _bill(account: str, due_minor: int, minimum_minor: int, currency: str, belongs_to: str, details: str) -> Bill:
    more = tuple(json.loads(details).items()) if details else ()
    return Bill(account, Money(due_minor, currency), Money(minimum_minor, currency), belongs_to, more)


def _as_they_stand(rows: Iterable[Any]) -> Iterator[Bill]:
    """What is left may be less than the least that was asked for."""
    for found in _readable(rows):
        yield replace(found, minimum=min(found.minimum, found.due))


def _compare(known: Mapping[str, Bill], bills: Sequence[Bill], *, replace_all: bool) -> Renewal:
    changed = [(known[one.account], one) for one in bills if one.account in known and known[one.account] != one]
    listed = {one.account for one in bills}
    return Renewal(
        added=[one for one in bills if one.account not in known],
        changed=changed,
        removed=[one for one in known.values() if replace_all and one.account not in listed],
        unchanged=sum(known.get(one.account) == one for one in bills),
    )


def _write(connection: Connection, bills: Sequence[Bill], removed: Mapping[str, Bill]) -> None:
    for accounts in _in_pieces([*removed, *(one.account for one in bills)]):
        connection.execute(delete(bill).where(bill.c.account.in_(accounts)))
    if bills:
        connection.execute(insert(bill), [_row(one) for one in bills])


def _in_pieces(accounts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(accounts), _PER_STATEMENT):
        yield accounts[start : start + _PER_STATEMENT]


def _row(one: Bill) -> dict[str, object]:
    return {
        "account": one.account,
        "due_minor": one.due.minor,
        "minimum_minor": one.minimum.minor,
        "currency": one.due.currency,
        "belongs_to": one.belongs_to,
        "details": json.dumps(dict(one.details), ensure_ascii=False) if one.details else "",
    }
