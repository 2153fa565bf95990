"""One call to the trunk from a telephone: keys go out as RTP, and what was said comes back from the RTP that was received."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from ivr.channels.line import Conversation, Services
from ivr.channels.simulator import HeardPrompt, LineReply
from ivr.channels.trunk.call_handler import Route
from ivr.errors import PeerError
from ivr.phone.rtp import CallerStream, Phone
from ivr.phone.sip import LocalSession, OutgoingCall, SipCaller
from ivr.testing.bench import Bench
from ivr.testing.key_methods import KeyMethod
from ivr.testing.sip.sayings import Sayings
from ivr.testing.sip.timers import CallTimers
from ivr.testing.sip.trunk import HOST, MOST_S, SipTrunk

# How long a key is down, and up: Q.24 has a tone of 40 ms heard. The same for events, or two presses of one key look like
# the repeated end of one (telephone_event.py).
KEY_MS: dict[KeyMethod, tuple[int, int]] = {"events": (40, 40), "tones": (60, 60)}
LOOK_S = 0.002
TURNS = 4  # of the event loop: a key that the call handler was given has reached the conversation by then
QUIET_S, QUIET_PACKETS = 0.3, 15  # without a mark in them: what was said last was cut off by a key
NO_RTP_S = 10.0  # not one packet of five hundred: the machine is not slow, the media is lost
MOST_LOOKS = 400  # on hold: at four a second, more than any flow's longest


class SipLine:
    """Rings when it is made. PeerError where the trunk refuses, stalls, or does not hear a key."""

    def __init__(self, trunk: SipTrunk, bench: Bench, flow: str, ani: str, keys: KeyMethod = "events") -> None:
        self._trunk, self._bench, self._keys = trunk, bench, keys
        clock = bench.workbench.clock
        self._timers = CallTimers(clock)
        self._sayings = Sayings(trunk.folder, bench.workbench.prompts.words)
        services = Services(
            bench.workbench.runner,
            bench.workbench.store,
            self._sayings.say,
            trunk.pool,
            trunk.pool,
            now=clock,
            timers=lambda: self._timers,
        )
        with trunk.ringing:
            trunk.routes["*"] = Route(flow, services)
            self._call, self._conversation, self._talking = trunk.run(self._ring(ani))
        self.call_id = self._conversation.call.id

    def __repr__(self) -> str:
        return f"<SIP call {self.call_id}, keys as {self._keys}>"

    # ---- what a caller does

    def begin(self) -> LineReply:
        return self._trunk.run(self._reply())

    def press(self, keys: str) -> LineReply:
        if self._conversation.asked is not None:
            self._bench.workbench.clock.advance(1)
        return self._trunk.run(self._press(keys))

    def stay_silent(self) -> LineReply:
        return self._trunk.run(self._let_time_pass())

    def wait(self) -> LineReply:
        """Until the hold is over: by the bank's answer, or by its time."""
        heard: list[HeardPrompt] = []
        for _ in range(MOST_LOOKS):
            self._bench.workbench.work()
            turn = self._conversation.call
            reply = self._trunk.run(self._let_time_pass())
            heard += reply.heard
            if reply.state != "waiting" or self._conversation.call is not turn:
                break
        return LineReply(heard, reply.state, reply.asks, reply.sensitive)

    def hang_up(self) -> None:
        """BYE, and everything about the call is on record when this returns."""
        self._trunk.run(self._hang_up())

    # ---- in the trunk's thread

    async def _ring(self, ani: str) -> tuple[OutgoingCall, Conversation, Awaitable[None]]:
        self._phone = await Phone.at(HOST)
        identity = f"sip:{ani}@{HOST}" if ani else "sip:anonymous@anonymous.invalid"
        try:
            session = LocalSession(HOST, self._phone.address[1], preference=("PCMU",))
            call = await SipCaller(self._trunk.phones, identity=identity).call(self._trunk.uri, session)
            line = self._trunk.handler.lines[call.leg.dialog.remote_tag]
            await self._until(lambda: line.talking is not None, "begin to speak")
        except BaseException:
            self._phone.hang_up()
            raise
        assert line.conversation is not None
        assert line.talking is not None
        remote = call.remote
        self._phone.talk_to((remote.address, remote.port), CallerStream(telephone_event=remote.telephone_event))
        return call, line.conversation, line.talking

    async def _press(self, keys: str) -> LineReply:
        if self._is_over:
            return LineReply((), "over")
        tone_ms, gap_ms = KEY_MS[self._keys]
        heard = self._trunk.handler.keys
        wanted = heard.total() + len(keys)
        await self._phone.press(keys, inband=self._keys == "tones", tone_ms=tone_ms, gap_ms=gap_ms)
        await self._until(lambda: heard.total() >= wanted or self._is_over, f"hear all of the {len(keys)} keys")
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await self._rest()
        while self._conversation.is_keying and not self._is_over:
            self._timers.run_out()  # no complete entry: the inter-digit timer ends it
            await self._rest()
        return await self._reply()

    async def _let_time_pass(self) -> LineReply:
        """The timer that runs is over: of the first key, between looks at the bank, or of a pause."""
        await self._rest()
        self._timers.run_out()
        return await self._reply()

    async def _hang_up(self) -> None:
        if not self._is_over:
            await self._call.hang_up()
        await self._end()

    async def _reply(self) -> LineReply:
        await self._rest()
        heard = await self._listen()
        if self._is_over:
            await self._end()
            return LineReply(heard, "over")
        asked = self._conversation.asked
        if asked is None:
            return LineReply(heard, "waiting")
        return LineReply(heard, "keys", asked.field, asked.sensitive)

    async def _rest(self) -> None:
        """Until the line has spoken and waits for its caller or the bank, or has hung up."""
        await self._until(lambda: self._is_over or self._timers.is_running, "say what comes next")

    async def _listen(self) -> list[HeardPrompt]:
        """What was said since the last time. The last packets may still lie in the telephone's socket."""
        loop, packets = asyncio.get_running_loop(), self._phone.heard
        began, before, heard = loop.time(), len(packets), list[HeardPrompt]()
        while True:
            heard += self._sayings.in_packets(packets)
            is_quiet = self._is_over or len(packets) - before >= QUIET_PACKETS
            waited_s = loop.time() - began
            if self._sayings.all_heard or (waited_s > QUIET_S and is_quiet):
                packets.clear()
                return heard
            if waited_s > NO_RTP_S and len(packets) == before:
                raise PeerError(f"no RTP came from the line for {waited_s:.0f} s")
            await asyncio.sleep(LOOK_S)

    async def _end(self) -> None:
        with contextlib.suppress(Exception):  # the handler has logged it, and the record says how the call ended
            await asyncio.wait_for(asyncio.shield(self._talking), MOST_S)
        self._phone.hang_up()
        self._sayings.close()

    @property
    def _is_over(self) -> bool:
        return self._call.leg.over.is_set()

    async def _until(self, reached: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(MOST_S / 3):
                while not reached():
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise PeerError(f"the line on loopback did not {what} within {MOST_S / 3:.0f} s") from None
