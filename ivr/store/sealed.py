"""Sealed card fields between first touch and the final answer. Only the bank can open them, and still they are deleted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from ivr.core.call import OPEN
from ivr.core.events import CARD_FIELDS
from ivr.store.calls import StaleCall
from ivr.store.database import Database, Straight
from ivr.store.intents import is_begun
from ivr.store.tables import payment_intent, sealed_field


@dataclass(frozen=True)
class SealedField:
    """`fingerprint`, `bin_tag`: of the card, beside its number alone."""

    intent: str
    field: str
    jwe: str
    fingerprint: str | None = None
    bin_tag: str | None = None


# Nothing is staged for an attempt that has been charged, nor for a call that is over: a request that was held up on its
# way, and comes when all is done, would leave a field that nobody deletes.
_STAGE = (
    "INSERT INTO sealed_field (intent, field, jwe, fingerprint, bin_tag, at) SELECT "
    "CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS TEXT), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS BIGINT) "
    "WHERE NOT EXISTS (SELECT 1 FROM payment_intent WHERE reference = ?) "
    "AND NOT EXISTS (SELECT 1 FROM call WHERE id = ? AND is_over) "
    "ON CONFLICT (intent, field) DO UPDATE SET jwe = excluded.jwe, fingerprint = excluded.fingerprint, "
    "bin_tag = excluded.bin_tag, at = excluded.at"
)
_STAGED = Straight("SELECT field, jwe, fingerprint, bin_tag FROM sealed_field WHERE intent = :intent")
_BESIDE = "SELECT field, jwe FROM sealed_field WHERE intent = ?"
_DELETE = Straight("DELETE FROM sealed_field WHERE intent = :intent")


class SealedFields:
    def __init__(self, database: Database) -> None:
        self._database = database

    def stage_sealed(self, sealed: SealedField, at: datetime) -> None:
        """Replaces an earlier entry of the same field: the caller typed it again. StaleCall where it comes too late.

        Not yet money: one statement on the calls' connection. A power cut loses the call, and with it the entry.
        """
        call = sealed.intent.rpartition("-")[0]
        row = (
            sealed.intent,
            sealed.field,
            sealed.jwe,
            sealed.fingerprint,
            sealed.bin_tag,
            self._database.on_its_clock(at),
            sealed.intent,
            call,
        )
        if self._database.run(_STAGE, row).rowcount != 1:
            raise StaleCall(call)

    def is_staged(self, intent: str) -> bool:
        """Whether any field lies sealed for the attempt."""
        with self._database.calls() as connection:
            return bool(read_sealed(connection, intent).fields)

    def sealed_beside(self, intent: str, field: str) -> str:
        """Another card field of the attempt, as it is sealed; empty where this is the first."""
        rows = self._database.run(_BESIDE, (intent,)).fetchall()
        return next((jwe for name, jwe in rows if name != field and name in CARD_FIELDS), "")

    def forget_card(self, intent: str) -> bool:
        """Deletes what was sealed for an attempt that was never begun; one that was begun keeps its fields: False."""
        with self._database.money() as connection:
            self._database.hold(connection, intent)
            if is_begun(connection, intent):
                return False
            dropped = delete_sealed(connection, intent)
        if dropped:
            self._database.drop_wal()
        return True

    def drop_unsent_cards(self, before: datetime) -> int:
        """Sealed fields of attempts that have no charge under way: abandoned calls', and what came too late."""
        under_way = select(payment_intent.c.reference).where(
            payment_intent.c.reference == sealed_field.c.intent, payment_intent.c.status.in_(OPEN)
        )
        old = delete(sealed_field).where(sealed_field.c.at < self._database.on_its_clock(before), ~under_way.exists())
        with self._database.money() as connection:
            dropped = connection.execute(old).rowcount
        if dropped:
            self._database.drop_wal()
        return dropped

    def wipe_log(self) -> None:
        """What a process that died, or a reader in the way, has left of deleted fields in SQLite's write-ahead log."""
        self._database.drop_wal()


@dataclass(frozen=True)
class Staged:
    """What lies sealed for an attempt. `fingerprint` and `bin_tag` are empty where no card number was among it."""

    fields: dict[str, str]
    fingerprint: str
    bin_tag: str = ""


def read_sealed(connection: Connection, intent: str) -> Staged:
    rows = _STAGED.run(connection, {"intent": intent}).fetchall()
    fingerprint, bin_tag = next(((card, tag or "") for _, _, card, tag in rows if card), ("", ""))
    return Staged({field: jwe for field, jwe, _, _ in rows}, fingerprint, bin_tag)


def delete_sealed(connection: Connection, intent: str) -> int:
    return int(_DELETE.run(connection, {"intent": intent}).rowcount)
