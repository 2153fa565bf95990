"""What a payment intent is and where it can stand, and its row; when it moves is for the ledger."""

from collections import namedtuple
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from ivr.core.actions import SplitPart
from ivr.core.call import OPEN, TAKEN_BACK, ChargeStatus, PartState, Payable
from ivr.core.money import Money
from ivr.core.one_sum import SOURCE as ONE_SUM
from ivr.store.confirmation_numbers import MOST_DRAWS, Draw, NumbersUsedUp
from ivr.store.database import Straight, milliseconds
from ivr.store.intent_bills import IntentBill, add_bills, bill_id, read_bills_of
from ivr.store.tables import payment_intent

Status = ChargeStatus
FINAL: frozenset[Status] = frozenset({"approved", "declined", "reversed", "not_sent"})
# What may follow what; everything else is refused, whoever asks. `sent` goes back to `accepted` where surely nothing left.
FOLLOWS: Mapping[Status, frozenset[Status]] = {
    "accepted": frozenset({"sent", "not_sent"}),
    "sent": frozenset({"unknown", "approved", "declined", "accepted", "not_sent"}),
    "unknown": frozenset({"approved", "declined", "reversed"}),
}


@dataclass(frozen=True)
class PaymentIntent:
    """`reference` is ours, and the bank's idempotency key: the same however often the request is made.

    `payable_source` and `payable_key` say what is paid for; `account` is the bank's invoice reference. `ani_hash` is
    empty for a caller without a number, and so is `ani_block`, of the block that the number is of; `line` is the flow and the called number. `of_due`: what was due when the amount was
    made of it, and the caller agreed; None for an amount of the caller's own. It is no part of the record. `part`: where the bill
    may be paid with several cards; its `total` alone is read back. `fee`: the part of `amount`, which is all that the bank is asked
    for, that is charged for the card; the rest is `credited` to what is paid for. `captures_later`: the amount is reserved, and
    taken only by a capture that an operator asks for. `keeps_card`: the bank is asked to keep the card.
    `bills`: where several are paid in one sum, each with its part of what is credited; `payable_key` then names them together.
    """

    reference: str
    merchant: str
    call: str
    bank: str
    amount: Money
    account: str
    card_summary: str
    ani_hash: str
    payable_source: str = ""
    payable_key: str = ""
    line: str = ""
    of_due: Money | None = None
    part: SplitPart | None = None
    fee: Money | None = None
    captures_later: bool = False
    keeps_card: bool = False
    bills: tuple[IntentBill, ...] = ()
    ani_block: str = ""

    @property
    def credited(self) -> Money:
        return Money(self.amount.minor - self.fee.minor, self.amount.currency) if self.fee else self.amount

    @property
    def paid_bills(self) -> tuple[IntentBill, ...]:
        """Each bill that is paid, with what is paid of it: the one that was looked up, those of a sum, or none."""
        if self.bills or not self.payable_key:
            return self.bills
        return (IntentBill(self.reference, self.payable_source, self.payable_key, self.credited),)

    def is_as_agreed(self, due: Money) -> bool:
        """Whether what is due now is what the caller agreed on. An amount of their own may be a part of any that is enough."""
        if due.currency != self.amount.currency or due.minor < self.credited.minor:
            return False
        return self.of_due is None or due == self.of_due


@dataclass(frozen=True)
class CardMarks:
    """By what cards are counted: keyed hashes of a card's number and of its beginning (`vault.intake`); empty where they are not
    known, as the beginning of a kept card is not."""

    fingerprint: str
    bin_tag: str


