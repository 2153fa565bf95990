"""Cards that were forgotten here: what stands for each at its bank is to be deleted there too, however long that takes.

The token moves from `kept_card` into a row here in the transaction that forgets the card, and a job of the outbox asks the
bank until it has deleted it. Then the token is emptied; the row stays, as the record of it. Asking is safe to repeat: a bank that
has no such token has deleted it. From the moment of forgetting no charge is begun by the token, whatever the bank has done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from ivr.store.database import Database, milliseconds
from ivr.store.outbox import Job, add_job, bank_queue, close_job, is_held, put_off
from ivr.store.tables import card_deletion as table
from ivr.store.tables import kept_card

JOB = "card_deletion"
LONGEST_REASON = 120
# asked: the bank has not said yet that it is gone; deleted: it has; kept_again: the bank had given the same token for a card
# that its holder has had kept since, so it was not deleted; refused: the bank will not, or cannot be told.
DeletionStatus = Literal["asked", "deleted", "kept_again", "refused"]


@dataclass(frozen=True)
class CardDeletion:
    """`id` is the idempotency key. `token` is empty once the bank has deleted it. `reason`: why it has not, as it last said."""

    id: str
    source: str
    key: str
    bank: str
    merchant: str
    token: str = field(repr=False)
    brand: str
    last4: str
    asked_by: str
    asked_at: datetime
    status: DeletionStatus
    reason: str
    ended_at: datetime | None


class CardDeletions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def card_deletions(self, most: int, key: str = "") -> Sequence[CardDeletion]:
        """The latest first."""
        rows = select(table).order_by(table.c.asked_at.desc(), table.c.id).limit(most)
        with self._database.calls() as connection:
            found = connection.execute(rows.where(table.c.key == key) if key else rows)
            return [_deletion(row) for row in found]

    def open_deletion(self, job: Job, now: datetime) -> CardDeletion | None:
        """What the bank is to be asked for; None where nothing is left to ask, or the lease has moved on.

        A token that stands for a card which is kept now is let be: its holder has had the card kept again meanwhile, and the bank
        gave the same token for it.
        """
        with self._database.money() as connection:
            row = connection.execute(select(table).where(table.c.id == job.reference)).first()
            if row is None or row.status != "asked":
                close_job(connection, job)
                return None
            if not is_held(connection, job):
                return None
            if not is_kept(connection, row.bank, row.token):
                return _deletion(row)
            _end(connection, job, "kept_again", "", now)
        self._database.drop_wal()
        return None

    def end_deletion(self, job: Job, status: DeletionStatus, reason: str, now: datetime) -> bool:
        """False where the lease was lost meanwhile. The token is emptied, unless the bank refused."""
        with self._database.money() as connection:
            ended = _end(connection, job, status, reason, now)
        if ended:
            self._database.drop_wal()
        return ended

    def doubt_deletion(self, job: Job, pause_s: float, due: datetime | None, reason: str) -> bool:
        """No answer, or none to be believed: the bank is asked again."""
        with self._database.money() as connection:
            if not put_off(connection, job, pause_s, due):
                return False
            why = {"reason": reason[:LONGEST_REASON]}
            return connection.execute(update(table).where(table.c.id == job.reference).values(why)).rowcount == 1


@dataclass(frozen=True)
class Forgotten:
    """A card that is kept here no longer, without what stands for it."""

    source: str
    key: str
    bank: str
    merchant: str
    brand: str
    last4: str


def ask_deletion(connection: Connection, about: Forgotten, token: str, asked_by: str, now: datetime) -> None:
    """In the transaction that forgets it."""
    key = f"card-{uuid4().hex}"
    values: dict[str, object] = {**vars(about), "token": token, "id": key, "status": "asked", "reason": ""}
    values |= {"asked_by": asked_by[:60], "asked_at": milliseconds(now)}
    connection.execute(insert(table), [values])
    add_job(connection, JOB, key, bank_queue(about.bank))


def is_kept(connection: Connection, bank: str, token: str) -> bool:
    """Locked where the database can: whoever forgets the card then waits for this transaction, or this one for that."""
    wanted = select(kept_card.c.key).where(kept_card.c.bank == bank, kept_card.c.token == token)
    return connection.execute(wanted.with_for_update(read=True)).first() is not None


def _end(connection: Connection, job: Job, status: DeletionStatus, reason: str, now: datetime) -> bool:
    if not close_job(connection, job):
        return False
    values: dict[str, object] = {"status": status, "reason": reason[:LONGEST_REASON], "ended_at": milliseconds(now)}
    values |= {} if status == "refused" else {"token": ""}
    connection.execute(update(table).where(table.c.id == job.reference).values(values))
    return True


def _deletion(row: Any) -> CardDeletion:
    names = ("id", "source", "key", "bank", "merchant", "token", "brand", "last4", "asked_by", "status", "reason")
    about = {name: getattr(row, name) for name in names}
    ended_at = datetime.fromtimestamp(row.ended_at / 1000, UTC) if row.ended_at else None
    return CardDeletion(**about, asked_at=datetime.fromtimestamp(row.asked_at / 1000, UTC), ended_at=ended_at)
