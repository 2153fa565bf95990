"""One call on a line of our own: what is heard becomes events, actions become audio, timers and a hang-up; no decisions."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ivr.calls import Answered, CallService, CallStore, Runner, note_fault
from ivr.channels.line.audio_port import AudioPort, CallerGone, Heard, KeyPressed, PersonRang, Silent, TimerFired
from ivr.channels.line.entry_buffer import EntryBuffer
from ivr.core.actions import ChannelAction, Collect, HangUp, Phrase, Speak, Transfer, Wait
from ivr.core.call import Call
from ivr.core.events import Event, KeysEntered, NoInput, TransferEnded, Waited

Result = TypeVar("Result")
LOOK_S = 0.25  # how often a call on hold looks whether the bank has answered
# Of the event loop: a key that has reached this process while the database worked is in the queue by then.
TURNS = 4


class Timer(Protocol):
    def cancel(self) -> None: ...


class EventClock(Protocol):
    """What a conversation counts its seconds by; an event loop is one."""

    def time(self) -> float:
        """Seconds since some moment."""
        ...

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer: ...


@dataclass(frozen=True)
class Services:
    """What all conversations of a process use. `blocking` runs what touches the database, `voice` what makes clips.

    `tones` stands in for a phrase whose clips cannot be made; a test has `timers` of its own, which it runs out by hand.
    """

    runner: Runner
    store: CallStore
    clips: Callable[[Phrase], Sequence[Path]]
    blocking: Executor
    voice: Executor
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    watch: Callable[[Call], None] = lambda _call: None
    tones: Callable[[Phrase], Sequence[Path]] = lambda _phrase: ()
    timers: Callable[[], EventClock] = asyncio.get_running_loop

    @cached_property
    def service(self) -> CallService:
        return CallService(self.runner, self.store, now=self.now)


class Conversation:
    """`tell` may be called from the event loop at any time; `run` lives as long as the call."""

    def __init__(self, services: Services, audio_port: AudioPort, call: Call) -> None:
        self._services, self._audio_port = services, audio_port
        self.call = call
        self._session = services.service.session(call.id)
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._keys = EntryBuffer()
        self._collect: Collect | None = None
        self._after_silence: ChannelAction | None = None
        self._playing = 0
        self._timer: Timer | None = None
        self._timer_number = 0
        self._held_until_s = 0.0
        self._has_failed = False

    @property
    def is_playing(self) -> bool:
        """Whether a prompt has begun, and nobody has said that it is over."""
        return bool(self._playing)

    def tell(self, heard: Heard) -> None:
        self._heard.put_nowait(heard)

    async def run(self) -> None:
        """From the greeting to the end, however it comes; afterwards no key is left in any buffer."""
        try:
            await self._safely(self._begin())
            while not self._is_over:
                await self._safely(self._take(await self._heard.get()))
        finally:
            self._stop_timer()
            self._keys.wipe()
            await self._audio_port.wipe()

    @property
    def asked(self) -> Collect | None:
        """The entry that is being collected; None on hold, while an event is handled, and at the end."""
        return self._collect

    @property
    def is_keying(self) -> bool:
        """Keys have come of an entry that is not complete."""
        return self._collect is not None and bool(self._keys)

    @property
    def _is_over(self) -> bool:
        return self.call.phase == "over" and self._after_silence is None and self._collect is None

    async def _begin(self) -> None:
        self._began, self._began_s = self._services.now(), self._time()
        await self._follow(await self._blocking(partial(self._session.begin, self.call)))

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """Whatever breaks, the caller hears how their charge stands; what breaks while that is said is the end of it."""
        try:
            await work
        except Exception as fault:
            if self._has_failed:
                raise
            self._has_failed = True
            note_fault(self.call.id, fault)
            self._stop_timer()
            is_new = not self.call.attempt
            await self._follow(await self._blocking(partial(self._session.fault, is_new=is_new)))

    # ---- what is heard

    async def _take(self, heard: Heard) -> None:
        match heard:
            case KeyPressed(key):
                await self._take_key(key)
            case Silent(play) if play == self._playing:
                await self._prompt_over()
            case PersonRang(is_connected):
                await self._happen(TransferEnded(self._now(), is_connected))
            case TimerFired(number) if number == self._timer_number:
                await self._timer_over()
            case CallerGone():
                await self._caller_gone()

    async def _take_key(self, key: str) -> None:
        if self._collect is None:
            # On hold or on the way out there is nothing to type ahead to: impatience must not skip what is said next.
            if self._keeps_keys:
                self._keys.add(key)
            return
        self._keys.add(key)
        entry = self._keys.take_entry(self._collect)
        if entry is not None:
            await self._happen(KeysEntered(self._now(), entry))
        elif self._keys:
            self._set_timer(self._collect.inter_digit_timeout_s)

    async def _prompt_over(self) -> None:
        has_played, self._playing = bool(self._playing), 0
        following, self._after_silence = self._after_silence, None
        match following:
            case Wait(seconds):
                self._after_silence = following
                self._held_until_s = self._time() + seconds
                # The words were pause enough for the bank to have answered; without any a look at once is one too many.
                if has_played:
                    await self._hold()
                else:
                    self._look_later()
            case Transfer(number):
                await self._audio_port.transfer(number)
            case HangUp():
                await self._audio_port.hang_up()
            case _ if self._collect is not None:
                begun = bool(self._keys)  # typed ahead of the prompt
                self._set_timer(self._collect.inter_digit_timeout_s if begun else self._collect.first_key_timeout_s)

    async def _timer_over(self) -> None:
        if self._collect is None:
            await self._hold()
        elif self._keys:
            await self._happen(KeysEntered(self._now(), self._keys.take_all(), timed_out=True))
        else:
            await self._happen(NoInput(self._now()))

    async def _hold(self) -> None:
        """The bank's answer ends it, or its time."""
        is_over = self._time() >= self._held_until_s
        if is_over or await self._blocking(partial(self._services.runner.is_answered, self.call, self._now())):
            self._after_silence = None
            await self._happen(Waited(self._now()))
        else:
            self._look_later()

    def _look_later(self) -> None:
        self._set_timer(min(LOOK_S, max(0.0, self._held_until_s - self._time())))

    async def _caller_gone(self) -> None:
        self._collect = self._after_silence = None
        self._stop_timer()
        if self.call.phase == "over":
            return
        self.call = replace(self.call, phase="over", hung_up=True)
        try:
            await self._blocking(self._session.hang_up)
            self.call = self._session.call or self.call
        except Exception as fault:
            # The database is away. Nobody is there to be told, and the sweeper ends the call on record.
            note_fault(self.call.id, fault)
        self._services.watch(self.call)

    # ---- what follows

    async def _happen(self, event: Event) -> None:
        """No key is lost meanwhile: what is pressed while the database works waits in the queue."""
        self._stop_timer()
        sensitive = self._collect is not None and self._collect.sensitive
        self._collect = None
        try:
            answered = await self._blocking(partial(self._session.hear, event))
            for _ in range(TURNS):
                await asyncio.sleep(0)
        finally:
            if sensitive:
                await self._audio_port.wipe()
        await self._follow(answered)

    async def _follow(self, answered: Answered) -> None:
        self.call = answered.call
        phrases = [phrase for action in answered.actions if isinstance(action, Speak) for phrase in action.phrases]
        last = answered.actions[-1] if answered.actions else HangUp()
        self._collect = last if isinstance(last, Collect) else None
        self._after_silence = last if isinstance(last, (Wait, Transfer, HangUp)) else None
        self._services.watch(self.call)
        self._take_waiting_keys()
        await self._speak(phrases)

    @property
    def _keeps_keys(self) -> bool:
        """While a bill is looked up keys are type-ahead, as at any question that a caller knows."""
        return isinstance(self._after_silence, Wait) and self._after_silence.keep_keys

    def _take_waiting_keys(self) -> None:
        """What was pressed while the database worked was pressed before what is said now: it is type-ahead, or flushed."""
        for _ in range(self._heard.qsize()):
            heard = self._heard.get_nowait()
            if isinstance(heard, KeyPressed):
                self._keys.add(heard.key)
            else:
                self._heard.put_nowait(heard)
        if self._collect.flush if self._collect is not None else not self._keeps_keys:
            self._keys.wipe()

    async def _speak(self, phrases: Sequence[Phrase]) -> None:
        """A caller who has typed ahead is not made to listen first."""
        if self._collect is not None and self._keys and (entry := self._keys.take_entry(self._collect)) is not None:
            await self._happen(KeysEntered(self._now(), entry))
            return
        clips = await self._clips(phrases)
        if not clips:
            await self._prompt_over()
            return
        self._playing = await self._audio_port.play(clips, barge_in=self._collect is not None)

    async def _clips(self, phrases: Sequence[Phrase]) -> list[Path]:
        """Once something has failed, every phrase by itself: a clip that cannot be made takes no other with it."""
        made = self._clip_or_tone if self._has_failed else self._services.clips
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._services.voice, lambda: [made(phrase) for phrase in phrases])
        return [clip for clips in found for clip in clips]

    def _clip_or_tone(self, phrase: Phrase) -> Sequence[Path]:
        for make in (self._services.clips, self._services.tones):
            try:
                return make(phrase)
            except Exception as fault:
                note_fault(self.call.id, fault)
        return ()

    async def _blocking(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._services.blocking, work)

    def _now(self) -> datetime:
        """The time by the clock at the call's beginning, counted on: a wall clock that is set meanwhile ends no wait."""
        return self._began + timedelta(seconds=self._time() - self._began_s)

    def _time(self) -> float:
        return self._services.timers().time()

    # ---- one timer at a time

    def _set_timer(self, seconds: float) -> None:
        self._stop_timer()
        number = self._timer_number
        self._timer = self._services.timers().call_later(seconds, lambda: self.tell(TimerFired(number)))

    def _stop_timer(self) -> None:
        self._timer_number += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
