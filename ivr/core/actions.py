"""What the core wants done: things a channel does to the caller, and effects that the runner carries out."""

from dataclasses import dataclass, field
from typing import Literal

from ivr.core.call import Payable
from ivr.core.entry import EntryRules
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.core.remembered import Remembered

AS_WRITTEN = "as_written"
"""The name of a phrase that is no prompt: its one value, `text`, is all its words."""


@dataclass(frozen=True)
class Phrase:
    """A prompt's name and what is filled in; the words are in `flows/prompts/<language>.yaml`.

    `version`: of the flow that says it, so that a call is spoken to in the words it began with; empty where there is one
    version only. `endings`: of the wordings that are better at this moment, the best first (`words.wordings`).
    """

    name: str
    language: str
    values: tuple[tuple[str, Value], ...] = ()
    version: str = ""
    endings: tuple[str, ...] = ()


# ---- for the channel


@dataclass(frozen=True)
class Speak:
    """Say these one after another. A key stops them (`barge_in`) and is kept."""

    phrases: tuple[Phrase, ...]
    barge_in: bool = True


@dataclass(frozen=True)
class Collect:
    """Collect one entry of keys. `sensitive`: card data, wiped as soon as it is handed on; `flush`: drop type-ahead."""

    field: str
    rules: EntryRules
    first_key_timeout_s: float
    inter_digit_timeout_s: float
    sensitive: bool = False
    flush: bool = False


@dataclass(frozen=True)
class CaptureCard:
    """Let the telephone network collect the card in its own zone (`capture: pay`, Twilio's `<Pay>`)."""

    connector: str
    amount: Money
    intent: str
    fields: tuple[str, ...]
    brands: tuple[str, ...]
    tries: int
    language: str


@dataclass(frozen=True)
class Wait:
    """Hold the line until what is waited for has happened, this long at most, then report `Waited`.

    `keep_keys`: keys pressed meanwhile are for the next question.
    """

    seconds: float
    keep_keys: bool = False


@dataclass(frozen=True)
class HangUp:
    pass


@dataclass(frozen=True)
class Transfer:
    """Connect the caller to this number: answered by `TransferEnded`. Until then the call is at its step, and takes no keys."""

    number: str


ChannelAction = Speak | Collect | CaptureCard | Wait | Transfer | HangUp

# ---- for the runner


@dataclass(frozen=True)
class LookUp:
    """Ask the billing system: answered by `LookedUp` or `LookUpFailed`, at once or after `Wait`.

    Repeated after each `Wait` until it is answered: the runner asks the billing system once all the same.
    `others`: what else it is asked with, by name, such as a PIN of the merchant's. `gives`: the values that the answer has
    to have besides what is due, each with its type.
    """

    source: str
    key: str
    others: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    gives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class BeginCard:
    """A new attempt begins: answered where a limit is reached, or where what is paid for is being paid already."""

    intent: str


@dataclass(frozen=True)
class SplitPart:
    """What makes a charge a part of a bill that may be paid with several cards. `first`: the intent of the first approved
    part, or this one; `total`: what all parts are to come to; `rest_unpaid`: what becomes of the parts should they not.
    `takes_part`: the bank may approve less than is asked for."""

    first: str
    total: Money
    rest_unpaid: Literal["take_back", "keep"]
    takes_part: bool = False


@dataclass(frozen=True)
class Authorize:
    """Commit the intent, its sealed fields and the outbox row: answered by `BankAnswered`, at once or after `Wait`.

    While the billing system is asked what is due it is answered by `DueAwaited`, and repeated after each `Wait`; with
    `is_last` nobody waits any longer, and what is not known by then is not charged. `part`: where the bill may be paid with
    several cards. `payable` is None in a flow that
    looks nothing up; `account` is then what the caller keyed in as account_number. `is_own_amount`: the caller keyed the amount in;
    any other was made of what is due, and holds for that alone. `fee`: the part of `amount` that no bill is credited.
    `captures_later`: the amount is reserved, and not taken. `keeps_card`: the caller has agreed that the bank keeps this card
    for later charges.
    """

    bank: str
    intent: str
    amount: Money
    account: str
    payable: Payable | None = None
    is_last: bool = False
    is_own_amount: bool = False
    part: SplitPart | None = None
    fee: Money | None = None
    captures_later: bool = False
    keeps_card: bool = False


@dataclass(frozen=True)
class TakeBack:
    """Take back every approved part of the bill that is not paid in full: answered by `PartsTakenBack`, at once or after `Wait`."""

    bank: str


@dataclass(frozen=True)
class UseKeptCard:
    """Charge the card that the bank keeps for what is paid for: what stands for it is staged for the present attempt."""

    intent: str


@dataclass(frozen=True)
class ForgetKeptCard:
    """The caller wants it forgotten: what stands for the kept card of what is paid for is deleted, for good."""


@dataclass(frozen=True)
class Resolve:
    """An authorization without an answer: inquire by our reference, then reverse."""

    bank: str
    intent: str


@dataclass(frozen=True)
class SendSms:
    """Queue a text to the caller: once for each attempt, or, where `attempt` is 0, once for what it is `about` in the same words,
    and again after each agreement. `link_to`: the bill that the `{link}` in its words leads to."""

    template: str
    phrase: Phrase
    attempt: int = 0
    link_to: Payable | None = None
    about: str = field(default="", repr=False)


@dataclass(frozen=True)
class SendEmail:
    """Queue the receipt of a charge for the address that the look-up gave, once for each attempt. It carries the address: at the
    call's last step the call has forgotten it by the time this is carried out."""

    subject: Phrase
    phrase: Phrase
    attempt: int
    address: str = field(repr=False)


@dataclass(frozen=True)
class RecordAgreement:
    """Keep what the caller has just agreed to, for good: `phrase` is what they heard, `key` what they pressed. `kind`: promise,
    plan or mandate; `subject` the merchant's name for it; `terms` by name, such as by when, in words for a record. `about`: what it
    is for, which tells it from the same terms for another bill.

    Answered by `AgreementRecorded` or `AgreementRefused`. `payable`: the bill that it is to be paid on, of which what is due is read
    again first; None where there is none, or where the agreement is not to pay. `of_card`: it is about the card that was keyed in, and
    is not made while no card is taken. `is_own_amount` and `is_last` as those of
    `Authorize`, which is answered by `DueAwaited` in the same way. `remembers`: what is kept of the caller from then on."""

    kind: str
    subject: str
    phrase: Phrase
    key: str
    amount: Money
    terms: tuple[tuple[str, str], ...] = ()
    about: str = field(default="", repr=False)
    payable: Payable | None = None
    is_own_amount: bool = False
    is_last: bool = False
    of_card: bool = False
    remembers: Remembered | None = None


@dataclass(frozen=True)
class ForgetCaller:
    """What is remembered of the caller in this flow is deleted, for good."""


@dataclass(frozen=True)
class ForgetCard:
    """Delete whatever sealed fields an attempt left that will not be sent."""

    intent: str


Effect = (
    LookUp
    | BeginCard
    | Authorize
    | TakeBack
    | Resolve
    | SendSms
    | SendEmail
    | RecordAgreement
    | ForgetCaller
    | UseKeptCard
    | ForgetKeptCard
    | ForgetCard
)
Action = ChannelAction | Effect