@dataclass(frozen=True)
class Payment:
    """An intent and where it stands. `begun_at`: when it was written down, before anything could leave.

    `confirmation_number` is ours, given when the charge was begun; `authorization_code` is the bank's (ISO 8583 field 38).
    `part`, `split`: of a bill that may be paid with several cards (`store.splits`). `takes_part`: the bank may approve less
    than is asked for; `intent.amount` is then what was approved, `asked` what was asked for. `bank_trace`: what its bank's protocol had stored of the request, at `traced_at`, before that could leave.
    """

    intent: PaymentIntent
    status: Status
    confirmation_number: str
    response_code: str | None
    begun_at: datetime
    bank_reference: str | None = None
    authorization_code: str | None = None
    bank_trace: str = ""
    traced_at: datetime | None = None
    part: PartState = ""
    split: str = ""
    split_minor: int | None = None
    takes_part: bool = False
    asked: Money | None = None
    waiting: str = ""

    @property
    def receipt_number(self) -> str:
        """What a caller and a billing system are told: of an approved charge alone, else empty."""
        return self.confirmation_number if self.is_charged else ""

    @property
    def is_charged(self) -> bool:
        """Approved, and not taken back as a part of a bill that was not paid in full."""
        return self.status == "approved" and self.part not in TAKEN_BACK

    @property
    def is_decided(self) -> bool:
        """Whether it is known for good what became of it."""
        return self.status in FINAL and (self.status != "approved" or self.part in ("", "undone"))


@dataclass(frozen=True)
class BankWord:
    """What the bank said, as far as it is kept. `approved`: the part of the amount that it approved, where that was agreed.
    `kept_token`: what stands for the card that it keeps; it is logged nowhere. `kept_until`: the month in which that card
    expires, such as 2030-12."""

    authorization_code: str | None = None
    response_code: str | None = None
    bank_reference: str | None = None
    approved: Money | None = None
    kept_token: str = field(default="", repr=False)
    kept_until: str = ""


@dataclass(frozen=True)
class Accepted:
    """The intent is on disk and will be forwarded, whatever happens to the call."""


@dataclass(frozen=True)
class AlreadyBegun:
    """This intent was accepted before: nothing was added."""


@dataclass(frozen=True)
class BeingPaid:
    """Another charge on the same payable has no final answer yet: nothing was added. `keys`: of bills in one sum those."""

    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class DueChanged:
    """Less is due now than was to be charged, or another sum than the amount was made of: nothing was added.

    `dues`: of bills in one sum what each of them owes, by key; `due` is their total. `parts`: of a bill that several cards pay,
    the approved parts come to what is due now and count for good from here on (paid), or to more (overpaid): `due` is then
    what the bill owes without them."""

    due: Money
    dues: tuple[tuple[str, Money], ...] = ()
    parts: Literal["", "paid", "overpaid"] = ""


@dataclass(frozen=True)
class DueNow:
    """What a billing system of the merchant's said was due, and when it was asked."""

    amount: Money
    asked_at: datetime


Due = DueNow | Mapping[str, DueNow] | None
"""Of one bill, or of several by key; None where bills are in the embedded table."""


def require_true_amount(intent: PaymentIntent) -> None:
    """ValueError for an intent that nobody may begin. Said of one that begins, not of one on record, which is read whatever
    it says."""
    if intent.amount.minor <= 0:
        raise ValueError("a charge is more than nothing")
    if intent.credited.minor <= 0 or (intent.fee and intent.fee.minor <= 0):
        raise ValueError("a fee is more than nothing, and a part of what is charged")
    if intent.bills and sum(bill.amount.minor for bill in intent.bills) != intent.credited.minor:
        raise ValueError("bills in one sum are paid by that sum, no more and no less")
    if intent.bills and (intent.part or intent.captures_later or intent.keeps_card):
        raise ValueError(
            "bills in one sum are paid at once, by one card: of a part nobody could say which bill it pays"
        )


def bills_of(reference: str, parts: Iterable[Payable]) -> tuple[IntentBill, ...]:
    """What each bill of a sum is owed is its part of the amount."""
    return tuple(
        IntentBill(bill_id(reference, number), part.source, part.key, part.owed) for number, part in enumerate(parts, 1)
    )


