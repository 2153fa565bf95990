"""What a bank tells by itself moves the ledger: once, however often and in whatever order it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from ivr.core.call import OPEN
from ivr.core.money import Money
from ivr.store.database import Database, milliseconds
from ivr.store.entries import note_entry, post_entry, read_story
from ivr.store.following import FollowUp, change_bills
from ivr.store.intents import BankWord, Payment, Status, read_payment
from ivr.store.kept_cards import keep_aside, keep_told
from ivr.store.ledger import Concluding, conclude
from ivr.store.modification_rows import (
    BANK_REFUND_FAILED,
    REFUNDED_AT_BANK,
    Kind,
    Modification,
    ModificationState,
    ModificationWord,
    read_balance,
    read_modifications,
    returned_at_bank,
)
from ivr.store.modifications import drop_modification_job, end_modification, find_told
from ivr.store.outbox import drop_job
from ivr.store.postings import captured_in
from ivr.store.reservations import HOLD_LAPSED, follow_capture
from ivr.store.splits import part_let_go
from ivr.store.transfers import read_posted

# Noted before an undo is sent whose outcome the bank tells later: from then on no approval is believed.
UNDO_ASKED = "undo_asked"
ENDS: dict[str, Status] = {"approved": "approved", "declined": "declined", "reversed": "reversed"}
CAPTURES = frozenset({"captured", "capture_failed"})
UNDO_REFUSED = "undo_refused"
# Nobody can capture any more what the bank has let go of.
HOLD_LOST = "capture_failed"
# What is told of a modification, by its kind.
ENDS_MODIFICATION: dict[Kind, dict[str, ModificationState]] = {
    "refund": {"refunded": "done", "refund_failed": "failed"},
    "void": {"reversed": "done", "undo_refused": "failed"},
    "capture": {"captured": "done", "capture_failed": "failed"},
}
WITHOUT_ANSWER: tuple[ModificationState, ...] = ("asked", "sent", "unknown")
# Of which modification it may be told without its name: its kind, and where it stands.
OF_THE_CHARGE_ALONE: dict[str, tuple[Kind, tuple[ModificationState, ...]]] = {
    "reversed": ("void", (*WITHOUT_ANSWER, "taken")),
    "captured": ("capture", WITHOUT_ANSWER),
    "capture_failed": ("capture", ("done",)),
}
# moved: the payment stands elsewhere now; noted: one more entry; known: nothing new; not_ours: no payment of that bank;
# contradicts: the bank says that it holds money of which we have said that it does not, or has given back what we have
# said that it has not, or more than was charged (which is noted all the same); lost: it has let go of an approved charge before that was captured, and nobody here has asked;
# lapsed: the same of an amount that was only reserved, which its caller was told no more of.
Effect = Literal["moved", "noted", "known", "not_ours", "contradicts", "lost", "lapsed"]
_NOTED_SO_FAR = text("SELECT count(*) FROM ledger_entry WHERE reference = :reference AND kind = :kind")
# Both have an index of their own, of the charges that were to keep a card.
_KEPT_WITH = text(
    "SELECT reference FROM payment_intent WHERE keeps_card AND bank_reference = :bank_reference AND bank = :bank LIMIT 1"
)
_TO_KEEP = text(
    "SELECT 1 FROM payment_intent WHERE keeps_card AND bank_reference IS NULL AND bank = :bank "  # noqa: S608
    f"AND status IN ({', '.join(repr(str(one)) for one in sorted(OPEN))}) LIMIT 1"
)
_HEAR = text("INSERT INTO bank_news (bank, event, at) VALUES (:bank, :event, :at) ON CONFLICT (bank, event) DO NOTHING")
_HEARD = text("SELECT 1 FROM bank_news WHERE bank = :bank AND event = :event")
_BY_BANK_REFERENCE = text("SELECT reference FROM payment_intent WHERE bank = :bank AND bank_reference = :name LIMIT 2")
# Of one charge, beside what was heard: when a refund failed by the bank's clock, its amount and its name.
_FAILURES = text("SELECT event FROM bank_news WHERE bank = :bank AND substr(event, 1, :length) = :begins")
LONGEST_EVENT = 120


@dataclass(frozen=True)
class News:
    """`event`: the same for the same news. `word.bank_reference` is the payment's at the bank, `modification` that of the
    refund, void or capture that it tells of. `is_total`: of a refund, the amount is all that was back at `told_at_s`, by the bank's clock."""

    bank: str
    event: str
    reference: str
    told: str
    word: BankWord
    amount: Money
    modification: str = ""
    reason: str = ""
    is_total: bool = False
    told_at_s: int = 0


