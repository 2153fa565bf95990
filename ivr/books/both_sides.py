"""A bank's rows and our movements side by side, in a database on disk: what each charge comes to there and here.

What of it is a difference is said in `reconciling`. Only days decide what a file must hold: a refund of a later day, or of an
earlier one, is in another file, or in this one.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ivr.store import Movement, Store

# How long before a file's first day a charge of it may have been made: banks settle a capture days later, refunds months later.
# What is older is read only where the file names a charge that is not found.
LOOKED_BACK = timedelta(days=120)
_TABLES = """
CREATE TABLE ours (reference TEXT PRIMARY KEY, bank_reference TEXT, bank TEXT, currency TEXT, at INTEGER, bill TEXT, charged INTEGER,
    voided INTEGER, refunded INTEGER, back INTEGER, refunded_due INTEGER, refunded_last INTEGER, back_due INTEGER) WITHOUT ROWID;
CREATE TABLE theirs (line INTEGER PRIMARY KEY, kind TEXT, reference TEXT, bank_reference TEXT, minor INTEGER, currency TEXT);
CREATE TABLE span (begins INTEGER, last INTEGER, ends INTEGER, old INTEGER);
"""
_ADD_THEIRS = "INSERT INTO theirs VALUES (?, ?, ?, ?, ?, ?)"
_ADD_OURS = """
INSERT INTO ours VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reference) DO UPDATE SET at = min(at, excluded.at),
    charged = charged + excluded.charged, voided = voided + excluded.voided, refunded = refunded + excluded.refunded,
    back = back + excluded.back, refunded_due = refunded_due + excluded.refunded_due,
    refunded_last = refunded_last + excluded.refunded_last, back_due = back_due + excluded.back_due
"""
_NOT_FOUND = """
CREATE TABLE not_found AS
SELECT DISTINCT t.reference, t.bank_reference FROM theirs t WHERE (t.reference != '' OR t.bank_reference != '') AND NOT EXISTS (
    SELECT 1 FROM ours o WHERE o.charged > 0 AND o.reference = t.reference)
    AND (t.reference != '' OR NOT EXISTS (SELECT 1 FROM ours o WHERE o.charged > 0 AND o.bank_reference = t.bank_reference));
CREATE INDEX not_found_by_ours ON not_found (reference);
CREATE INDEX not_found_by_bank ON not_found (bank_reference);
"""
_IS_NAMED = """
SELECT EXISTS (SELECT 1 FROM not_found WHERE reference = ?) OR ? != '' AND EXISTS (
    SELECT 1 FROM not_found WHERE reference = '' AND bank_reference = ?)
"""
# Rows that name only the bank's reference get ours; what is not found keeps an empty one. A row that names neither stands alone.
_NAME_OURS = """
UPDATE theirs SET reference = coalesce((SELECT o.reference FROM ours o WHERE o.bank_reference = theirs.bank_reference), '')
WHERE reference = '' AND bank_reference != '';
CREATE TABLE summed AS SELECT CASE WHEN reference != '' THEN reference WHEN bank_reference != '' THEN 'at the bank: ' || bank_reference
    ELSE 'without a reference, line ' || line END AS key,
    max(reference) AS reference, max(bank_reference) AS bank_reference, currency, min(line) AS line, group_concat(line) AS all_lines,
    group_concat(CASE WHEN kind IN ('charge', 'void') THEN line END) AS charge_lines,
    group_concat(CASE WHEN kind = 'refund' THEN line END) AS refund_lines,
    group_concat(CASE WHEN kind IN ('chargeback', 'chargeback_reversed') THEN line END) AS disputed_lines,
    group_concat(CASE WHEN kind = '' THEN line END) AS unread_lines,
    sum(kind = 'charge' AND minor > 0) AS charges, sum(kind = 'void') AS voids,
    sum(CASE kind WHEN 'charge' THEN minor WHEN 'void' THEN -minor ELSE 0 END) AS charged,
    sum(CASE WHEN kind = 'refund' THEN minor ELSE 0 END) AS refunded,
    sum(CASE WHEN kind = 'refund' THEN max(minor, 0) ELSE 0 END) AS given_back,
    sum(CASE WHEN kind = 'refund' THEN max(-minor, 0) ELSE 0 END) AS came_back,
    sum(CASE kind WHEN 'chargeback' THEN minor WHEN 'chargeback_reversed' THEN -minor ELSE 0 END) AS disputed,
    sum(kind = '') AS unread FROM theirs GROUP BY key, currency;
