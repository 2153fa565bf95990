"""Cards that a bank keeps: what stands for each there, for one thing that is paid for, until somebody has it forgotten.

It is no card data: it is good for charges of this merchant, by the forwarder's credentials, and for nothing else. It is
handled as if it were: it stands in this table and, while a charge by it is under way, with the sealed fields; no log, notice,
page or `repr` has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ivr.store.audit import add_event
from ivr.store.card_deletions import Forgotten, ask_deletion, is_kept
from ivr.store.database import Database, Straight, milliseconds
from ivr.store.intents import BankWord, Payment, PaymentIntent
from ivr.store.tables import agreement, card_deletion, kept_card, payment_intent, sealed_field

# The name under which it lies with the sealed fields of a charge.
KEPT_CARD = "kept_card"
# Under this one lies, until its answer, what a notification tells of a charge that has none yet: the token, a blank, the month.
KEPT_TOLD = "kept_card_told"
CONSENT = "keep_card"  # the kind of agreement by which a caller allows it
BY_CALLER = "caller"  # who had it forgotten, in the audit trail
REPLACED = "another card"
NOT_WANTED = "its charge"  # of which nothing is to be kept (any more)


@dataclass(frozen=True)
class KeptCard:
    """`key` is the bill's or account's, `source` where that was looked up. `expires`: 2030-12, or empty. `consent`: the
    agreement's reference."""

    source: str
    key: str
    bank: str
    token: str = field(repr=False)
    brand: str
    last4: str
    expires: str
    fingerprint: str
    consent: str
    kept_at: datetime


class KeptCards:
    def __init__(self, database: Database) -> None:
        self._database = database

    def kept_card(self, source: str, key: str, bank: str) -> KeptCard | None:
        columns = kept_card.c
        wanted = columns.source == source, columns.key == key, columns.bank == bank
        with self._database.calls() as connection:
            row = connection.execute(select(kept_card).where(*wanted)).first()
        return _card(row) if row else None

    def kept_cards(self, most: int, key: str = "") -> Sequence[KeptCard]:
        """The latest first."""
        rows = select(kept_card).order_by(kept_card.c.kept_at.desc(), kept_card.c.key).limit(most)
        with self._database.calls() as connection:
            found = connection.execute(rows.where(kept_card.c.key == key) if key else rows)
            return [_card(row) for row in found]

    def forget_kept_card(self, key: str, forgotten_by: str, now: datetime, source: str = "") -> int:
        """One transaction with its audit event, and a job that has the bank delete it too; how many there were. `source`: of
        this one look-up only. No charge is begun by it from now on, and of those that are no request leaves any more."""
        wanted = [kept_card.c.key == key, *([kept_card.c.source == source] if source else [])]
        with self._database.money() as connection:
            forgotten = forget_cards(connection, wanted, forgotten_by, now)
            if forgotten:
                add_event(self._database, connection, forgotten_by, "kept card forgotten", key, now)
        if forgotten:
            self._database.drop_wal()
        return forgotten


def forget_cards(connection: Connection, wanted: Sequence[Any], by: str, now: datetime, but: str = "") -> int:
    """`but`: a token that is not to be deleted at the bank, because it is kept on."""
    found = connection.execute(select(kept_card).where(*wanted).with_for_update()).all()
    for row in found:
        if row.token != but:
            about = Forgotten(row.source, row.key, row.bank, row.merchant, row.brand, row.last4)
            ask_deletion(connection, about, row.token, by, now)
    if found:
        connection.execute(delete(kept_card).where(*wanted))
    return len(found)


def without_forgotten(connection: Connection, bank: str, fields: Mapping[str, str]) -> dict[str, str]:
    """What is sealed for a charge, without the token of a card that was forgotten meanwhile."""
    is_gone = KEPT_CARD in fields and not is_kept(connection, bank, fields[KEPT_CARD])
    return {name: sealed for name, sealed in fields.items() if not (is_gone and name == KEPT_CARD)}


def keep(connection: Connection, intent: PaymentIntent, word: BankWord, now: datetime) -> None:
    """In the transaction that records the approval; a card that was kept before for the same is replaced, and forgotten."""
    if not (intent.keeps_card and intent.payable_key and word.kept_token):
        return
    brand, _, last4 = intent.card_summary.partition(" ")
    about = {"source": intent.payable_source, "key": intent.payable_key}
    fingerprint = select(payment_intent.c.card_fingerprint).where(payment_intent.c.reference == intent.reference)
    consent = (
        select(agreement.c.reference)
        .where(agreement.c.call == intent.call, agreement.c.kind == CONSENT)
        .order_by(agreement.c.at.desc())
        .limit(1)
    )
    row: dict[str, object] = {**about, "bank": intent.bank, "token": word.kept_token, "brand": brand, "last4": last4}
    row |= {"expires": word.kept_until, "kept_at": milliseconds(now), "merchant": intent.merchant}
    row |= {"fingerprint": connection.execute(fingerprint).scalar() or ""}
    row |= {"consent": connection.execute(consent).scalar() or ""}
    here = kept_card.c.source == intent.payable_source, kept_card.c.key == intent.payable_key
    # A token that was kept before is that earlier charge's, and stays should this one be undone.
    before = select(kept_card.c.intent).where(
        *here, kept_card.c.bank == intent.bank, kept_card.c.token == word.kept_token
    )
    earlier = connection.execute(before).scalar()
    row["intent"] = intent.reference if earlier is None else earlier
    forget_cards(connection, here, REPLACED, now, but=word.kept_token)
    connection.execute(insert(kept_card), [row])


