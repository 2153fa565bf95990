"""The whole trunk on loopback: signalling, media worker, database, forwarder; calls of a telephone of our own, by every method."""

import asyncio

import pytest
import structlog

from ivr.channels.trunk.call_handler import RtpAudioPort
from ivr.logs import set_up_logging
from ivr.phone.sip import CallRefusedError
from tests.channels.trunk.callers import Caller, play, telephone, until
from tests.patience import PATIENCE_S
from tests.tills import Till, account, card, open_till

CANARY = 987

WAYS = [
    ("rfc4733", "PCMU"),
    ("rfc4733", "PCMA"),
    ("inband", "PCMU"),
    ("inband", "PCMA"),
    ("info", "PCMU"),
    ("both", "PCMU"),
]


def test_a_call_is_paid_by_every_method_and_the_bank_is_sent_exactly_what_was_keyed(tmp_path):
    async def scene():
        async with open_till(tmp_path) as till:
            reasons = await asyncio.gather(
                *(pay(till, number, *way) for number, way in enumerate(WAYS)), return_exceptions=True
            )
            assert reasons == ["caller hung up"] * len(WAYS)
            assert till.progress.ended() == ["paid"] * len(WAYS)
            assert sorted(map(str, till.keyed())) == sorted(str(card(number)) for number in range(len(WAYS)))
            assert set(till.trunk.handler.keys) == {"telephone_event", "inband", "info"}

    async def pay(till: Till, number: int, method, codec) -> str:
        async with telephone(till, f"+1555010{number}", method=method, codec=codec) as caller:
            reason = await caller.pays(number)
            assert any(heard.codes.strip(b"\xff\xd5\x55\x7f") for heard in caller.phone.heard)
            return reason

    play(scene)


def test_how_good_the_line_was_is_on_record_after_the_call(tmp_path):
    async def scene():
        async with open_till(tmp_path) as till:
            async with telephone(till, "+15550100") as caller:
                await caller.reaches("language")
                stream, heard = caller.phone.stream, len(caller.phone.heard)
                stream.sequence = after = (stream.sequence + 500) % 2**16  # packets that never come; then some do
                sent = lambda: (stream.sequence - after) % 2**16  # noqa: E731
                await until(lambda: sent() > 10 and len(caller.phone.heard) > heard + 10, PATIENCE_S)
            await until(lambda: line_of(till) is not None, PATIENCE_S)
            line = line_of(till)
            assert line is not None
            assert line.grade == "poor"
            assert line.lost >= 500

    def line_of(till: Till):
        return till.store.latest_calls(1)[0].line

    play(scene)


def test_a_call_put_on_hold_half_way_through_the_card_is_paid_after_it(tmp_path):
    async def scene():
        async with open_till(tmp_path) as till, telephone(till, "+15550100") as caller:
            for place, keys in [("language", "1"), ("account", f"{account(1)}#"), ("amount", "1")]:
                await caller.reaches(place)
                await caller.press(keys)
            await caller.reaches("card 0")
            await caller.press(card(1).pan[:6])
            held = await caller.call.reinvite(in_direction(caller, "sendonly"))
            assert held.direction == "recvonly"
            heard = len(caller.phone.heard)
            await asyncio.sleep(0.2)
            assert len(caller.phone.heard) - heard <= 2  # nothing is sent to somebody on hold
            back = await caller.call.reinvite(in_direction(caller, "sendrecv"))
            assert back.direction == "sendrecv"
            await caller.press(card(1).pan[6:] + "#")
            for place, keys in [("card 1", "1230"), ("card 2", card(1).cvv2), ("card 3", "94105")]:
                await caller.reaches(place)
                await caller.press(keys)
            await caller.reaches("confirm")
            await caller.confirms()
            await caller.call.until_over()
            assert till.keyed() == [card(1)]

    play(scene)


def in_direction(caller: Caller, direction: str) -> str:
    """Our SDP, offered again: a new version of the same session (RFC 3264 8)."""
    sdp = caller.session.offer().sdp.replace("a=sendrecv", f"a={direction}")
    version = caller.versions = caller.versions + 1
    head, _, rest = sdp.partition("\r\no=- ")
    identity, _, tail = rest.split(" ", 2)
    return f"{head}\r\no=- {identity} {version} {tail}"


