"""How charges, and what was done with them, are shown: a table, lines for people, records for programs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from ivr.bank import ModificationKind, code_in_words
from ivr.calls.modifying import Standing
from ivr.core.call import OPEN_PARTS
from ivr.core.confirmation import in_groups
from ivr.core.money import Money
from ivr.store import Balance, LedgerEntry, Modification, Payment, ReservationState, WantedModification

# What it stands for, for whoever asked.
STATES = {
    "asked": "waits for the forwarder",
    "sent": "with the bank",
    "unknown": "no answer yet; the forwarder goes on asking",
    "taken": "taken by the bank, which tells later how it ends",
    "done": "done",
    "failed": "not done",
}
EFFECTS: Mapping[ModificationKind, str] = {
    "refund": "{amount} is given back to the card; {left} can be refunded after it.",
    "void": "All of it is let go: the cardholder never sees it, or sees it disappear.",
    "capture": "{amount} is taken from the card.",
}


# What an approved charge whose money is taken by a capture stands for, and for whoever reads a table.
RESERVATIONS: Mapping[ReservationState, str] = {
    "reserved": "reserved",
    "capture_asked": "reserved, capture asked",
    "captured": "captured",
    "voided": "voided",
    "lapsed": "lapsed",
}


@dataclass(frozen=True)
class Seen:
    """A charge with what is read from the ledger beside it. `reserved`: where its amount stands if it was approved to be
    captured later; None for all others."""

    payment: Payment
    balance: Balance
    reserved: ReservationState | None = None


def table(found: Sequence[Seen]) -> Table:
    made = Table()
    for name in ("begun (UTC)", "reference", "confirmation", "bill", "card", "bank"):
        made.add_column(name, no_wrap=True)
    for name in ("amount", "given back"):
        made.add_column(name, no_wrap=True, justify="right")
    made.add_column("status", no_wrap=True)
    for one in found:
        made.add_row(*row(one))
    return made


def row(seen: Seen) -> tuple[str, ...]:
    payment, balance = seen.payment, seen.balance
    intent = payment.intent
    back = str(balance.returned) if balance.returned.minor else ""
    status = f"{payment.status}, the bill not paid in full" if payment.part in OPEN_PARTS else payment.status
    status = RESERVATIONS[seen.reserved] if seen.reserved else status
    status = f"{status}, {balance.asked} asked back" if balance.asked.minor else status
    return (
        f"{payment.begun_at:%Y-%m-%d %H:%M:%S}",
        intent.reference,
        in_groups(payment.receipt_number),
        intent.payable_key or intent.account,
        intent.card_summary,
        intent.bank,
        str(intent.amount),
        back,
        status,
    )


def payment_record(seen: Seen) -> dict[str, object]:
    """`reservation`: null where the money is taken without a capture of yours, or nothing was approved."""
    payment, balance = seen.payment, seen.balance
    intent = payment.intent
    return {
        "reference": intent.reference,
        "confirmation_number": payment.receipt_number,
        "status": payment.status,
        "reservation": seen.reserved,
        "amount": str(intent.amount),
        "fee": str(intent.fee) if intent.fee else None,
        "credited": str(intent.credited),
        "asked_for": str(payment.asked or intent.amount),
        "part": payment.part,
        "returned": str(balance.returned),
        "asked_back": str(balance.asked),
        "refundable": str(balance.refundable),
        "bill": intent.payable_key or intent.account,
        "bills": [{"key": bill.key, "amount": str(bill.amount)} for bill in intent.bills],
        "card": intent.card_summary,
        "bank": intent.bank,
        "bank_reference": payment.bank_reference,
        "authorization_code": payment.authorization_code,
        "response_code": payment.response_code,
        "begun_at": payment.begun_at.isoformat(timespec="seconds"),
        "line": intent.line,
        "merchant": intent.merchant,
        "call": intent.call,
    }


def shown(record: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """A payment's record line by line: of several bills in one sum one each."""
    for name, value in record.items():
        if not isinstance(value, list):
            yield name, value
            continue
        yield from (("paid of it", f"{bill['key']} {bill['amount']}") for bill in value)


