"""`pay: <bank>`: the charge, with what is due read again first, and the wait for the bank."""

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.core.actions import Authorize, Wait
from ivr.core.call import Charge
from ivr.core.events import BankAnswered, DueAwaited, Event, Waited
from ivr.core.money import Money
from ivr.flow import splitting
from ivr.flow.keeping import ASKED, KEPT
from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Finding,
    Hears,
    Keyed,
    Known,
    Leads,
    Need,
    Phases,
    Place,
    Said,
    Values,
    in_words,
    without_set,
)
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk import charging
from ivr.flow.talk.amounts import is_own_amount
from ivr.flow.talk.card_fees import fee_on, with_fee
from ivr.flow.talk.charging import DUE_HOLD_S, DUE_PATIENCE_S, HOLD_S, count_pause, drop_charge, enter_answer, reassure
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn
from ivr.flow.value_check import of_a_chosen_bill
from ivr.reading.rules import charges, kept_cards, reservations, ways
from ivr.reading.scalars import EMAIL, BankName, Name, Target

PAY_PATIENCE_S = 30.0  # after this without an answer the charge is `unknown` to the caller
RECEIPT = frozenset({"amount", "number", "confirmation_number"})
ON_HOLD = frozenset({"amount", "brand", "last4"})
WRITTEN_RECEIPT = RECEIPT | {"merchant", "paid_on", "brand", "last4", "paid_for"}
# What is said and written of an amount that is reserved only, by whichever step comes to it.
RESERVING: Values = {
    "amount_reserved": RECEIPT,
    "reservation_went_through": frozenset(),  # said when words with values in them could not be put together
    "reservation_number": RECEIPT,
    "reservation_declined": ON_HOLD,
    "reservation_not_reached": frozenset(),
    "result_not_reserved_sms": frozenset({"amount"}),
    **dict.fromkeys(
        ("reservation_sms", "reservation_email_subject", "reservation_email", "result_reserved_sms"), WRITTEN_RECEIPT
    ),
}
RESULT_SUBJECT = frozenset({"amount", "merchant", "paid_on", "paid_for"})  # whether it was paid or not
_NEEDS = {
    "amount": (
        charges.NO_AMOUNT,
        "without an amount",
        "set one in a menu, or ask for money: an amount is good for one charge",
    ),
    "card": (charges.NO_CARD, "without a card", "let a 'collect' step come first"),
    "confirmed": (
        charges.NO_CONSENT,
        "without the caller's confirmation",
        "add 'confirm: [brand, last4, amount]' to the 'collect' step",
    ),
}