# Written out once: composing a statement anew costs more than running it.
_COLUMNS = (
    *("reference", "idempotency_key", "merchant", "call", "bank", "amount_minor", "currency", "account"),
    *("card_summary", "ani_hash", "card_fingerprint", "status", "created_at", "payable_source", "payable_key", "line"),
    *("part", "split", "split_minor", "takes_part"),
    *("confirmation_number", "captures_later", "keeps_card", "fee_minor", "ani_block", "card_bin_tag"),
)
_ADD = text(
    f"INSERT INTO payment_intent ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)}) "  # noqa: S608
    "ON CONFLICT (confirmation_number) DO NOTHING"
)
_KNOWN = Straight("SELECT 1 FROM payment_intent WHERE reference = :reference")
_MOVE = Straight(
    "UPDATE payment_intent SET status = :new, authorization_code = :number, response_code = :code, "  # noqa: S608
    "bank_reference = COALESCE(CAST(:bank_reference AS VARCHAR), bank_reference), "
    "asked_minor = CASE WHEN CAST(:approved AS BIGINT) IS NULL THEN asked_minor ELSE amount_minor END, "
    "amount_minor = COALESCE(CAST(:approved AS BIGINT), amount_minor) "
    f"WHERE reference = :reference AND status = :old RETURNING {', '.join(payment_intent.c.keys())}"
)
_TRACE = text(
    "UPDATE payment_intent SET bank_trace = :trace, traced_at = :at WHERE reference = :reference AND status = 'accepted'"
)
_NEXT_NUMBER = text(
    "INSERT INTO bank_number (bank, number) VALUES (:bank, 1) "
    "ON CONFLICT (bank) DO UPDATE SET number = bank_number.number + 1 RETURNING number"
)
_READ = Straight(f"SELECT {', '.join(payment_intent.c.keys())} FROM payment_intent WHERE reference = :reference")  # noqa: S608
_Row = namedtuple("_Row", payment_intent.c.keys())  # type: ignore[misc]  # of the table, column by column
_ON_PAYABLE = "FROM payment_intent p WHERE p.payable_source = :source AND p.payable_key = :key"
_IN_SUMS = (
    "FROM intent_bill b JOIN payment_intent p ON p.reference = b.reference "
    "WHERE b.payable_source = :source AND b.payable_key = :key"
)
# A bill in one sum is never a part (`require_true_amount`); both are asked the same all the same.
_IS_HELD = "p.status = 'approved' AND p.part IN ('take_back', 'keep')"
# What is being taken back may yet count, where the bank will not: until then the bill is not paid by anybody else.
_IS_OPEN = f"(p.status IN ({', '.join(repr(str(one)) for one in sorted(OPEN))}) OR ({_IS_HELD} AND p.call <> :call) OR (p.status = 'approved' AND p.part = 'undoing'))"
_OPEN_ON_PAYABLE = text(f"SELECT 1 {_ON_PAYABLE} AND {_IS_OPEN} UNION ALL SELECT 1 {_IN_SUMS} AND {_IS_OPEN} LIMIT 1")
_HELD_ON_PAYABLE = text(f"SELECT coalesce(sum(p.amount_minor), 0) {_ON_PAYABLE} AND {_IS_HELD}")
_LET_GO = (
    "SELECT 1 FROM ledger_entry e WHERE e.reference = p.reference AND e.kind IN ('voided', 'hold_lapsed') "
    # What came after all: a void that was not done, a capture of what had lapsed.
    "AND NOT EXISTS (SELECT 1 FROM ledger_entry b WHERE b.reference = e.reference AND (e.kind = 'voided' AND "
    "b.kind = 'void_failed' AND b.modification = e.modification OR e.kind = 'hold_lapsed' AND b.kind = 'captured' "
    "AND NOT EXISTS (SELECT 1 FROM ledger_entry f WHERE f.reference = b.reference AND f.kind = 'capture_failed' "
    "AND f.modification = b.modification AND f.id > b.id)))"
)
_NOT_KNOWN = (
    "p.status = 'approved' AND {of}.currency = :currency AND p.part NOT IN ('undoing', 'undone') "
    "AND ({of}.acknowledged_at IS NULL OR {of}.acknowledged_at >= :asked_at) "
    # A reserved amount that was let go of pays nothing any more.
    f"AND NOT (p.captures_later AND EXISTS ({_LET_GO}))"
)
_PAID_SINCE = text(
    f"SELECT (SELECT coalesce(sum(p.amount_minor - p.fee_minor), 0) {_ON_PAYABLE} AND {_NOT_KNOWN.format(of='p')}) "
    f"+ (SELECT coalesce(sum(b.amount_minor), 0) {_IN_SUMS} AND {_NOT_KNOWN.format(of='b')})"
)
_BY_OTHERS = (
    "p.status = 'approved' AND p.call <> :call AND p.part NOT IN ('undoing', 'undone') AND EXISTS (SELECT 1 FROM ledger_entry e "
    "WHERE e.reference = p.reference AND e.kind = 'approved' AND e.at >= :since AND e.at < :until)"
)
_PAID_IN = text(
    f"SELECT (SELECT coalesce(sum(p.amount_minor - p.fee_minor), 0) {_ON_PAYABLE} AND {_BY_OTHERS}) "
    f"+ (SELECT coalesce(sum(b.amount_minor), 0) {_IN_SUMS} AND {_BY_OTHERS})"
)
LONGEST_LINE = 120


