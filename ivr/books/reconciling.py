"""Lays a bank's file beside our ledger, charge by charge, and names each difference with its likely cause and what to do.

Both sides are written to a database on disk which is removed afterwards, so that memory stays the same for any number of rows.
"""

import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from ivr.books.bank_file import BankRow
from ivr.books.causes import CAUSES, Cause
from ivr.core.call import OPEN
from ivr.core.money import Money
from ivr.core.stray_cards import holds_card_number
from ivr.errors import ConfigError
from ivr.store import Movement, Store

# How long before a file's first day a charge of it may have been made: banks settle a capture days later, refunds months later.
LOOKED_BACK = timedelta(days=120)
_AT_ONCE = 5000
_DIGITS = re.compile(r"\d(?:[\s.\-_/]*\d)*")  # as people and machines write a number, in groups or not
_TABLES = """
CREATE TABLE ours (reference TEXT PRIMARY KEY, bank_reference TEXT, bank TEXT, currency TEXT, at INTEGER,
    charged INTEGER DEFAULT 0, refunded INTEGER DEFAULT 0, voided INTEGER DEFAULT 0, bill TEXT, confirmation TEXT) WITHOUT ROWID;
CREATE TABLE theirs (line INTEGER PRIMARY KEY, kind TEXT, reference TEXT, bank_reference TEXT, minor INTEGER, currency TEXT);
"""
_ADD_OURS = """
INSERT INTO ours (reference, bank_reference, bank, currency, at, charged, refunded, voided, bill, confirmation)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reference) DO UPDATE SET
    charged = charged + excluded.charged, refunded = refunded + excluded.refunded, voided = voided + excluded.voided
"""
_ADD_THEIRS = "INSERT INTO theirs VALUES (?, ?, ?, ?, ?, ?)"
# Rows that name only the bank's reference get ours; what is not found keeps an empty one. A row that names neither stands alone.
_NAME_OURS = """
CREATE INDEX ours_by_bank ON ours (bank_reference);
UPDATE theirs SET reference = coalesce((SELECT o.reference FROM ours o WHERE o.bank_reference = theirs.bank_reference), '')
WHERE reference = '' AND bank_reference != '';
CREATE TABLE summed AS SELECT CASE WHEN reference != '' THEN reference WHEN bank_reference != '' THEN 'at the bank: ' || bank_reference
    ELSE 'without a reference, line ' || line END AS key,
    max(reference) AS reference, max(bank_reference) AS bank_reference, currency, min(line) AS line, group_concat(line) AS all_lines,
    group_concat(CASE WHEN kind IN ('charge', 'void') THEN line END) AS charge_lines,
    group_concat(CASE WHEN kind = 'refund' THEN line END) AS refund_lines,
    group_concat(CASE WHEN kind IN ('chargeback', 'chargeback_reversed') THEN line END) AS disputed_lines,
    group_concat(CASE WHEN kind = '' THEN line END) AS unread_lines,
    sum(kind = 'charge' AND minor > 0) AS charges,
    sum(CASE kind WHEN 'charge' THEN minor WHEN 'void' THEN -minor ELSE 0 END) AS charged,
    sum(CASE WHEN kind = 'refund' THEN minor ELSE 0 END) AS refunded,
    sum(CASE kind WHEN 'chargeback' THEN minor WHEN 'chargeback_reversed' THEN -minor ELSE 0 END) AS disputed,
    sum(kind = '') AS unread FROM theirs GROUP BY key, currency;
CREATE INDEX summed_by_reference ON summed (reference);
"""
_THEIR_SIDE = """
SELECT s.*, o.reference AS ours, o.charged AS our_charge, o.refunded AS our_refunds, o.voided AS our_void,
    o.currency AS our_currency, o.bill, o.confirmation, o.bank, o.at
FROM summed s LEFT JOIN ours o ON o.reference = s.reference ORDER BY s.line
"""
_OUR_SIDE = """
SELECT o.* FROM ours o WHERE NOT EXISTS (SELECT 1 FROM summed s WHERE s.reference = o.reference)
AND o.charged > o.voided AND o.at >= ? AND o.at < ? AND (? = '' OR o.bank = ?) ORDER BY o.at, o.reference
"""


@dataclass(frozen=True)
class Difference:
    """`lines` are the bank file's that it is about, none where it has none. `here` and `there`: what our ledger and the bank say was moved."""

    kind: str
    reference: str
    bank_reference: str
    lines: tuple[int, ...]
    here: Money | None
    there: Money | None
    bill: str = ""

    @property
    def line(self) -> int:
        """The first; 0 where there is none."""
        return self.lines[0] if self.lines else 0

    @property
    def cause(self) -> Cause:
        return CAUSES[self.kind]


