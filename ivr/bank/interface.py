"""What a bank can be asked and what it can answer, whatever its protocol. When to ask is for the forwarder, not here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal, Protocol

from ivr.bank.promises import Promises
from ivr.core.money import Money

Outcome = Literal[
    "approved", "declined", "unknown", "reversed", "not_found", "not_sent", "not_as_asked", "undoing", "capturing"
]
Told = Literal["approved", "declined", "reversed", "undo_refused", "captured", "capture_failed", "other"]


class Unreadable(Enum):
    AMOUNT = "amount"


UNREADABLE = Unreadable.AMOUNT


@dataclass(frozen=True)
class AuthorizationRequest:
    """`sealed`: a JWE for each card field, opaque to us. `moto`: keyed in over the telephone, which banks price apart.

    `invoice_reference`: the key of the bill that is paid, empty where no bill was looked up. `trace`: what `new_trace` made.
    """

    reference: str
    idempotency_key: str
    merchant: str
    call: str
    amount: Money
    sealed: Mapping[str, str] = field(repr=False)
    moto: bool = True
    invoice_reference: str = ""
    trace: str = ""


@dataclass(frozen=True)
class BankAnswer:
    """`response_code` is ISO 8583 field 39, `authorization_code` its field 38.

    - approved, declined: the bank has decided.
    - reversed: nothing is charged under this reference, now or later.
    - not_found: the bank has no such reference *yet*; a request on its way may still arrive, so reverse before giving up.
    - unknown: the request may have arrived, and nobody has said what became of it. Inquire, then reverse.
    - not_sent: no byte of the request has left this machine; it may be sent again.
    - undoing: the bank has taken the undo, and says later, in a notification, what came of it.
    - capturing: the bank has taken the capture of what it approved; its outcome too is told later.
    - not_as_asked: money may have moved, and not as agreed (part of the amount, say): reverse. Never a client's own word.

    `reason` says in a few words why it is unknown or not sent, for the log. `amount` is what the bank says that it has
    approved, None where it does not say, UNREADABLE where it says so in another form than agreed. `bank_reference`:
    the bank's own, by which an approved charge is captured. What may be believed of an answer is for `verdict`.
    """

    outcome: Outcome
    reference: str
    response_code: str | None = None
    authorization_code: str | None = None
    reason: str | None = None
    amount: Money | Unreadable | None = None
    bank_reference: str | None = None


@dataclass(frozen=True)
class Examined:
    """What a look at a bank has shown. `is_good` is None for what was not tried, and why."""

    is_good: bool | None
    words: str


@dataclass(frozen=True)
class BankNews:
    """What a bank tells by itself. `event` is the same however often it is told; `reference` is ours."""

    event: str
    reference: str
    told: Told
    bank_reference: str
    amount: Money
    response_code: str | None = None
    confirmation_number: str | None = None


class Bank(Protocol):
    """Every method answers, whatever the network does: silence is an outcome. All may be called from many threads.

    What a bank does not promise is never asked of it (`promises`); the methods here then say that nothing is known.
    `connections`: how many charges it may have under way at once.
    """

    promises: Promises
    connections: int

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        """Where the bank takes the same request again under its key (`repeats_s`), this is how it is repeated."""
        ...

    def inquire(self, reference: str) -> BankAnswer:
        """What became of an authorization."""
        return BankAnswer("unknown", reference, reason="this bank cannot be asked")

    def reverse(self, reference: str) -> BankAnswer:
        """Takes an authorization back, or forbids one that has not arrived yet. The second time it changes nothing."""
        return BankAnswer("unknown", reference, reason="this bank cannot be told to undo")

    def new_trace(self, number: int, now: datetime) -> str:
        """Of a bank that is `traced`: what it will find a request by, stored before that leaves; 80 characters at most.

        `number` counts the requests to this bank, over all forwarders, and never comes twice.
        """
        return ""

    def undo(self, original: AuthorizationRequest, again: bool) -> BankAnswer:
        """`reverse` for a bank that is `traced`: it is told of the request. `again`: this was asked before, unanswered."""
        return self.reverse(original.reference)

    def capture(self, reference: str, bank_reference: str, amount: Money) -> BankAnswer:
        """Takes the money of an approved charge (`captures_apart`). The second time it changes nothing."""
        return BankAnswer("unknown", reference, reason="this bank takes the money with the authorization")
