"""Texts to callers: queued in the outbox, sent by the forwarder; one for each id, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from ivr.store.audit import add_event
from ivr.store.caller_numbers import opened_recipient, sealed_recipient, show
from ivr.store.database import Database, milliseconds
from ivr.store.outbox import EMAILS, TEXTS, Job, add_job, close_job, put_off
from ivr.store.tables import text_message

LONGEST_PROBLEM = 120
# waiting: to be sent, perhaps again. kept: in development, shown on the page. refused: it cannot be sent, now or later.
TextState = Literal["waiting", "sent", "kept", "refused"]
Way = Literal["text", "email"]


@dataclass(frozen=True)
class TextMessage:
    """`problem` says why it was not sent: so far, or for good. `at`: when it was queued; `subject`: of an e-mail."""

    id: str
    recipient: str
    body: str
    is_sent: bool
    state: TextState = "waiting"
    problem: str | None = None
    way: Way = "text"
    subject: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class TextProblem:
    """Why a text was not sent. `is_account`: no text could be, to whomever, until the operator has mended something."""

    words: str
    is_account: bool = False


class Texts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def queue_sms(self, message_id: str, recipient: str, body: str, now: datetime) -> bool:
        """False if it was queued before. Raises what the driver raises where it is not queued for another reason."""
        row = {"id": message_id, "recipient": recipient, "body": body, "at": milliseconds(now), "way": "text"}
        return self._queue(row, "sms", TEXTS)

    def queue_email(self, message_id: str, address: str, subject: str, body: str, now: datetime) -> bool:
        """False if it was queued before. Raises what the driver raises where it is not queued for another reason."""
        row = {"id": message_id, "recipient": address, "body": body, "at": milliseconds(now), "way": "email"}
        return self._queue(row | {"subject": subject}, "email", EMAILS)

    def queue_again(self, message: TextMessage, by: str, about: str, now: datetime) -> bool:
        """A receipt that somebody sends once more, with the event that says so in the same transaction. False if it was queued
        before."""
        row = {"id": message.id, "recipient": message.recipient, "body": message.body, "at": milliseconds(now)}
        kind, queue = ("sms", TEXTS) if message.way == "text" else ("email", EMAILS)
        return self._queue(row | {"way": message.way, "subject": message.subject}, kind, queue, (by, about, now))

    def _queue(
        self, row: dict[str, object], kind: str, queue: str, resent: tuple[str, str, datetime] | None = None
    ) -> bool:
        try:
            with self._database.money() as connection:
                kept = sealed_recipient(self._database.numbers, row)
                connection.execute(insert(text_message), kept | {"state": "waiting", "is_account_problem": False})
                add_job(connection, kind, str(row["id"]), queue)
                if resent is not None:
                    by, about, now = resent
                    add_event(self._database, connection, by, "receipt resent", about, now)
        except IntegrityError:
            if self.text_message(str(row["id"])) is None:
                raise
            return False
        return True

    def text_message(self, message_id: str) -> TextMessage | None:
        with self._database.calls() as connection:
            row = connection.execute(select(text_message).where(text_message.c.id == message_id)).first()
        return self._text(row) if row else None

    def _text(self, row: Row[Any]) -> TextMessage:
        at, to = (
            datetime.fromtimestamp(row.at / 1000, UTC),
            opened_recipient(self._database.numbers, row.id, row.recipient),
        )
        is_sent, body = row.state == "sent", show(row.body, to)
        return TextMessage(row.id, to, body, is_sent, row.state, row.problem, row.way, row.subject, at)

    def texts_of(self, call: str) -> Sequence[TextMessage]:
        return self._of(call, "text")

    def emails_of(self, call: str) -> Sequence[TextMessage]:
        return self._of(call, "email")

    def _of(self, call: str, way: Way) -> Sequence[TextMessage]:
        of_call = text_message.c.id.startswith(f"{call}-", autoescape=True)
        query = select(text_message).where(of_call, text_message.c.way == way)
        with self._database.calls() as connection:
            return [self._text(row) for row in connection.execute(query.order_by(text_message.c.at))]

    def text_sent(self, job: Job, now: datetime) -> bool:
        return self._close(job, now, {"state": "sent", "sent_at": milliseconds(now), "problem": None})

    def text_kept(self, job: Job, now: datetime) -> bool:
        return self._close(job, now, {"state": "kept"})

    def text_refused(self, job: Job, problem: TextProblem, now: datetime) -> bool:
        return self._close(job, now, {"state": "refused", **_words(problem)})

    def text_delayed(self, job: Job, problem: TextProblem, pause_s: float, now: datetime, due: datetime | None) -> bool:
        """Not sent, and to be tried again after the pause. `due`: the time that the pause counts from, as in `postpone`."""
        with self._database.money() as connection:
            if not put_off(connection, job, pause_s, due):
                return False
            return _note(connection, job, now, _words(problem))

    def text_trouble(self) -> str | None:
        """What keeps every text from being sent, by the latest try; None where texts go out, or none has been tried.

        Only while a text waits to be tried again: it is what finds out that the account is in order.
        """
        return self._trouble("text")

    def email_trouble(self) -> str | None:
        """The same of e-mails."""
        return self._trouble("email")

    def _trouble(self, way: Way) -> str | None:
        tried = select(text_message).where(text_message.c.tried_at > 0, text_message.c.way == way)
        with self._database.calls() as connection:
            latest = connection.execute(tried.order_by(text_message.c.tried_at.desc()).limit(1)).first()
        return latest.problem if latest and latest.is_account_problem and latest.state == "waiting" else None

    def _close(self, job: Job, now: datetime, changes: dict[str, object]) -> bool:
        with self._database.money() as connection:
            return close_job(connection, job) and _note(connection, job, now, {"is_account_problem": False} | changes)


def add_email(
    connection: Connection, database: Database, message_id: str, to: str, words: tuple[str, str], now: datetime
) -> None:
    """In the transaction of what it tells of. `words`: subject and body."""
    subject, body = words
    row = {"id": message_id, "recipient": to, "subject": subject, "body": body, "at": milliseconds(now)}
    waiting = {"way": "email", "state": "waiting", "is_account_problem": False}
    connection.execute(insert(text_message), sealed_recipient(database.numbers, row) | waiting)
    add_job(connection, "email", message_id, EMAILS)


def _note(connection: Connection, job: Job, now: datetime, changes: dict[str, object]) -> bool:
    noted = update(text_message).where(text_message.c.id == job.reference)
    return connection.execute(noted.values(tried_at=milliseconds(now), **changes)).rowcount == 1


def _words(problem: TextProblem) -> dict[str, object]:
    return {"problem": problem.words[:LONGEST_PROBLEM], "is_account_problem": problem.is_account}
