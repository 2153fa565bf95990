"""Whole calls through the plane: keys by either method, prompts and barge-in, loss, hold, silence and what counts as none."""

import numpy as np
import pytest

from dsp import g711, tones
from ivr.phone.rtp import CallerStream, KeyHeard, Played, TimedOut

CARD = "4111111111111111#1227#123#"
CLIP = np.random.default_rng(7).integers(0, 255, 50 * 160, dtype=np.uint8)
SILENT = g711.SILENCE["ulaw"]


@pytest.fixture
def prompted(line):
    line.plane.prompts.load(1, CLIP)
    line.plane.prompts.load(2, CLIP[:400])
    return line


@pytest.mark.parametrize("sends_silence", [True, False], ids=["constant", "silence suppressed"])
@pytest.mark.parametrize("law", ["ulaw", "alaw"])
@pytest.mark.parametrize("inband", [False, True], ids=["telephone_event", "inband"])
def test_a_card_is_heard_exactly(line, law, inband, sends_silence):
    caller = line.ring(stream=CallerStream(law, sends_silence=sends_silence))
    caller.stream.press(CARD, inband=inband)
    line.talk()
    assert line.keys(method="inband" if inband else "telephone_event") == CARD


def test_a_key_is_dated_to_when_it_went_down(line):
    caller = line.ring()
    for inband in (True, False):
        line.run(20)
        begun_s = line.now_s
        caller.stream.press("5", inband=inband)
        line.talk()
        assert line.of(KeyHeard)[-1].at_s == pytest.approx(begun_s, abs=0.03)


@pytest.mark.parametrize("number", [0, 65_300], ids=["numbers-ahead", "numbers-come-round"])
def test_tones_beside_events_are_one_digit_each_from_the_first_on(line, number):
    """A gateway that sends both: the tone it heard, and the event it made of it, 60 ms after the tone began."""
    caller = line.ring()
    caller.stream.sequence = number
    keypad = CallerStream(sends_silence=False, ssrc=caller.stream.ssrc)
    line.run(5)
    caller.stream.press("1142", inband=True, tone_ms=140, gap_ms=100)
    keypad.timestamp, keypad.sequence = caller.stream.timestamp, caller.stream.sequence + 500
    keypad.pause(3)
    keypad.press("1142", tone_ms=140, gap_ms=100)
    while not caller.stream.idle:
        line.tick(*keypad.tick())
    line.run(10)
    assert line.keys() == "1142"


def test_an_event_that_comes_long_after_its_tone_is_no_second_digit(line):
    caller = line.ring()
    caller.stream.press("7", inband=True)
    line.talk(0)
    line.run(10)
    line.tick(caller.stream.packet(101, bytes([7, 0x8A, 1, 0x40]), timestamp=5))
    line.run(10)
    assert line.keys() == "7"


def test_once_an_event_has_come_tones_are_not_listened_to(line):
    caller = line.ring()
    caller.stream.press("1")
    caller.stream.press("2", inband=True)
    line.talk()
    assert line.keys() == "1"


def test_a_reinvite_that_takes_events_away_brings_tones_back(line):
    caller = line.ring()
    caller.stream.press("1")
    line.talk()
    line.agree(caller, telephone_events=())
    caller.stream.press("2", inband=True)
    line.talk()
    line.agree(caller, telephone_events=((96, 8000),))
    caller.stream.telephone_event = 96
    caller.stream.press("3")
    line.talk()
    assert line.keys() == "123"


def test_a_reinvite_that_changes_nothing_leaves_tones_muted(line):
    caller = line.ring()
    caller.stream.press("1")
    line.talk()
    line.agree(caller)
    caller.stream.press("2", inband=True)
    line.talk()
    assert line.keys() == "1"


def test_a_call_may_be_told_not_to_listen_for_tones(line):
    caller = line.ring(inband=False)
    caller.stream.press("2", inband=True)
    line.talk()
    assert line.keys() == ""


def test_a_reinvite_may_change_the_law_in_both_directions(prompted):
    caller = prompted.ring()
    prompted.plane.play("call", 1, [1], False)
    prompted.run(10)
    prompted.agree(caller, law="alaw", payload_type=8)
    caller.stream = CallerStream("alaw")
    caller.stream.press("4", inband=True)
    prompted.run(20)
    audio = prompted.audio(caller)
    assert {d[1] & 0x7F for d in caller.heard[:10]} == {0}
    assert {d[1] & 0x7F for d in caller.heard[10:]} == {8}
    alaw = g711.encode(g711.decode(CLIP, "ulaw"), "alaw").reshape(-1, 160)
    assert (audio[10:30] == alaw[10:30]).all()
    prompted.talk()
    assert prompted.keys() == "4"


