"""Whether the ledger's entries are the ones that the charges and what was asked for after them have: an entry under another name
moves the same money, so that no account shows it.

What cannot be seen: an entry that moves nothing and that no row speaks of (the forwarder's own capture, an undo), under the name
of another that may move nothing.
"""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import text

from ivr.store.database import Database
from ivr.store.modification_rows import ENTRIES, ModificationState

_ROWS_AT_ONCE = 2000
_PAID = "bill sales fees"
_RETURNED = f"{_PAID} refunds"
# By the kind of an entry, the accounts that it may debit, and what it may credit for each (`postings`); none where it moves nothing.
_MOVES: Mapping[str, Mapping[str, str]] = {
    "requested": {"in_flight": "pending"},
    "unknown": {"suspense": "in_flight"},
    **{kind: {"pending": "in_flight suspense"} for kind in ("declined", "reversed", "not_sent")},
    "approved": {"pending": "in_flight suspense", "bank": f"{_PAID} held", "reserved": "held"},
    "captured": {"bank": "uncollected reserved", "reserved": "held", "held": f"{_PAID} reserved"},
    "capture_failed": {
        **{"uncollected": "bank", "reserved": "bank held", "held": "reserved"},
        **dict.fromkeys(_PAID.split(), "held"),
    },
    "hold_lapsed": {"held": "reserved"},
    "refunded": dict.fromkeys(_RETURNED.split(), "bank"),
    "voided": {"held": "reserved", **dict.fromkeys(_RETURNED.split(), "bank uncollected")},
    "refund_failed": {"bank": _RETURNED},
    "void_failed": {"reserved": "held", "bank": _RETURNED, "uncollected": _RETURNED},
    "refunded_at_bank": {"refunds": "bank"},
    "bank_refund_failed": {"bank": "refunds"},
    "part_counted": {"held": _PAID, "refunds": "held", "uncollected": "held"},
    "part_undone": {"held": "refunds uncollected"},
    **{kind: {} for kind in ("refund_asked", "void_asked", "capture_asked", "undo_asked", "undo_refused")},
}
_ANSWERS = ("approved", "declined", "reversed", "not_sent")
_OF_ROWS = {kind: [names[one] for one in ("asked", "done", "failed")] for kind, names in ENTRIES.items()}


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _by(column: str, cases: Mapping[str, str], otherwise: str = "NULL") -> str:
    return f"CASE {column} {' '.join(f'WHEN {_quoted([name])} THEN {then}' for name, then in cases.items())} ELSE {otherwise} END"


def _may_move(kind: str) -> str:
    """Of a transfer t of an entry of the kind."""
    pairs = ((debit, credit) for debit, credits in _MOVES[kind].items() for credit in credits.split())
    likes = (f"t.debit_account LIKE '{debit}:%' AND t.credit_account LIKE '{credit}:%'" for debit, credit in pairs)
    return " OR ".join(likes) or "false"


def _entry_when(status: ModificationState) -> str:
    """The kind of the entry that a modification m has then."""
    return _by("m.kind", {kind: _quoted([names[status]]) for kind, names in ENTRIES.items()})


_NOT_OF_ITS_KIND = text(
    f"""
SELECT e.reference, e.kind, 'of no kind that there is, or it moves what that kind does not' AS why
FROM ledger_entry e WHERE e.kind NOT IN ({_quoted(_MOVES)}) OR EXISTS (SELECT 1 FROM transfer t WHERE t.entry = e.id
    AND NOT {_by("e.kind", {kind: _may_move(kind) for kind in _MOVES}, "true")})
ORDER BY e.id
"""  # noqa: S608
)
_MISSING = text(
    f"""
WITH wanted AS (
    SELECT reference, 'requested' AS kind, 0 AS number, coalesce(asked_minor, amount_minor) AS minor FROM payment_intent
    UNION ALL SELECT reference, status, 0, CASE status WHEN 'approved' THEN amount_minor ELSE coalesce(asked_minor, amount_minor) END
    FROM payment_intent WHERE status IN ('unknown', {_quoted(_ANSWERS)})
    UNION ALL SELECT reference, CASE part WHEN '' THEN 'part_counted' ELSE 'part_undone' END, 0, amount_minor
    FROM payment_intent WHERE status = 'approved' AND split <> '' AND part IN ('', 'undone')
    UNION ALL SELECT m.reference, {_entry_when("asked")}, m.number, m.amount_minor FROM modification m)
SELECT w.reference, w.kind, 'missing, or of another amount' AS why FROM wanted w
WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reference = w.reference AND e.kind = w.kind
    AND e.modification = w.number AND e.amount_minor = w.minor)
ORDER BY w.reference, w.number
"""  # noqa: S608
)
_UNSPOKEN_OF = text(
    f"""
SELECT e.reference, e.kind, 'not what the charge says, or what was asked for after it' AS why
FROM ledger_entry e JOIN payment_intent p ON p.reference = e.reference
WHERE e.kind IN ({_quoted(_ANSWERS)}) AND e.kind <> p.status OR e.kind = 'unknown' AND p.status IN ('accepted', 'sent')
    OR e.kind = 'undo_asked' AND NOT EXISTS (
        SELECT 1 FROM ledger_entry u WHERE u.reference = e.reference AND u.kind = 'unknown')
    OR e.kind = 'capture_asked' AND p.status <> 'approved'
    OR (e.modification > 0 OR e.kind IN ({_quoted([*_OF_ROWS["refund"], *_OF_ROWS["void"]])})) AND NOT EXISTS (
        SELECT 1 FROM modification m WHERE m.reference = e.reference AND m.number = e.modification
        AND {_by("m.kind", {kind: f"e.kind IN ({_quoted(names)})" for kind, names in _OF_ROWS.items()}, "false")})
ORDER BY e.id
"""  # noqa: S608
)
# What was asked for after the approval, whose row says another end than the ledger: what can be refunded is read from both.
_ENDED_OTHERWISE = text(
    f"""
WITH told AS (SELECT m.reference, m.kind, m.status, m.number,
    EXISTS (SELECT 1 FROM ledger_entry d WHERE d.reference = m.reference AND d.modification = m.number
        AND d.kind = {_entry_when("done")}) AS is_done,
    EXISTS (SELECT 1 FROM ledger_entry f WHERE f.reference = m.reference AND f.modification = m.number
        AND f.kind = {_entry_when("failed")}) AS has_failed FROM modification m)
SELECT reference, kind, 'number ' || number || ' is ' || status || ', not so in the ledger' AS why FROM told
WHERE (status = 'done') <> (is_done AND NOT has_failed) OR (status = 'failed') <> has_failed ORDER BY reference, number
"""  # noqa: S608
)


def story_faults(database: Database) -> Iterator[tuple[str, str, str]]:
    """Of each the charge's reference, the kind of the entry or of what was asked for, and what is wrong with it."""
    for statement in (_NOT_OF_ITS_KIND, _MISSING, _UNSPOKEN_OF, _ENDED_OTHERWISE):
        with database.stream(statement, {}, _ROWS_AT_ONCE) as rows:
            for row in rows:
                about = row.kind if statement is _ENDED_OTHERWISE else f"the entry '{row.kind}'"
                yield row.reference, about, row.why
