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
from datetime import date
from pathlib import Path

from ivr.books.bank_file import BankRow
from ivr.books.both_sides import FileSpan, add_theirs, begin_sides, our_side, their_side, write_ours
from ivr.books.causes import CAUSES, Cause
from ivr.books.day import day_bounds
from ivr.core.call import OPEN
from ivr.core.money import Money
from ivr.core.stray_cards import holds_card_number
from ivr.errors import ConfigError
from ivr.store import Store

LONGEST_SHOWN = 120
_DIGITS = re.compile(r"\d(?:[\s.\-_/]*\d)*")  # as people and machines write a number, in groups or not


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
    `since` and `until`: the first day and the last. Totals: charged less refunded, by currency, in minor units."""

    rows: int
    since: date
    until: date
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
    zone: str = "UTC",
) -> Iterator[Reconciliation]:
    """`since` to `until`, both within: the days whose charges must be in the file; where they are not given, its first and last.
    `zone`: whose days those are. `bank`: only this one's, on both sides. `folder`: where the working database may stand meanwhile."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="reconcile-") as own:
        database = sqlite3.connect(Path(own) / "rows.db")
        try:
            begin_sides(database)
            days = _Days()
            left_out = _LeftOut(rows, bank)
            count = _write_theirs(database, left_out, days)
            span = _span(since or days.first, until or days.last, zone, is_strict=until is not None)
            write_ours(database, store, span, bank)
            made = Reconciliation(count, span.first_day, span.last_day, iter(()), left_out.count)
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


def _span(first: date | None, last: date | None, zone: str, *, is_strict: bool) -> FileSpan:
    """`is_strict`: whoever says which day is the last says that all of it is in the file."""
    if first is None or last is None:
        raise ConfigError(
            "the file does not say its days: it has no row, or the form names no column of days (columns: date:); say --since and "
            "--until, the days whose charges must be in it"
        )
    if last < first:
        raise ConfigError(f"{first} is after {last}: --since is the first day, --until the last")
    begins, (last_begins, ends) = day_bounds(first, zone)[0], day_bounds(last, zone)
    return FileSpan(first, last, begins, ends if is_strict else last_begins, ends)


def _write_theirs(database: sqlite3.Connection, rows: Iterable[BankRow], days: _Days) -> int:
    count = 0

    def written() -> Iterator[tuple[object, ...]]:
        nonlocal count
        for row in rows:
            days.note(row.day)
            count += 1
            yield row.line, row.kind, row.reference, row.bank_reference, row.minor, row.currency

    add_theirs(database, written())
    return count


def _differences(database: sqlite3.Connection, store: Store, made: Reconciliation, bank: str) -> Iterator[Difference]:
    for row in their_side(database):
        made.there[row["currency"]] += row["charged"] - row["refunded"]
        found = [*_of_row(row, store, bank), *_charge_missing_from(row)]
        if row["counts"]:
            made.here[row["our_currency"]] += _moved_here(row)
        made.agreeing += not found
        yield from found
    for row in our_side(database):
        yield from _not_in_the_file(row, made)


def _moved_here(row: sqlite3.Row) -> int:
    """What should stand there: the charge where it belongs into this file, and the refunds that do or that may."""
    refunded = max(row["refunded_due"], min(row["given_back"], row["our_refunds"]))
    came_back = max(row["back_due"], min(row["came_back"], row["our_back"]))
    charged = row["our_charge"] if row["charges"] or row["is_within"] else 0
    return int(charged - (row["our_void"] if charged or row["charged"] else 0) - refunded + came_back)


def _not_in_the_file(row: sqlite3.Row, made: Reconciliation) -> Iterator[Difference]:
    """Of a charge of ours that has no row there: the charge, or where that was in an earlier file what was given back since."""

    def lacks(kind: str, minor: int) -> Difference:
        here = Money(minor, row["our_currency"])
        return Difference(kind, row["ours"], row["our_bank_reference"], (), here, None, row["bill"])

    net = row["our_charge"] - row["our_void"]
    if net > 0 and row["is_within"]:
        made.here[row["our_currency"]] += net - row["our_refunds"] + row["our_back"]
        yield lacks(_not_there(row), net)
        return
    made.here[row["our_currency"]] += row["back_due"] - row["refunded_due"]
    for kind, here, _there in _refunds_lacking(row, 0, 0):
        yield lacks(kind, here)


def _not_there(row: sqlite3.Row) -> str:
    return "not_at_the_bank_yet" if row["is_last"] else "not_at_the_bank"


