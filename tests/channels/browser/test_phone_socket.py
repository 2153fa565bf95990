"""The phone's WebSocket: who may open it, what may be sent, how a call ends, and what is left of a card's keys."""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dsp import g711, tones
from ivr.calls.assembly import Engine
from ivr.channels.browser import BrowserPhone
from ivr.channels.browser.phone import MOST_CALLS
from ivr.console import is_from_here
from ivr.logs import set_up_logging
from ivr.store import Store, open_store
from tests.benches import Bench, make_bench
from tests.leaks import leaks_in, leaks_in_files
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.store.databases import make_empty

CANARY = "4012888888881881"
DIAL = {"do": "call", "flow": "pay-a-bill", "ani": "+15550100"}
ENTRIES = {
    "language": "1",
    "account_number": "12345678#",
    "menu": "1",
    "card_number": f"{CANARY}#",
    "expiry": "1230",
    "security_code": "739",
    "postal_code": "94105",
    "confirm": "1",
    "repeat": "#",
}


class PhoneServer:
    """The channel behind a real server, over an engine on disk with a bank that approves."""

    def __init__(self, bench: Bench, folder: Path, port: int) -> None:
        self.bench, self.folder, self.port = bench, folder, port

    def open(self, **changes: Any) -> connect:
        chosen = {"origin": f"http://127.0.0.1:{self.port}", "proxy": None, "open_timeout": PATIENCE_S} | changes
        return connect(f"ws://127.0.0.1:{self.port}/phone", **chosen)

    @property
    def store(self) -> Store:
        return self.bench.workbench.store

    async def ended(self, call_id: str) -> tuple[str | None, bool]:
        """How the call is on record, once it is over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                stored = await asyncio.to_thread(self.store.load_call, call_id)
                if stored is not None and stored.call.phase == "over":
                    return stored.call.outcome, stored.call.hung_up
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def opened(sealing_key: Path, folder: Path) -> AsyncIterator[PhoneServer]:
    url = f"sqlite:///{folder}/phone.db"
    make_empty(url)
    store = open_store(url)
    bench = make_bench(sealing_key, store=store)
    workbench = bench.workbench
    engine = Engine({workbench.flow.name: workbench.flow}, workbench.prompts, store, workbench.runner)
    phone = BrowserPhone(engine, folder, folder / "no-recordings", "tones", is_from_here)
    port = free_port()
    options: dict[str, Any] = {"ws": "websockets-sansio", "ws_max_size": 2048, "lifespan": "off", "log_config": None}
    server = uvicorn.Server(uvicorn.Config(phone, port=port, log_level="error", timeout_graceful_shutdown=2, **options))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving, stopping = asyncio.create_task(server.serve()), threading.Event()
    forwarding = asyncio.create_task(asyncio.to_thread(forward, bench, stopping))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield PhoneServer(bench, folder, port)
    finally:
        server.should_exit = True
        stopping.set()
        await asyncio.gather(serving, forwarding)
        store.close()


def forward(bench: Bench, stopping: threading.Event) -> None:
    """The forwarder's turns; its clock is ahead of the call's, so that what was committed is due."""
    while not stopping.wait(0.05):
        bench.workbench.clock.advance(3600)
        bench.workbench.work()


Scene = Callable[[PhoneServer], Coroutine[Any, Any, None]]


@pytest.fixture
def play(sealing_key: Path, tmp_path: Path) -> Callable[[Scene], None]:
    def run(scene: Scene) -> None:
        async def body() -> None:
            async with opened(sealing_key, tmp_path) as server, asyncio.timeout(2 * PATIENCE_S):
                await scene(server)

        asyncio.run(body())

    return run


async def listen(socket: ClientConnection, *until: str) -> list[dict[str, Any]]:
    """The messages up to one of a kind, or to the end."""
    seen = []
    async for message in socket:
        if isinstance(message, str):
            seen.append(json.loads(message))
            if seen[-1]["is"] in until:
                break
    return seen


async def press(socket: ClientConnection, keys: str, *, as_tones: bool) -> None:
    if not as_tones:
        for key in keys:
            await socket.send(json.dumps({"do": "key", "key": key}))
        return
    codes = g711.encode(np.concatenate([tones.dtmf(keys), np.zeros(800, np.int16)]), "ulaw").tobytes()
    for start in range(0, len(codes) - 159, 160):
        await socket.send(codes[start : start + 160])
        await asyncio.sleep(0.01)


async def pays(socket: ClientConnection, *, as_tones: bool) -> list[dict[str, Any]]:
    """The whole call; everything the page was told."""
    await socket.send(json.dumps(DIAL))
    told = []
    async for message in socket:
        if isinstance(message, bytes):
            continue
        told.append(json.loads(message))
        if told[-1]["is"] == "asks":
            await press(socket, ENTRIES[told[-1]["field"]], as_tones=as_tones)
    return told


# ---- whole calls, and what is left of a card


@pytest.mark.parametrize("as_tones", [True, False])
def test_a_paid_call_leaves_no_card_number_in_messages_files_or_logs(
    play: Callable[[Scene], None], as_tones: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    set_up_logging("debug", "json")
    told: list[dict[str, Any]] = []

    async def scene(server: PhoneServer):
        async with server.open() as socket:
            told.extend(await pays(socket, as_tones=as_tones))
        assert [money.minor for money in server.bench.bank.charged.values()] == [4250]
        assert await server.ended(told[0]["id"]) == ("paid", False)

    play(scene)
    sent = json.dumps(told).encode()
    heard = "".join(message["key"] for message in told if message["is"] == "heard")
    assert heard == "1" + "123456••#" + "1" + "•" * (17 + 4 + 3 + 5) + "1" + "#"
    assert [one["what"] for one in told if one["is"] == "ledger"] == ["requested", "approved"]
    assert leaks_in(sent, [CANARY]) == leaks_in("".join(capfd.readouterr()).encode(), [CANARY]) == []
    assert leaks_in_files(tmp_path, [CANARY]) == []
    said = json.dumps([{name: value for name, value in one.items() if name != "at"} for one in told])
    assert not re.search(
        r"(?<![0-9a-f])739(?![0-9a-f])", said
    )  # inside of longer numbers and names it stands by chance


def test_a_card_number_at_the_wrong_question_is_not_sent_back_whole(play: Callable[[Scene], None]):
    async def scene(server: PhoneServer):
        async with server.open() as socket:
            await socket.send(json.dumps(DIAL))
            await listen(socket, "asks")
            await press(socket, "1", as_tones=False)
            await listen(socket, "asks")
            await press(socket, f"{CANARY}#", as_tones=False)
            told = await listen(socket, "asks")
        heard = "".join(message["key"] for message in told if message["is"] == "heard")
        assert heard.rstrip("•#") == "401288"

    play(scene)


# ---- endings


def test_a_connection_that_breaks_in_the_middle_of_a_call_is_a_hang_up_on_record(play: Callable[[Scene], None]):
    async def scene(server: PhoneServer):
        async with server.open() as socket:
            await socket.send(json.dumps(DIAL))
            call = (await listen(socket, "asks"))[0]["id"]
            socket.transport.abort()
        assert await server.ended(call) == ("unpaid", True)

    play(scene)


def test_two_pages_have_two_calls(play: Callable[[Scene], None]):
    async def scene(server: PhoneServer):
        async with server.open() as one, server.open() as other:
            for socket in (one, other):
                await socket.send(json.dumps(DIAL))
            first, second = [(await listen(socket, "asks"))[0]["id"] for socket in (one, other)]
            assert first != second
            await one.send(json.dumps({"do": "hang_up"}))
            assert await server.ended(first) == ("unpaid", True)
            await press(other, "1", as_tones=False)
            assert (await listen(other, "asks"))[-1]["field"] == "account_number"

    play(scene)


# ---- what may not be sent


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([b"\xff" * 160], 'the first message must be {"do": "call", ...}'),
        (["not json"], "not a message of ours: message: json_invalid"),
        ([json.dumps(DIAL | {"flow": "nothing"})], "there is no such flow; there are pay-a-bill"),
        ([json.dumps(DIAL | {"ani": "<script>"})], "not a message of ours: call.ani: string_pattern_mismatch"),
        ([json.dumps({"do": "fly"})], "not a message of ours: message: union_tag_invalid"),
        (["x" * 600], "a message of more than 512 characters"),
        ([json.dumps(DIAL), json.dumps(DIAL)], "this connection has its call: open another for a second one"),
        ([json.dumps(DIAL), '{"do": "key", "key": "4111"}'], "not a message of ours: key.key: literal_error"),
        ([json.dumps(DIAL), b"\xff" * 159], "audio comes in frames of 160 bytes: 20 ms of mu-law at 8 kHz"),
        (
            [json.dumps(DIAL), *[b"\xff" * 160] * 2000],
            "audio comes faster than it sounds: one frame of 160 bytes is 20 ms",
        ),
    ],
)
def test_what_is_not_ours_closes_the_connection_with_the_reason(play: Callable[[Scene], None], sent: list, reason: str):
    async def scene(server: PhoneServer):
        async with server.open() as socket:
            with contextlib.suppress(ConnectionClosed):
                for message in sent:
                    await socket.send(message)
                await listen(socket)
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (1008, reason)

    play(scene)


def test_a_message_that_is_too_big_is_not_even_read(play: Callable[[Scene], None]):
    async def scene(server: PhoneServer):
        async with server.open() as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send("x" * 100_000)
                await listen(socket)
        assert socket.close_code == 1009

    play(scene)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"origin": "https://evil.example.com"}, 403),
        ({"origin": None}, 403),
        ({"additional_headers": {"X-Forwarded-For": "203.0.113.9"}}, 403),
        ({"host": "rebound.example.com"}, 403),
    ],
)
def test_another_sites_page_or_a_proxys_visitor_is_refused(play: Callable[[Scene], None], changes: dict, status: int):
    async def scene(server: PhoneServer):
        if "host" in changes:
            host = changes["host"]
            request = server.open(
                origin=f"http://{host}:{server.port}",
                additional_headers={"X-Forwarded-Host": host, "Forwarded": "for=_"},
            )
        else:
            request = server.open(**changes)
        with pytest.raises(InvalidStatus) as refused:
            async with request:
                pass
        assert refused.value.response.status_code == status
        assert server.store.latest_calls(5) == []

    play(scene)


def test_only_so_many_calls_at_once(play: Callable[[Scene], None]):
    async def scene(server: PhoneServer):
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(MOST_CALLS):
                await stack.enter_async_context(server.open())
            with pytest.raises(InvalidStatus) as refused:
                await stack.enter_async_context(server.open())
            assert refused.value.response.status_code == 503

    play(scene)