CREATE INDEX summed_by_reference ON summed (reference);
"""
_OURS = """
o.reference AS ours, o.bank_reference AS our_bank_reference, o.currency AS our_currency, o.bill, o.charged AS our_charge,
    o.voided AS our_void, o.refunded AS our_refunds, o.back AS our_back, o.refunded_due, o.refunded_last, o.back_due,
    o.at >= span.begins AND o.at < span.ends AS is_within, o.at >= span.last AS is_last, o.at < span.old AS is_old
"""
_THEIR_SIDE = f"""
SELECT s.*, {_OURS}, o.reference IS NOT NULL AND (s.currency = o.currency OR NOT EXISTS (
    SELECT 1 FROM summed t WHERE t.reference = s.reference AND t.currency = o.currency)) AS counts
FROM summed s CROSS JOIN span LEFT JOIN ours o ON o.reference = s.reference ORDER BY s.line
"""  # noqa: S608
# What has no row there, but one that moves nothing, such as a chargeback in another currency.
_OUR_SIDE = f"""
SELECT {_OURS} FROM ours o CROSS JOIN span WHERE NOT EXISTS (SELECT 1 FROM summed s WHERE s.reference = o.reference
    AND (s.currency = o.currency OR s.charged != 0 OR s.refunded != 0))
AND (o.charged > o.voided AND o.at >= span.begins AND o.at < span.ends OR o.refunded_due != 0 OR o.back_due != 0)
ORDER BY o.at, o.reference
"""  # noqa: S608


@dataclass(frozen=True)
class FileSpan:
    """What of ours must be in the file: from `begins`, to before `ends`; what is not before `last` may be in the next one."""

    first_day: date
    last_day: date
    begins: datetime
    last: datetime
    ends: datetime


def begin_sides(database: sqlite3.Connection) -> None:
    database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
    database.row_factory = sqlite3.Row


def add_theirs(database: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """As the columns of `theirs` are."""
    database.executemany(_ADD_THEIRS, rows)
    database.commit()


def write_ours(database: sqlite3.Connection, store: Store, span: FileSpan, bank: str) -> None:
    """After `theirs`. `bank`: its charges alone; empty: all."""
    old = span.begins - LOOKED_BACK
    database.execute("INSERT INTO span VALUES (?, ?, ?, ?)", [int(at.timestamp()) for at in _moments(span)])
    _add_ours(database, store.movements(old), span, bank)
    database.executescript(f"CREATE INDEX ours_by_bank ON ours (bank_reference); {_NOT_FOUND}")
    if database.execute("SELECT EXISTS (SELECT 1 FROM not_found)").fetchone()[0]:
        named = (one for one in store.movements(None, old) if _is_named(database, one))
        _add_ours(database, named, span, bank)
    database.executescript(_NAME_OURS)


def their_side(database: sqlite3.Connection) -> Iterator[sqlite3.Row]:
    """What each charge of the file comes to, beside ours where there is one."""
    return database.execute(_THEIR_SIDE)


def our_side(database: sqlite3.Connection) -> Iterator[sqlite3.Row]:
    """Charges and refunds of the file's days that have no row there."""
    return database.execute(_OUR_SIDE)


def _moments(span: FileSpan) -> tuple[datetime, datetime, datetime, datetime]:
    return span.begins, span.last, span.ends, span.begins - LOOKED_BACK


def _is_named(database: sqlite3.Connection, one: Movement) -> bool:
    return bool(database.execute(_IS_NAMED, (one.reference, one.bank_reference, one.bank_reference)).fetchone()[0])


def _add_ours(database: sqlite3.Connection, movements: Iterable[Movement], span: FileSpan, bank: str) -> None:
    database.executemany(_ADD_OURS, (_our_row(one, span) for one in movements if not bank or one.bank == bank))
    database.commit()


def _our_row(one: Movement, span: FileSpan) -> tuple[object, ...]:
    minor, is_due = one.amount.minor, span.begins <= one.at < span.ends
    refunded, back = (max(minor, 0), max(-minor, 0)) if one.kind == "refund" else (0, 0)
    moved = (
        *(minor if one.kind == kind else 0 for kind in ("charge", "void")),
        *(refunded, back, refunded if is_due else 0),
        *(refunded if is_due and one.at >= span.last else 0, back if is_due else 0),
    )
    named = one.reference, one.bank_reference, one.bank, one.amount.currency, int(one.at.timestamp()), one.bill
    return *named, *moved