def _charge_missing_from(row: sqlite3.Row) -> Iterator[Difference]:
    """Of a charge made within the file's days that has rows there, but none of its own: a refund without its charge. One from
    before is in an earlier file."""
    is_here = row["ours"] is not None and row["our_currency"] == row["currency"]
    if is_here and row["is_within"] and not row["charges"] and row["our_charge"] > row["our_void"]:
        net = Money(row["our_charge"] - row["our_void"], row["currency"])
        named = row["reference"], _shown(row["bank_reference"]), _lines(row["all_lines"])
        yield Difference(_not_there(row), *named, net, None, row["bill"])


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
        yield differs(
            "charged_back", row["our_charge"], row["disputed"], row["our_currency"] or "", about="disputed_lines"
        )
    if row["ours"] is None:
        for why in _why_not_ours(row, store, bank) if charged or refunded else ():
            yield differs(why, None, charged - refunded)
        return
    if row["our_currency"] != row["currency"]:
        if charged or refunded:
            yield differs("currency_differs", row["our_charge"], charged, row["our_currency"])
        return
    found = [
        *(differs(*one, about="charge_lines") for one in _charge_differs(row)),
        # A refund that is missing altogether is missing beside the charge.
        *(
            differs(*one, about="refund_lines" if row["refund_lines"] else "all_lines")
            for one in _refunds_differ(row, row["given_back"], row["came_back"])
        ),
    ]
    if not found and row["charges"] and row["is_old"]:
        yield differs("long_before", row["our_charge"] - row["our_void"], charged)
    yield from found


def _charge_differs(row: sqlite3.Row) -> Iterator[tuple[str, int, int]]:
    """Each kind with what stands here and there. Without a row of the charge it is in an earlier file, and the rows are of its void."""
    charged, due = row["charged"], row["our_charge"] - row["our_void"]
    if not row["charges"]:
        if -charged > row["our_void"]:
            yield "voided_at_the_bank", due, row["our_charge"] + charged
        elif charged > 0 and row["our_void"]:
            yield "charged_although_voided", due, charged
        return
    for why in _why_charged(row) if charged != due else ():
        yield why, due, charged


Lacking = tuple[str, int, int]


def _refunds_differ(row: sqlite3.Row, there: int, back_there: int) -> Iterator[Lacking]:
    """Refunds, and those that came back, each beside its own: one of another day may be in another file."""
    if there > row["our_refunds"]:
        yield "refund_not_ours", row["our_refunds"], there
    if back_there > row["our_back"]:
        yield "refund_came_back_there", row["our_back"], back_there
    yield from _refunds_lacking(row, there, back_there)


def _refunds_lacking(row: sqlite3.Row, there: int, back_there: int) -> Iterator[Lacking]:
    """A refund that came back here need not be there at all: the bank may list neither."""
    forgiven = max(row["our_back"] - back_there, 0)
    if row["refunded_due"] - forgiven > there:
        is_late = row["refunded_due"] - row["refunded_last"] - forgiven <= there
        yield "refund_not_at_the_bank_yet" if is_late else "refund_missing", row["refunded_due"], there
    if row["back_due"] - max(row["refunded_due"] - there, 0) > back_there:
        yield "refund_came_back_here", row["back_due"], back_there


def _lines(joined: str) -> tuple[int, ...]:
    return tuple(sorted(map(int, joined.split(","))))


def _why_charged(row: sqlite3.Row) -> Iterator[str]:
    """What is worst first: of a charge that was voided here and stands twice there, all but one is the bank's own mistake."""
    is_doubled = _is_doubled(row, row["our_charge"])
    if is_doubled:
        yield "charged_twice"
    if row["our_void"] and row["our_void"] == row["our_charge"]:
        yield "charged_although_voided"
    elif row["voids"] and not row["charged"]:
        yield "voided_at_the_bank"
    elif not is_doubled:
        yield "amount_differs"


def _is_doubled(row: sqlite3.Row, minor: int) -> bool:
    """Whether our amount stands there more than once, after what was voided there."""
    return row["charges"] > 1 and minor > 0 and row["charged"] > minor and row["charged"] % minor == 0


def _why_not_ours(row: sqlite3.Row, store: Store, bank: str) -> Iterator[str]:
    """It may be a charge at another bank, one that has not ended as charged here, or an amount that is only reserved. What is
    worst first."""
    payment = store.payment(row["reference"]) if row["reference"] else None
    if payment is None:
        yield "not_on_record"
        return
    if bank and payment.intent.bank != bank:
        yield "at_another_bank"
        return
    ours = payment.intent.amount
    if row["currency"] == ours.currency and _is_doubled(row, ours.minor):
        yield "charged_twice"
    if payment.status != "approved":
        yield "unknown_here" if payment.status in OPEN else "not_charged_here"
        return
    modified = store.modifications_of(payment.intent.reference)
    is_voided = any((one.kind, one.status) == ("void", "done") for one in modified)
    yield "charged_although_voided" if is_voided else "only_reserved_here"


def _shown(written: str) -> str:
    """A file of somebody else's may hold anything; a card number of it is not repeated, nor is what moves a terminal's cursor. Digits
    that letters part are none: a call's name has many."""
    runs = ("".join(filter(str.isdecimal, run)) for run in _DIGITS.findall(written))
    if any(holds_card_number(run.encode()) for run in runs):
        return "(a card number)"
    plain = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in written[: LONGEST_SHOWN + 1])
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
