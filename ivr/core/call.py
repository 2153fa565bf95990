"""One call as the core knows it: a frozen value that goes to JSON and back, and never holds a card number."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any, Literal

from ivr.core.email_addresses import EMAIL, is_email_address
from ivr.core.events import OpenBill, Value
from ivr.core.json_text import parse_json
from ivr.core.money import Money

# reserved: an amount is held on a card, and is taken by a capture or not at all.
Ending = Literal["paid", "reserved", "unpaid", "pending"]
# Of the stored call. Raise it by one when a program of the form before could no longer read what is written.
FORM = 16
NO_NOTES: Mapping[str, Value] = {}
# accepted: committed, nothing has left. sent: a request may have left. unknown: and nobody has said what became of it.
# The rest is final: approved, declined and reversed are the bank's word; not_sent means that no byte ever left.
ChargeStatus = Literal["accepted", "sent", "unknown", "approved", "declined", "reversed", "not_sent"]
OPEN: frozenset[ChargeStatus] = frozenset({"accepted", "sent", "unknown"})
# Of a charge that pays a part of a bill, with several cards (`split`). take_back, keep: the bill is not paid in full yet, and
# what becomes of the part should it never be. undoing: it is being taken back; undone: nothing is charged by it any more.
# "": a charge by itself, or a part that counts for good.
PartState = Literal["", "take_back", "keep", "undoing", "undone"]
OPEN_PARTS: frozenset[PartState] = frozenset({"take_back", "keep"})
TAKEN_BACK: frozenset[PartState] = frozenset({"undoing", "undone"})

_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True)
class Payable:
    """What is paid for: what was looked up, by which source and under which key, and what it owes as far as we know.

    `parts`: the bills that are paid in one sum (`core.one_sum`); none where one is paid by itself."""

    source: str
    key: str
    owed: Money
    parts: tuple["Payable", ...] = ()


@dataclass(frozen=True)
class Charge:
    """A charge of this call, as the ledger says. `told`: the caller has heard how it ended. `amount`: what was asked for,
    and of an approved one what was approved. `fee`: the part of it that is charged for the card, and credited to no bill.
    `reserves`: it takes no money by itself, a capture does. `bills`: the keys of those that it pays in one sum, which
    `payable` names together."""

    attempt: int
    amount: Money
    status: ChargeStatus = "accepted"
    confirmation_number: str = ""
    payable: str = ""
    told: bool = False
    part: PartState = ""
    fee: Money | None = None
    reserves: bool = False
    bills: tuple[str, ...] = ()

    @property
    def credited(self) -> Money:
        return Money(self.amount.minor - self.fee.minor, self.amount.currency) if self.fee else self.amount

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


@dataclass(frozen=True)
class Call:
    """`attempt` counts card attempts and names the payment intent; `since` is when the current wait was last looked at
    (epoch s), `waited` how long it has lasted by then.

    `phase` is "language" before the first step, "cancel" while it is asked whether to cancel, "over" at the end; all others are
    the present step's own (`flow.step.Step.phases`). `notes` are what the step keeps for itself until it is left.
    `looking_up` is the source and key of a look-up without an answer yet; `amount_step` is where the amount was chosen, `set_step` the
    first step that computed values since the bill was looked up.
    `bills`: what a look-up of all open bills has found. `owed_at`: when what is owed on all of them was last learned (epoch s). `guesses`: look-ups with several answers that found nothing.
    `clears`: clear keys since the last answer that was taken.
    `can_text`: a text would reach this caller, as far as is known when the call begins; `can_email`: an e-mail
    would go out. `ended_itself`: the caller's last entry was over without the done key, so one that comes now belongs to it. `done_at`: when the last entry ended,
    and nothing has come since (epoch s; 0 otherwise): one that follows at once belongs to the same entry. `stray`: what is kept of
    keys that may be the beginning of a card number (`stray_cards.begun`), keyed in at the steps `stray_steps`, the last at
    `stray_at`.
    `asides`: how often the present question was put again because the caller asked for it. `warned`: the last thing said is
    that time runs out, and nothing has come since.
    `flow_version`: the version of the flow that the call is on, as `Flow.version`.
    `history`: what happened, for a replay through a changed flow (`conversation.history`). `moves`: the steps that it has left
    (`core.moves`). `transferred_to`: the number of the person that the caller was connected to at the end. `result_email`: of an
    ended call, where its result goes if no text can. `told_last`: the first of the charges that the last answer told of, and no
    event has come since; 0 where it told of none.
    """

    id: str
    flow: str
    ani: str
    dnis: str
    channel: str
    language: str
    step: str = ""
    phase: str = "entry"
    field_index: int = 0
    silences: int = 0
    mistakes: int = 0
    clears: int = 0
    attempt: int = 0
    repeats: int = 0
    stray: str = ""
    stray_steps: str = ""
    stray_at: float = 0.0
    slow: bool = False
    since: float = 0.0
    waited: float = 0.0
    values: Mapping[str, Value] = field(default_factory=dict)
    notes: Mapping[str, Value] = field(default_factory=dict)
    looking_up: tuple[str, str] | None = None
    payable: Payable | None = None
    amount_step: str = ""
    set_step: str = ""
    guesses: int = 0
    bills: tuple[OpenBill, ...] = ()
    owed_at: float = 0.0
    charges: tuple[Charge, ...] = ()
    can_text: bool = True
    can_email: bool = False
    outcome: Ending | None = None
    hung_up: bool = False
    ended_itself: bool = False
    done_at: float = 0.0
    history: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    flow_version: str = ""
    asides: int = 0
    warned: bool = False
    transferred_to: str = ""
    result_email: str = ""
    told_last: int = 0

    @property
    def intent(self) -> str:
        """The payment intent's reference: one for each card attempt of the call, the same however often it is asked."""
        return self.intent_of(self.attempt)

    def intent_of(self, attempt: int) -> str:
        return f"{self.id}-{attempt}"

    @property
    def approved(self) -> tuple[Charge, ...]:
        """Charged for good: not a part that is taken back unless the rest is paid, nor one that was."""
        if not self.charges:
            return ()
        return tuple([one for one in self.charges if one.status == "approved" and one.part in ("", "keep")])

    @property
    def parts(self) -> tuple[Charge, ...]:
        """Approved parts of bills that are not paid in full."""
        return tuple(one for one in self.charges if one.status == "approved" and one.part in OPEN_PARTS)

    @property
    def held(self) -> tuple[Charge, ...]:
        """Approved parts that are taken back unless the rest is paid."""
        return tuple(one for one in self.charges if one.status == "approved" and one.part == "take_back")

    @property
    def undoing(self) -> tuple[Charge, ...]:
        """Approved, and being taken back."""
        return tuple(one for one in self.charges if one.status == "approved" and one.part == "undoing")

    @property
    def closed(self) -> "Call":
        """The call once nobody is there to pay what is left of a bill: parts that must not stand alone are taken back, or wait
        for the bank's word on another part. The caller was told that they are approved, and is to be told of them again."""
        if not self.held:
            return self
        in_doubt = {charge.payable for charge in self.unsettled}
        return self.changed(charges=tuple(_closed(charge, in_doubt) for charge in self.charges))

    @property
    def unsettled(self) -> tuple[Charge, ...]:
        """Charges without a final answer."""
        return tuple(charge for charge in self.charges if charge.is_open)

    @property
    def untold(self) -> tuple[Charge, ...]:
        """Charges whose result the caller has not heard: when the call is over, a text has to tell them."""
        return tuple(charge for charge in self.charges if not charge.told)

    @property
    def perhaps_unheard(self) -> "Call":
        """The call without what its last answer told: whoever was to say it may have died before it was said."""
        if not self.told_last:
            return self
        return self.changed(
            charges=tuple(
                replace(charge, told=charge.told and charge.attempt < self.told_last) for charge in self.charges
            )
        )

    @property
    def to_tell(self) -> tuple[Charge, ...]:
        """Charges that somebody must look after once the call is over: to text or mail the caller, or to settle an open one.

        An open charge may never have reached the ledger, and only the forwarder finds that out: nobody else will ask.
        """
        return tuple(charge for charge in self.untold if self.can_text or self.result_email or charge.is_open)

    def email_for(self, charge: Charge) -> str:
        """The address that what this charge pays for was looked up with: another bill of the call may be somebody else's.
        "" where it is not known, or its bills do not share one."""
        known = {str(one.values.get(EMAIL, "")) for one in self.bills if one.key in (charge.payable, *charge.bills)}
        present = self.payable.key if self.payable else ""
        if not known and present == charge.payable:
            known = {str(self.values.get(EMAIL, ""))}
        return known.pop() if len(known) == 1 else ""

    def without(self, names: Collection[str]) -> "Call":
        """Without these values, at its end. An address is kept where it alone can tell the caller how a charge has ended."""
        addresses = (
            {self.email_for(charge) for charge in self.untold} if self.can_email and not self.can_text else set()
        )
        address = addresses.pop() if len(addresses) == 1 else ""
        is_kept = is_email_address(address)
        values = {name: value for name, value in self.values.items() if name not in names}
        return self.changed(values=values, result_email=address if is_kept else self.result_email)

    @property
    def has_parts(self) -> bool:
        """Whether the end of the call may decide what becomes of parts of a bill."""
        return any(charge.part for charge in self.charges)

    @property
    def known_ending(self) -> Ending:
        """What is true of the caller's money now, whatever a flow calls its ending."""
        if self.unsettled or self.undoing or self.held:
            return "pending"
        approved = self.approved
        if not approved:
            return "unpaid"
        return "reserved" if all(charge.reserves for charge in approved) else "paid"

    @property
    def charged_attempt(self) -> int:
        """The last attempt that was charged, or tried to be; 0 where none was."""
        return max((charge.attempt for charge in self.charges), default=0)

    @property
    def has_unsent_card(self) -> bool:
        return self.attempt > self.charged_attempt

    def changed(self, **changes: Any) -> "Call":
        """The call with other values of these fields; an AssertionError for a field that calls do not have.

        Not `dataclasses.replace`: it sets all 40 fields one by one, at 20 times the cost, 40 times in each call.
        """
        return self.with_changes(changes)

    def with_changes(self, changes: Mapping[str, Any]) -> "Call":
        """`changed`, for whoever has them by name already."""
        fields = {**self.__dict__, **changes}
        assert len(fields) == len(self.__dict__), f"a call has no such field: {', '.join(changes)}"
        call = object.__new__(Call)
        object.__setattr__(call, "__dict__", fields)
        return call

    def to_json(self) -> str:
        # Not `asdict`: it copies deeply, at ten times the cost, and everything here is plain already.
        state = {"form": FORM} | self.__dict__
        state |= {"values": _pack_all(self.values), "notes": _pack_all(self.notes)}
        if self.payable is not None:
            parts = [_pack_payable(part) for part in self.payable.parts]
            state["payable"] = [*_pack_payable(self.payable), parts]
        state["bills"] = [[one.key, _pack_all(one.values)] for one in self.bills]
        state["charges"] = [_pack_charge(charge) for charge in self.charges]
        return _JSON.encode(state)

    @classmethod
    def from_json(cls, text: str) -> "Call":
        """ValueError or TypeError for what another version wrote in a form that this one does not know."""
        stored: dict[str, Any] = parse_json(text)
        if stored.pop("form", 1) > FORM:
            raise ValueError("written by a newer version")
        if stored.pop("charged_attempt", 0) or stored.pop("unsettled", False):
            # Before form 3 a call did not carry its charges: without them it must not go on, only end by the ledger.
            raise ValueError("charged under an older version")
        stored.pop("unsettled", None)
        for name in ("values", "notes"):
            stored[name] = _unpack_all(stored.get(name, {}))
        if stored.get("looking_up"):
            stored["looking_up"] = tuple(stored["looking_up"])
        if stored.get("payable"):
            source, key, owed, *parts = stored["payable"]
            of_it = tuple(Payable(source, key, Money(*owed)) for source, key, owed in (parts[0] if parts else ()))
            stored["payable"] = Payable(source, key, Money(*owed), of_it)
        bills = [(key, values) for key, values in stored.get("bills", ())]
        stored["bills"] = tuple(OpenBill(key, _unpack_all(values)) for key, values in bills)
        stored["history"] = tuple(stored.get("history", ()))
        stored["moves"] = tuple(stored.get("moves", ()))
        charges = stored.get("charges", ())
        stored["charges"] = tuple(_unpack_charge(charge) for charge in charges)
        return cls(**stored)


