"""What the media plane and whoever runs a call say to each other: how a call's media is agreed, and what is heard of it."""

from dataclasses import dataclass, field
from typing import TypeAlias

from dsp.g711 import Law
from ivr.errors import IvrError
from ivr.phone.rtp.addresses import Address
from ivr.phone.rtp.keys import Method


class MediaUnavailable(IvrError):
    """The media worker is full, or gone: refuse the call (503), or ring off."""


class MediaError(IvrError):
    """A command the worker cannot carry out; it changed nothing."""


@dataclass(frozen=True)
class SrtpKeys:
    """Master key and salt (30 bytes) of AES_CM_128_HMAC_SHA1_80, one for each direction (RFC 4568)."""

    sending: bytes = field(repr=False)
    receiving: bytes = field(repr=False)


@dataclass(frozen=True)
class CallMedia:
    """What both sides have agreed on; before the answer it may be incomplete."""

    law: Law = "ulaw"
    payload_type: int = 0
    """Of the audio, as we send it. 0 and 8 are always understood."""
    telephone_events: tuple[tuple[int, int], ...] = ()
    """(payload type, clock rate), RFC 4733; empty when keys come in-band or by INFO."""
    remote: Address | None = None
    """Where signalling says the peer's media comes from and goes to; None while it has not said."""
    allowed_hosts: tuple[str, ...] = ()
    """Media may come from these besides `remote`'s host, from any port: where the peer's signalling comes from (NAT)."""
    sending: bool = True
    """False on hold (we are `recvonly` or `inactive`) and before the answer."""
    inband: bool = True
    """Listen for tones until the first telephone-event arrives."""
    srtp: SrtpKeys | None = None
    record: str = ""
    """The name of the call's recording; empty: none. Once begun it lasts as long as the call."""


@dataclass(frozen=True)
class KeyHeard:
    """A key went down. It may be a card's: hidden in repr."""

    call: str
    key: str = field(repr=False)
    method: Method
    at_s: float
    """When it went down, by CLOCK_MONOTONIC, which all processes of a machine share."""


@dataclass(frozen=True)
class KeyReleased:
    call: str
    method: Method
    duration_s: float


@dataclass(frozen=True)
class Played:
    """A list of clips is over: all heard, or cut off by a key (`barged_in`), not by `stop` or another `play`."""

    call: str
    play: int
    barged_in: bool


@dataclass(frozen=True)
class Latched:
    """The call's media has come for the first time, or from a new place after a re-INVITE."""

    call: str
    source: Address


@dataclass(frozen=True)
class TimedOut:
    """Neither RTP nor RTCP, nor `still_alive` from signalling, for the whole of `rtp_timeout_s`. Said once."""

    call: str


@dataclass(frozen=True)
class LineLoss:
    """Audio packets of one call since it was opened, by their sequence numbers (RFC 3550 A.3), and how many never came.

    Told after some seconds, then where the share is another per cent, at most every five seconds, and when the call is closed.
    """

    call: str
    came: int
    lost: int
    is_last: bool


@dataclass(frozen=True)
class MediaStats:
    """Once a second; counts are since the worker began."""

    calls: int
    ticks: int
    late_ticks: int
    """Begun more than 5 ms after they were due."""
    skipped_ticks: int
    """In which nothing was sent, because the worker was held up for more than 200 ms at a stretch; heard they were."""
    worst_tick_ms: float
    """The longest one of this second."""
    packets_in: int
    packets_out: int
    unsent: int
    lost: int
    late: int
    doubled: int
    refused: int
    """From no call's source, of no agreed payload type, or no RTP at all."""
    flooded: int
    """Keys (RFC 4733) thrown away, because one call sent more at once than any telephone does."""
    filled: int
    """Lost frames continued because a tone was sounding."""
    keys: dict[Method, int]
    socket_drops: int
    """Thrown away by the kernel, because a socket's buffer was full."""
    unrecorded: int
    """Frames that are silent in recordings, because the recorder was held up or is gone."""
    cpu_us_per_tick: dict[str, float]
    """By part, mean of this second."""


@dataclass(frozen=True)
class WorkerLost:
    """The worker process is gone; every call of it has lost its media."""

    reason: str


MediaEvent: TypeAlias = KeyHeard | KeyReleased | Played | Latched | TimedOut | LineLoss | MediaStats | WorkerLost