@pytest.mark.parametrize("method", ["rfc4733", "inband", "info"])
def test_a_key_by_any_method_stops_the_prompt(tmp_path, method):
    clip = tmp_path / "long.ulaw"
    clip.write_bytes(bytes([0x20]) * 8000 * 8)

    async def scene():
        async with open_till(tmp_path) as till, telephone(till, "+15550100", method=method) as caller:
            await caller.reaches("language")
            (call,) = till.trunk.handler.lines
            line = till.trunk.handler.lines[call]
            await until(lambda: line.conversation is not None and line.conversation.is_playing, 5)
            await RtpAudioPort(till.trunk.handler, call).play([clip], barge_in=True)
            await until(lambda: sounds(caller), 5)
            await caller.press("1")
            await until(lambda: not sounds(caller), 2)  # the prompt is eight seconds long
            await caller.reaches("account")

    play(scene)


def sounds(caller: Caller) -> bool:
    """Whether the clip is in what was heard last."""
    return any(bytes([0x20]) * 40 in heard.codes for heard in caller.phone.heard[-3:])


def test_a_number_that_no_flow_answers_is_404(tmp_path):
    async def scene():
        async with open_till(tmp_path) as till:
            assert await status_of(till, uri=till.uri.replace("pay@", "nobody@")) == 404
            assert not till.progress.calls

    play(scene)


def test_a_full_trunk_and_a_draining_one_send_callers_to_the_next_node(tmp_path):
    async def scene():
        async with open_till(tmp_path, trunk_max_calls="1") as till:
            async with telephone(till, "+15550100") as caller:
                await caller.reaches("language")
                assert await status_of(till) == 503
                draining = asyncio.create_task(till.trunk.endpoint.drain(PATIENCE_S))
                await asyncio.sleep(0)
                assert await status_of(till) == 503
                assert not draining.done()
                await caller.press("1")  # the call in progress goes on as before
                await caller.reaches("account")
                await caller.call.hang_up()
            await asyncio.wait_for(draining, PATIENCE_S)

    play(scene)


async def status_of(till: Till, uri: str = "") -> int:
    with pytest.raises(CallRefusedError) as refused:
        async with telephone(till, "+15550199", uri=uri):
            pass
    return refused.value.status


def test_no_byte_of_a_card_is_in_log_database_voice_cache_or_repr(tmp_path, capfd):
    set_up_logging("debug", "json")
    structlog.configure(processors=[show_everything])  # no scrubber: it must have nothing to do

    async def scene():
        async with open_till(tmp_path / "till") as till:
            async with telephone(till, "+15550100", method="both") as caller:
                await caller.pays(CANARY)
                leg, phone = caller.call, caller.phone
            del leg, phone
            assert till.keyed() == [card(CANARY)]
            assert till.progress.ended() == ["paid"]
            for held in (
                till.trunk,
                vars(till.trunk),
                vars(till.trunk.handler),
                till.trunk.handler.media,
                till.progress.history,
            ):
                assert not reveals(repr(held))

    (tmp_path / "till").mkdir()
    try:
        play(scene)
    finally:
        structlog.reset_defaults()
    logged = capfd.readouterr()
    assert "call ended" in logged.out + logged.err
    assert not reveals(logged.out + logged.err)
    files = [file for file in (tmp_path / "till").rglob("*") if file.is_file()]
    assert any(file.name == "till.db" for file in files)
    assert [file.name for file in files if reveals(file.read_bytes().decode("latin-1"))] == []


def reveals(text: str) -> bool:
    """The number, in one piece or as a list of keys, or all but its last four."""
    pan = card(CANARY).pan
    return any(form in text for form in (pan, pan[:12], ", ".join(f"'{digit}'" for digit in pan[:8])))


def show_everything(_logger: object, _method: str, event: dict[str, object]) -> str:
    return repr(event)
