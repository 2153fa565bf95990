"""What a bank can be asked and what it can answer, whatever its protocol. When to ask is for the forwarder, not here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from ivr.bank.promises import Promises
from ivr.bank.settings import BankSettings
from ivr.core.money import Money

Outcome = Literal[
    "approved", "declined", "unknown", "reversed", "not_found", "not_sent", "not_as_asked", "undoing", "capturing",
    "done", "taken", "refused",
]  # fmt: skip
Told = Literal[
    "approved",
    "declined",
    "reversed",
    "undo_refused",
    "captured",
    "capture_failed",
    "refunded",
    "refund_failed",
    "kept",
    "other",
]
# What is done with a charge after its approval; Adyen's word for them all. Each is an operation that a bank may promise.
ModificationKind = Literal["refund", "void", "capture"]


@dataclass(frozen=True)
class AmountSaid:
    """An amount as a bank has written it: minor units and currency, each None where it cannot be read.

    `is_whole`: in the agreed form. Loose ones are never believed, but what they do say may be another amount.
    """

    minor: int | None = None
    currency: str | None = None
    is_whole: bool = False

    def differs(self, asked: Money) -> bool:
        return self.minor not in (None, asked.minor) or self.currency not in (None, asked.currency)


UNREADABLE = AmountSaid()


@dataclass(frozen=True)
class AuthorizationRequest:
    """`sealed`: a JWE for each card field, opaque to us. `moto`: keyed in over the telephone, which banks price apart.

    `invoice_reference`: the key of the bill that is paid, empty where no bill was looked up. `capture_later`: authorize
    only, where the bank would otherwise take the money with it. `trace`: what `new_trace` made. `takes_part`: the bank may
    approve less than the amount, and says how much; only of a bank that promises it (`partial_approval`). `keep_card`: the bank
    is to keep the card for later charges. `kept_card`: what stands for a card that it keeps, in place of sealed fields.
    """

    reference: str
    idempotency_key: str
    merchant: str
    call: str
    amount: Money
    sealed: Mapping[str, str] = field(repr=False)
    moto: bool = True
    invoice_reference: str = ""
    capture_later: bool = False
    trace: str = ""
    takes_part: bool = False
    keep_card: bool = False
    kept_card: str = field(default="", repr=False)


@dataclass(frozen=True)
class ModificationRequest:
    """A refund, void or capture of an approved charge.

    `reference`: the charge's, ours; `bank_reference`: the charge's at the bank, where it gave one. `idempotency_key`: this
    request's own, the same however often it is made. `amount`: of this request; `charged`: of the charge. `trace`: what
    `new_trace` made for the charge. `is_repeat`: it may have left before.
    """

    kind: ModificationKind
    reference: str
    idempotency_key: str
    amount: Money
    charged: Money
    bank_reference: str | None = None
    trace: str = ""
    is_repeat: bool = False


@dataclass(frozen=True)
class CardDeletionRequest:
    """A kept card that is to be kept no longer. `key`: the same however often it is asked for; `kept_card`: what stands for it."""

    key: str
    merchant: str
    kept_card: str = field(repr=False)


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
    - done: a refund, void or capture has been done.
    - taken: the bank has taken a refund, void or capture; its outcome is told later, in a notification.
    - refused: the bank will not do the refund, void or capture, and has moved no money by it; `reason` says why.
    - not_as_asked: money may have moved, and not as agreed (part of the amount, say): reverse. Never a client's own word.

    `reason` says in a few words why it is unknown, refused or not sent. `amounts` are all that the bank says that it has
    approved or moved, none where it does not say. `is_code_odd`: there is a response code, but it cannot be read.
    `bank_reference`: the bank's own, by which an approved charge is captured; of a modification the modification's.
    What may be believed of an answer is for `verdict`, which also says how much was `approved` where that is a part.
    `kept_token`: what stands for the card from now on, where the bank was asked to keep it and does; `kept_until`: the month
    in which that card expires (2030-12).
    """

    outcome: Outcome
    reference: str
    response_code: str | None = None
    authorization_code: str | None = None
    reason: str | None = None
    amounts: tuple[AmountSaid, ...] = ()
    bank_reference: str | None = None
    is_code_odd: bool = False
    approved: Money | None = None
    kept_token: str = field(default="", repr=False)
    kept_until: str = ""


@dataclass(frozen=True)
class Examined:
    """What a look at a bank has shown. `is_good` is None for what was not tried, and why."""

    is_good: bool | None
    words: str


@dataclass(frozen=True)
class BankNews:
    """What a bank tells by itself. `event` is the same however often it is told; `reference` is ours: the charge's, or the
    idempotency key of the modification that it is about. `modification`: the bank's own reference of that one; `reason`: why it was refused.
    `is_total`: the amount is all that has been given back of the charge so far, also what was asked for here; of a refund that has
    failed, one that such totals had in them; `told_at_s`: when by the bank's clock, in Unix seconds, so that its totals can be put in order. An empty `reference`: the charge that the bank calls `bank_reference`. `kept_token` and
    `kept_until`: what stands for the charge's card from now on, as in `BankAnswer`; told of an approval, or by itself (`kept`)."""

    event: str
    reference: str
    told: Told
    bank_reference: str
    amount: Money
    response_code: str | None = None
    authorization_code: str | None = None
    modification: str = ""
    reason: str = ""
    is_total: bool = False
    told_at_s: int = 0
    kept_token: str = field(default="", repr=False)
    kept_until: str = ""


class Bank(Protocol):
    """Every method answers, whatever the network does: silence is an outcome. All may be called from many threads.

    What a bank does not promise is never asked of it (`promises`); the methods here then say that nothing is known.
    `connections`: how many charges it may have under way at once.
    """

    promises: Promises
    connections: int

    def renew(self, settings: BankSettings) -> None:
        """From now on new connections show and trust the certificates that are in these settings' files now. What is
        under way goes on. ConfigError, and nothing has changed, where one cannot be used."""
        return

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

    def modify(self, request: ModificationRequest) -> BankAnswer:
        """Refund, void or capture, as `request.kind` says: done, taken, refused, unknown or not_sent.

        Asked only for what is among `promises.operations`. Where the bank takes the same request again under its key
        (`repeats_s`), this is how it is repeated.
        """
        return BankAnswer("unknown", request.reference, reason=f"this bank has no {request.kind}")

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        """Has the bank keep a card no longer ("delete token"), under `request.key` as the answer's reference: done, also where
        there is none (any more), refused, unknown or not_sent. The second time it changes nothing."""
        return BankAnswer("unknown", request.key, reason="this bank cannot be told")

    def inquire_modification(self, request: ModificationRequest) -> BankAnswer:
        """What became of it (`inquires_modifications`): done, taken, refused, not_found or unknown."""
        return BankAnswer("unknown", request.reference, reason="this bank cannot be asked about it")
