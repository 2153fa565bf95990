"""The WebSocket that the page opens: who may, how many at once, and which call it becomes; the call is in `call`."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, cast

import structlog

from ivr.calls import new_call
from ivr.calls.assembly import Engine
from ivr.channels.browser.call import BrowserCall, BrowserServices
from ivr.channels.browser.messages import Dial, read_message
from ivr.channels.browser.socket import FAULT, NORMAL, POLICY_VIOLATION, Receive, Send, Socket, SocketClosed
from ivr.channels.line import Services
from ivr.core.actions import Phrase
from ivr.errors import PeerError
from ivr.voice import Renderer, VoiceName

log = structlog.get_logger("browser")
PATH = "/phone"
MOST_CALLS = 20
DIAL_S = 10.0
BLOCKING_THREADS = 4
DNIS = "browser"

IsLocal = Callable[[str, Mapping[str, str]], bool]  # the other side's address, and its headers in small letters


class BrowserPhone:
    """An ASGI application for WebSockets. `is_local`: whether the page's visitor may be served at all."""

    def __init__(self, engine: Engine, var: Path, recordings: Path, voice: str, is_local: IsLocal) -> None:
        self._engine, self._is_local = engine, is_local
        self._calls = 0
        blocking = ThreadPoolExecutor(BLOCKING_THREADS, thread_name_prefix="phone")
        speaking = ThreadPoolExecutor(1, thread_name_prefix="voice")
        made = {
            name: Renderer(
                engine.prompts, var / "voice", recordings, cast(VoiceName, name), prompts_of=engine.prompts_of
            )
            for name in (voice, "tones")
        }
        tones = made["tones"].clips
        self._lines = {
            kind: BrowserServices(
                Services(engine.runner, engine.store, made[name].clips, blocking, speaking, tones=tones),
                *(engine.store, blocking, self._words),
            )
            for kind, name in (("words", voice), ("tones", "tones"))
        }

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
        try:
            call = await self._dialled(socket)
            await call.run()
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

    async def _dialled(self, socket: Socket) -> BrowserCall:
        try:
            async with asyncio.timeout(DIAL_S):
                first = await socket.hear()
        except TimeoutError:
            raise PeerError(f"no call was asked for within {DIAL_S:.0f} s") from None
        asked = read_message(first) if isinstance(first, str) else None
        if not isinstance(asked, Dial):
            raise PeerError('the first message must be {"do": "call", ...}')
        flow = self._engine.flows.get(asked.flow)
        if flow is None:
            raise PeerError(f"there is no such flow; there are {', '.join(sorted(self._engine.flows))}")
        call = new_call(f"BR{secrets.token_hex(16)}", flow, ani=asked.ani, dnis=DNIS, channel="browser")
        kind: Literal["words", "tones"] = flow.head.voice
        return BrowserCall(self._lines[kind], flow, call, socket)

    def _words(self, phrase: Phrase) -> str:
        return self._engine.words(phrase)
