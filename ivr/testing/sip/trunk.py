"""A trunk in this process: SIP endpoint, call handler and media worker as in production, on free ports of loopback, in a thread."""

import asyncio
import atexit
import functools
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path
from typing import Any, TypeVar

from ivr.channels.trunk.call_handler import Route, TrunkCallHandler
from ivr.channels.trunk.prompt_cache import PromptCache
from ivr.errors import PeerError
from ivr.phone.rtp import MediaClient, MediaSettings
from ivr.phone.sip import CallerHandler, ListenAddress, SipEndpoint, SipSettings, SourceLimits

Result = TypeVar("Result")
HOST, DNIS = "127.0.0.1", "+15550199"
MOST_CALLS = 64
MOST_S = 180.0  # of real time, for anything that is asked of the trunk's thread: the machine may be busy
ANYTHING = 1_000_000  # limits that only strangers need


class SipTrunk:
    """`run` has something done in the trunk's thread. The media worker may end with this process, and no later."""

    def __init__(self) -> None:
        self.routes: dict[str, Route | None] = {}
        self.handler = TrunkCallHandler(self.routes, HOST, MOST_CALLS)
        self.folder = Path(tempfile.mkdtemp(prefix="tonetill-sip-"))
        # One thread: as in-process, a test's calls take their turns at the store.
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="sip-calls")
        self.ringing = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sip-trunk", daemon=True)
        self._thread.start()
        self.run(self._start())

    @property
    def uri(self) -> str:
        return f"sip:{DNIS}@{HOST}:{dict(self.handler.endpoint.listening)['udp'][1]}"

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """PeerError where it takes too long."""
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return done.result(MOST_S)
        except TooLate:
            done.cancel()
            raise PeerError(f"the trunk on loopback did nothing for {MOST_S:.0f} s") from None

    def close(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(MOST_S)
        self.pool.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _start(self) -> None:
        limits = SourceLimits(
            messages_per_s=ANYTHING,
            messages_burst=ANYTHING,
            invites_per_s=ANYTHING,
            invites_burst=ANYTHING,
            calls=MOST_CALLS,
        )
        here = (ListenAddress("udp", HOST, 0),)
        self.handler.endpoint = SipEndpoint(SipSettings(here, limits=limits, session_expires_s=0), self.handler)
        self.phones = SipEndpoint(SipSettings(here, limits=limits, session_expires_s=0), CallerHandler())
        media = MediaSettings(HOST, ports=4, calls=MOST_CALLS, realtime=False)
        self.handler.media = MediaClient(media, self.handler.heard)
        self.handler.clips = PromptCache(self.handler.media)
        await self.handler.media.start()
        await self.handler.endpoint.start()
        await self.phones.start()

    async def _stop(self) -> None:
        await self.phones.stop()
        await self.handler.endpoint.stop()
        await self.handler.media.aclose()


@functools.cache
def the_trunk() -> SipTrunk:
    """One for all tests of a process: a media worker takes a second to start."""
    trunk = SipTrunk()
    atexit.register(trunk.close)
    return trunk
