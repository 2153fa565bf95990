"""AudioSocket from the PBX's side: a paid call over TCP, and what comes from somebody who does not speak the protocol."""

import asyncio
import struct
import uuid
from contextlib import asynccontextmanager

import pytest

from ivr.channels.line import Heard, KeyPressed, Silent
from ivr.channels.trunk import audiosocket
from tests.channels.trunk.callers import place_of, play
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.tills import Till, account, card, open_till

HANG_UP, IDENTITY, KEY, AUDIO = 0x00, 0x01, 0x03, 0x10
SILENCE = bytes(320)


class Pbx:
    """One connection as Asterisk's application AudioSocket makes it."""

    def __init__(self, till: Till, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.till, self.reader, self.writer = till, reader, writer
        self.identity = uuid.uuid4()
        self.heard: list[bytes] = []
        self.hung_up = False

    def send(self, kind: int, payload: bytes = b"") -> None:
        self.writer.write(struct.pack("!BH", kind, len(payload)) + payload)

    def press(self, keys: str) -> None:
        for key in keys:
            self.send(AUDIO, SILENCE)
            self.send(KEY, key.encode())

    async def listen(self) -> None:
        """Until the till hangs up or closes."""
        while not self.reader.at_eof():
            try:
                kind, length = struct.unpack("!BH", await self.reader.readexactly(3))
            except asyncio.IncompleteReadError:
                return
            payload = await self.reader.readexactly(length)
            self.hung_up = self.hung_up or kind == HANG_UP
            if kind == AUDIO:
                self.heard.append(payload)

    @property
    def place(self) -> str:
        return place_of(self.till.progress.calls.get(f"AS{self.identity.hex}"))

    async def reaches(self, place: str) -> None:
        await self.till.progress.until(lambda: self.place == place, PATIENCE_S)

    async def pays(self, number: int) -> None:
        its = card(number)
        entries = [("language", "1"), ("account", f"{account(number)}#"), ("amount", "1"), ("card 0", f"{its.pan}#")]
        entries += [
            ("card 1", its.expiry),
            ("card 2", its.cvv2),
            ("card 3", "94105"),
            ("confirm", "1"),
            ("repeat", "#"),
        ]
        for place, keys in entries:
            await self.reaches(place)
            self.press(keys)


@asynccontextmanager
async def till_with_audiosocket(folder, **settings: str):
    async with open_till(folder, audiosocket_port=str(free_port()), **settings) as till:
        yield till


@asynccontextmanager
async def connected(till: Till):
    reader, writer = await asyncio.open_connection("127.0.0.1", till.trunk.settings.audiosocket_port)
    pbx = Pbx(till, reader, writer)
    try:
        yield pbx
    finally:
        writer.close()


def test_a_call_over_audiosocket_is_paid_and_hung_up(tmp_path):
    async def scene():
        async with till_with_audiosocket(tmp_path) as till, connected(till) as pbx:
            listening = asyncio.create_task(pbx.listen())
            pbx.send(IDENTITY, pbx.identity.bytes)
            await pbx.pays(1)
            await asyncio.wait_for(listening, PATIENCE_S)
            assert pbx.hung_up
            assert (till.keyed(), till.progress.ended()) == ([card(1)], ["paid"])
            assert {len(frame) for frame in pbx.heard} == {320}
            assert any(any(frame) for frame in pbx.heard)

    play(scene)


def test_a_uuid_that_is_used_again_is_a_new_call(tmp_path):
    async def scene():
        async with till_with_audiosocket(tmp_path) as till:
            used = uuid.uuid4()
            for _ in range(2):
                async with connected(till) as pbx:
                    listening = asyncio.create_task(pbx.listen())
                    pbx.identity = used
                    pbx.send(IDENTITY, used.bytes)
                    await till.progress.until(
                        lambda: any(call.phase == "language" for call in till.progress.calls.values()), PATIENCE_S
                    )
                    pbx.send(HANG_UP)
                    await asyncio.wait_for(listening, PATIENCE_S)
                    await till.progress.until(
                        lambda: all(call.phase == "over" for call in till.progress.calls.values()), PATIENCE_S
                    )
            async with connected(till) as one, connected(till) as other:
                for pbx in (one, other):
                    pbx.send(IDENTITY, used.bytes)
                await till.progress.until(
                    lambda: sum(call.phase == "language" for call in till.progress.calls.values()) == 2, PATIENCE_S
                )
            assert len(till.progress.calls) == 4
            assert all(name.startswith(f"AS{used.hex}") for name in till.progress.calls)

    play(scene)


@pytest.mark.parametrize(("barge_in", "stops"), [(True, True), (False, False)])
def test_a_key_stops_a_prompt_that_may_be_stopped(tmp_path, barge_in: bool, stops: bool):
    clip = tmp_path / "long.ulaw"
    clip.write_bytes(bytes([0x20]) * 8000 * 5)
    told: list[Heard] = []

    async def answer(identity: str, audio_port: audiosocket.AudioSocketPort):
        await audio_port.play([clip], barge_in=barge_in)
        return told.append

    async def scene():
        server = audiosocket.AudioSocketServer("127.0.0.1", 0, answer, audiosocket.Peer("pbx"))
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
        writer.write(struct.pack("!BH", IDENTITY, 16) + uuid.uuid4().bytes)
        await reader.readexactly(10 * 323)
        writer.write(struct.pack("!BH", KEY, 1) + b"7")
        while not told:
            await asyncio.sleep(0.01)
        assert told == ([Silent(1), KeyPressed("7")] if stops else [KeyPressed("7")])
        assert await still_heard(reader) is not stops
        writer.close()
        await server.stop()

    play(scene)


async def still_heard(reader: asyncio.StreamReader) -> bool:
    """Whether the prompt is heard once what was under way has come; frames come in any case, if only of silence."""
    frames = [await reader.readexactly(323) for _ in range(30)]
    return any(frames[-1][3:])


def test_a_connection_is_never_quiet_because_asterisk_gives_up_one_that_is(tmp_path):
    async def answer(identity: str, audio_port: audiosocket.AudioSocketPort):
        return lambda heard: None

    async def scene():
        server = audiosocket.AudioSocketServer("127.0.0.1", 0, answer, audiosocket.Peer("pbx"))
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
        writer.write(struct.pack("!BH", IDENTITY, 16) + uuid.uuid4().bytes)
        assert await reader.readexactly(10 * 323) == 10 * (struct.pack("!BH", AUDIO, 320) + SILENCE)
        writer.close()
        await server.stop()

    play(scene)


def test_a_pbx_that_hangs_up_ends_the_call(tmp_path):
    async def scene():
        async with till_with_audiosocket(tmp_path) as till, connected(till) as pbx:
            pbx.send(IDENTITY, pbx.identity.bytes)
            await pbx.reaches("language")
            pbx.send(HANG_UP)
            await till.progress.until(lambda: till.progress.ended() == ["unpaid"], PATIENCE_S)
            await asyncio.wait_for(pbx.listen(), PATIENCE_S)

    play(scene)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: till\r\n\r\n",
        struct.pack("!BH", KEY, 1) + b"4",
        struct.pack("!BH", IDENTITY, 4) + b"four",
        struct.pack("!BH", IDENTITY, 17) + bytes(17),
        struct.pack("!BH", AUDIO, 0xFFFF) + bytes(0xFFFF),
        b"\x01",
        b"",
    ],
    ids=["http", "a key first", "a short UUID", "a long UUID", "64 kB first", "one byte", "nothing"],
)
def test_who_does_not_speak_the_protocol_is_shown_the_door(tmp_path, said: bytes, monkeypatch):
    monkeypatch.setattr(audiosocket, "HANDSHAKE_S", 0.2)

    async def scene():
        server = audiosocket.AudioSocketServer("127.0.0.1", 0, never, audiosocket.Peer("pbx"))
        port = await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await asyncio.wait_for(closed(reader), PATIENCE_S)
        await server.drain(PATIENCE_S)
        assert server.calls == 0
        writer.close()
        await server.stop()

    play(scene)