@dataclass
class Reconciliation:
    """`differences` is a stream: read it once, within the `with`. The counts and totals are whole when it has ended.
    Totals: charged less refunded, by currency, in minor units."""

    rows: int
    since: datetime
    until: datetime
    differences: Iterator[Difference]
    left_out: int = 0  # rows that name another bank; not in `rows`
    agreeing: int = 0
    here: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)


@contextmanager
def reconcile(
    rows: Iterable[BankRow],
    store: Store,
    folder: Path,
    *,
    bank: str = "",
    since: date | None = None,
    until: date | None = None,
) -> Iterator[Reconciliation]:
    """`since` to `until`, both within: the days (UTC) whose charges must be in the file; where they are not given, its first
    and last. `bank`: only this one's, on both sides. `folder`: where the working database may stand meanwhile."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="reconcile-") as own:
        database = sqlite3.connect(Path(own) / "rows.db")
        try:
            database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
            days = _Days()
            left_out = _LeftOut(rows, bank)
            count = _write_theirs(database, left_out, days)
            begins, ends = _bounds(since or days.first, until or days.last)
            _write_ours(database, store.movements(begins - LOOKED_BACK), bank)
            database.executescript(_NAME_OURS)
            made = Reconciliation(count, begins, ends, iter(()), left_out.count)
            made.differences = _differences(database, store, made, bank)
            yield made
        finally:
            database.close()


@dataclass
class _LeftOut:
    """The rows that name this bank or none; of those that name another `count` says how many there were."""

    rows: Iterable[BankRow]
    bank: str
    count: int = 0

    def __iter__(self) -> Iterator[BankRow]:
        for row in self.rows:
            if self.bank and row.bank and row.bank != self.bank:
                self.count += 1
            else:
                yield row


@dataclass
class _Days:
    first: date | None = None
    last: date | None = None

    def note(self, day: date | None) -> None:
        if day is not None:
            self.first = min(self.first or day, day)
            self.last = max(self.last or day, day)


def _bounds(first: date | None, last: date | None) -> tuple[datetime, datetime]:
    """Begin and end, which is not within."""
    if first is None or last is None:
        raise ConfigError(
            "the file does not say its days: name the column of days in the form (columns: date:), or say --since and --until, "
            "the days whose charges must be in it"
        )
    if last < first:
        raise ConfigError(f"{first} is after {last}: --since is the first day, --until the last")
    return _midnight(first), _midnight(last) + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _write_theirs(database: sqlite3.Connection, rows: Iterable[BankRow], days: _Days) -> int:
    count = 0

    def written() -> Iterator[tuple[object, ...]]:
        nonlocal count
        for row in rows:
            days.note(row.day)
            count += 1
            yield row.line, row.kind, row.reference, row.bank_reference, row.minor, row.currency

    database.executemany(_ADD_THEIRS, written())
    database.commit()
    return count


def _write_ours(database: sqlite3.Connection, movements: Iterable[Movement], bank: str) -> None:
    database.executemany(_ADD_OURS, (_our_row(one) for one in movements if not bank or one.bank == bank))
    database.commit()


def _our_row(one: Movement) -> tuple[object, ...]:
    minor, at = one.amount.minor, int(one.at.timestamp())
    moved = [minor if one.kind == kind else 0 for kind in ("charge", "refund", "void")]
    named = one.reference, one.bank_reference, one.bank, one.amount.currency, at
    return *named, *moved, one.bill, one.confirmation_number


def _differences(database: sqlite3.Connection, store: Store, made: Reconciliation, bank: str) -> Iterator[Difference]:
    database.row_factory = sqlite3.Row
    for row in database.execute(_THEIR_SIDE):
        made.there[row["currency"]] += row["charged"] - row["refunded"]
        found = [*_of_row(row, store, bank), *_charge_missing_from(row, made)]
        if row["ours"]:
            made.here[row["our_currency"]] += row["our_charge"] - row["our_refunds"] - row["our_void"]
        made.agreeing += not found
        yield from found
    begins, ends = (int(at.timestamp()) for at in (made.since, made.until))
    for row in database.execute(_OUR_SIDE, (begins, ends, bank, bank)):
        net = Money(row["charged"] - row["voided"], row["currency"])
        made.here[row["currency"]] += row["charged"] - row["refunded"] - row["voided"]
        yield Difference(_not_there(row, ends), row["reference"], row["bank_reference"], (), net, None, row["bill"])


def _not_there(row: sqlite3.Row, ends: int) -> str:
    return "not_at_the_bank_yet" if row["at"] >= ends - timedelta(days=1).total_seconds() else "not_at_the_bank"


def _charge_missing_from(row: sqlite3.Row, made: Reconciliation) -> Iterator[Difference]:
    """Of a charge made within the file's days that has rows there, but none of its own: a refund without its charge. One from
    before is in an earlier file."""
    begins, ends = (int(at.timestamp()) for at in (made.since, made.until))
    is_here = row["ours"] is not None and row["our_currency"] == row["currency"]
    if is_here and not row["charges"] and row["our_charge"] > row["our_void"] and begins <= row["at"] < ends:
        net = Money(row["our_charge"] - row["our_void"], row["currency"])
        named = row["reference"], row["bank_reference"], _lines(row["all_lines"])
        yield Difference(_not_there(row, ends), *named, net, None, row["bill"])


def _of_row(row: sqlite3.Row, store: Store, bank: str) -> Iterator[Difference]:
    """What one charge's rows in the file say otherwise than we do."""
    named = _shown(row["reference"] or row["key"]), _shown(row["bank_reference"])

    def differs(kind: str, here: int | None, there: int, here_in: str = "", about: str = "all_lines") -> Difference:
        ours, lines = None if here is None else Money(here, here_in or row["currency"]), _lines(row[about])
        return Difference(kind, *named, lines, ours, Money(there, row["currency"]), row["bill"] or "")

    charged, refunded = row["charged"], row["refunded"]
    if row["unread"]:
        yield differs("kind_not_known", None, 0, about="unread_lines")
    if row["disputed"] > 0:
        yield differs("charged_back", row["our_charge"], row["disputed"], about="disputed_lines")
    if row["ours"] is None:
        for why in _why_not_ours(row, store, bank) if charged or refunded else ():
            yield differs(why, None, charged - refunded)
        return
    due = row["our_charge"] - row["our_void"]
    if row["our_currency"] != row["currency"]:
        yield differs("currency_differs", row["our_charge"], charged, row["our_currency"])
        return
    for why in _why_charged(row) if row["charges"] and charged != due else ():
        yield differs(why, due, charged, about="charge_lines")
    if refunded != row["our_refunds"]:
        kind = "refund_not_ours" if refunded > row["our_refunds"] else "refund_missing"
        # A refund that is missing altogether is missing beside the charge.
        about = "refund_lines" if row["refund_lines"] else "all_lines"
        yield differs(kind, row["our_refunds"], refunded, about=about)