def _pack_payable(payable: Payable) -> list[object]:
    return [payable.source, payable.key, _pack(payable.owed)]


def _closed(charge: Charge, in_doubt: Collection[str]) -> Charge:
    if charge.status != "approved" or charge.part != "take_back":
        return charge
    return replace(charge, told=False, part="take_back" if charge.payable in in_doubt else "undoing")


def _pack_charge(charge: Charge) -> dict[str, object]:
    return charge.__dict__ | {"amount": _pack(charge.amount), "fee": charge.fee and _pack(charge.fee)}


def _unpack_charge(stored: dict[str, Any]) -> Charge:
    fee = Money(*stored["fee"]) if stored.get("fee") else None
    bills = tuple(stored.get("bills", ()))
    return Charge(**stored | {"amount": Money(*stored["amount"]), "fee": fee, "bills": bills})


def _pack_all(values: Mapping[str, Value]) -> dict[str, object]:
    return {name: _pack(value) for name, value in values.items()}


def _unpack_all(stored: Mapping[str, Any]) -> dict[str, Value]:
    return {name: _unpack(value) for name, value in stored.items()}


def _pack(value: Value) -> object:
    if isinstance(value, Money):
        return [value.minor, value.currency]
    if isinstance(value, date | time):
        return {"date" if isinstance(value, date) else "time": value.isoformat()}
    return value


def _unpack(value: Any) -> Value:
    if isinstance(value, list):
        return Money(*value)
    if isinstance(value, dict):
        return date.fromisoformat(value["date"]) if "date" in value else time.fromisoformat(value["time"])
    return value  # type: ignore[no-any-return]