@step_kind
class PayStep(Step):
    """Charge the card; the bank's name is in config/banks.yaml."""

    word = "pay"
    place = 40
    explained = Explained(
        "`pay: <bank>`",
        "Charges",
        "`approved`, `declined`, `unknown`; optional `not_sent`: the bank could not be reached; with `split` `approved_in_part`: the bill is not paid in full yet",
        "`for: <answer>`: what it is for, where nothing is looked up; `partial: accept`: the bank may approve less than is asked for ([Several cards](#several-cards)); "
        "`capture: later`: reserved, and taken when you say so ([A reserved amount](#a-reserved-amount)); "
        "`token: create`: the bank keeps the card, where the caller agreed ([A card that is kept](#a-card-that-is-kept))",
    )
    example = """
charge:
  pay: acme_bank
  then: {approved: receipt, declined: card, unknown: find_out}
"""
    outcomes = frozenset({"approved", "declined", "unknown"})
    optional_outcomes = frozenset({"not_sent", "approved_in_part"})
    phases: ClassVar[Phases] = {"entry": "passes", "lookup": "looks_up", "waiting": "waits"}
    hears: ClassVar[Hears] = {"waiting": (DueAwaited,)}
    leads: ClassVar[Leads] = {"entry": ("waiting",), "lookup": ("waiting",), "waiting": ("lookup",)}
    speaks: ClassVar[Values] = {
        **charging.WHY_NOT,
        **charging.PROMPTS,
        "hold_while_charging": ON_HOLD,
        "card_declined": ON_HOLD,
        # Where nothing was sent.
        "bank_not_reached": frozenset(),
        "cards_not_taken_now": frozenset(),
        # Of a bill that several cards pay.
        "paid_in_full": frozenset(),
        # Texts that are sent after the call.
        "result_paid_sms": frozenset({"amount", "number", "merchant", "paid_on", "brand", "last4", "paid_for"}),
        "result_unpaid_sms": frozenset({"amount"}),
    }

    pay: BankName
    """The bank."""
    paid_for: Name | None = Field(alias="for", default=None)
    """Where nothing is looked up: the answer that the payment is for, such as a meter's number."""
    partial: Literal["accept"] | None = None
    """accept: the bank may approve less than is asked for, where its protocol has that; the rest is for another card."""
    capture: Literal["now", "later"] = "now"
    """later: the amount is only reserved on the card, and taken by `payments capture`; the card step needs 'to: reserve'."""
    token: Literal["create"] | None = None
    """create: the bank keeps the card for later payments, where the caller has agreed to it in a keep_card step."""
    then: dict[str, Target]
    """Where each outcome goes; unknown (no answer) goes to an inquire_then_reverse step. Without not_sent (the bank could
    not be reached) the call ends there, uncharged. approved_in_part: something is left to pay, with another card."""

    @property
    def reserves(self) -> bool:
        return self.capture == "later"

    @property
    def goes_alone(self) -> str:
        return "where an amount is only reserved" if self.reserves else ""

    def says(self) -> Iterator[Said]:
        yield from splitting.says(self.then)
        for prompt, fills in RESERVING.items() if self.reserves else ():
            yield Said(("capture",), prompt, fills)
        if EMAIL in self.declared.types:
            yield Said(("pay",), "result_email_subject", RESULT_SUBJECT)

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        for fact, (rule, lack, cure) in _NEEDS.items():
            yield Need(fact, rule, f"there is a path to the charge '{name}' {lack}", cure)
        yield self._consent_needed(name)
        if self.reserves:
            yield _keyed_card_needed(name)
        yield from of_a_chosen_bill(name, ("pay",))
        if self.token:
            message = f"there is a path to '{name}' on which nobody was asked whether the card may be kept"
            yield Need(
                ASKED, kept_cards.NOT_ASKED, message, "let a 'keep_card' step come between card and charge", ("token",)
            )
        message = f"there is a path to the charge '{name}' while an earlier one has no answer"
        cure = "lead 'unknown' to an 'inquire_then_reverse' step"
        yield Need("unsure", charges.UNANSWERED_CHARGE, message, cure, is_absent=True)
        message = f"there is a path to the charge '{name}' while a part of the bill is being taken back"
        cure = "lead 'pending' of 'take_back' to an ending"
        yield Need("undoing", charges.UNANSWERED_CHARGE, message, cure, is_absent=True)

    def _consent_needed(self, name: str) -> Need:
        """To what the charge is: a caller who agreed that an amount is reserved has not agreed that it is taken."""
        if self.reserves:
            message = f"there is a path to '{name}' on which nobody agreed that an amount is reserved"
            return Need(
                "to_reserve",
                reservations.OTHER_CONSENT,
                message,
                "add 'to: reserve' to the 'collect' step",
                ("capture",),
                unless=frozenset({KEPT}),
            )
        message = f"there is a path to the charge '{name}' on which the caller agreed only that the amount is reserved"
        cure = "add 'capture: later', or take 'to: reserve' out of the 'collect' step"
        return Need("to_reserve", reservations.OTHER_CONSENT, message, cure, is_absent=True)

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """One card and one consent are good for one charge; what was paid is no amount to pay again."""
        facts -= {"confirmed", "to_reserve", "card", ASKED, KEPT}
        if outcome in splitting.APPROVALS:
            return splitting.facts_after(outcome, facts, "reserved" if self.reserves else "paid")
        doubt = {"unsure", "unsure_reserve"} if self.reserves else {"unsure"}
        return facts | doubt if outcome == "unknown" else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return without_set(known) | RECEIPT if outcome in splitting.APPROVALS else known

    @property
    def splits(self) -> Iterator[Place]:
        yield from splitting.places(self.then)
        if self.partial:
            yield ("partial",)

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        if self.paid_for and known is not None and self.paid_for not in known:
            message = f"'{self.paid_for}' is not known on every way to '{name}'"
            yield Finding(ways.VALUE_NOT_KNOWN, ("for",), message, "let an 'ask' step with this name come first")

    @property
    def bank(self) -> tuple[str, str]:
        return "pay", self.pay

    @property
    def bank_operations(self) -> Iterable[tuple[Place, str]]:
        """The bank has to let go of what is never taken, too."""
        reserving = ("authorize", "capture", "void") if self.reserves else ()
        keeping = ("create token", "charge token") if self.token else ()
        return [*((("capture",), one) for one in reserving), *((("token",), one) for one in keeping)]

    def drawn(self) -> Drawn:
        return Drawn("bank", f"{'reserve' if self.reserves else 'pay'}: {in_words(self.pay)}")

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def put(self, turn: Turn) -> Reply:
        return self._authorize(charging.hold(turn)), Listen()

    def _authorize(self, turn: Turn, *, is_last: bool = False) -> Turn:
        call = turn.call
        amount = call.values.get("amount")
        if not isinstance(amount, Money) or amount.minor <= 0 or not call.has_unsent_card:
            raise ValueError("a charge needs an amount above nought and a card of its own")
        account = call.payable.key if call.payable else str(call.values.get(self.paid_for or "account_number", ""))
        part = charging.part_of(turn, amount, takes_part=self.partial == "accept")
        fee = fee_on(call.values)
        total = with_fee(amount, fee)
        charge = Charge(
            call.attempt,
            total,
            payable=call.payable.key if call.payable else "",
            part=part.rest_unpaid if part else "",
            fee=fee,
            reserves=self.reserves,
            bills=tuple(one.key for one in call.payable.parts) if call.payable else (),
        )
        turn = turn.change(phase="waiting", charges=(*call.charges, charge))
        own = is_own_amount(turn)
        is_agreed = self.token is not None and call.values.get("keeps_card") == call.attempt
        keeps = is_agreed and not charge.bills  # a card is kept for one thing that is paid for
        about = (call.payable, is_last, own, part, fee, self.reserves, keeps)
        asked = Authorize(self.pay, call.intent, total, account, *about)
        turn = turn.do(asked)
        return turn.say("hold_while_charging").do(Wait(HOLD_S))

    def hear(self, turn: Turn, event: Event) -> Reply:
        """A key pressed while the bank works changes nothing: the charge is out."""
        if turn.call.phase == "lookup":
            return self._hear_while_due_is_awaited(turn, event)
        if isinstance(event, DueAwaited):
            return _await_due(drop_charge(turn)), Listen()
        if isinstance(event, BankAnswered):
            return _hear_bank(turn, event)
        if not isinstance(event, Waited):
            return turn.do(Wait(HOLD_S)), Listen()
        turn = count_pause(turn)
        if turn.call.waited >= PAY_PATIENCE_S:
            return turn, Leave("unknown")
        return reassure(turn).do(Wait(HOLD_S)), Listen()

    def ends_wait(self, event: BankAnswered) -> bool:
        return True

    def _hear_while_due_is_awaited(self, turn: Turn, event: Event) -> Reply:
        """Nothing is begun: each pause leads to asking again. The bank's patience is counted from the consent too."""
        if not isinstance(event, Waited):
            return turn.do(Wait(DUE_HOLD_S)), Listen()
        turn = count_pause(turn)
        return self._authorize(turn, is_last=turn.call.waited >= DUE_PATIENCE_S), Listen()


