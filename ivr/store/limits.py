"""AttemptLimits on failed attempts to pay: of a call, a caller, a card, an account and a line, each within a window.

An attempt counts from its beginning, so that many at once are counted too, until the bank approves it. One that never
left for the bank does not count. Callers and cards are known by keyed hash only. What is counted can be reset.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

from ivr.store.database import Database, milliseconds

Tried = Literal["call", "caller", "card", "account", "line"]
Counted = Literal["call", "caller", "card", "account", "line", "guessing caller", "guessed account"]


@dataclass(frozen=True)
class Limit:
    count: int
    window_s: int


@dataclass(frozen=True)
class AttemptLimits:
    """`per_line` is for callers without a number, who are not one caller."""

    per_call: int | None = None
    per_caller: Limit | None = None
    per_card: Limit | None = None
    per_account: Limit | None = None
    per_line: Limit | None = None


@dataclass(frozen=True)
class OverLimit:
    name: str


@dataclass(frozen=True)
class Attempter:
    """Who and what an attempt is counted for; what is empty is not known, and counts for nobody. `bills`: in place of one
    payable those that are paid in one sum, each counted for itself, by source and key."""

    call: str = ""
    ani_hash: str = ""
    card_fingerprint: str = ""
    payable_source: str = ""
    payable_key: str = ""
    line: str = ""
    bills: tuple[tuple[str, str], ...] = ()

    def holds(self) -> tuple[str, ...]:
        """What an attempt locks while it is counted, so that attempts at once count each other."""
        own = ((self.payable_source, self.payable_key),) if self.payable_key else ()
        payables = [payable_hold(source, key) for source, key in (*own, *self.bills)]
        return self.ani_hash, self.card_fingerprint, *payables, "" if self.ani_hash else f"line {self.line}"

    def named(self) -> dict[str, object]:
        """As the statements name it, but for bills in one sum."""
        return {name: value for name, value in self.__dict__.items() if name != "bills"}


def payable_hold(source: str, key: str) -> str:
    """What is held by whoever begins to pay a bill, or agrees to."""
    return f"payable {source} {key}"


@dataclass(frozen=True)
class CountedAttempts:
    """Failed attempts that count now: `card` is brand and last four, `calls` names one call of them."""

    what: Counted
    whom: str
    count: int
    latest_ms: int
    call: str


# What is counted together. Everything is a parameter; the columns are these and no others.
_OF: dict[Tried, str] = {
    "call": "call = :call AND :call <> ''",
    "caller": "ani_hash = :ani_hash AND :ani_hash <> ''",
    "card": "card_fingerprint = :card_fingerprint AND :card_fingerprint <> ''",
    "account": "payable_source = :payable_source AND payable_key = :payable_key AND :payable_key <> ''",
    "line": "line = :line AND :line <> '' AND ani_hash = '' AND :ani_hash = ''",
}
# A part that was taken back has told whoever keyed the card in that it is good: it is no payment.
_IS_FAILED = "is_counted AND (status NOT IN ('approved', 'not_sent') OR part IN ('undoing', 'undone'))"
_FAILED = f"{_IS_FAILED} AND created_at > :since"
_IN_SUMS = (
    "SELECT count(*) FROM intent_bill b JOIN payment_intent p ON p.reference = b.reference "  # noqa: S608
    f"WHERE b.payable_source = :payable_source AND b.payable_key = :payable_key AND :payable_key <> '' AND {_FAILED}"
)
_BILLS_IN_SUMS = (
    "SELECT reference FROM intent_bill WHERE payable_source = :payable_source AND payable_key = :payable_key"
)


def _count_of(what: Tried) -> str:
    """An account's attempts are also those that were to pay it with other bills in one sum."""
    of_it = f"(SELECT count(*) FROM payment_intent WHERE {_OF[what]} AND {_FAILED})"  # noqa: S608
    more = f"({of_it} + ({_IN_SUMS}))" if what == "account" else of_it
    return more.replace(":since", f":since_{what}")


