"""What happens to a call, as the core hears it: plain facts with a time, no bytes of any channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal, NoReturn, get_args

from ivr.core.money import Money
from ivr.core.remembered import Remembered

# A truth is a number of its own type (`bool`); no date has a time in it, and no time a zone.
Value = str | int | Money | date | time
CardField = Literal["card_number", "expiry", "security_code", "postal_code", "start_date", "issue_number"]
CARD_FIELDS: tuple[CardField, ...] = get_args(CardField)
# Some cards have them and others do not: the done key alone leaves them out.
OPTIONAL_FIELDS: frozenset[CardField] = frozenset({"start_date", "issue_number"})


class Digits:
    """Keys a caller pressed, in a buffer that can be wiped; secret until the core has asked for plain ones."""

    __slots__ = ("buffer",)

    def __init__(self, keys: str | bytes | bytearray | memoryview) -> None:
        self.buffer = bytearray(keys.encode() if isinstance(keys, str) else keys)

    def text(self) -> str:
        """The keys in clear: only for fields that are not card data."""
        return self.buffer.decode("ascii")

    def wipe(self) -> None:
        self.buffer[:] = bytes(len(self.buffer))
        self.buffer.clear()

    def __len__(self) -> int:
        return len(self.buffer)

    def __repr__(self) -> str:
        return "Digits(***)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are not stored or sent anywhere")


@dataclass(frozen=True)
class CallStarted:
    """`message`: what an operator wants every caller to hear first, by language; `is_all`: nothing follows it. `is_stopped`: no
    cards are taken here for now, which every caller is told before they key in anything. `remembered`: what this caller agreed to
    have remembered in an earlier call, and the flow keeps."""

    at: datetime
    message: Mapping[str, str] = field(default_factory=dict)
    is_all: bool = False
    is_stopped: bool = False
    remembered: Remembered | None = None


@dataclass(frozen=True)
class KeysEntered:
    """One entry, raw: the done and clear keys are in it where the channel hears them. `timed_out`: no more will come."""

    at: datetime
    keys: Digits
    timed_out: bool = False


@dataclass(frozen=True)
class NoInput:
    """The first-key timer ran out."""

    at: datetime


@dataclass(frozen=True)
class HungUp:
    at: datetime


@dataclass(frozen=True)
class Waited:
    """A `Wait` is over: has what was waited for happened?"""

    at: datetime


# ---- what the runner makes of the above, or learns from the vault, the store and the bank


@dataclass(frozen=True)
class CardCollected:
    """The vault's verdict on one card field; `summary` is `"visa 1111"` for the card number, else None.

    `ended_itself`: by its length or by the timer, without the done key.
    """

    at: datetime
    field: CardField
    valid: bool
    reason: str | None = None
    summary: str | None = None
    ended_itself: bool = False


@dataclass(frozen=True)
class CardEntryEdited:
    """A card field's keys that are no entry: `cleared`, `cancel`, `empty` (nothing but the done key).

    `again` and `help`: the one digit that asks for it, which is no card data. `one_key`: any digit alone, after a warning
    that time runs out; which one is not said.
    """

    at: datetime
    reading: Literal["cleared", "cancel", "empty", "again", "help", "one_key"]


@dataclass(frozen=True)
class OpenBill:
    """One of several bills that a look-up has found: what it is known by, and its values by name."""

    key: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class LookedUp:
    """The billing look-up's answer: `values` become `bill.due` and so on; `bills` are what a look-up of all open bills gives."""

    at: datetime
    found: bool
    values: Mapping[str, Value] = field(default_factory=dict)
    bills: tuple[OpenBill, ...] = ()


LookUpProblem = Literal["not_reached", "not_payable", "bank_closed", "caller_locked", "account_locked"]


@dataclass(frozen=True)
class LookUpFailed:
    """`not_reached`: the billing system does not answer; `not_payable`: its answer is no bill that can be paid here.
    `caller_locked`, `account_locked`: it was not asked, because too many guesses at a second answer were wrong lately."""

    at: datetime
    problem: LookUpProblem


