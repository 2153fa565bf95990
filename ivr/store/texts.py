"""Texts to callers: queued in the outbox, sent by the forwarder; one of a kind for each call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ivr.store.database import Database, milliseconds
from ivr.store.outbox import Job, add_job, close_job
from ivr.store.tables import text_message


@dataclass(frozen=True)
class TextMessage:
    id: str
    recipient: str
    body: str
    is_sent: bool


class Texts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def queue_sms(self, message_id: str, recipient: str, body: str, now: datetime) -> bool:
        """False if it was queued before."""
        try:
            with self._database.money() as connection:
                row = {"id": message_id, "recipient": recipient, "body": body, "at": milliseconds(now)}
                connection.execute(insert(text_message), row)
                add_job(connection, "sms", message_id, now)
        except IntegrityError:
            return False
        return True

    def text_message(self, message_id: str) -> TextMessage | None:
        with self._database.calls() as connection:
            row = connection.execute(select(text_message).where(text_message.c.id == message_id)).first()
        return TextMessage(row.id, row.recipient, row.body, row.sent_at is not None) if row else None

    def texts_of(self, call: str) -> Sequence[TextMessage]:
        query = select(text_message).where(text_message.c.id.startswith(f"{call}-", autoescape=True))
        with self._database.calls() as connection:
            rows = connection.execute(query.order_by(text_message.c.at)).all()
        return [TextMessage(row.id, row.recipient, row.body, row.sent_at is not None) for row in rows]

    def text_sent(self, job: Job, now: datetime) -> bool:
        with self._database.money() as connection:
            if not close_job(connection, job):
                return False
            sent = update(text_message).where(text_message.c.id == job.reference)
            return connection.execute(sent.values(sent_at=milliseconds(now))).rowcount == 1