def add_intent(connection: Connection, intent: PaymentIntent, card: CardMarks, now: datetime, draw: Draw) -> None:
    """With a confirmation number that no other charge has, and the bills of a sum."""
    row = _row(intent, card, now)
    for attempt in range(MOST_DRAWS):
        if connection.execute(_ADD, row | {"confirmation_number": draw(intent.reference, attempt)}).rowcount == 1:
            add_bills(connection, intent.reference, intent.bills)
            return
    raise NumbersUsedUp(intent.reference)


def _row(intent: PaymentIntent, card: CardMarks, now: datetime) -> dict[str, object]:
    return {
        "reference": intent.reference,
        "idempotency_key": intent.reference,
        "merchant": intent.merchant,
        "call": intent.call,
        "bank": intent.bank,
        "amount_minor": intent.amount.minor,
        "currency": intent.amount.currency,
        "account": intent.account,
        "card_summary": intent.card_summary,
        "ani_hash": intent.ani_hash,
        "ani_block": intent.ani_block,
        "card_fingerprint": card.fingerprint,
        "card_bin_tag": card.bin_tag,
        "status": "accepted",
        "created_at": milliseconds(now),
        "payable_source": intent.payable_source,
        "payable_key": intent.payable_key,
        "line": intent.line[:LONGEST_LINE],
        "part": intent.part.rest_unpaid if intent.part else "",
        "split": intent.part.first if intent.part else "",
        "split_minor": intent.part.total.minor if intent.part else None,
        "takes_part": bool(intent.part and intent.part.takes_part),
        "captures_later": intent.captures_later,
        "keeps_card": intent.keeps_card,
        "fee_minor": intent.fee.minor if intent.fee else 0,
    }


def is_begun(connection: Connection, reference: str) -> bool:
    return _KNOWN.run(connection, {"reference": reference}).fetchone() is not None


def is_open_on_payable(connection: Connection, source: str, key: str, call: str = "") -> bool:
    """Whether a charge on this payable has no final answer yet, or another call than this one has paid a part of it."""
    return connection.execute(_OPEN_ON_PAYABLE, {"source": source, "key": key, "call": call}).first() is not None


