"""A telephone line without a network: keys go in one by one as on a keypad, what is heard comes out as words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["keys", "waiting", "over"]


@dataclass(frozen=True)
class HeardPrompt:
    """One thing said: the prompt's name where the line knows it, and the words."""

    name: str
    words: str


@dataclass(frozen=True)
class LineReply:
    """What the caller hears, and what the line does next. `asks`: the field that keys are awaited for, where known;
    `sensitive`: they may be card data, and are not to be shown."""

    heard: Sequence[HeardPrompt]
    state: State
    asks: str = ""
    sensitive: bool = False
    wait_s: float = 0.0


class CallerLine(Protocol):
    """A call from the caller's side: in-process (`local`), or one of those that `ivr.testing` has, by webhooks and SIP."""

    def begin(self) -> LineReply: ...

    def press(self, keys: str) -> LineReply:
        """Keys, then a pause: what is no complete entry ends by the inter-digit timer."""

    def stay_silent(self) -> LineReply: ...

    def wait(self) -> LineReply: ...

    def hang_up(self) -> None: ...


def connected_to(number: str) -> HeardPrompt:
    """What a transcript says where the caller has a person on the line."""
    return HeardPrompt("", f"(connected to {number})")


def mask(keys: str) -> str:
    """Digits as dots; the done and clear keys stay to be seen."""
    return "".join(key if key in "*#" else "•" for key in keys)