@dataclass(frozen=True)
class LimitReached:
    """A limit on failed attempts, by its name in the flow's `limits`, such as `attempts_per_card`."""

    at: datetime
    limit: str


RefusalReason = Literal[
    "being_paid",
    "due_changed",
    "nothing_due",
    "not_reached",
    "not_payable",
    "paid_in_full",
    "overpaid",
    "bank_closed",
    "stopped",
]


@dataclass(frozen=True)
class ChargeRefused:
    """The answer to `Authorize` where nothing was begun, or to `BeginCard` where nothing would be.

    being_paid: another charge on the same payable has no answer yet. due_changed: another sum is `due` now than the amount was agreed for.
    not_reached: the billing system did not say what is due now. not_payable: it said so in another currency.
    Of a bill that several cards pay, whose `due` somebody else has changed. paid_in_full: the approved parts come to it, and count
    for good. overpaid: they come to more.
    bank_closed: nothing new can be charged at the bank, for want of a key or certificate that is good. stopped: no cards are taken
    for now, in this flow, at its bank or on the whole line.
    Of bills in one sum `due` is their total, `dues` what each of them owes, and `paying` are the keys of those being paid.
    `left`: what is due by now on the open bills that the call has looked up, by key.
    """

    at: datetime
    reason: RefusalReason
    due: Money | None = None
    dues: tuple[tuple[str, Money], ...] = ()
    paying: tuple[str, ...] = ()
    left: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True)
class DueAwaited:
    """The answer to `Authorize` and `RecordAgreement` where nothing is begun or recorded yet: the billing system is still asked
    what is due."""

    at: datetime


BankOutcome = Literal["approved", "declined", "unknown", "reversed", "pending", "not_sent"]


@dataclass(frozen=True)
class BankAnswered:
    """`not_sent`: the bank was never reached, so nobody there has decided anything. `amount`: what was approved, where the
    bank may approve a part of what was asked for. `left`: of an approval, what is due by now on the bills that the call knows,
    by key; without it nobody but this call has paid any of them."""

    at: datetime
    outcome: BankOutcome
    confirmation_number: str | None = None
    amount: Money | None = None
    left: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True)
class PartsTakenBack:
    """What became of the parts of a bill that were to be taken back: `undone` or, where the bank would not, "" (charged), by
    card attempt."""

    at: datetime
    parts: tuple[tuple[int, Literal["undone", ""]], ...]


@dataclass(frozen=True)
class AgreementRecorded:
    """The answer to `RecordAgreement`: what the caller agreed to is on record, by this key or by an earlier delivery of it."""

    at: datetime


@dataclass(frozen=True)
class AgreementRefused:
    """The answer to `RecordAgreement` where nothing is recorded: what the bill owes by now, or who is paying it, speaks against it.

    `reason`, `due` and `left` are as those of `ChargeRefused`.
    """

    at: datetime
    reason: RefusalReason
    due: Money | None = None
    left: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True)
class CardCaptured:
    """The telephone network's own card form (`capture: pay`) has finished: `result` in Twilio Pay's words."""

    at: datetime
    result: str
    summary: str | None = None
    token: str | None = None


@dataclass(frozen=True)
class TransferEnded:
    """What became of a `Transfer`: the caller has a person on the line, or nobody was reached."""

    at: datetime
    is_connected: bool


@dataclass(frozen=True)
class Fault:
    """Something of ours broke while this call was served: apologise, say what is known of the charge, hang up."""

    at: datetime


Event = (
    CallStarted
    | KeysEntered
    | NoInput
    | HungUp
    | Waited
    | CardCollected
    | CardEntryEdited
    | LookedUp
    | LookUpFailed
    | LimitReached
    | ChargeRefused
    | DueAwaited
    | BankAnswered
    | PartsTakenBack
    | AgreementRecorded
    | AgreementRefused
    | CardCaptured
    | TransferEnded
    | Fault
)
