"""A call at the conversation's boundary: an audio port that plays in virtual time, and the caller who hears it and presses keys."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ivr.calls import new_call
from ivr.channels.line import CallerGone, Conversation, Heard, KeyPressed, Services, Silent
from ivr.channels.simulator.local import START
from ivr.core.actions import Phrase
from tests.benches import Bench
from tests.phone.sip.network import run_virtually

PROMPT_S = 2.0  # every prompt of the fake audio port lasts this long
ANI = "+15550100"


class AtOnce(Executor):
    """Runs what it is given on the spot: virtual time knows no threads."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **more))
        except Exception as error:
            done.set_exception(error)
        return done


@dataclass
class FakeAudioPort:
    """Plays by the loop's clock and remembers what was asked of it, in order."""

    tell: Callable[[Heard], None] = lambda _heard: None
    log: list[str] = field(default_factory=list)
    plays: int = 0
    barge_in: bool = False
    wiped: int = 0
    playing: asyncio.TimerHandle | None = None

    async def play(self, clips: Sequence[Path], *, barge_in: bool) -> int:
        self.stop()
        self.plays, self.barge_in = self.plays + 1, barge_in
        self.log += [clip.name for clip in clips]
        play = self.plays
        self.playing = asyncio.get_running_loop().call_later(PROMPT_S * len(clips), lambda: self._over(play))
        return play

    async def wipe(self) -> None:
        self.wiped += 1
        self.log.append("(wiped)")

    async def transfer(self, number: str) -> None:
        self.log.append(f"(transfer to {number})")

    async def hang_up(self) -> None:
        self.stop()
        self.log.append("(hung up)")

    def stop(self) -> bool:
        """True when something was playing."""
        playing, self.playing = self.playing, None
        if playing is not None:
            playing.cancel()
        return playing is not None

    def _over(self, play: int) -> None:
        self.playing = None
        self.tell(Silent(play))


@dataclass
class Caller:
    """The person at the phone; `hears` and `press` take virtual time and no other."""

    bench: Bench
    audio_port: FakeAudioPort
    conversation: Conversation
    heard: int = 0

    async def hears(self, prompt: str, within_s: float = 60) -> None:
        """Waits for a prompt to begin."""
        async with asyncio.timeout(within_s):
            while prompt not in self.audio_port.log[self.heard :]:
                await asyncio.sleep(0.05)
        self.heard += self.audio_port.log[self.heard :].index(prompt) + 1

    async def hears_out(self, prompt: str) -> None:
        """Waits for a prompt and for the silence after it."""
        await self.hears(prompt)
        while self.audio_port.playing is not None:
            await asyncio.sleep(0.05)

    async def press(self, keys: str, gap_s: float = 0.3) -> None:
        for key in keys:
            if self.audio_port.barge_in and self.audio_port.stop():
                self.audio_port.tell(Silent(self.audio_port.plays))
            self.audio_port.tell(KeyPressed(key))
            await asyncio.sleep(gap_s)

    async def answers(self, prompt: str, keys: str) -> None:
        await self.hears(prompt)
        await self.press(keys)

    async def hangs_up(self) -> None:
        self.audio_port.stop()
        self.audio_port.tell(CallerGone("caller hung up"))
        await asyncio.sleep(0.5)

    @property
    def prompts(self) -> list[str]:
        return [what for what in self.audio_port.log if not what.startswith("(")]


Scene = Callable[[Caller], Coroutine[Any, Any, None]]


def ring(
    bench: Bench, scene: Scene, *, most_s: float = 600, forwards: bool = True, services: Services | None = None
) -> Caller:
    """A call from its greeting until `scene` is over and the conversation has ended. Without `forwards` the scene does
    the forwarder's work."""
    call = new_call("SIPtest", bench.workbench.flow, ani=ANI, dnis="pay", channel="sip")
    audio_port = FakeAudioPort()
    conversation = Conversation(services or services_of(bench), audio_port, call)
    audio_port.tell = conversation.tell
    caller = Caller(bench, audio_port, conversation)

    async def body() -> None:
        forwarder = asyncio.create_task(forward(bench) if forwards else asyncio.sleep(0))
        talking = asyncio.create_task(conversation.run())
        try:
            async with asyncio.timeout(most_s):
                await scene(caller)
                await talking
            bench.workbench.work()
        finally:
            for task in (forwarder, talking):
                task.cancel()
            await asyncio.gather(forwarder, talking, return_exceptions=True)

    run_virtually(body())
    return caller


def services_of(bench: Bench) -> Services:
    workbench = bench.workbench

    def now() -> datetime:
        workbench.clock.now = START + timedelta(seconds=asyncio.get_running_loop().time())
        return workbench.clock.now

    def clips(phrase: Phrase) -> list[Path]:
        return [Path(phrase.name)]

    return Services(workbench.runner, workbench.store, clips, AtOnce(), AtOnce(), now=now)


async def forward(bench: Bench) -> None:
    """The forwarder's turns, while the line holds."""
    while True:
        await asyncio.sleep(1)
        bench.workbench.clock.now = START + timedelta(seconds=asyncio.get_running_loop().time())
        bench.workbench.work()


async def keys_a_card(caller: Caller, pan: str = "4111111111111111#") -> None:
    """From the greeting to the question whether all is right."""
    await caller.answers("choose_language", "1")
    await caller.answers("enter_account_number", "12345678#")
    await caller.answers("pay_another_amount", "1")
    await caller.answers("enter_card_number", pan)
    await caller.answers("enter_expiry", "1230")
    await caller.answers("enter_security_code", "123")
    await caller.answers("enter_postal_code", "94105")
    await caller.hears("confirm_card")