def _await_due(turn: Turn) -> Turn:
    """Nothing is said of the bank yet: it has not been asked."""
    turn = reassure(turn) if turn.call.waited else turn.say("one_moment")
    return turn.change(phase="lookup").do(Wait(DUE_HOLD_S))


def _hear_bank(turn: Turn, event: BankAnswered) -> Reply:
    turn = enter_answer(turn.change(phase="entry"), event)
    match event.outcome:
        case "approved":
            return charging.approved(turn, event)
        case "not_sent":
            return charging.say_refused(turn, "bank_not_reached"), Leave("not_sent")
        case "unknown" | "pending" | "reversed":
            # The bank never answered the charge itself, even if a reversal has been acknowledged since.
            return turn, Leave("unknown")
    return charging.say_refused(turn, "card_declined"), Leave("declined")


def _keyed_card_needed(name: str) -> Need:
    """The key that takes a kept card agrees to a charge (`confirm_kept_card`), and no other question is asked of it."""
    message = f"there is a path to '{name}' on which an amount would be reserved on a card that is kept"
    cure = "lead 'known' of 'use_card' to a 'pay' step without 'capture: later', or take 'use_card' out"
    return Need(KEPT, reservations.OTHER_CONSENT, message, cure, ("capture",), is_absent=True)