def keep_approved(connection: Connection, payment: Payment, word: BankWord, now: datetime) -> None:
    """Of a charge that is approved by now. A card that was kept or forgotten for the same since it was begun stands: this one is
    deleted at the bank then."""
    if not (payment.intent.keeps_card and payment.intent.payable_key and word.kept_token):
        return
    if not _has_changed(connection, payment, after_ms=1):
        keep(connection, payment.intent, word, now)
    elif not is_kept(connection, payment.intent.bank, word.kept_token):
        _delete_unwanted(connection, payment.intent, word.kept_token, now)


def keep_told(connection: Connection, payment: Payment, word: BankWord, now: datetime) -> bool:
    """What a notification tells of the token of a charge's card, whether the approval came before it or comes after. Whether it was kept.

    A card that was kept or forgotten for the same since the charge was begun stands: this one is deleted at the bank then, and so it is
    where the charge is no approval.
    """
    intent = payment.intent
    if not (intent.keeps_card and intent.payable_key and word.kept_token):
        return False
    if payment.status == "unknown":
        keep_aside(connection, intent, word, now)
        return False
    if is_kept(connection, intent.bank, word.kept_token):
        if word.kept_until:
            of_it = kept_card.c.bank == intent.bank, kept_card.c.token == word.kept_token, kept_card.c.expires == ""
            connection.execute(update(kept_card).where(*of_it).values(expires=word.kept_until))
        return False
    if payment.status == "approved" and payment.part != "undone" and not _has_changed(connection, payment):
        keep(connection, intent, word, now)
        return True
    _delete_unwanted(connection, intent, word.kept_token, now)
    return False


def keep_aside(connection: Connection, intent: PaymentIntent, word: BankWord, now: datetime) -> None:
    """What the bank told of the token of a charge that has no last word yet, until it has."""
    if not (intent.keeps_card and word.kept_token):
        return
    told = {"intent": intent.reference, "field": KEPT_TOLD, "jwe": f"{word.kept_token} {word.kept_until}"}
    connection.execute(delete(sealed_field).where(sealed_field.c.intent == intent.reference, _IS_TOLD))
    connection.execute(insert(sealed_field), [{**told, "at": milliseconds(now)}])


def forget_told(connection: Connection, intent: PaymentIntent, word: BankWord, now: datetime) -> None:
    """Of a charge that is no approval after all: what its last word, or something before that, told of a token. A bank may have
    kept the card all the same."""
    told = (
        {word.kept_token, with_told(connection, intent.reference, BankWord()).kept_token}
        if intent.keeps_card
        else set()
    )
    for token in sorted(told - {""}):
        if not is_kept(connection, intent.bank, token):
            _delete_unwanted(connection, intent, token, now)


def forget_undone(connection: Connection, intent: PaymentIntent, now: datetime) -> None:
    """Of an approved charge that was taken back: the card that was kept with it, and no other."""
    if intent.keeps_card:
        forget_cards(connection, [kept_card.c.intent == intent.reference], NOT_WANTED, now)


def _delete_unwanted(connection: Connection, intent: PaymentIntent, token: str, now: datetime) -> None:
    brand, _, last4 = intent.card_summary.partition(" ")
    about = Forgotten(intent.payable_source, intent.payable_key, intent.bank, intent.merchant, brand, last4)
    ask_deletion(connection, about, token, NOT_WANTED, now)


def with_told(connection: Connection, reference: str, word: BankWord) -> BankWord:
    """The answer to a charge, with the token that a notification told before it where it has none itself."""
    told = None if word.kept_token else _TOLD.run(connection, {"intent": reference, "field": KEPT_TOLD}).fetchone()
    if not told:
        return word
    token, _, until = str(told[0]).partition(" ")
    return replace(word, kept_token=token, kept_until=until)


_TOLD = Straight("SELECT jwe FROM sealed_field WHERE intent = :intent AND field = :field")
_IS_TOLD = sealed_field.c.field == KEPT_TOLD


def _has_changed(connection: Connection, payment: Payment, after_ms: int = 0) -> bool:
    """`after_ms`: how long after the charge was begun at least."""
    since = milliseconds(payment.begun_at) + after_ms
    for table, at in ((kept_card, kept_card.c.kept_at), (card_deletion, card_deletion.c.asked_at)):
        here = table.c.source == payment.intent.payable_source, table.c.key == payment.intent.payable_key
        if connection.execute(select(at).where(*here, at >= since)).first() is not None:
            return True
    return False


def _card(row: Any) -> KeptCard:
    return KeptCard(
        source=row.source,
        key=row.key,
        bank=row.bank,
        token=row.token,
        brand=row.brand,
        last4=row.last4,
        expires=row.expires,
        fingerprint=row.fingerprint,
        consent=row.consent,
        kept_at=datetime.fromtimestamp(row.kept_at / 1000, UTC),
    )
