"""Cards that a bank keeps: what stands for each there, for one thing that is paid for, until somebody has it forgotten.

It is no card data: it is good for charges of this merchant, by the forwarder's credentials, and for nothing else. It is
handled as if it were: it stands in this table and, while a charge by it is under way, with the sealed fields; no log, notice,
page or `repr` has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ivr.store.audit import add_event
from ivr.store.card_deletions import ask_deletion, is_kept
from ivr.store.database import Database, milliseconds
from ivr.store.intents import BankWord, PaymentIntent
from ivr.store.tables import agreement, kept_card, payment_intent

# The name under which it lies with the sealed fields of a charge.
KEPT_CARD = "kept_card"
CONSENT = "keep_card"  # the kind of agreement by which a caller allows it
BY_CALLER = "caller"  # who had it forgotten, in the audit trail
REPLACED = "another card"


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
            forgotten = _forget(connection, wanted, forgotten_by, now)
            if forgotten:
                add_event(self._database, connection, forgotten_by, "kept card forgotten", key, now)
        if forgotten:
            self._database.drop_wal()
        return forgotten


def _forget(connection: Connection, wanted: Sequence[Any], by: str, now: datetime, but: str = "") -> int:
    """`but`: a token that is not to be deleted at the bank, because it is kept on."""
    found = connection.execute(select(kept_card).where(*wanted).with_for_update()).all()
    for row in found:
        if row.token != but:
            ask_deletion(connection, row, by, now)
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
    _forget(connection, here, REPLACED, now, but=word.kept_token)
    connection.execute(insert(kept_card), [row])


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
