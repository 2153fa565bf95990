"""What is shown of calls, as plain values: to whoever is at the machine, and to people who sign in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.core.call import Ending
from ivr.core.caller import mask_number
from ivr.core.email_addresses import mask_email
from ivr.core.line_quality import LineQuality
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.store import Agreement

ENDING_WORDS = {
    "paid": "charged",
    "reserved": "reserved",
    "unpaid": "not charged",
    "pending": "not known yet",
    None: "in the call",
}


@dataclass(frozen=True)
class CallRow:
    """One call. `ani` is as it came and is masked on the way out; `ending` is None while the call lasts."""

    id: str
    started_at: datetime
    duration_s: float
    ani: str
    flow: str
    channel: str
    language: str
    ending: Ending | None
    hung_up: bool
    payment: str | None
    amount: Money | None
    transferred_to: str = ""
    line: LineQuality | None = None

    @property
    def caller(self) -> str:
        return mask_number(self.ani)

    @property
    def duration(self) -> str:
        minutes, seconds = divmod(int(self.duration_s), 60)
        return f"{minutes}:{seconds:02d}"


@dataclass(frozen=True)
class TextRow:
    """A text message or an e-mail, with what it says: a receipt, a link, a result. `note`: where it is, or why it was not sent."""

    recipient: str
    body: str
    is_sent: bool
    note: str = ""

    @property
    def to(self) -> str:
        return mask_email(self.recipient) if "@" in self.recipient else mask_number(self.recipient)

    @property
    def standing(self) -> str:
        return self.note or ("sent" if self.is_sent else "not sent")


@dataclass(frozen=True)
class TurnRow:
    """`at_s`: since the call began; `said`: the prompts' names."""

    at_s: float
    came: str
    step: str
    phase: str
    said: Sequence[str]
    took_ms: int


@dataclass(frozen=True)
class MoneyRow:
    at_s: float
    attempt: str
    what: str
    amount: Money
    code: str


@dataclass(frozen=True)
class Trace:
    """All that is on record of one call. `way`: its steps in order; `flow` is None where that flow is gone."""

    call: CallRow
    flow: Flow | None
    way: Sequence[str]
    turns: Sequence[TurnRow]
    money: Sequence[MoneyRow]
    texts: Sequence[TextRow]
    agreements: Sequence[Agreement] = ()
