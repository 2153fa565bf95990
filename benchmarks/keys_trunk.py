"""Who answers in bench_keys: SIP and the media worker as the trunk joins them, and each call's keys written down."""

import asyncio
from dataclasses import dataclass, field

from ivr.channels.trunk.call_handler import media_of
from ivr.phone.rtp import (
    CallMedia,
    KeyHeard,
    KeyMerger,
    Latched,
    MediaClient,
    MediaEvent,
    MediaStats,
    Method,
)
from ivr.phone.sip import Answer, Invitation, LocalSession, Reject, SessionOffer


@dataclass
class Call:
    """`source` is the port it came from: what was on the wire has no other name for it."""

    caller: str
    source: int = 0
    keys: str = ""
    merger: KeyMerger = field(default_factory=KeyMerger)
    session: LocalSession | None = None


class Answering:
    """SIP's CallHandler, told by the media worker too: as the trunk's own, but it only writes down what is keyed.

    A card field is over at `#`, and is wiped as the trunk does it.
    """

    def __init__(self) -> None:
        self.media: MediaClient
        self.calls: dict[str, Call] = {}
        self.over: dict[str, Call] = {}  # by caller
        self.stats: list[MediaStats] = []

    async def invited(self, invitation: Invitation) -> Answer | Reject:
        _, port = await self.media.open(invitation.call, CallMedia(allowed_hosts=("127.0.0.1",), sending=False))
        call = self.calls[invitation.call] = Call(invitation.ani, session=LocalSession("127.0.0.1", port))
        assert invitation.offer is not None
        assert call.session is not None
        answer = call.session.answer(invitation.offer)
        if isinstance(answer, Answer):
            await self.media.update(invitation.call, media_of(answer, invitation.offer, "127.0.0.1"))
        return answer

    async def answered(self, call: str, remote: SessionOffer) -> None:
        """Media flows since the answer."""

    async def media_changed(self, call: str, offer: SessionOffer) -> Answer | Reject:
        session = self.calls[call].session
        assert session is not None
        return session.answer(offer)

    async def info_key(self, call: str, key: str, duration_ms: int) -> None:
        self._key(call, key, "info", asyncio.get_running_loop().time() - duration_ms / 1000)

    async def ended(self, call: str, reason: str) -> None:
        self.media.close_call(call)
        if (known := self.calls.pop(call, None)) is not None:
            self.over[known.caller] = known

    def heard(self, event: MediaEvent) -> None:
        match event:
            case KeyHeard():
                self._key(event.call, event.key, event.method, event.at_s)
            case Latched() if event.call in self.calls:
                self.calls[event.call].source = event.source[1]
            case MediaStats():
                self.stats.append(event)

    def _key(self, name: str, key: str, method: Method, at_s: float) -> None:
        call = self.calls.get(name)
        if call is None or not call.merger.is_new(key, method, at_s):
            return
        call.keys += key
        if key == "#":
            self.media.wipe(name)
            call.merger.forget()