# All in one statement: five would be a third of the statements of a call that pays. Each has a window of its own.
_COUNT = text(f"SELECT {', '.join(map(_count_of, _OF))}")
_RESET = text(
    f"UPDATE payment_intent SET is_counted = false WHERE {_IS_FAILED} AND (:everybody "  # noqa: S608
    "OR (call = :call AND :call <> '') OR (ani_hash = :ani_hash AND :ani_hash <> '') "
    "OR (payable_source = :payable_source AND payable_key = :payable_key AND :payable_key <> '') "
    f"OR (:payable_key <> '' AND reference IN ({_BILLS_IN_SUMS})) "
    "OR (line = :line AND :line <> '' AND ani_hash = '') "
    "OR card_fingerprint IN (SELECT card_fingerprint FROM payment_intent WHERE call = :call AND card_fingerprint <> ''))"
)
_GROUPS: dict[Tried, tuple[str, str, str]] = {
    "caller": ("ani_hash", "max(call)", "ani_hash <> ''"),
    "card": ("card_fingerprint", "max(card_summary)", "card_fingerprint <> ''"),
    "account": ("payable_source, payable_key", "payable_key", "payable_key <> ''"),
    "line": ("line", "line", "line <> '' AND ani_hash = ''"),
}
# Each attempt, once for each bill that it was to pay.
_ATTEMPTS = (
    "(SELECT p.ani_hash, p.card_fingerprint, p.card_summary, p.line, p.call, p.status, p.part, p.is_counted, p.created_at, "
    "coalesce(b.payable_source, p.payable_source) AS payable_source, coalesce(b.payable_key, p.payable_key) AS payable_key "
    "FROM payment_intent p LEFT JOIN intent_bill b ON b.reference = p.reference) AS attempts"
)
_SHOW = {
    what: text(
        f"SELECT {whom}, count(*), max(created_at), max(call) "  # noqa: S608
        f"FROM {_ATTEMPTS if what == 'account' else 'payment_intent'} "
        f"WHERE {only} AND {_FAILED} GROUP BY {by} ORDER BY 2 DESC, 3 DESC LIMIT 20"
    )
    for what, (by, whom, only) in _GROUPS.items()
}


class LimitChecks:
    """Early word of a limit, so that nobody keys in a card for nothing. The final word is in the charge's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def limit_reached(self, attempter: Attempter, limits: AttemptLimits, now: datetime) -> OverLimit | None:
        with self._database.calls() as connection:
            return limit_reached(connection, attempter, limits, now)

    def counted_attempts(self, since: datetime) -> list[CountedAttempts]:
        """What counts now, most first."""
        with self._database.calls() as connection:
            return [
                CountedAttempts(what, *row)
                for what, query in _SHOW.items()
                for row in connection.execute(query, {"since": milliseconds(since)})
            ]

    def reset_limits(self, attempter: Attempter | None) -> int:
        """Attempts counted until now count no more: those of anything that the attempter names, or all. How many.

        A call stands for the cards that were used in it as well.
        """
        values = (attempter or Attempter()).named() | {"everybody": attempter is None}
        with self._database.money() as connection:
            return connection.execute(_RESET, values).rowcount


def limit_reached(
    connection: Connection, attempter: Attempter, limits: AttemptLimits, now: datetime
) -> OverLimit | None:
    """For an exact word the transaction holds what `Attempter.holds` names."""
    checks: tuple[tuple[Tried, Limit | None], ...] = (
        ("call", Limit(limits.per_call, 365 * 24 * 3600) if limits.per_call else None),
        ("caller", limits.per_caller),
        ("card", limits.per_card),
        ("account", limits.per_account),
        ("line", limits.per_line),
    )
    values: dict[str, object] = {f"since_{what}": _since(limit, now) for what, limit in checks}
    for counted in (attempter, *(Attempter(payable_source=source, payable_key=key) for source, key in attempter.bills)):
        counts = connection.execute(_COUNT, counted.named() | values).one()
        for (what, limit), count in zip(checks, counts, strict=True):
            if limit and count >= limit.count:
                return OverLimit(f"attempts_per_{what}")
    return None


def _since(limit: Limit | None, now: datetime) -> int:
    return milliseconds(now - timedelta(seconds=limit.window_s)) if limit else milliseconds(now)
