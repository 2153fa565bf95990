"""What the page shows, as plain values; where they come from is in `live`, how they look in the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ivr.flow.compiled import Flow
from ivr.traces import CallRow, DropOff, TextRow, Trace


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