class TooEarly(Exception):
    """The forwarder waits for the answer to this charge or modification. Nothing is kept, so that the bank tells it again."""


class BankNewsBook:
    def __init__(self, database: Database) -> None:
        self._database = database

    def hear(self, news: News, now: datetime, follow_up: FollowUp) -> Effect:
        """One transaction. TooEarly while the charge is with the forwarder: its answer may be one that leaves all to news."""
        with self._database.money() as connection:
            if not _hear(connection, news.bank, news.event, now):
                return "known"
            effect = self._take_in(connection, news, now, follow_up)
        if effect == "moved":
            self._database.drop_wal()
        return effect

    def _take_in(self, connection: Connection, news: News, now: datetime, follow_up: FollowUp) -> Effect:
        modification = find_told(connection, news.bank, (news.reference, news.modification))
        if modification is not None:
            _note_failure(connection, news, modification.reference, now)
            return _take_in_modification(connection, self._database, news, modification, now, follow_up)
        if not news.reference and news.told == "kept":
            return _take_in_token(connection, news, now)
        payment = read_payment(connection, news.reference) if news.reference else _named_by_the_bank(connection, news)
        if payment is None or payment.intent.bank != news.bank:
            return "not_ours"
        news = replace(news, reference=payment.intent.reference)
        if payment.status in ("accepted", "sent"):
            raise TooEarly(news.reference)
        if _is_of_a_failed_capture(connection, news, now):
            return "known"
        modification = _open_one(connection, news)
        if modification is not None:
            return _take_in_modification(connection, self._database, news, modification, now, follow_up)
        return _take_in_charge(connection, self._database, news, payment, Concluding(now, follow_up))


def _take_in_token(connection: Connection, news: News, now: datetime) -> Effect:
    """Of a token alone, of which the bank says its own reference of the charge, and not ours. TooEarly while there is a charge whose
    reference is not known yet: it may be of that one."""
    about = {"bank": news.bank, "bank_reference": news.word.bank_reference}
    reference = connection.execute(_KEPT_WITH, about).scalar()
    payment = read_payment(connection, reference) if reference else None
    if payment is None or payment.status in OPEN:
        if payment is not None or connection.execute(_TO_KEEP, {"bank": news.bank}).first() is not None:
            raise TooEarly(news.event)
        return "not_ours"
    return "noted" if keep_told(connection, payment, news.word, now) else "known"


def _hear(connection: Connection, bank: str, event: str, now: datetime) -> bool:
    """False where it was heard before."""
    values = {"bank": bank, "event": event[:LONGEST_EVENT], "at": milliseconds(now)}
    return connection.execute(_HEAR, values).rowcount == 1


def _is_heard(connection: Connection, bank: str, event: str) -> bool:
    return connection.execute(_HEARD, {"bank": bank, "event": event[:LONGEST_EVENT]}).first() is not None


def _named_by_the_bank(connection: Connection, news: News) -> Payment | None:
    """Where the bank says its own name of the charge alone."""
    values = {"bank": news.bank, "name": news.word.bank_reference}
    found = connection.execute(_BY_BANK_REFERENCE, values).scalars().all() if values["name"] else []
    return read_payment(connection, found[0]) if len(found) == 1 else None


def _is_of_a_failed_capture(connection: Connection, news: News, now: datetime) -> bool:
    """A capture that the bank names, and of which it was told that it has failed: that is the end of it, in whatever order
    and in however many words the rest comes."""
    if news.told not in CAPTURES or not news.modification:
        return False
    failed = f"{HOLD_LOST} {news.modification}"
    return (
        not _hear(connection, news.bank, failed, now)
        if news.told == HOLD_LOST
        else _is_heard(connection, news.bank, failed)
    )


def _open_one(connection: Connection, news: News) -> Modification | None:
    """The void or capture without an outcome that is done by this, or the capture that was not done after all, where the bank
    names the charge alone. A bank that lets go of it by itself, while a void of it is with the bank, has done what was asked."""
    kind, states = OF_THE_CHARGE_ALONE.get(news.told, ("", ()))
    found = read_modifications(connection, news.reference) if kind else []
    return next((one for one in found if one.kind == kind and one.status in states), None)


