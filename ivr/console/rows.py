"""What the page shows, as plain values; where they come from is in `live`, how they look in the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ivr.console.drop_off import DropOff
from ivr.core.call import Ending
from ivr.core.caller import mask_number
from ivr.core.email_addresses import mask_email
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.store import Agreement


@dataclass(frozen=True)
class Process:
    """One line of what runs: `note` is what it does, or how much it has to do."""

    name: str
    where: str
    note: str


@dataclass(frozen=True)
class Trial:
    """Something to try next: a command, an address or a number."""

    title: str
    text: str


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


class ConsoleData(Protocol):
    """Asked anew for every page; None of it is changed."""

    def processes(self) -> Sequence[Process]: ...

    def trials(self) -> Sequence[Trial]: ...

    def flows(self) -> Mapping[str, Flow]: ...

    def latest_calls(self, limit: int) -> Sequence[CallRow]: ...

    def latest_texts(self, limit: int) -> Sequence[TextRow]: ...

    def trace(self, call_id: str) -> Trace | None: ...

    def called_flows(self) -> Sequence[str]:
        """All that there are, then those that calls were made to and that are gone."""
        ...

    def drop_off(self, flow: str, span: str, now: datetime) -> DropOff:
        """`span`: a word of `drop_off.SPANS`."""
        ...

    def trouble(self) -> Sequence[str]:
        """What the operator must see to, each in a line."""
        ...
