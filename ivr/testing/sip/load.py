"""Many SIP calls at once against a running line, each with RTP both ways; how long answers and prompts took.

A caller presses keys once a prompt has been heard out (or into it, `barge_in`), and takes the first sound after the keys
for the beginning of the next prompt. All telephones send by one clock; where this process cannot keep up with it,
`late` says so, and its figures are longer than the line's.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from ivr.errors import PeerError
from ivr.phone.rtp import CallerStream
from ivr.phone.sip import (
    CallerHandler,
    CallRefusedError,
    Credentials,
    ListenAddress,
    LocalSession,
    OutgoingCall,
    SipCaller,
    SipEndpoint,
    SipSettings,
)
from ivr.testing.load import Placed
from ivr.testing.sip.listening_phone import ListeningPhone

TICK_S = 0.02
LATE_S = 0.02
TONE_MS, GAP_MS = 80, 60
QUIET_S = 0.7  # this long without sound, and a prompt is over
BARGE_IN_AFTER_S = 0.3
NO_PROMPT_S = 20.0  # from the keys, or the answer, to the next prompt
MOST_PROMPT_S = 60.0
ANSWER_S = 32.0  # RFC 3261's own patience (timer B)
LOOK_S = 0.02
# A trunk keeps so many calls of one source between INVITE and ACK and drops the oldest beyond (TRUNK_MAX_UNANSWERED,
# 100 by default). A process that is busy with 300 telephones acknowledges late, so it has no more than this many ringing.
MOST_RINGING = 50


@dataclass(frozen=True)
class LoadPlan:
    """`keys` are entries, "-" waits a prompt out; `uri` is what each call rings, from the address `bind`."""

    uri: str
    keys: Sequence[str]
    calls: int
    at_once: int
    per_second: float
    method: Literal["rfc4733", "inband"] = "rfc4733"
    barge_in: bool = False
    bind: str = "127.0.0.1"
    login: Credentials | None = None


class Silence(PeerError):
    """The line said nothing, or hung up, where a prompt was due."""


class SipLoad:
    """`note` hears of each call as it ends. `stop` ends what is under way; those calls are not noted."""

    def __init__(self, plan: LoadPlan, note: Callable[[Placed], None]) -> None:
        self.plan, self._note = plan, note
        self.interrupted = 0
        self.ticks = self.late = 0
        self._stopping = asyncio.Event()
        self._ringing = asyncio.Semaphore(MOST_RINGING)
        self._phones: set[ListeningPhone] = set()

    def stop(self) -> None:
        self._stopping.set()

    @property
    def was_stopped(self) -> bool:
        return self._stopping.is_set()

    async def run(self) -> None:
        """Until every call is over, or `stop`: then those that ring are cancelled, and those that talk get a BYE."""
        bind = self.plan.bind
        self._endpoint = SipEndpoint(
            SipSettings((ListenAddress("udp", bind, 0), ListenAddress("tcp", bind, 0))), CallerHandler()
        )
        await self._endpoint.start()
        clock, calls = asyncio.create_task(self._tick()), asyncio.create_task(self._place_all())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((calls, stopping), return_when=asyncio.FIRST_COMPLETED)
            if calls.done():
                calls.result()
        finally:
            await _end(calls, stopping)
            await self._endpoint.stop()
            await _end(clock)

    async def _place_all(self) -> None:
        """No faster than `per_second`: a trunk drops what one source sends beyond its limit."""
        room, began = asyncio.Semaphore(self.plan.at_once), time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(self.plan.calls):
                await room.acquire()
                await asyncio.sleep(max(0.0, began + number / self.plan.per_second - time.monotonic()))
                call = group.create_task(self._place(number))
                call.add_done_callback(lambda _done: room.release())

    async def _place(self, number: int) -> None:
        placed, began = Placed(), time.monotonic()
        phone = await ListeningPhone.at(self.plan.bind)
        assert isinstance(phone, ListeningPhone)
        try:
            await self._talk(placed, phone, number)
        except PeerError as error:
            placed.problem = str(error)
        except asyncio.CancelledError:
            self.interrupted += 1
            raise
        finally:
            self._phones.discard(phone)
            phone.hang_up()
        placed.times_s.append(("whole call", time.monotonic() - began))
        self._note(placed)

    async def _talk(self, placed: Placed, phone: ListeningPhone, number: int) -> None:
        async with self._ringing:
            call = await self._ring(placed, phone, number)
        remote = call.remote
        law: Literal["ulaw", "alaw"] = "alaw" if remote.codecs[0].name == "PCMA" else "ulaw"
        phone.aim((remote.address, remote.port), CallerStream(law, telephone_event=remote.telephone_event))
        self._phones.add(phone)
        over = asyncio.create_task(call.until_over())
        try:
            await self._key_all(placed, phone, over)
        finally:
            await self._hang_up(call, over)

    async def _ring(self, placed: Placed, phone: ListeningPhone, number: int) -> OutgoingCall:
        began = time.monotonic()
        session = LocalSession(self.plan.bind, phone.address[1])
        identity = f"sip:+1556{number:07d}@{self.plan.bind}"
        caller = SipCaller(self._endpoint, identity=identity, credentials=self.plan.login)
        try:
            call = await caller.call(self.plan.uri, session, patience_s=ANSWER_S)
        except CallRefusedError as error:
            raise PeerError("no answer to INVITE" if error.status == 408 else str(error)) from None
        placed.times_s.append(("INVITE to 200", time.monotonic() - began))
        return call

    async def _key_all(self, placed: Placed, phone: ListeningPhone, over: "asyncio.Task[str]") -> None:
        began = time.monotonic()
        for place, entry in enumerate(self.plan.keys):
            placed.times_s.append((_waited_for(place, self.plan.keys), await _next_prompt(phone, over, began)))
            await self._before_keys(phone, over, entry)
            if over.done():
                raise Silence(f"the line hung up before entry {place + 1} of {len(self.plan.keys)}")
            phone.await_next()
            began = time.monotonic()
            if entry != "-":
                began = await self._press(phone, entry)
        placed.times_s.append(
            (_waited_for(len(self.plan.keys), self.plan.keys), await _next_prompt(phone, over, began))
        )

    async def _before_keys(self, phone: ListeningPhone, over: "asyncio.Task[str]", entry: str) -> None:
        if self.plan.barge_in and entry != "-":
            await asyncio.sleep(BARGE_IN_AFTER_S)
            return
        began = time.monotonic()
        while not over.done() and time.monotonic() - phone.last_s < QUIET_S:
            if time.monotonic() - began > MOST_PROMPT_S:
                raise Silence(f"a prompt that goes on for more than {MOST_PROMPT_S:.0f} s")
            await asyncio.sleep(LOOK_S)

    async def _press(self, phone: ListeningPhone, entry: str) -> float:
        """When the last key went down, by time.monotonic()."""
        inband = self.plan.method == "inband"
        if entry[:-1]:
            await phone.press(entry[:-1], inband=inband, tone_ms=TONE_MS, gap_ms=GAP_MS)
        phone.await_next()
        began = time.monotonic()
        await phone.press(entry[-1], inband=inband, tone_ms=TONE_MS, gap_ms=GAP_MS)
        return began

    async def _hang_up(self, call: OutgoingCall, over: "asyncio.Task[str]") -> None:
        """A task that is being cancelled leaves it to the endpoint, which ends all its calls at once."""
        if not over.done() and not self.was_stopped:
            await call.hang_up()
        over.cancel()

    async def _tick(self) -> None:
        """Every telephone sends its 20 ms."""
        due = time.monotonic()
        while True:
            for phone in list(self._phones):
                phone.tick()
            due += TICK_S
            self.ticks += 1
            self.late += time.monotonic() - due > LATE_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def _waited_for(place: int, keys: Sequence[str]) -> str:
    """The row of the table: after the answer, after keys, or after a prompt that was waited out."""
    if place == 0:
        return "200 to greeting"
    return "prompt to prompt" if keys[place - 1] == "-" else "key to prompt"


async def _next_prompt(phone: ListeningPhone, over: "asyncio.Task[str]", since_s: float) -> float:
    """Seconds from `since_s` to its first sound."""
    while not phone.next_began_s:
        if over.done():
            raise Silence("the line hung up where a prompt was due")
        if time.monotonic() - since_s > NO_PROMPT_S:
            heard = "silence" if phone.packets else "no RTP"
            raise Silence(f"no prompt within {NO_PROMPT_S:.0f} s, only {heard}")
        await asyncio.sleep(LOOK_S)
    return phone.next_began_s - since_s


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