def held_on_payable(connection: Connection, source: str, key: str) -> int:
    """What approved parts come to that do not count yet, in minor units."""
    return int(connection.execute(_HELD_ON_PAYABLE, {"source": source, "key": key}).scalar_one())


def paid_but_not_known(connection: Connection, source: str, key: str, asked: DueNow, asked_at: int) -> Money:
    """Approved charges that the billing system did not know of when it was asked: its answer owes as much less.

    `asked_at`: when that was, in milliseconds by the database's clock, as acknowledgements are noted.
    """
    values = {"source": source, "key": key, "currency": asked.amount.currency, "asked_at": asked_at}
    return Money(int(connection.execute(_PAID_SINCE, values).scalar_one()), asked.amount.currency)


def paid_in(connection: Connection, source: str, key: str, window: Mapping[str, object]) -> int:
    """What charges of other calls than `call`, approved from `since` until before `until` (ms), paid, in minor units."""
    return int(connection.execute(_PAID_IN, {"source": source, "key": key, **window}).scalar_one())


def move(
    connection: Connection, reference: str, old: Status, new: Status, word: BankWord | None = None
) -> Payment | None:
    """The payment as it stands then; None where it no longer stands at `old`."""
    word = word or BankWord()
    values: dict[str, object] = {"number": word.authorization_code, "code": word.response_code}
    approved = word.approved.minor if word.approved and new == "approved" else None
    values |= {"bank_reference": word.bank_reference, "approved": approved}
    rows = _MOVE.run(connection, values | {"reference": reference, "old": old, "new": new}).fetchall()
    return payment_of(connection, _Row._make(rows[0])) if rows else None


def next_number(connection: Connection, bank: str) -> int:
    """From 1, and never the same twice for a bank."""
    return int(connection.execute(_NEXT_NUMBER, {"bank": bank}).scalar_one())


def write_trace(connection: Connection, reference: str, trace: str, now: datetime) -> bool:
    """False where the request may have left before: what it left with stays."""
    values = {"trace": trace, "at": milliseconds(now), "reference": reference}
    return connection.execute(_TRACE, values).rowcount == 1


def read_payment(connection: Connection, reference: str) -> Payment | None:
    row = _READ.run(connection, {"reference": reference}).fetchone()
    return payment_of(connection, _Row._make(row)) if row else None


def payment_of(connection: Connection, row: Any) -> Payment:
    """`row`: of payment_intent, whole; the bills of a sum are read as well."""
    payment = _payment_of(row)
    if payment.intent.payable_source != ONE_SUM:
        return payment
    bills = read_bills_of(connection, payment.intent.reference)
    return replace(payment, intent=replace(payment.intent, bills=bills))


def _payment_of(row: Any) -> Payment:
    intent = PaymentIntent(
        reference=row.reference,
        merchant=row.merchant,
        call=row.call,
        bank=row.bank,
        amount=Money(row.amount_minor, row.currency),
        account=row.account,
        card_summary=row.card_summary,
        ani_hash=row.ani_hash,
        ani_block=row.ani_block,
        payable_source=row.payable_source,
        payable_key=row.payable_key,
        line=row.line,
        captures_later=bool(row.captures_later),
        keeps_card=bool(row.keeps_card),
        fee=Money(row.fee_minor, row.currency) if row.fee_minor else None,
    )
    return Payment(
        intent=intent,
        status=row.status,
        confirmation_number=row.confirmation_number or "",
        response_code=row.response_code,
        begun_at=_time_of(row.created_at),
        bank_reference=row.bank_reference,
        authorization_code=row.authorization_code,
        bank_trace=row.bank_trace or "",
        traced_at=None if row.traced_at is None else _time_of(row.traced_at),
        part=row.part,
        split=row.split,
        split_minor=row.split_minor,
        takes_part=bool(row.takes_part),
        asked=None if row.asked_minor is None else Money(row.asked_minor, row.currency),
        waiting=row.waiting,
    )


def _time_of(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