def _lines(joined: str) -> tuple[int, ...]:
    return tuple(sorted(map(int, joined.split(","))))


def _why_charged(row: sqlite3.Row) -> Iterator[str]:
    """What is worst first: of a charge that was voided here and stands twice there, all but one is the bank's own mistake."""
    is_doubled = _is_doubled(row, row["our_charge"])
    if is_doubled:
        yield "charged_twice"
    if row["our_void"] and row["our_void"] == row["our_charge"]:
        yield "charged_although_voided"
    elif not is_doubled:
        yield "amount_differs"


def _is_doubled(row: sqlite3.Row, minor: int) -> bool:
    """Whether our amount stands there more than once, after what was voided there."""
    return row["charges"] > 1 and minor > 0 and row["charged"] > minor and row["charged"] % minor == 0


def _why_not_ours(row: sqlite3.Row, store: Store, bank: str) -> Iterator[str]:
    """It may be a charge at another bank, one that has not ended as charged here, or one from before the time that was looked at.
    What is worst first."""
    payment = store.payment(row["reference"]) if row["reference"] else None
    if payment is None:
        yield "not_on_record"
        return
    if bank and payment.intent.bank != bank:
        yield "at_another_bank"
        return
    ours = payment.intent.amount
    is_doubled = row["currency"] == ours.currency and _is_doubled(row, ours.minor)
    if is_doubled:
        yield "charged_twice"
    if payment.status != "approved":
        yield "unknown_here" if payment.status in OPEN else "not_charged_here"
    elif not is_doubled:
        same = ours == Money(row["charged"] or ours.minor, row["currency"])
        yield "long_before" if same else "amount_differs"


def _shown(written: str) -> str:
    """A file of somebody else's may hold anything; a card number of it is not repeated. Digits that letters part are none: a
    call's name has many."""
    runs = ("".join(filter(str.isdecimal, run)) for run in _DIGITS.findall(written))
    return "(a card number)" if any(holds_card_number(run.encode()) for run in runs) else written