def modification_record(one: Modification) -> dict[str, object]:
    return {
        "id": one.id,
        "number": one.number,
        "kind": one.kind,
        "amount": str(one.amount),
        "status": one.status,
        "means": STATES[one.status],
        "reason": one.reason,
        "response_code": one.response_code,
        "asked_by": one.asked_by,
        "asked_at": one.asked_at.isoformat(timespec="seconds"),
        "bank_reference": one.bank_reference,
        "reopens_bill": one.reopens_bill,
    }


def story_lines(entries: Sequence[LedgerEntry], since: Sequence[Mapping[str, object]]) -> list[str]:
    lines = ["in the ledger:"]
    for entry in entries:
        code = f"  code {code_in_words(entry.response_code)}" if entry.response_code else ""
        about = f"  ({entry.reference}-m{entry.modification})" if entry.modification > 0 else ""
        lines.append(f"  {entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.kind:<16} {entry.amount}{code}{about}")
    if since:
        lines += ["", "asked for since:"]
    for one in since:
        reason = f": {one['reason']}" if one["reason"] else ""
        lines.append(f"  {one['id']}  {one['kind']} of {one['amount']}, by {one['asked_by']}: {one['means']}{reason}")
    return lines


def what_will_happen(standing: Standing, wanted: WantedModification) -> str:
    payment, balance = standing.payment, standing.balance
    intent = payment.intent
    bill = f" for {intent.payable_key or intent.account}" if intent.payable_key or intent.account else ""
    left = Money(wanted.left.minor - wanted.amount.minor, wanted.amount.currency)
    lines = [
        f"{intent.amount}{fee_in(payment)} by {intent.card_summary}{bill}, at {payment.begun_at:%Y-%m-%d %H:%M:%S} UTC, bank {intent.bank}",
        f"confirmation number {in_groups(payment.confirmation_number)}, reference {intent.reference}",
        f"given back so far: {balance.returned}; asked for: {balance.asked}; can be refunded: {balance.refundable}",
        EFFECTS[wanted.kind].format(amount=wanted.amount, left=left),
    ]
    for one in intent.paid_bills if wanted.kind != "capture" else ():
        of_it = f" ({one.amount})" if intent.bills else ""
        is_let_go = wanted.kind == "void" and intent.captures_later
        again = "is owed again" if wanted.reopens_bill or is_let_go else "stays paid (--reopen-bill owes it again)"
        lines.append(f"The bill {one.key}{of_it} {again}.")
    return "\n".join(lines)


def fee_in(payment: Payment) -> str:
    """Beside an amount that was charged."""
    return f" (of it {payment.intent.fee} fee)" if payment.intent.fee else ""


def what_settling_does(found: Modification, status: str, payment: Payment, *, refunds: bool) -> str:
    """Before it is done: what it is, and what follows. `refunds`: its bank can refund."""
    of = f" of the {payment.intent.amount}{fee_in(payment)} charged" if payment.intent.fee else ""
    asked = (
        f"{found.kind} of {found.amount}{of}, asked for by {found.asked_by} at {found.asked_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    if payment.part == "undoing":
        return f"{asked}.\n{_settled_part(found, status, refunds=refunds)}"
    if status == "done":
        return f"{asked}.\nIt counts as done from now on, on your word."
    return f"{asked}.\nIt counts as not done from now on, on your word: it can be asked for again, and is then a second one."


def _settled_part(found: Modification, status: str, *, refunds: bool) -> str:
    """Of a part of a bill that is being taken back, which nobody asks for a second time."""
    of_it = "It is a part of a bill that is being taken back"
    if status == "done":
        return f"{of_it}: nothing is charged by it from now on, on your word, and its caller is told so."
    if found.kind == "void" and refunds:
        return f"{of_it}: a refund of it is asked for at once, on your word that the void was not done."
    return (
        f"{of_it}: it is charged for good from now on, on your word: the bill is credited, and its caller is told so."
    )
