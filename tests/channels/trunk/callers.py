"""A caller with a telephone of our own, who keys a whole payment into a till, entry by entry, by any method."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from ivr.core.call import Call
from ivr.phone.rtp import CallerStream, Phone
from ivr.phone.sip import CallerHandler, ListenAddress, LocalSession, OutgoingCall, SipCaller, SipEndpoint, SipSettings
from tests.patience import PATIENCE_S
from tests.tills import Till, account, card

Method = Literal["rfc4733", "inband", "info", "both"]
Codec = Literal["PCMU", "PCMA"]
TONE_MS, GAP_MS = 60, 60  # a quick caller; Q.24 has us hear 40 ms
STEP_S = 20
ATTEMPTS = 3


@dataclass
class Caller:
    """An answered call. `ani` is how the till knows it: a caller has a number of their own."""

    till: Till
    phone: Phone
    call: OutgoingCall
    session: LocalSession
    ani: str
    method: Method = "rfc4733"
    versions: int = 100

    @property
    def progress(self) -> Call | None:
        return call_of(self.till, self.ani)

    async def reaches(self, *places: str) -> None:
        """Waits until the till is at a step, or at a field of the card step."""
        await self.till.progress.until(lambda: place_of(self.progress) in places, STEP_S)

    async def press(self, keys: str) -> None:
        if self.method == "info":
            for key in keys:
                assert await self.call.send_key(key) == 200
                await asyncio.sleep(0.02)
            return
        if self.method == "both":
            # A gateway that leaves the tone in the audio beside the event.
            self.phone.stream.press(keys, inband=True, tone_ms=TONE_MS, gap_ms=GAP_MS)
            for key in keys:
                await self.call.send_key(key, TONE_MS)
                await asyncio.sleep((TONE_MS + GAP_MS) / 1000)
            await asyncio.sleep(0.1)
            return
        await self.phone.press(keys, inband=self.method == "inband", tone_ms=TONE_MS, gap_ms=GAP_MS)

    async def pays(self, number: int) -> str:
        """Every key of a payment of card and bill `number`; why the call ended."""
        await self.keys_card(number)
        await self.confirms()
        return await asyncio.wait_for(self.call.until_over(), STEP_S)

    async def keys_card(self, number: int) -> None:
        for place, keys in entries(number):
            await self.reaches(place)
            await self.press(keys)
        await self.reaches("confirm")

    async def confirms(self) -> None:
        await self.press("1")
        await self.reaches("repeat")
        await self.press("#")


def entries(number: int) -> list[tuple[str, str]]:
    """Where the till is, and what is keyed there, from the greeting until the card is complete."""
    its = card(number)
    return [
        ("language", "1"),
        ("account", f"{account(number)}#"),
        ("amount", "1"),
        ("card 0", f"{its.pan}#"),
        ("card 1", its.expiry),
        ("card 2", its.cvv2),
        ("card 3", "94105"),
    ]


async def pays_in_the_end(till: Till, way: int, ring: Callable[[int], Awaitable[str]]) -> int:
    """The number of the card that was paid with. `ring` is a call of `ani_of(card)`; it gives a complaint.

    A foreign telephone on a machine with more work than cores garbles keys now and then; then its caller rings again.
    """
    complaints = []
    for attempt in range(ATTEMPTS):
        number = 10 * attempt + way
        complaints.append(await ring(number))
        if (call := call_of(till, ani_of(number))) and call.outcome == "paid":
            return number
        print(f"caller {way}, attempt {attempt + 1}: not paid, {complaints[-1] or 'without a complaint'}")
    raise AssertionError(f"caller {way} could not pay: {complaints}")


def ani_of(number: int) -> str:
    return f"+155501{number:02d}"


def call_of(till: Till, ani: str) -> Call | None:
    return next((call for call in till.progress.calls.values() if call.ani == ani), None)


def place_of(call: Call | None) -> str:
    if call is None:
        return ""
    if call.phase in ("language", "confirm", "repeat", "over"):
        return call.phase
    return f"card {call.field_index}" if call.step == "card" else call.step


@asynccontextmanager
async def telephone(till: Till, ani: str, *, method: Method = "rfc4733", codec: Codec = "PCMU", uri: str = ""):
    """Rings, gives the answered call, and hangs up what is left of it. CallRefusedError when the till says no."""
    endpoint = SipEndpoint(SipSettings(listen=(ListenAddress("udp", "127.0.0.1", 0),)), CallerHandler())
    await endpoint.start()
    phone = await Phone.at("127.0.0.1")
    try:
        session = LocalSession("127.0.0.1", phone.address[1], preference=(codec,))
        caller = SipCaller(endpoint, identity=f"sip:{ani}@127.0.0.1")
        call = await caller.call(uri or till.uri, session)
        speak(phone, call, codec)
        yield Caller(till, phone, call, session, ani, method)
    finally:
        phone.hang_up()
        await endpoint.stop()


def speak(phone: Phone, call: OutgoingCall, codec: Codec) -> None:
    assert call.remote.codecs[0].name == codec
    law = "alaw" if codec == "PCMA" else "ulaw"
    stream = CallerStream(law, telephone_event=call.remote.telephone_event)
    phone.talk_to((call.remote.address, call.remote.port), stream)


async def until(reached: Callable[[], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not reached():
            await asyncio.sleep(0.02)


def play(scene: Callable[[], Coroutine[Any, Any, None]], most_s: float = PATIENCE_S) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(most_s):
            await scene()

    asyncio.run(bounded())