def test_prompts_are_heard_whole_in_order_and_once(prompted):
    caller = prompted.ring()
    prompted.run(3)
    prompted.plane.play("call", 9, [2, 1, 2], False)
    prompted.run(70)
    audio = prompted.audio(caller)
    short = np.full(480, SILENT, np.uint8)
    short[:400] = CLIP[:400]
    wanted = np.concatenate([short, CLIP, short]).reshape(-1, 160)
    assert (audio[:3] == SILENT).all()
    assert (audio[3 : 3 + len(wanted)] == wanted).all()
    assert (audio[3 + len(wanted) :] == SILENT).all()
    assert prompted.of(Played) == [Played("call", 9, barged_in=False)]


def test_packets_out_are_numbered_and_timed_without_a_gap_and_marked_once(prompted):
    caller = prompted.ring()
    prompted.plane.play("call", 1, [2], False)
    prompted.run(30)
    numbers = np.array([int.from_bytes(d[2:4], "big") for d in caller.heard])
    times = np.array([int.from_bytes(d[4:8], "big") for d in caller.heard])
    assert (np.diff(numbers) % 65536 == 1).all()
    assert (np.diff(times) % 2**32 == 160).all()
    assert [d[1] >> 7 for d in caller.heard] == [1] + [0] * 29
    assert len({d[8:12] for d in caller.heard}) == 1


@pytest.mark.parametrize("inband", [False, True], ids=["telephone_event", "inband"])
def test_barge_in_stops_the_prompt_in_the_tick_of_the_key_and_keeps_the_key(prompted, inband):
    caller = prompted.ring()
    prompted.run(3)
    prompted.plane.play("call", 5, [1], True)
    caller.stream.pause(4)
    caller.stream.press("8", inband=inband)
    while not prompted.of(KeyHeard):
        prompted.tick()
    assert (prompted.audio(caller)[-2] != SILENT).any()
    assert (prompted.audio(caller)[-1] == SILENT).all()
    assert prompted.of(Played) == [Played("call", 5, barged_in=True)]
    assert prompted.keys() == "8"


def test_without_barge_in_a_key_is_kept_and_the_prompt_goes_on(prompted):
    caller = prompted.ring()
    prompted.plane.play("call", 5, [1], False)
    caller.stream.press("8")
    prompted.run(40)
    assert (prompted.audio(caller)[39] == CLIP.reshape(-1, 160)[39]).all()
    assert prompted.keys() == "8"


def test_stop_and_another_play_take_the_prompts_place_without_a_word(prompted):
    caller = prompted.ring()
    prompted.plane.play("call", 1, [1], False)
    prompted.run(5)
    prompted.plane.play("call", 2, [2], False)
    prompted.run(1)
    assert (prompted.audio(caller)[5] == CLIP[:160]).all()
    prompted.plane.stop("call")
    prompted.run(10)
    assert (prompted.audio(caller)[6:] == SILENT).all()
    assert not prompted.of(Played)


def test_on_hold_nothing_is_sent_the_call_stays_and_goes_on_without_a_gap_in_numbers(prompted):
    caller = prompted.ring()
    prompted.run(5)
    prompted.agree(caller, sending=False)
    prompted.run(10)
    prompted.agree(caller, sending=True)
    caller.stream.press("3")
    prompted.talk()
    numbers = np.array([int.from_bytes(d[2:4], "big") for d in caller.heard])
    assert (np.diff(numbers) % 65536 == 1).all()
    assert [d[1] >> 7 for d in caller.heard][:6] == [1, 0, 0, 0, 0, 1]
    assert prompted.keys() == "3"


def test_a_late_offer_sends_and_hears_once_the_answer_is_there(line):
    caller = line.ring(remote=None)
    line.run(5)
    assert not caller.heard
    line.agree(caller, remote=caller.source)
    caller.stream.press("6")
    line.talk()
    assert caller.heard
    assert line.keys() == "6"


@pytest.fixture
def impatient(make_line):
    return make_line(rtp_timeout_s=1.0)


def test_a_peer_that_sends_nothing_at_all_times_out_once(impatient):
    impatient.ring(stream=CallerStream(sends_silence=False))
    impatient.run(120)
    assert impatient.of(TimedOut) == [TimedOut("call")]


