"""What may be done with a charge afterwards: which refund, void or capture can be asked for, and why not where it cannot.

That never more is given back than was charged is for the store, in the transaction that asks; here an operator is told at
once, with the cure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ivr.bank import BankSettings, ModificationKind, Promises, protocol_called
from ivr.core.call import OPEN_PARTS, ChargeStatus
from ivr.core.money import Money, parse_money
from ivr.errors import RecordError
from ivr.places import COMMAND
from ivr.store import Balance, Payment, Store, reservation_state

NOT_CHARGED: Mapping[ChargeStatus, str] = {
    "accepted": "has not been sent to the bank yet",
    "sent": "is with the bank, which has not answered yet",
    "unknown": "has no answer from the bank yet; the forwarder goes on asking",
    "declined": "was declined: nothing was charged by it",
    "reversed": "was reversed: nothing is charged by it",
    "not_sent": "never reached the bank: nothing was charged by it",
}


@dataclass(frozen=True)
class Standing:
    """A charge as an operator finds it. `protocol` and `promises`: its bank's; None where `banks.yaml` no longer names it.
    `captures_by_itself`: its capture is queued, and the forwarder does it."""

    payment: Payment
    balance: Balance
    story: Sequence[str]
    protocol: str
    promises: Promises | None
    captures_by_itself: bool = False

    @property
    def is_captured_apart(self) -> bool:
        """Whether its approval took no money: of a reserved amount, and at a bank that captures every charge apart."""
        return self.payment.intent.captures_later or (self.promises is not None and self.promises.captures_apart)

    @property
    def has_lapsed(self) -> bool:
        """The bank has let go of it by itself, before it took the money."""
        return reservation_state(self.story) == "lapsed"

    @property
    def is_captured(self) -> bool:
        """Or so nearly that the bank has taken it up."""
        return self._last_of_capture in ("capture_asked", "captured")

    @property
    def _last_of_capture(self) -> str:
        return next((kind for kind in reversed(self.story) if kind.startswith("capture")), "")

    @property
    def capture_ended(self) -> bool:
        return self._last_of_capture == "captured"


def standing_at(banks: Mapping[str, BankSettings], store: Store, payment: Payment) -> Standing:
    """`banks`: those of `banks.yaml`, by name."""
    bank = banks.get(payment.intent.bank)
    promises = protocol_called(bank.protocol).promises if bank else None
    return standing_of(store, payment, bank.protocol if bank else "", promises)


def standing_of(store: Store, payment: Payment, protocol: str, promises: Promises | None) -> Standing:
    reference = payment.intent.reference
    balance, story = store.balance_of(payment), store.entries(reference)
    return Standing(payment, balance, story, protocol, promises, store.is_job_open("capture", reference))


def amount_to_modify(standing: Standing, kind: ModificationKind, written: str | None) -> Money:
    """The amount of the modification. RecordError says why it cannot be asked for, and what to do in its place."""
    payment = standing.payment
    if payment.status != "approved":
        raise RecordError(f"{named(payment)} {NOT_CHARGED[payment.status]}, so there is nothing to {kind}")
    if payment.part in (*OPEN_PARTS, "undoing"):
        raise RecordError(
            f"{named(payment)} is a part of a bill that is not paid in full: its caller may pay the rest yet or take it back, and "
            f"it is decided when the call is over; ask for the {kind} then"
        )
    if standing.has_lapsed:
        raise RecordError(
            f"the bank has let go of {named(payment)} by itself, before it took the money: there is nothing to {kind}"
            + _what_is_left(payment)
        )
    _require_operation(standing, kind)
    amount = AMOUNTS[kind](standing, written)
    if written is not None and money_in(written, amount.currency) != amount:
        raise RecordError(f"--amount: a {kind} is of all of it, {amount}: only a refund can be of a part")
    return amount


def _what_is_left(payment: Payment) -> str:
    """A bill that an amount was reserved for is owed again by itself; one that was called paid is for people."""
    if payment.intent.captures_later or not payment.intent.payable_key:
        return "" if payment.intent.captures_later else "; collect it in another way"
    return f"; its bill stays paid: collect it in another way, or let `{COMMAND} accounts import` say what is owed"


def named(payment: Payment) -> str:
    return f"the charge {payment.intent.reference}"


def _require_operation(standing: Standing, kind: ModificationKind) -> None:
    bank = standing.payment.intent.bank
    if standing.promises is None:
        raise RecordError(f"banks.yaml no longer names the bank '{bank}': name it again to {kind} its charges")
    if kind not in standing.promises.operations:
        can_void = kind == "refund" and "void" in standing.promises.operations
        instead = (
            f"`{COMMAND} payments void` takes all of it back before it is settled; after that " if can_void else ""
        )
        raise RecordError(
            f"the protocol '{standing.protocol}' of '{bank}' has no {kind}: {instead}do it at the bank itself (docs/money.md "
            "says which protocol has which operations)"
        )


def _refund(standing: Standing, written: str | None) -> Money:
    if standing.is_captured_apart and not standing.is_captured:
        raise RecordError(f"{named(standing.payment)} is not captured: `{COMMAND} payments void` lets go of it")
    left = standing.balance.refundable
    if left.minor <= 0:
        raise RecordError(f"nothing of {named(standing.payment)} is left to refund: {what_is_back(standing.balance)}")
    wanted = left if written is None else money_in(written, left.currency)
    if wanted.minor <= 0:
        raise RecordError("--amount: a refund is more than nothing")
    if wanted.minor > left.minor:
        raise RecordError(f"--amount: {wanted} is more than the {left} that can be refunded")
    return wanted


def _void(standing: Standing, _written: str | None) -> Money:
    balance = standing.balance
    if standing.is_captured_apart and standing.is_captured:
        raise RecordError(f"{named(standing.payment)} is captured: `{COMMAND} payments refund` gives it back")
    if balance.refundable != balance.charged:
        cure = f"; `{COMMAND} payments refund` gives back the rest" if balance.refundable.minor else ""
        raise RecordError(f"a void takes back all of a charge, and {what_is_back(balance)}{cure}")
    return balance.charged


def _capture(standing: Standing, _written: str | None) -> Money:
    payment, balance = standing.payment, standing.balance
    if not standing.is_captured_apart:
        raise RecordError(f"'{payment.intent.bank}' has taken the money with the charge: there is nothing to capture")
    if balance.refundable != balance.charged:
        raise RecordError(f"{named(payment)} cannot be captured: {what_is_back(balance)}")
    if standing.capture_ended:
        raise RecordError(f"{named(payment)} is captured already")
    if standing.captures_by_itself:
        raise RecordError(f"{named(payment)} is captured by the forwarder, which tries until the bank takes it")
    if standing.is_captured:
        raise RecordError(f"the bank is capturing {named(payment)}: its notification says what came of it")
    return payment.intent.amount


AMOUNTS: Mapping[ModificationKind, Callable[[Standing, str | None], Money]] = {
    "refund": _refund,
    "void": _void,
    "capture": _capture,
}


def what_is_back(balance: Balance) -> str:
    asked = f", {balance.asked} is asked for" if balance.asked.minor else ""
    return f"{balance.returned} of {balance.charged} is given back{asked}"


def money_in(written: str, currency: str, option: str = "--amount") -> Money:
    """`10.00` is in the charge's currency. RecordError for what is no amount, or in another currency; it names the option, and not
    what was typed there, which may be a card number."""
    try:
        money = parse_money(written if written.strip()[-3:].isalpha() else f"{written} {currency}")
    except ValueError as error:
        raise RecordError(f"{option}: {error}") from None
    if money.currency != currency:
        raise RecordError(f"{option}: the charge is in {currency}")
    return money
