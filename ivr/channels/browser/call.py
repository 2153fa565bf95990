"""One call from a page: the conversation in the middle, the page's frames and keys in, what happens out."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Final

from ivr.calls import note_fault
from ivr.channels.browser.audio_port import FRAME_S, BrowserAudioPort, Captions
from ivr.channels.browser.messages import HangUpMessage, PressMessage, read_message
from ivr.channels.browser.record import Record
from ivr.channels.browser.socket import Socket, SocketClosed
from ivr.channels.browser.tone_reader import FRAME, KeyToneDown, ToneReader
from ivr.channels.line import CallerGone, Conversation, KeyPressed, Services
from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.errors import PeerError
from ivr.flow.compiled import Flow
from ivr.flow.way import way_between
from ivr.store import Store

LOOK_S: Final = 0.25
SETTLE_S: Final = 180.0  # an inquiry and a reversal take less; what is open after it is on the page of calls
LONGEST_CALL_S: Final = 1800.0
# Of audio that came before its time: a page in the background sends a second's frames at once.
MOST_AHEAD_S: Final = 5.0
# Digits in a row that are shown: more of them may be a card number at the wrong question, of which six are public (BIN).
MOST_SHOWN: Final = 6
DOT: Final = "•"


@dataclass(frozen=True)
class BrowserServices:
    """What all browser calls share. `services` are those of its conversations; their clips are captioned for each call."""

    services: Services
    store: Store
    blocking: Executor
    words: Callable[[Phrase], str]


class BrowserCall:
    def __init__(self, line: BrowserServices, flow: Flow, call: Call, socket: Socket) -> None:
        self._line, self._flow, self._socket = line, flow, socket
        self._began_s = time.monotonic()
        self._tone_reader = ToneReader()
        captions = Captions(line.words)
        self._audio_port = BrowserAudioPort(captions, self._tone_reader, socket.frame, self._say)
        services = replace(
            line.services,
            clips=captions.of(line.services.clips),
            tones=captions.of(line.services.tones),
            watch=self._note,
        )
        self._conversation = Conversation(services, self._audio_port, call)
        self._audio_port.tell = self._conversation.tell
        self._record = Record(line.store, call.id)
        self._step = ""
        self._digits_in_row = self._frames = 0
        self._last_key_s = self._began_s

    async def run(self) -> None:
        """Until the call is over and its money settled, or the page is gone. PeerError where the page breaks the rules."""
        call = self._conversation.call
        self._say("call", id=call.id, flow=call.flow, caller=call.ani or "withheld")
        listening = asyncio.create_task(self._listen())
        beside = [
            asyncio.create_task(work) for work in (self._audio_port.speak(), self._socket.pump(), self._watch_record())
        ]
        talking = asyncio.create_task(self._conversation.run())
        try:
            await asyncio.wait([talking, listening], timeout=LONGEST_CALL_S, return_when=asyncio.FIRST_COMPLETED)
            self._conversation.tell(CallerGone("the page is gone, or half an hour is over"))
            await talking
            await self._settle(listening, beside[-1])
        finally:
            self._tone_reader.close()
            for task in (listening, talking, *beside):
                task.cancel()
            ended = await asyncio.gather(listening, talking, *beside, return_exceptions=True)
            for fault in ended[2:]:
                if isinstance(fault, Exception) and not self._socket.is_closed:
                    note_fault(call.id, fault)

    async def _settle(self, listening: "asyncio.Task[None]", recording: "asyncio.Task[None]") -> None:
        if not listening.done():
            await asyncio.wait([listening, recording], timeout=SETTLE_S, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()  # a broken rule is the reason for closing

    # ---- what comes from the page

    async def _listen(self) -> None:
        """Until the caller hangs up or the connection ends. After that only its end is waited for."""
        while True:
            try:
                heard = await self._socket.hear()
            except SocketClosed:
                return
            if isinstance(heard, bytes):
                self._take_frame(heard)
                continue
            match read_message(heard):
                case PressMessage(key=key):
                    self._take_key(key)
                case HangUpMessage():
                    self._conversation.tell(CallerGone("caller hung up"))
                case _:
                    raise PeerError("this connection has its call: open another for a second one")

    def _take_frame(self, audio: bytes) -> None:
        self._frames += 1
        if self._frames * FRAME_S > time.monotonic() - self._began_s + MOST_AHEAD_S:
            raise PeerError(f"audio comes faster than it sounds: one frame of {FRAME} bytes is 20 ms")
        for tone in self._tone_reader.hear(audio):
            if isinstance(tone, KeyToneDown):
                self._take_key(tone.key)
            else:
                self._say("tone", lasted_ms=tone.lasted_ms)

    def _take_key(self, key: str) -> None:
        self._last_key_s = time.monotonic()
        self._digits_in_row = self._digits_in_row + 1 if key.isdigit() else 0
        asked = self._conversation.asked
        if asked is not None and asked.sensitive:
            self._digits_in_row = 0  # none of them is shown
        is_plain = asked is not None and not asked.sensitive and self._digits_in_row <= MOST_SHOWN
        self._say("heard", key=key if is_plain else DOT)
        self._audio_port.key_pressed()
        self._conversation.tell(KeyPressed(key))

    # ---- what goes to the page

    def _say(self, kind: str, **more: object) -> None:
        self._socket.say(kind, round((time.monotonic() - self._began_s) * 1000), **more)

    def _note(self, call: Call) -> None:
        """The conversation's every turn."""
        took_ms = round((time.monotonic() - self._last_key_s) * 1000, 1)
        way = way_between(self._flow, self._step, call.step) if call.step else ()
        self._say("step", step=call.step, phase=call.phase, way=way, took_ms=took_ms, language=call.language)
        if call.step and call.step != self._step:
            self._step, self._digits_in_row = call.step, 0
        asked = self._conversation.asked
        if asked is not None:
            self._say("asks", field=asked.field, sensitive=asked.sensitive)
        if call.phase == "over":
            self._say("over", outcome=call.outcome, hung_up=call.hung_up, transferred_to=call.transferred_to)

    async def _watch_record(self) -> None:
        """Ends when the call is over and no charge of it is open. A database that is away is asked again."""
        loop = asyncio.get_running_loop()
        while True:
            call = self._conversation.call
            try:
                news, is_settled = await loop.run_in_executor(self._line.blocking, self._record.look, call)
            except Exception as fault:
                note_fault(call.id, fault)
                news, is_settled = [], False
            for kind, more in news:
                self._say(kind, **more)
            if is_settled:
                return
            await asyncio.sleep(LOOK_S)
