"""A draft is called over a real WebSocket with a simulated bank: who may, once, and that nothing real is touched and no card left."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from ivr.channels.browser import DraftPhone
from ivr.cli.portal_phone import DraftLines
from ivr.logs import set_up_logging
from tests.channels.browser.test_phone_socket import CANARY, DIAL, listen, pays
from tests.leaks import leaks_in, leaks_in_files
from tests.patience import PATIENCE_S
from tests.portal.authors import FLOW, published_line, send_draft
from tests.portal.lines import Line, Person
from tests.ports import free_port

NONCE = "a-nonce-of-a-page"
Scene = Callable[["DraftServer"], Coroutine[Any, Any, None]]


class DraftServer:
    """The portal's telephone behind a real server; `author` is at its pages."""

    def __init__(self, line: Line, author: Person, port: int) -> None:
        self.line, self.author, self.port = line, author, port

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ticket(self, *change: str) -> str:
        answer = await asyncio.to_thread(send_draft, self.author, "draft/call", *change, nonce=NONCE)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return str(answer.json["address"])

    def open(self, address: str, **changes: Any) -> connect:
        usual = {"origin": self.origin, "proxy": None, "open_timeout": PATIENCE_S}
        return connect(f"ws://127.0.0.1:{self.port}{address}", **(usual | changes))


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[DraftServer]:
    port, line = free_port(), published_line()
    lines = DraftLines()
    phone = DraftPhone(f"http://127.0.0.1:{port}", "tones", folder, folder / "none", lines, folder)
    line.phone = phone
    author = line.signed_in("ada", "author")
    options: dict[str, Any] = {"ws": "websockets-sansio", "ws_max_size": 2048, "lifespan": "off", "log_config": None}
    server = uvicorn.Server(uvicorn.Config(phone, port=port, log_level="error", timeout_graceful_shutdown=2, **options))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield DraftServer(line, author, port)
    finally:
        server.should_exit = True
        await serving
        lines.close()


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], None]:
    def run(scene: Scene) -> None:
        async def body() -> None:
            async with opened(tmp_path) as server, asyncio.timeout(2 * PATIENCE_S):
                await scene(server)

        asyncio.run(body())

    return run


def test_a_draft_is_called_and_paid_and_nothing_of_it_is_on_record_or_left(
    play: Callable[[Scene], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    set_up_logging("debug", "json")
    told: list[dict[str, Any]] = []

    async def scene(server: DraftServer):
        address = await server.ticket("repeat: 2", "repeat: 3")
        async with server.open(address) as socket:
            told.extend(await pays(socket, as_tones=False))
        store = server.line.store
        assert store.count_open_calls() == 0
        assert not store.latest_calls(10)
        assert store.live_versions()[FLOW].number == 1
        assert len(store.flow_versions(FLOW)) == 1

    play(scene)
    assert [one["what"] for one in told if one["is"] == "ledger"] == ["requested", "approved"]
    assert [one["outcome"] for one in told if one["is"] == "over"] == ["paid"]
    assert leaks_in(json.dumps(told).encode(), [CANARY]) == []
    assert leaks_in("".join(capfd.readouterr()).encode(), [CANARY]) == []
    assert leaks_in_files(tmp_path, [CANARY]) == []


def test_a_ticket_is_good_once_for_its_flow_and_for_a_page_of_ours(play: Callable[[Scene], None]):
    async def scene(server: DraftServer):
        address = await server.ticket()
        for changes, where in (({"origin": "https://evil.example"}, address), ({}, "/phone"), ({}, "/phone/none")):
            with pytest.raises(InvalidStatus):
                async with server.open(where, **changes):
                    pass
        async with server.open(address) as socket:
            await socket.send(json.dumps(DIAL | {"flow": "another"}))
            await socket.wait_closed()
        assert socket.close_reason == "the ticket is for another flow"
        with pytest.raises(InvalidStatus):
            async with server.open(address):
                pass

    play(scene)


def test_what_the_author_has_just_written_is_what_is_called(play: Callable[[Scene], None]):
    async def scene(server: DraftServer):
        address = await server.ticket("languages: [en-US, es-MX]", "languages: [es-MX]")
        async with server.open(address) as socket:
            await socket.send(json.dumps(DIAL))
            told = await listen(socket, "asks")
        assert told[-1]["field"] == "account_number", "with one language nobody is asked for it"

    play(scene)


def test_a_draft_with_errors_cannot_be_called_and_says_why():
    class NoPhone:
        scripts, choices = Path(), ()

        def ring(self, _flow: object, _prompts: object) -> str:
            raise AssertionError("it must not ring")

    line = published_line()
    ada = line.signed_in("ada", "author")
    assert send_draft(ada, "draft/call", nonce=NONCE).status_code == 404, "where there is no telephone"
    line.phone = NoPhone()
    bob = line.signed_in("bob", "author")
    refused = send_draft(bob, "draft/call", "ok: charge", "ok: chrage", nonce=NONCE)
    assert (refused.status_code, refused.mimetype) == (409, "text/plain")
    assert refused.text.startswith("a draft with 1 problem cannot be called: pay-a-bill.yaml line")
    assert send_draft(bob, "draft/call", nonce="'><script>").status_code == 400
    page = bob.get(f"/flows/{FLOW}/draft").text
    assert "Call the draft" in page
    assert "Call the draft" not in ada.get(f"/flows/{FLOW}/draft").text