def _take_in_charge(
    connection: Connection, database: Database, news: News, payment: Payment, more: Concluding
) -> Effect:
    now = more.now
    if news.told in ("approved", "kept") and (news.told == "kept" or payment.status != "unknown"):
        is_new = keep_told(connection, payment, news.word, now)
        if is_new or news.told == "kept":
            return "noted" if is_new else "known"
    if news.told == "refunded":
        return _note_refund(connection, news, payment, now)
    if news.told == "refund_failed":
        _note_failure(connection, news, payment.intent.reference, now)
        return _take_refund_back(connection, news, payment, now)
    if news.told in CAPTURES:
        return _note_capture(connection, database, news, payment, more)
    if news.told == UNDO_REFUSED:
        note_entry(connection, payment.intent, news.told, now)
        return "noted"
    if news.told == "reversed" and payment.status == "approved":
        return _let_go(connection, database, payment, more)
    if news.told == "approved" and payment.status in ("declined", "reversed", "not_sent"):
        return "contradicts"
    if payment.status != "unknown" or news.told not in ENDS:
        return "known"
    if not _is_believed(connection, news, payment):
        keep_aside(connection, payment.intent, news.word, now)  # the bank has kept its card all the same
        return "known"
    # The outbox's job first, then the intent, as everywhere.
    drop_job(connection, "resolve", news.reference)
    word = replace(news.word, approved=news.amount) if _is_of_a_part(news, payment) else news.word
    moved = conclude(connection, database, payment, ENDS[news.told], word, more)
    return "moved" if moved else "known"


def _note_capture(connection: Connection, database: Database, news: News, payment: Payment, more: Concluding) -> Effect:
    """A capture that no modification names: the forwarder's own, or one that was made at the bank."""
    intent, now = payment.intent, more.now
    before = read_posted(connection, intent.reference, news.amount.currency)
    standing = captured_in(before)
    of_captures = [one for one in before if one.kind in CAPTURES]
    is_known = bool(of_captures) and of_captures[-1].kind == news.told
    is_failed = news.told == HOLD_LOST
    if is_known or (standing and not is_failed):
        return "noted"
    unused = -len({one.modification for one in of_captures if one.modification <= 0})
    number = min(standing) if is_failed and standing else unused
    changes = post_entry(connection, intent, news.told, None, now, (number, news.amount))
    # What is told before the approval follows from that.
    if intent.captures_later and payment.status == "approved" and not more.follow_up.tell_billing:
        change_bills(connection, intent, changes)
    if not is_failed:
        follow_capture(connection, database, payment, now, more.follow_up)
    return "noted"


def _note_refund(connection: Connection, news: News, payment: Payment, now: datetime) -> Effect:
    """Of a total only what is neither asked for here nor noted before; of one by its name only what has not failed by then."""
    if news.amount.currency != payment.intent.amount.currency:
        return "contradicts"
    if not news.is_total and news.modification and not _hear(connection, news.bank, _refund_named(news), now):
        return "known"
    noted = {"reference": news.reference, "kind": REFUNDED_AT_BANK}
    times = connection.execute(_NOTED_SO_FAR, noted).scalar_one()
    more = news.amount.minor
    if news.is_total:
        balance = read_balance(connection, payment)
        more -= balance.returned.minor + balance.asked.minor
    if more > 0 and news.is_total:
        more -= _failed_since(connection, news)
    if more <= 0:
        return "known"
    # An entry's kind and number come once: no modification of ours has a number below nought.
    about = -times, Money(more, news.amount.currency)
    post_entry(connection, payment.intent, REFUNDED_AT_BANK, None, now, about)
    balance = read_balance(connection, payment)
    return "contradicts" if balance.returned.minor > balance.charged.minor else "noted"


def _take_refund_back(connection: Connection, news: News, payment: Payment, now: datetime) -> Effect:
    """A refund that was made at the bank itself has failed. One that was never told as made has given nothing back; of a bank
    that tells totals, no more than it has told."""
    is_other_money = news.amount.currency != payment.intent.amount.currency
    if (
        is_other_money
        or not news.modification
        or not _hear(connection, news.bank, f"failed: {_refund_named(news)}", now)
    ):
        return "known"
    was_told = not _hear(connection, news.bank, _refund_named(news), now)
    standing = returned_at_bank(connection, news.reference)
    minor = news.amount.minor if was_told else 0
    minor = min(news.amount.minor if news.is_total else minor, standing)
    if minor <= 0:
        return "known"
    times = connection.execute(_NOTED_SO_FAR, {"reference": news.reference, "kind": BANK_REFUND_FAILED}).scalar_one()
    about = -times, Money(minor, news.amount.currency)
    post_entry(connection, payment.intent, BANK_REFUND_FAILED, None, now, about)
    return "noted"