def test_rtcp_alone_keeps_a_call(impatient):
    caller = impatient.ring(stream=CallerStream(sends_silence=False))
    impatient.tick(caller.stream.packet(0, bytes(160)))
    for tick in range(120):
        report = bytes([0x80, 200, 0, 6]) + caller.stream.ssrc.to_bytes(4, "big") + bytes(20)
        if tick % 40 == 0:
            impatient.deliver(caller, report)
        if tick % 40 == 20:
            place = (caller.source[0], caller.source[1] + 1)
            impatient.deliver(caller, report, place)
            impatient.plane.hear_rtcp(impatient.arrivals)
        impatient.tick()
    assert not impatient.of(TimedOut)
    assert not impatient.plane.reception.refused


def test_signalling_and_hold_keep_a_call(impatient):
    caller = impatient.ring(stream=CallerStream(sends_silence=False))
    for _ in range(4):
        impatient.run(40)
        impatient.plane.still_alive("call")
    impatient.agree(caller, sending=False)
    impatient.run(120)
    assert not impatient.of(TimedOut)


@pytest.mark.parametrize("lost", range(5))
def test_one_lost_packet_within_a_tone_does_not_double_its_digit(line, lost):
    caller = line.ring()
    line.run(5)
    caller.stream.press("11", inband=True, tone_ms=100, gap_ms=60)
    counted = iter(range(10**6))
    line.through = lambda datagram: int(next(counted) not in (lost, lost + 8))
    line.talk()
    assert line.keys() == "11"


@pytest.mark.parametrize("held", [3, 4, 5, 7, 10])
@pytest.mark.parametrize("at", [0, 2, 3, 4, 5, 6, 9])
def test_a_stream_held_up_in_the_middle_of_tones_doubles_no_digit(line, at, held):
    """All packets come, some of them in one lump and late; both tones are long enough to be heard on either side."""
    caller = line.ring()
    line.run(20)
    caller.stream.press("55", inband=True, tone_ms=160, gap_ms=80)
    for tick in range(60):
        for datagram in caller.stream.tick():
            line.deliver(caller, datagram)
        waits = at <= tick < at + held
        if not waits:
            line.quiet_tick()
        else:
            with_nothing_yet = line.arrivals
            line.arrivals = type(line.arrivals)(64)
            line.quiet_tick()
            line.arrivals = with_nothing_yet
    assert line.keys() == "55"


def test_two_presses_from_a_phone_whose_clock_stands_still_between_them_stay_two(line):
    caller = line.ring(stream=CallerStream(sends_silence=False))
    for _ in range(2):
        caller.stream.press("5", inband=True, gap_ms=20)
        line.talk(5)
        caller.stream.timestamp -= 160 * 5
    line.run(10)
    assert line.keys() == "55"


def test_a_pause_whose_packets_are_lost_in_part_still_parts_two_presses(line):
    caller = line.ring()
    line.run(5)
    caller.stream.press("11", inband=True, tone_ms=80, gap_ms=60)
    counted = iter(range(10**6))
    line.through = lambda datagram: int(next(counted) != 5)
    line.talk()
    assert line.keys() == "11"


def test_speech_and_prompts_that_echo_are_no_keys(prompted):
    caller = prompted.ring()
    rng = np.random.default_rng(2)
    caller.stream.say(g711.encode(tones.to_int16(rng.normal(0, 3000, 40000)), "ulaw").tobytes())
    prompted.talk()
    assert prompted.keys() == ""


def test_a_key_by_info_stops_the_prompt_that_it_interrupts_and_is_told_once(prompted):
    prompted.ring()
    prompted.run(3)
    prompted.plane.play("call", 5, [1], True)
    prompted.tick()
    prompted.plane.info_key("call", "8", prompted.now_s)
    prompted.tick()
    assert [(heard.key, heard.method) for heard in prompted.of(KeyHeard)] == [("8", "info")]
    assert prompted.of(Played) == [Played("call", 5, barged_in=True)]


def test_the_echo_by_info_of_a_key_that_media_told_of_is_no_key_and_stops_nothing(prompted):
    """What plays by then is the next prompt: cut off, nobody would notice that it is over, and the call would stand still."""
    caller = prompted.ring()
    prompted.run(3)
    caller.stream.press("8")
    while not prompted.of(KeyHeard):
        prompted.tick()
    prompted.plane.play("call", 6, [1], True)
    prompted.plane.info_key("call", "8", prompted.of(KeyHeard)[0].at_s)
    prompted.tick()
    assert prompted.keys() == "8"
    assert prompted.of(Played) == []


def test_a_key_by_info_of_a_call_that_ends_within_the_tick_is_told_nobody(prompted):
    prompted.ring()
    prompted.ring("other")
    prompted.tick()
    prompted.plane.info_key("call", "8", prompted.now_s)
    prompted.plane.close("call")
    prompted.tick()
    assert prompted.of(KeyHeard) == []
