"""What a conversation needs of whoever carries its audio: the RTP media plane, or an AudioSocket connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class AudioPort(Protocol):
    """One call's media. Everything is asked for, nothing is waited for: `Silent` comes back when a list is over."""

    async def play(self, clips: Sequence[Path], *, barge_in: bool) -> int:
        """A number for this list of clips, which its `Silent` carries; an earlier list is cut off."""
        ...

    async def wipe(self) -> None:
        """A card field is complete: every buffer that could hold its tones or events is overwritten."""
        ...

    async def transfer(self, number: str) -> None:
        """Connect the caller to this number: `PersonRang` comes back, unless the caller is gone before."""
        ...

    async def hang_up(self) -> None: ...


# ---- what a conversation hears


@dataclass(frozen=True)
class KeyPressed:
    """One key, whichever of telephone-event, in-band tones and INFO carried it. Hidden: it may be a card's."""

    key: str

    def __repr__(self) -> str:
        return "KeyPressed(***)"


@dataclass(frozen=True)
class Silent:
    """The list of clips with this number is over: heard to its end, or cut off by a key."""

    play: int


@dataclass(frozen=True)
class PersonRang:
    """What became of a `transfer`."""

    is_connected: bool


@dataclass(frozen=True)
class CallerGone:
    """The caller has hung up, or the line is dead."""

    reason: str


@dataclass(frozen=True)
class TimerFired:
    """`number` tells a timer that has been set anew since from the one that runs."""

    number: int


Heard = KeyPressed | Silent | PersonRang | CallerGone | TimerFired
