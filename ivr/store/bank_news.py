"""What a bank tells by itself moves the ledger: once, however often and in whatever order it is told."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from ivr.core.money import Money
from ivr.store.database import Database, milliseconds
from ivr.store.intents import BankWord, Payment, Status, move, read_payment
from ivr.store.ledger import FollowUp, add_entry, follow, note_entry, read_story
from ivr.store.outbox import drop_job

# Noted before an undo is sent whose outcome the bank tells later: from then on no approval is believed.
UNDO_ASKED = "undo_asked"
ENDS: dict[str, Status] = {"approved": "approved", "declined": "declined", "reversed": "reversed"}
NOTED = frozenset({"captured", "capture_failed", "undo_refused", "refunded"})
# moved: the payment stands elsewhere now; noted: one more entry; known: nothing new; not_ours: no payment of that bank;
# contradicts: the bank says that it holds money of which we have said that it does not.
Effect = Literal["moved", "noted", "known", "not_ours", "contradicts"]
_HEAR = text("INSERT INTO bank_news (bank, event, at) VALUES (:bank, :event, :at) ON CONFLICT (bank, event) DO NOTHING")


@dataclass(frozen=True)
class News:
    """`event`: the same for the same news. `word.bank_reference` is the payment's at the bank."""

    bank: str
    event: str
    reference: str
    told: str
    word: BankWord
    amount: Money


class TooEarly(Exception):
    """The forwarder waits for this charge's answer. Nothing is kept, so that the bank tells it again."""


class BankNewsBook:
    def __init__(self, database: Database) -> None:
        self._database = database

    def hear(self, news: News, now: datetime, follow_up: FollowUp) -> Effect:
        """One transaction. TooEarly while the charge is with the forwarder: its answer may be one that leaves all to news."""
        with self._database.money() as connection:
            values = {"bank": news.bank, "event": news.event, "at": milliseconds(now)}
            if connection.execute(_HEAR, values).rowcount != 1:
                return "known"
            effect = _take_in(connection, news, now, follow_up)
        if effect == "moved":
            self._database.drop_wal()
        return effect


def _take_in(connection: Connection, news: News, now: datetime, follow_up: FollowUp) -> Effect:
    payment = read_payment(connection, news.reference)
    if payment is None or payment.intent.bank != news.bank:
        return "not_ours"
    if payment.status in ("accepted", "sent"):
        raise TooEarly(news.reference)
    if news.told in NOTED:
        note_entry(connection, replace(payment.intent, amount=news.amount), news.told, None, now)
        return "noted"
    if news.told == "approved" and payment.status in ("declined", "reversed", "not_sent"):
        return "contradicts"
    if payment.status != "unknown" or news.told not in ENDS or not _is_believed(connection, news, payment):
        return "known"
    # The outbox's job first, then the intent, as everywhere.
    drop_job(connection, "resolve", news.reference)
    if not move(connection, news.reference, "unknown", ENDS[news.told], news.word):
        return "known"
    add_entry(connection, payment.intent, ENDS[news.told], news.word.response_code, now)
    follow(connection, payment.intent, ENDS[news.told], follow_up)
    return "moved"


def _is_believed(connection: Connection, news: News, payment: Payment) -> bool:
    """An approval of another amount, or of a charge that is being taken back, is none: the forwarder goes on with it."""
    if news.told != "approved":
        return True
    is_taken_back = payment.response_code is not None or UNDO_ASKED in read_story(connection, news.reference)
    return news.amount == payment.intent.amount and not is_taken_back
