"""The WebSocket that the page opens: who may, how many at once, and which call it becomes; the call is in `call`."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import structlog

from ivr.calls import Runner, new_call
from ivr.calls.assembly import Engine
from ivr.channels.browser.call import BrowserCall, BrowserServices
from ivr.channels.browser.messages import Dial, read_message
from ivr.channels.browser.socket import FAULT, NORMAL, POLICY_VIOLATION, Receive, Send, Socket, SocketClosed
from ivr.channels.line import Services
from ivr.core.actions import Phrase
from ivr.errors import PeerError
from ivr.flow.compiled import Flow
from ivr.store import Store
from ivr.voice import Renderer, VoiceName
from ivr.words.phrases import Prompts

log = structlog.get_logger("browser")
PATH = "/phone"
MOST_CALLS = 20
DIAL_S = 10.0
BLOCKING_THREADS = 4
DNIS = "browser"
TONES: Final = "tones"

IsLocal = Callable[[str, Mapping[str, str]], bool]  # the other side's address, and its headers in small letters


class BrowserPhone:
    """An ASGI application for WebSockets. `is_local`: whether the page's visitor may be served at all."""

    def __init__(self, engine: Engine, var: Path, recordings: Path, voice: str, is_local: IsLocal) -> None:
        self._engine, self._is_local = engine, is_local
        self._calls = 0
        voices = Voices(var / "voice", recordings, cast(VoiceName, voice), ThreadPoolExecutor(1, "voice"))
        blocking = ThreadPoolExecutor(BLOCKING_THREADS, thread_name_prefix="phone")
        line = AnsweringLine(engine.runner, engine.store, engine.prompts, engine.words, engine.prompts_of)
        self._lines = services_of(line, voices, blocking)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await receive()  # the connection's own first message
        socket = Socket(receive, send)
        refusal = self._refusal(scope)
        if refusal:
            log.warning("refused", reason=refusal[1])
            await socket.refuse(*refusal)
            return
        await socket.accept()
        self._calls += 1
        try:
            await self._serve(socket)
        finally:
            self._calls -= 1

    def _refusal(self, scope: Any) -> tuple[int, str] | None:
        """A WebSocket is not held to one origin by the browser: another site's page could open it, with our cookies."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_local(scope["client"][0] if scope["client"] else "", headers):
            return 403, "the phone is for the machine itself only\n"
        if headers.get("origin") != f"http://{headers.get('host', '')}":
            return 403, "Origin must be this page's own\n"
        if scope["path"] != PATH:
            return 404, f"the phone is at {PATH}\n"
        if self._calls >= MOST_CALLS:
            return 503, f"{MOST_CALLS} calls are in progress: hang up one of them\n"
        return None

    async def _serve(self, socket: Socket) -> None:
        await serve_call(socket, lambda asked: self._call(asked, socket))

    def _call(self, asked: Dial, socket: Socket) -> BrowserCall:
        flow = self._engine.flows.get(asked.flow)
        if flow is None:
            raise PeerError(f"there is no such flow; there are {', '.join(sorted(self._engine.flows))}")
        return new_browser_call(self._lines, flow, asked, socket)


@dataclass(frozen=True)
class Voices:
    """Where clips are kept and recordings are, and the voice; `speaking` is the thread that makes them."""

    cache: Path
    recordings: Path
    voice: VoiceName
    speaking: Executor


@dataclass(frozen=True)
class AnsweringLine:
    """What answers calls of a page: the product's own parts."""

    runner: Runner
    store: Store
    prompts: Prompts
    words: Callable[[Phrase], str]
    prompts_of: Callable[[str], Prompts] | None = None


def services_of(line: AnsweringLine, voices: Voices, blocking: Executor) -> Mapping[str, BrowserServices]:
    """By the voice that a flow asks for, words or tones."""
    made: dict[VoiceName, Renderer] = {
        name: Renderer(line.prompts, voices.cache, voices.recordings, name, prompts_of=line.prompts_of)
        for name in (voices.voice, TONES)
    }
    tones = made[TONES].clips
    return {
        kind: BrowserServices(
            Services(line.runner, line.store, made[name].clips, blocking, voices.speaking, tones=tones),
            *(line.store, blocking, line.words),
        )
        for kind, name in (("words", voices.voice), ("tones", TONES))
    }


def new_browser_call(lines: Mapping[str, BrowserServices], flow: Flow, asked: Dial, socket: Socket) -> BrowserCall:
    call = new_call(f"BR{secrets.token_hex(16)}", flow, ani=asked.ani, dnis=DNIS, channel="browser")
    return BrowserCall(lines[flow.head.voice], flow, call, socket)


async def serve_call(socket: Socket, call_of: Callable[[Dial], BrowserCall]) -> None:
    """One call, to its end; the page is told why where it broke a rule."""
    try:
        await call_of(await dialled(socket)).run()
        await socket.close(NORMAL, "the call is over")
    except SocketClosed:
        pass
    except PeerError as error:
        log.warning("closed", reason=str(error))
        await socket.close(POLICY_VIOLATION, str(error))
    except Exception as fault:
        # The type alone: a message may quote what was sent.
        log.error("fault", kind=type(fault).__name__)
        await socket.close(FAULT, "something of ours broke: call again")


async def dialled(socket: Socket) -> Dial:
    try:
        async with asyncio.timeout(DIAL_S):
            first = await socket.hear()
    except TimeoutError:
        raise PeerError(f"no call was asked for within {DIAL_S:.0f} s") from None
    asked = read_message(first) if isinstance(first, str) else None
    if not isinstance(asked, Dial):
        raise PeerError('the first message must be {"do": "call", ...}')
    return asked
