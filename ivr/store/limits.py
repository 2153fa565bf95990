"""Velocity limits: how many charges one caller, or one card, may begin within a window. Both are known by keyed hash only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from ivr.store.database import Database, milliseconds


@dataclass(frozen=True)
class Limit:
    count: int
    window_s: int


@dataclass(frozen=True)
class Limits:
    per_caller: Limit | None = None
    per_card: Limit | None = None


@dataclass(frozen=True)
class OverLimit:
    name: str


_ATTEMPTS = {
    column: text(f"SELECT count(*) FROM payment_intent WHERE {column} = :value AND created_at > :since")  # noqa: S608
    for column in ("ani_hash", "card_fingerprint")
}


class VelocityLimits:
    """Early word of a limit, so that nobody keys in a card for nothing. The final word is in the charge's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def within_caller_limit(self, ani_hash: str, limit: Limit, now: datetime) -> bool:
        with self._database.calls() as connection:
            return _is_within(connection, "ani_hash", ani_hash, limit, now)

    def within_card_limit(self, fingerprint: str, limit: Limit, now: datetime) -> bool:
        with self._database.calls() as connection:
            return _is_within(connection, "card_fingerprint", fingerprint, limit, now)


def limit_reached(
    connection: Connection, limits: Limits, ani_hash: str, fingerprint: str, now: datetime
) -> OverLimit | None:
    """The caller holds `hold` on both keys, so that two charges at once count each other."""
    checks = (
        ("attempts_per_caller", "ani_hash", ani_hash, limits.per_caller),
        ("attempts_per_card", "card_fingerprint", fingerprint, limits.per_card),
    )
    for name, column, value, limit in checks:
        if value and limit and not _is_within(connection, column, value, limit, now):
            return OverLimit(name)
    return None


def _is_within(connection: Connection, column: str, value: str, limit: Limit, now: datetime) -> bool:
    since = milliseconds(now - timedelta(seconds=limit.window_s))
    attempts = connection.execute(_ATTEMPTS[column], {"value": value, "since": since}).scalar_one()
    return int(attempts) < limit.count
