"""Look-ups that take a second answer, such as a PIN: how often one was wrong, over all calls, and who has to wait before the next.

A guess is entered before the answer is looked up, so that many at once count each other, and counts until it has proved right. Two
counts hold it back: the caller's own, over all accounts, and the account's, whoever called. Each is of a window that moves on, and a
look-up that is refused is not entered, so a lock ends by itself and is not made longer by ringing again.

So that nobody locks out the holder of an account for good by guessing at it: a caller whose answer for that account was right before is
held back by their own count alone; and callers who withhold their number share one count on each account, so that they
cannot use up that of all others. Accounts and callers are keyed hashes: what is no account may be a part of a card number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, TextClause, insert, text

from ivr.store.database import Database, milliseconds
from ivr.store.limits import Counted, CountedAttempts, Limit
from ivr.store.tables import guess as table

KNOWN_FOR = timedelta(days=400)  # a bill that comes once a year is paid from the same telephone
GuessLock = Literal["caller_locked", "account_locked"]


@dataclass(frozen=True)
class Guess:
    """`id`: the same for the same look-up of a call, however often it is asked. `ani_hash` is empty for a caller without a number."""

    id: str
    call: str
    account: str
    ani_hash: str


@dataclass(frozen=True)
class GuessLimits:
    per_caller: Limit
    per_account: Limit


_WRONG = "NOT is_right AND at >"
_COUNT = text(
    "SELECT (SELECT count(*) FROM guess WHERE ani_hash = :ani_hash AND :ani_hash <> '' "  # noqa: S608
    f"AND {_WRONG} :since_caller) AS of_caller, "
    f"(SELECT count(*) FROM guess WHERE account = :account AND ani_hash = '' AND {_WRONG} :since_caller) AS of_withheld, "
    f"(SELECT count(*) FROM guess WHERE account = :account AND {_WRONG} :since_account) AS of_account, "
    "(SELECT count(*) FROM guess WHERE account = :account AND ani_hash = :ani_hash AND :ani_hash <> '' "
    "AND is_right AND at > :since_known) AS was_right"
)
_ENTERED = text("SELECT 1 FROM guess WHERE id = :id")
_RIGHT = text("UPDATE guess SET is_right = true, at = :at WHERE id = :id")
# One right answer of a caller is enough to know them by.
_RIGHT_BEFORE = text(
    "DELETE FROM guess WHERE is_right AND id <> :id AND (account, ani_hash) IN "
    "(SELECT account, ani_hash FROM guess WHERE id = :id)"
)
_NO_GUESS = text("DELETE FROM guess WHERE id = :id AND NOT is_right")
_RESET = text(
    "DELETE FROM guess WHERE NOT is_right AND (:everybody OR (call = :call AND :call <> '') "
    "OR (ani_hash = :ani_hash AND :ani_hash <> '') OR (account = :account AND :account <> ''))"
)
_SHOW: dict[Counted, tuple[str, str]] = {
    "guessing caller": ("ani_hash", "ani_hash <> ''"),
    "guessed account": ("account", "true"),
}


class Guesses:
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_guess(self, guess: Guess, limits: GuessLimits, now: datetime) -> GuessLock | None:
        """Entered, and counted as wrong until `end_guess` says that it was right; or why it must not be looked up. The second time
        for the same look-up it changes nothing."""
        with self._database.calls() as connection:
            if connection.execute(_ENTERED, {"id": guess.id}).first() is not None:
                return None
        with self._database.money() as connection:
            self._database.hold(
                connection, f"guesses at {guess.account}", guess.ani_hash and f"guesses of {guess.ani_hash}"
            )
            lock = _lock(connection, guess, limits, now)
            if lock is None and connection.execute(_ENTERED, {"id": guess.id}).first() is None:
                connection.execute(insert(table), [{**vars(guess), "at": milliseconds(now), "is_right": False}])
            return lock

    def end_guess(self, guess_id: str, now: datetime, *, is_right: bool) -> None:
        """`is_right` False: nothing was looked up, so nothing was learned. A guess that was wrong is left as it is."""
        with self._database.money() as connection:
            if is_right:
                connection.execute(_RIGHT, {"id": guess_id, "at": milliseconds(now)})
                connection.execute(_RIGHT_BEFORE, {"id": guess_id})
            else:
                connection.execute(_NO_GUESS, {"id": guess_id})

    def counted_guesses(self, since: datetime) -> list[CountedAttempts]:
        """Wrong ones, most first, by caller and by account."""
        with self._database.calls() as connection:
            return [
                CountedAttempts(what, *row)
                for what, (of, only) in _SHOW.items()
                for row in connection.execute(_shown(of, only), {"since": milliseconds(since)})
            ]

    def reset_guesses(self, guess: Guess | None) -> int:
        """Wrong guesses until now count no more: those of the call, caller or account that it names, or all. How many."""
        about = vars(guess or Guess("", "", "", "")) | {"everybody": guess is None}
        with self._database.money() as connection:
            return connection.execute(_RESET, about).rowcount


def _shown(of: str, only: str) -> TextClause:
    return text(
        f"SELECT {of}, count(*), max(at), max(call) FROM guess WHERE {only} AND {_WRONG} :since "  # noqa: S608
        f"GROUP BY {of} ORDER BY 2 DESC, 3 DESC LIMIT 20"
    )


def _lock(connection: Connection, guess: Guess, limits: GuessLimits, now: datetime) -> GuessLock | None:
    values: dict[str, object] = {"ani_hash": guess.ani_hash, "account": guess.account}
    values |= {"since_caller": _since(limits.per_caller, now), "since_account": _since(limits.per_account, now)}
    counts = connection.execute(_COUNT, values | {"since_known": milliseconds(now - KNOWN_FOR)}).one()
    if counts.of_caller >= limits.per_caller.count:
        return "caller_locked"
    if counts.was_right:
        return None
    is_withheld_full = not guess.ani_hash and counts.of_withheld >= limits.per_caller.count
    return "account_locked" if is_withheld_full or counts.of_account >= limits.per_account.count else None


def _since(limit: Limit, now: datetime) -> int:
    return milliseconds(now - timedelta(seconds=limit.window_s))
