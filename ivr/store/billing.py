"""The embedded billing table: what each account owes, seeded from a CSV file."""

import csv
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, insert, select

from ivr.core.money import Money, parse_money
from ivr.errors import ConfigError
from ivr.store.database import Database
from ivr.store.tables import bill

_FIND = "SELECT due_minor, minimum_minor, currency FROM bill WHERE account = ?"
COLUMNS = ["account", "due", "minimum", "currency"]


@dataclass(frozen=True)
class Bill:
    account: str
    due: Money
    minimum: Money


class Bills:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find_bill(self, account: str) -> Bill | None:
        row = self._database.run(_FIND, (account,)).fetchone()
        if row is None:
            return None
        due_minor, minimum_minor, currency = row
        # What is left may be less than the least that was asked for.
        return Bill(account, Money(due_minor, currency), Money(min(minimum_minor, due_minor), currency))

    def seed_bills(self, file: Path, *, anew: bool = False) -> int:
        """Adds the file's accounts that are not there yet; the others keep what they owe by now, unless `anew`."""
        bills = read_bills(file)
        with self._database.money() as connection:
            if anew:
                connection.execute(delete(bill).where(bill.c.account.in_([one.account for one in bills])))
            known = set(connection.execute(select(bill.c.account)).scalars())
            new = [one for one in bills if one.account not in known]
            if new:
                connection.execute(insert(bill), [_row(one) for one in new])
        return len(new)


def read_bills(file: Path) -> list[Bill]:
    """ConfigError names the line that is wrong."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames != COLUMNS:
                raise ConfigError(f"{file}:1: expected the columns {','.join(COLUMNS)}")
            return [_bill(file, number, row) for number, row in enumerate(reader, 2)]
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}; ACCOUNTS names the file") from None


def _bill(file: Path, number: int, row: dict[str, str]) -> Bill:
    try:
        due, minimum = (parse_money(f"{row[name]} {row['currency']}") for name in ("due", "minimum"))
    except ValueError as error:
        raise ConfigError(f"{file}:{number}: {error}") from None
    if not row["account"].isdecimal() or minimum > due:
        raise ConfigError(f"{file}:{number}: an account is digits, and its minimum is not above what is due")
    return Bill(row["account"], due, minimum)


def _row(one: Bill) -> dict[str, object]:
    return {
        "account": one.account,
        "due_minor": one.due.minor,
        "minimum_minor": one.minimum.minor,
        "currency": one.due.currency,
    }