def _note_failure(connection: Connection, news: News, reference: str, now: datetime) -> None:
    """Once, of a bank that tells totals: one that was made up before may be told later, with this refund still in it."""
    if news.told != "refund_failed" or not news.told_at_s or not news.modification:
        return
    if _hear(connection, news.bank, f"total without {_refund_named(news)}", now):
        about = f"{_failures_of(reference)}{news.told_at_s} {news.amount.minor} {news.modification}"
        _hear(connection, news.bank, about, now)


def _failed_since(connection: Connection, news: News) -> int:
    """Minor units of the refunds that have failed since the bank made up this total."""
    begins = _failures_of(news.reference)
    about = {"bank": news.bank, "begins": begins, "length": len(begins)}
    found = [event.removeprefix(begins).split(" ") for event in connection.execute(_FAILURES, about).scalars()]
    return sum(int(minor) for at_s, minor, *_ in found if int(at_s) >= news.told_at_s)


def _failures_of(reference: str) -> str:
    return f"refund failed {reference} "


def _refund_named(news: News) -> str:
    return f"refund {news.modification}"


def _let_go(connection: Connection, database: Database, payment: Payment, more: Concluding) -> Effect:
    """Known where a void was asked for here, or the money has been taken (then it is a refund that is told of)."""
    now, follow_up = more.now, more.follow_up
    reference = payment.intent.reference
    voids = [one for one in read_modifications(connection, reference) if one.kind == "void"]
    story = read_story(connection, reference)
    if any(one.status != "failed" for one in voids) or _last_of_capture(story) == "captured":
        return "known"
    if payment.intent.captures_later:
        changes = note_entry(connection, payment.intent, HOLD_LAPSED, now)
        if changes and not follow_up.tell_billing:
            change_bills(connection, payment.intent, changes)
        return "lapsed"
    drop_job(connection, "capture", reference)
    note_entry(connection, payment.intent, HOLD_LOST, now)
    note_entry(connection, payment.intent, HOLD_LAPSED, now)
    part_let_go(connection, database, payment, now)
    return "lost"


def _last_of_capture(story: Sequence[str]) -> str:
    return next((kind for kind in reversed(story) if kind in CAPTURES), "")


def _take_in_modification(
    connection: Connection, database: Database, news: News, told_of: Modification, now: datetime, follow_up: FollowUp
) -> Effect:
    status = ENDS_MODIFICATION[told_of.kind].get(news.told)
    if status is None:
        return "known"
    if told_of.status in ("asked", "sent"):
        raise TooEarly(told_of.id)
    if news.amount != told_of.amount:
        return "contradicts"
    if told_of.kind == "void" and told_of.status == "done":
        return "known"  # what was let go of stays so, whatever the bank finds to void afterwards
    drop_modification_job(connection, told_of.id)
    reason = news.reason if status == "failed" else None
    word = ModificationWord(news.modification or None, news.word.response_code, reason)
    if end_modification(connection, database, told_of, status, word, now, follow_up):
        return "moved"
    return "contradicts" if (told_of.status, status) == ("failed", "done") else "known"


def _is_believed(connection: Connection, news: News, payment: Payment) -> bool:
    """An approval of another amount, or of a charge that is being taken back, is none: the forwarder goes on with it."""
    if news.told != "approved":
        return True
    is_taken_back = payment.response_code is not None or UNDO_ASKED in read_story(connection, news.reference)
    is_as_asked = news.amount == payment.intent.amount or _is_of_a_part(news, payment)
    return is_as_asked and not is_taken_back


def _is_of_a_part(news: News, payment: Payment) -> bool:
    """An approval of less than was asked for, where the bank was told that it may."""
    asked = payment.intent.amount
    is_less = news.amount.currency == asked.currency and 0 < news.amount.minor < asked.minor
    return news.told == "approved" and payment.takes_part and is_less
