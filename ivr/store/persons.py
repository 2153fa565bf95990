"""What is kept of one caller, found by the hash of the number; and forgetting it, all but what the books need.

Charges stay, with amount, last four digits and account: they are the ledger. Agreements and the audit trail stay. What is deleted:
calls with their turns, texts, guesses, what the merchant's own systems were told; what they agreed to have remembered; a kept card is forgotten, and its
bank asked to delete it. In the charges a mark stands in place of the hash from then on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select

from ivr.core.call import OPEN, Call
from ivr.store.audit import add_event
from ivr.store.caller_numbers import opened_recipient, show
from ivr.store.calls import Calls
from ivr.store.kept_cards import forget_cards
from ivr.store.remembered import forget_number, opened
from ivr.store.retention import delete_calls, forget_payers
from ivr.store.tables import (
    agreement,
    call,
    call_turn,
    guess,
    kept_card,
    ledger_entry,
    merchant_notice,
    modification,
    payment_intent,
    remembered_caller,
    text_message,
)

Record = dict[str, Any]
SOME = 200  # conditions in one statement; SQLite takes a thousand
SETTLED = ("done", "failed")  # of a refund, void or capture
TIMES = ("at", "created_at", "kept_at", "asked_at", "sent_at", "started_at", "updated_at")
# No hash, fingerprint, token or key of ours: they say nothing to a person.
PAYMENT = (
    *("reference", "confirmation_number", "authorization_code", "status", "amount_minor", "fee_minor", "currency"),
    *("account", "card_summary", "payable_source", "payable_key", "bank", "call", "created_at"),
)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "turns": ("call", "at", "came", "step", "said"),
    "payments": PAYMENT,
    "ledger": ("reference", "kind", "amount_minor", "currency", "at"),
    "refunds": ("reference", "kind", "amount_minor", "currency", "status", "asked_at"),
    "agreements": (
        "reference",
        "kind",
        "subject",
        "account",
        "amount_minor",
        "currency",
        "terms",
        "wording",
        "language",
        "at",
    ),
    "kept_cards": ("key", "bank", "brand", "last4", "expires", "consent", "kept_at"),
    "guesses": ("call", "at", "is_right"),
    "notices": ("kind", "about", "body", "at", "state"),
}


@dataclass(frozen=True)
class Person:
    """Everything that is kept of one number. `calls`, `texts`: ids; `charges`: references; `remembered`: the flows in which they agreed
    to that."""

    calls: Sequence[str]
    charges: Sequence[str]
    texts: Sequence[str]
    remembered: Sequence[str] = ()

    @property
    def is_nobody(self) -> bool:
        return not (self.calls or self.charges or self.texts or self.remembered)


@dataclass(frozen=True)
class PersonForgotten:
    """How many rows of each were deleted; of `charges`, how many stay without the number."""

    calls: int
    texts: int
    charges: int
    kept_cards: int
    guesses: int
    notices: int
    remembered: int


@dataclass(frozen=True)
class PersonBusy:
    """Nothing was deleted: `why` in words."""

    why: str


class Persons(Calls):
    """Thread-safe; for a store that was opened with the keys of numbers."""

    def person(self, caller_hash: str) -> Person:
        with self._database.calls() as connection:
            return _person(connection, caller_hash)

    def person_record(self, caller_hash: str) -> Mapping[str, Sequence[Record]]:
        """All rows by kind, for the person: times in ISO 8601, amounts in minor units; nothing of a card but its last four."""
        with self._database.calls() as connection:
            who = _person(connection, caller_hash)
            rows = {name: connection.execute(wanted).all() for name, wanted in _of(who, caller_hash).items()}
        told = {name: [_record(row, COLUMNS[name]) for row in rows[name]] for name in COLUMNS}
        return {
            "calls": [self._call_record(row) for row in rows["calls"]],
            "texts": [self._text_record(row) for row in rows["texts"]],
            "remembered": [self._remembered_record(row) for row in rows["remembered"]],
            **told,
        }

    def forget_person(self, caller_hash: str, by: str, shown: str, now: datetime) -> PersonForgotten | PersonBusy:
        """One transaction, with its audit event. `shown`: the number shortened, for that. PersonBusy while a call goes on, or a
        charge or refund has no outcome: money that is under way must be found by its caller."""
        with self._database.money() as connection:
            who = _person(connection, caller_hash)
            if (why := _why_not(connection, who)) is not None:
                return PersonBusy(why)
            counts = _forget(connection, who, caller_hash, by, now)
            told = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in vars(counts).items())
            add_event(self._database, connection, by, "personal data deleted", f"{shown}: {told}", now)
        self._database.drop_wal()
        return counts

    def _call_record(self, row: Row[Any]) -> Record:
        read: Call = self._read(row.id, row.state, row.caller, row.flow)[0]
        values = {name: str(value) for name, value in read.values.items()}
        about: Record = {"caller": read.ani, "called": read.dnis, "channel": read.channel, "language": read.language}
        about |= {"outcome": read.outcome, "email": read.result_email, "answers": values}
        return _record(row, ("id", "flow", "started_at", "updated_at")) | about

    def _text_record(self, row: Row[Any]) -> Record:
        to = opened_recipient(self._database.numbers, row.id, row.recipient)
        words = {"to": to, "subject": row.subject, "body": show(row.body, to)}
        return _record(row, ("id", "way", "state", "at", "sent_at")) | words

    def _remembered_record(self, row: Row[Any]) -> Record:
        kept = opened(self._database.numbers, row)
        return _record(row, ("flow", "consent", "at")) | (vars(kept) if kept else {})


def _person(connection: Connection, caller_hash: str) -> Person:
    assert caller_hash, "a withheld number is nobody's"
    by_number = select(call.c.id).where(call.c.caller_hash == caller_hash)
    intents = select(payment_intent.c.reference, payment_intent.c.call).where(
        or_(payment_intent.c.ani_hash == caller_hash, payment_intent.c.call.in_(by_number))
    )
    charged = connection.execute(intents).all()
    texted = select(text_message.c.id).where(text_message.c.recipient_hash == caller_hash)
    calls = {*connection.execute(by_number).scalars(), *(row.call for row in charged)}
    texts = set(connection.execute(texted).scalars())
    calls |= {one.rsplit("-", 2)[0] for one in texts}  # a text is named by its call, or its charge
    named = sorted(calls)
    for start in range(0, len(named), SOME):  # a receipt's address is not the caller's number
        some = named[start : start + SOME]
        of_calls = [text_message.c.id.startswith(f"{one}-", autoescape=True) for one in some]
        texts.update(connection.execute(select(text_message.c.id).where(or_(*of_calls))).scalars())
    remembered = select(remembered_caller.c.flow).where(remembered_caller.c.caller_hash == caller_hash)
    flows = sorted(connection.execute(remembered).scalars())
    return Person(sorted(calls), sorted(row.reference for row in charged), sorted(texts), flows)


def _of(who: Person, caller_hash: str) -> Mapping[str, Any]:
    charges, calls = who.charges, who.calls
    consents = select(agreement.c.reference).where(agreement.c.call.in_(calls))
    return {
        "calls": select(call).where(call.c.id.in_(calls)).order_by(call.c.started_at),
        "turns": select(call_turn).where(call_turn.c.call.in_(calls)).order_by(call_turn.c.call, call_turn.c.number),
        "texts": select(text_message).where(text_message.c.id.in_(who.texts)).order_by(text_message.c.at),
        "payments": select(payment_intent).where(payment_intent.c.reference.in_(charges)),
        "ledger": select(ledger_entry).where(ledger_entry.c.reference.in_(charges)).order_by(ledger_entry.c.id),
        "refunds": select(modification).where(modification.c.reference.in_(charges)),
        "agreements": select(agreement).where(agreement.c.call.in_(calls)).order_by(agreement.c.at),
        "kept_cards": select(kept_card).where(or_(kept_card.c.intent.in_(charges), kept_card.c.consent.in_(consents))),
        "guesses": select(guess).where(or_(guess.c.ani_hash == caller_hash, guess.c.call.in_(calls))),
        "remembered": select(remembered_caller).where(remembered_caller.c.caller_hash == caller_hash),
        "notices": select(merchant_notice).where(merchant_notice.c.about.in_([*charges, *calls])),
    }


def _why_not(connection: Connection, who: Person) -> str | None:
    goes_on = select(call.c.id).where(call.c.id.in_(who.calls), ~call.c.is_over)
    columns = payment_intent.c
    of_them = columns.reference.in_(who.charges)
    is_open = select(columns.reference).where(of_them, or_(columns.status.in_(OPEN), columns.waiting != ""))
    given = modification.c
    returning = select(given.reference).where(given.reference.in_(who.charges), given.status.not_in(SETTLED))
    for wanted, why in ((goes_on, "a call goes on"), (is_open, "a charge is open"), (returning, "a refund is open")):
        if (found := connection.execute(wanted.limit(1)).scalar()) is not None:
            return f"{why}: {found}"
    return None


def _forget(connection: Connection, who: Person, caller_hash: str, by: str, now: datetime) -> PersonForgotten:
    consents = connection.execute(select(agreement.c.reference).where(agreement.c.call.in_(who.calls))).scalars().all()
    cards = or_(kept_card.c.intent.in_(who.charges), kept_card.c.consent.in_(consents))
    kept = forget_cards(connection, [cards], by, now)
    texts = connection.execute(delete(text_message).where(text_message.c.id.in_(who.texts))).rowcount
    guesses = connection.execute(
        delete(guess).where(or_(guess.c.ani_hash == caller_hash, guess.c.call.in_(who.calls)))
    ).rowcount
    told = merchant_notice.c.about.in_([*who.charges, *who.calls]), merchant_notice.c.state != "waiting"
    notices = connection.execute(delete(merchant_notice).where(*told)).rowcount
    calls = connection.execute(select(call.c.id).where(call.c.id.in_(who.calls))).scalars().all()
    delete_calls(connection, who.calls)
    forget_payers(connection, who.charges)
    remembered = forget_number(connection, caller_hash)
    return PersonForgotten(len(calls), texts, len(who.charges), kept, guesses, notices, remembered)


def _record(row: Row[Any], names: Sequence[str]) -> Record:
    told = {name: getattr(row, name) for name in names}
    return {name: _iso(value) if name in TIMES and value is not None else value for name, value in told.items()}


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
