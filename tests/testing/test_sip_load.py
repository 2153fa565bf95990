"""`load --via sip`: real SIP calls against a whole till on loopback, what is measured of them, and what is left by Ctrl-C."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dsp import g711, tones
from ivr.cli import load as command
from ivr.errors import ConfigError
from ivr.phone.rtp import CallerStream
from ivr.settings import load_settings
from ivr.testing.load import Latencies, Placed
from ivr.testing.sip.listening_phone import ListeningPhone
from ivr.testing.sip.load import LoadPlan, SipLoad
from tests.channels.trunk.callers import play
from tests.patience import PATIENCE_S
from tests.tills import Till, account, open_till

PLAN = LoadPlan("", ("1", f"{account(1)}#"), calls=4, at_once=3, per_second=50, barge_in=True)
ROWS = ["INVITE to 200", "200 to greeting", "key to prompt", "whole call"]


async def placed_by(plan: LoadPlan) -> list[Placed]:
    ended: list[Placed] = []
    await SipLoad(plan, ended.append).run()
    return ended


def test_calls_are_answered_keyed_by_either_method_measured_and_hung_up(tmp_path: Path):
    async def scene() -> None:
        async with open_till(tmp_path) as till:
            ended = await placed_by(replace(PLAN, uri=till.uri))
            assert [placed.problem for placed in ended] == [""] * 4
            latencies = measured(ended)
            assert {what: times for what, times, _ in latencies.rows()} == dict(zip(ROWS, (4, 4, 8, 4), strict=True))
            assert all(longest > 0 for _, _, (*_, longest) in latencies.rows())
            await nobody_is_left(till)
            assert till.progress.ended() == ["unpaid"] * 4
            assert {call.ani for call in till.progress.calls.values()} == {
                f"+1556000000{number}" for number in range(4)
            }
            assert till.trunk.handler.keys["telephone_event"] == 4 * len("120000001#")
            ended = await placed_by(replace(PLAN, uri=till.uri, calls=1, method="inband"))
            assert ended[0].problem == ""
            assert till.trunk.handler.keys["inband"] == len("120000001#")

    play(scene)


def test_each_kind_of_failure_is_told_and_counted(tmp_path: Path):
    async def scene() -> None:
        async with open_till(tmp_path, trunk_max_calls="2") as till:
            ended = await placed_by(replace(PLAN, uri=till.uri.replace("pay@", "nobody@"), calls=2))
            assert measured(ended).problems == {"SIP call refused: 404 Not Found": 2}
            ended = await placed_by(replace(PLAN, uri=till.uri, calls=3))
            assert measured(ended).problems == {"SIP call refused: 503 Service Unavailable": 1}
            # The line asks three times for an account that nobody has, and is not asked for more.
            keys = ("1", *["99999999#"] * 6)
            ended = await placed_by(replace(PLAN, uri=till.uri, calls=1, keys=keys))
            assert ended[0].problem.startswith("the line hung up")

    play(scene)


def test_a_stop_hangs_up_every_call_and_counts_none_of_them_as_over(tmp_path: Path):
    async def scene() -> None:
        async with open_till(tmp_path) as till:
            ended: list[Placed] = []
            load = SipLoad(replace(PLAN, uri=till.uri, keys=("-", "-", "-")), ended.append)
            running = asyncio.create_task(load.run())
            await till.progress.until(lambda: len(till.progress.calls) == 3, PATIENCE_S)
            load.stop()
            await running
            assert (load.was_stopped, load.interrupted, ended) == (True, 3, [])
            await nobody_is_left(till)

    play(scene)


async def nobody_is_left(till: Till) -> None:
    """The BYEs have been answered: each call has its end on record in a moment."""
    await till.progress.until(lambda: len(till.progress.ended()) == len(till.progress.calls), PATIENCE_S)
    assert not till.trunk.handler.lines


def measured(ended: Sequence[Placed]) -> Latencies:
    latencies = Latencies()
    for placed in ended:
        latencies.add(placed)
    return latencies


def test_an_ear_knows_sound_from_silence_in_both_laws_and_when_the_next_begins():
    for kind, law in ((0, "ulaw"), (8, "alaw")):
        phone = ListeningPhone(CallerStream())
        loud = g711.encode(tones.dtmf("1", tone_ms=20, gap_ms=0), law).tobytes()[:160]
        quiet = bytes([g711.SILENCE[law]]) * 160

        def hear(codes: bytes, phone: ListeningPhone = phone, kind: int = kind) -> None:
            phone.datagram_received(bytes([0x80, kind]) + bytes(10) + codes, None)

        hear(quiet)
        assert (phone.next_began_s, phone.last_s) == (0.0, 0.0)
        hear(loud)
        first = phone.next_began_s
        assert first > 0
        phone.await_next()
        hear(loud)
        assert phone.next_began_s == 0.0, "the prompt that was sounding goes on"
        hear(quiet), hear(loud)
        assert phone.next_began_s > first
        assert phone.packets == 5


# ---- the command


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["2", "--via", "http://127.0.0.1:1", "--barge-in"], "--barge-in goes with --via sip only"),
        (["2", "--via", "http://127.0.0.1:1", "--per-second", "3"], "--per-second goes with --via sip only"),
        (["2", "--via", "sip:pay@127.0.0.1:1", "--flow", "rent"], "the number that is called decides the flow"),
        (["2", "--via", "sip", "--flow", "nowhere"], "no number of the trunk is answered by 'nowhere'"),
    ],
)
def test_what_does_not_go_together_is_told_before_anybody_is_called(arguments: list[str], told: str):
    done = CliRunner().invoke(command.load, arguments)
    assert isinstance(done.exception, ConfigError)
    assert told in str(done.exception)


def test_the_own_trunk_is_rung_by_its_settings():
    environment = {"TRUNK_FLOWS": "rent=rent,*=pay-a-bill", "TRUNK_PORT": "5070", "TRUNK_BIND": "0.0.0.0"}
    login = {"TRUNK_USER": "anna", "TRUNK_PASSWORD": "s3cret-s3cret"}
    settings = load_settings(environment | login)
    plan = command.to_own_trunk(PLAN, "rent", settings)
    assert plan.uri == "sip:rent@127.0.0.1:5070"
    assert plan.login is not None
    assert "s3cret" not in repr(plan)
    assert command.to_own_trunk(PLAN, "pay-a-bill", settings).uri == "sip:load@127.0.0.1:5070"