async def never(identity: str, audio_port: audiosocket.AudioSocketPort):
    raise AssertionError("a conversation was begun with somebody who gave no UUID")


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


def test_garbage_within_a_call_is_passed_over_and_the_call_goes_on(tmp_path):
    async def scene():
        async with till_with_audiosocket(tmp_path) as till, connected(till) as pbx:
            pbx.send(IDENTITY, pbx.identity.bytes)
            await pbx.reaches("language")
            pbx.send(0x7F, bytes(range(256)))
            pbx.send(AUDIO, bytes(0xFFFF))
            pbx.send(KEY, b"")
            pbx.send(KEY, b"\xff")
            pbx.send(KEY, b"x")
            pbx.send(KEY, b"123456789")
            pbx.press("1")
            await pbx.reaches("account")
            pbx.send(0xFF, b"\x01")

    play(scene)


def test_an_address_that_may_not_ring_may_not_connect(tmp_path):
    async def scene():
        async with till_with_audiosocket(tmp_path, trunk_peers="192.0.2.0/24") as till, connected(till) as pbx:
            pbx.send(IDENTITY, pbx.identity.bytes)
            assert await asyncio.wait_for(closed(pbx.reader), PATIENCE_S)
            assert not till.progress.calls

    play(scene)


def test_a_draining_trunk_lets_a_call_over_audiosocket_finish(tmp_path):
    async def scene():
        async with till_with_audiosocket(tmp_path) as till, connected(till) as pbx:
            pbx.send(IDENTITY, pbx.identity.bytes)
            await pbx.reaches("language")
            stopping = asyncio.create_task(till.trunk.stop(PATIENCE_S))
            await asyncio.sleep(0.2)
            assert not stopping.done()
            pbx.press("1")
            await pbx.reaches("account")
            pbx.send(HANG_UP)
            await asyncio.wait_for(stopping, PATIENCE_S)

    play(scene)
