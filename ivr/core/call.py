"""One call as the core knows it: a frozen value that goes to JSON and back, and never holds a card number."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ivr.core.events import Value
from ivr.core.money import Money

Phase = Literal["language", "entry", "confirm", "cancel", "lookup", "waiting", "repeat", "over"]
Ending = Literal["paid", "unpaid", "pending"]
# Of the stored call. Raise it by one when a program of the form before could no longer read what is written.
FORM = 2

_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True)
class Call:
    """`attempt` counts card attempts and names the payment intent; `charged_attempt` is the last that was sent to the bank,
    `unsettled` while that has no final answer; `since` is when the current wait was last looked at (epoch s), `waited` how
    long it has lasted by then; `can_text`: a text to this caller would arrive, as far as is known when the call begins;
    `ended_itself`: the caller's last entry was over without the done key, so one that comes now belongs to it.
    `stray`: what is kept of keys that may be the beginning of a card number (`stray_cards.begun`), keyed in at the steps
    `stray_steps`, the last at `stray_at`."""

    id: str
    flow: str
    ani: str
    dnis: str
    channel: str
    language: str
    step: str = ""
    phase: Phase = "entry"
    field_index: int = 0
    silences: int = 0
    mistakes: int = 0
    attempt: int = 0
    charged_attempt: int = 0
    unsettled: bool = False
    repeats: int = 0
    stray: str = ""
    stray_steps: str = ""
    stray_at: float = 0.0
    slow: bool = False
    since: float = 0.0
    waited: float = 0.0
    values: Mapping[str, Value] = field(default_factory=dict)
    outcome: Ending | None = None
    hung_up: bool = False
    can_text: bool = True
    ended_itself: bool = False

    @property
    def intent(self) -> str:
        """The payment intent's reference: one for each card attempt of the call, the same however often it is asked."""
        return f"{self.id}-{self.attempt}"

    @property
    def known_ending(self) -> Ending:
        """What is true of the caller's money now, whatever a flow calls its ending."""
        if self.unsettled:
            return "pending"
        return "paid" if "confirmation_number" in self.values else "unpaid"

    @property
    def has_unsent_card(self) -> bool:
        return self.attempt > self.charged_attempt

    def to_json(self) -> str:
        # Not `asdict`: it copies deeply, at ten times the cost, and everything here is plain already.
        state = {"form": FORM} | self.__dict__ | {"values": {name: _pack(value) for name, value in self.values.items()}}
        return _JSON.encode(state)

    @classmethod
    def from_json(cls, text: str) -> "Call":
        """ValueError or TypeError for what another version wrote in a form that this one does not know."""
        stored: dict[str, Any] = json.loads(text)
        if stored.pop("form", 1) > FORM:
            raise ValueError("written by a newer version")
        stored["values"] = {name: _unpack(value) for name, value in stored["values"].items()}
        return cls(**stored)


def _pack(value: Value) -> object:
    return [value.minor, value.currency] if isinstance(value, Money) else value


def _unpack(value: Any) -> Value:
    return Money(*value) if isinstance(value, list) else value
