"""Tests' calls over SIP: a real INVITE, RTP both ways, keys that a media worker has to hear; time that is the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr import extras
from ivr.channels.simulator import Caller, Clock, play, read_script
from ivr.core.actions import Phrase
from ivr.errors import ConfigError, PeerError
from ivr.phone.rtp import HeardPacket as Packet
from ivr.testing.call_files import ChannelWorld
from ivr.testing.channels import dial
from ivr.testing.key_methods import KeyMethod
from ivr.testing.line import PlacedCall
from ivr.testing.sip import SipLine, the_trunk
from ivr.testing.sip.sayings import FRAMES, Sayings
from ivr.testing.sip.timers import CallTimers
from tests.benches import ROOT, Bench
from tests.leaks import leaks_in, leaks_in_files, leaks_in_object
from tests.merchants import bench_of
from tests.testing.projects import make_project, run_pytest

CANARY = "4012888888881881"  # a published test number


@pytest.fixture
def ringing(bench: Bench) -> Iterator[Bench]:
    yield bench
    bench.close()


def call(bench: Bench, ani: str = "+15550100", keys: KeyMethod = "events") -> PlacedCall:
    name, line = dial("sip", bench, "pay-a-bill", ani, keys)
    bench.begun[name] = bench.workbench.clock()
    caller = Caller(name, line)
    caller.take(line.begin())
    return PlacedCall(bench, caller)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("approved", "events"),
        ("approved", "tones"),
        ("three-silences", "events"),
        ("hang-up-mid-charge", "events"),
    ],
)
def test_a_call_file_goes_over_sip_as_written(name: str, keys: KeyMethod, sealing_key: Path):
    text = (ROOT / "tests" / "calls" / f"{name}.txt").read_text(encoding="utf-8")
    bench = bench_of(sealing_key, read_script(text)[0].rest.partition(" from ")[0])
    try:
        play(text, ChannelWorld(bench, "sip", keys))
        bench.money_agrees()
    finally:
        bench.close()


def test_two_callers_of_one_bill_take_their_turns_and_neither_times_out(ringing: Bench):
    first, second = call(ringing), call(ringing, "+15550101")
    first.press("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1").wait()
    second.press("1", "12345678#")
    assert "confirmation_number" in first.heard
    assert "pay_full_balance" not in second.heard
    assert "no_input" not in second.ever_heard, "the first call took more virtual time than anybody's patience"
    first.hang_up(), second.hang_up()
    assert (first.ended, second.ended) == ("paid", "unpaid")
    assert ringing.world().books() == "42.50 USD"


def test_an_entry_that_is_not_complete_ends_by_the_timer_of_the_flow_and_takes_no_real_time(ringing: Bench):
    placed = call(ringing).press("1")
    before = placed.lasted_s
    placed.press("1234")
    assert placed.heard == ("no_match_account_number", "enter_account_number")
    assert placed.lasted_s - before >= ringing.workbench.flow.head.patience.between_keys


def test_a_call_that_its_caller_leaves_is_on_record_when_hang_up_returns(ringing: Bench):
    placed = call(ringing).press("1")
    placed.hang_up()
    assert placed.ended == "unpaid"
    assert not the_trunk().handler.lines
    assert placed.caller.line.press("1").state == "over"


def test_a_card_number_is_in_no_log_file_or_repr(ringing: Bench, capfd: pytest.CaptureFixture[str]):
    placed = call(ringing).press("1", "12345678#", "1", f"{CANARY}#", "1230", "739", "94105")
    assert "confirm_card" in placed.heard
    line = placed.caller.line
    assert isinstance(line, SipLine)
    assert leaks_in("".join(capfd.readouterr()).encode(), [CANARY]) == []
    assert leaks_in_files(the_trunk().folder, [CANARY]) == []
    for held in (line, vars(line), vars(line._phone.stream), the_trunk().handler, vars(the_trunk().handler)):
        assert leaks_in_object(held, [CANARY]) == []


# ---- what is heard is what was received


def test_what_was_said_is_known_from_the_packets_that_came_and_from_nothing_else(tmp_path: Path):
    sayings = Sayings(tmp_path, lambda phrase: f"the words of {phrase.name}")
    clips = [sayings.say(Phrase(name, "en-US"))[0].read_bytes() for name in ("welcome", "goodbye", "goodbye")]
    frames = [Packet(0.0, "ulaw", clip[:160]) for clip in clips]
    assert [len(clip) for clip in clips] == [160 * FRAMES] * 3
    silence = Packet(0.0, "ulaw", b"\xff" * 160)
    assert sayings.in_packets([silence]) == []
    assert not sayings.all_heard
    heard = sayings.in_packets([frames[0], frames[0], silence, frames[2]])
    assert [(one.name, one.words) for one in heard] == [
        ("welcome", "the words of welcome"),
        ("goodbye", "the words of goodbye"),
    ]
    assert sayings.all_heard, "the second one was cut off, and the last was heard"
    sayings.close()
    assert list(tmp_path.iterdir()) == []


def test_a_telephone_that_receives_no_rtp_hears_nothing_and_says_so(ringing: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ivr.testing.sip.line.NO_RTP_S", 0.5)
    placed = call(ringing)
    line = placed.caller.line
    assert isinstance(line, SipLine)
    line._phone.datagram_received = lambda _data, _addr: None  # type: ignore[method-assign]
    with pytest.raises(PeerError, match="no RTP came from the line"):
        placed.press("1")


# ---- time, and what is missing


def test_a_timer_runs_out_when_it_is_told_to_and_the_clock_goes_on_to_it():
    clock, fired = Clock(), list[str]()
    timers = CallTimers(clock)
    timers.call_later(10, lambda: fired.append("first")).cancel()
    assert not timers.is_running
    timers.call_later(6, lambda: fired.append("second"))
    clock.advance(2)
    timers.run_out()
    timers.run_out()
    assert (fired, timers.time(), timers.is_running) == (["second"], 6.0, False)


def test_where_sip_is_not_installed_the_cure_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(extras.NEEDED_BY, "trunk", ("a_module_that_nobody_has",))
    with pytest.raises(ConfigError, match=r"the channel sip needs more .*pip install 'tonetill\[trunk\]'"):
        dial("sip", bench, "pay-a-bill", "+15550100")


def test_keys_can_be_sent_as_events_or_tones_and_in_no_other_way(bench: Bench):
    with pytest.raises(ConfigError, match="keys as 'whistles': choose among events, tones"):
        dial("sip", bench, "pay-a-bill", "+15550100", "whistles")  # type: ignore[arg-type]


def test_a_project_rings_its_line_over_sip_by_an_option(tmp_path: Path):
    paid = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")
    wrong = paid.replace("  hears  enter_expiry", "  hears  enter_postal_code").partition("  keys   123\n")[0]
    folder = make_project(tmp_path / "line", wrong=f"{wrong}  hangs up\n  ends unpaid\n")
    (folder / "test_line.py").write_text(
        "def test_a_caller_is_greeted(line):\n"
        "    call = line.call('pay-a-bill')\n"
        "    assert call.words and call.ever_heard\n"
        "    assert repr(call.caller.line).startswith('<SIP call SIP')\n"
    )
    seen = run_pytest(folder, "-q", "-rA", "--call-channel", "sip")
    assert "PASSED test_line.py::test_a_caller_is_greeted" in seen, seen
    assert "calls/wrong.txt:13: did not hear enter_postal_code; heard enter_expiry" in seen, seen
