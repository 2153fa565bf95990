"""The same telephone for a draft of a flow: each call on a line of its own, whose store is in memory and whose bank is simulated.

A page asks for a ticket first, by a form of its session; the WebSocket that brings it, once and soon, is the call. So nothing
but whoever may write drafts can open one, and nothing that is really on record can be read or written by it.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, cast

import structlog

from ivr.channels.browser.call import BrowserCall, BrowserServices
from ivr.channels.browser.messages import Dial
from ivr.channels.browser.phone import PATH, AnsweringLine, Voices, new_browser_call, serve_call, services_of
from ivr.channels.browser.socket import Receive, Send, Socket
from ivr.errors import PeerError
from ivr.flow.compiled import Flow
from ivr.voice import VoiceName
from ivr.words.phrases import Prompts

log = structlog.get_logger("browser")
MOST_DRAFT_CALLS = 5  # each has threads, a store and a forwarder of its own
MOST_TICKETS = 20
TICKET_S = 60.0
WORK_S = 0.25  # how often a line's forwarder looks for work


@dataclass(frozen=True)
class DraftLine:
    """`work`: the forwarder takes what is due to the simulated bank; called again and again, in a thread."""

    answering: AnsweringLine
    work: Callable[[], None]


@dataclass(frozen=True)
class _Ticket:
    flow: Flow
    prompts: Prompts
    until_s: float


@dataclass
class DraftPhone:
    """An ASGI application for WebSockets. `origin`: of the page, as browsers write it; `make_line`: one for each call;
    `scripts` and `choices`: for the page, what it loads and what one click keys in."""

    origin: str
    voice: str
    cache: Path
    recordings: Path
    make_line: Callable[[Flow, Prompts], DraftLine]
    scripts: Path
    choices: Sequence[tuple[str, str, Mapping[str, str]]] = ()
    _tickets: dict[str, _Ticket] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _calls: int = 0

    def ring(self, flow: Flow, prompts: Prompts) -> str:
        """Where the WebSocket of a call to it is, once and within a minute."""
        secret, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            kept = [(key, one) for key, one in self._tickets.items() if one.until_s > now]
            self._tickets = dict(kept[-MOST_TICKETS + 1 :])
            self._tickets[secret] = _Ticket(flow, prompts, now + TICKET_S)
        return f"{PATH}/{secret}"

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await receive()  # the connection's own first message
        socket = Socket(receive, send)
        ticket, refusal = self._let_in(scope)
        if ticket is None:
            log.warning("refused", reason=refusal[1])
            await socket.refuse(*refusal)
            return
        self._calls += 1
        try:
            await self._serve(socket, ticket)
        finally:
            self._calls -= 1

    def _let_in(self, scope: Any) -> tuple[_Ticket | None, tuple[int, str]]:
        """The ticket, or with what to refuse it. A browser holds no WebSocket to one origin."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("origin") != self.origin:
            return None, (403, "Origin must be this page's own\n")
        if self._calls >= MOST_DRAFT_CALLS:
            return None, (503, f"{MOST_DRAFT_CALLS} calls are in progress: hang up one of them\n")
        with self._lock:
            ticket = self._tickets.pop(scope["path"].removeprefix(f"{PATH}/"), None)
        if ticket is None or ticket.until_s <= time.monotonic():
            return None, (403, "the page asks for another ticket with each call\n")
        return ticket, (200, "")

    async def _serve(self, socket: Socket, ticket: _Ticket) -> None:
        with_threads = partial(ThreadPoolExecutor, thread_name_prefix="draft")
        pools = with_threads(2), with_threads(1), with_threads(1)
        try:
            line, lines = await self._made(ticket, *pools)
        except Exception as fault:
            # The bank's simulator finds no port, or the voice that was asked for is not installed.
            log.error("fault", kind=type(fault).__name__)
            await socket.refuse(503, "no line could be made for the call\n")
        else:
            await socket.accept()  # from here on the page sends audio, whose time is counted
            await self._talk(socket, ticket, lines, asyncio.create_task(self._forward(line, pools[1])))
        finally:
            for pool in pools:
                pool.shutdown(wait=False)

    async def _made(
        self, ticket: _Ticket, blocking: Executor, working: Executor, speaking: Executor
    ) -> tuple[DraftLine, Mapping[str, BrowserServices]]:
        loop = asyncio.get_running_loop()
        line = await loop.run_in_executor(working, self.make_line, ticket.flow, ticket.prompts)
        voices = Voices(self.cache, self.recordings, cast(VoiceName, self.voice), speaking)
        return line, await loop.run_in_executor(blocking, services_of, line.answering, voices, blocking)

    async def _talk(
        self,
        socket: Socket,
        ticket: _Ticket,
        lines: Mapping[str, BrowserServices],
        forwarding: "asyncio.Task[None]",
    ) -> None:
        def call_of(asked: Dial) -> BrowserCall:
            if asked.flow != ticket.flow.name:
                raise PeerError("the ticket is for another flow")
            return new_browser_call(lines, ticket.flow, asked, socket)

        try:
            await serve_call(socket, call_of)
        finally:
            forwarding.cancel()

    async def _forward(self, line: DraftLine, working: Executor) -> None:
        while True:
            await asyncio.get_running_loop().run_in_executor(working, line.work)
            await asyncio.sleep(WORK_S)
