"""One WebSocket, as ASGI gives it: what comes in, and a queue of what goes out that no slow page can fill our memory by."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
MOST_UNSENT_FRAMES = 100  # two seconds of audio: a page that is further behind hears gaps
MOST_UNSENT = 1_000  # messages; a page that reads none of them is found dead by uvicorn's pings
LONGEST_REASON = 120  # bytes; RFC 6455 5.5: a control frame has 125, two of which are the code
POLICY_VIOLATION, GOING_AWAY, NORMAL, FAULT = 1008, 1001, 1000, 1011


class SocketClosed(Exception):
    """The page has closed the connection, or it broke."""


class Socket:
    """`frame` and `say` never wait; `pump` sends for as long as it runs."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._unsent: deque[Message] = deque()
        self._frames = 0
        self._has_some = asyncio.Event()
        self.is_closed = False

    # ---- opening and closing

    async def refuse(self, status: int, words: str) -> None:
        """Before it is accepted: an ordinary HTTP answer."""
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await self._send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": words.encode(), "more_body": False})

    async def accept(self) -> None:
        await self._send({"type": "websocket.accept"})

    async def close(self, code: int, reason: str) -> None:
        """After what is still unsent. Nothing happens the second time, or where the other side has closed."""
        if self.is_closed:
            return
        self.is_closed = True
        while self._unsent:
            await self._send(self._unsent.popleft())
        short = reason.encode()[:LONGEST_REASON].decode("utf-8", "ignore")
        await self._send({"type": "websocket.close", "code": code, "reason": short})

    # ---- in

    async def hear(self) -> str | bytes:
        """The next message. SocketClosed where there will be none."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self.is_closed = True
            raise SocketClosed
        text = message.get("text")
        return text if text is not None else bytes(message["bytes"])

    # ---- out

    def frame(self, audio: bytes) -> None:
        if self._frames < MOST_UNSENT_FRAMES:
            self._frames += 1
            self._put({"type": "websocket.send", "bytes": audio})

    def say(self, kind: str, at_ms: int, **more: object) -> None:
        self._put({"type": "websocket.send", "text": json.dumps({"is": kind, "at": at_ms} | more)})

    async def pump(self) -> None:
        while True:
            await self._has_some.wait()
            self._has_some.clear()
            while self._unsent:
                message = self._unsent.popleft()
                self._frames -= "bytes" in message
                await self._send(message)

    def _put(self, message: Message) -> None:
        if not self.is_closed and len(self._unsent) <= MOST_UNSENT:
            self._unsent.append(message)
            self._has_some.set()
