"""De-jitter: what comes out 40 ms later, whatever order, size and time it came in."""

import numpy as np
import pytest

from dsp import g711
from ivr.phone.rtp import CallerStream
from ivr.phone.rtp.jitter import SILENCE

FRAMES = np.random.default_rng(4).integers(0, 255, (40, 160), dtype=np.uint8)


def listen(line, at_ticks, *, ticks=60):
    """Frames as the decoder got them; at_ticks: {tick: datagrams that come before it}."""
    out = []
    listening, play = line.plane.inband, line.plane.jitter.play
    line.plane.jitter.play = lambda: out.append(np.array(played := play())) or played
    for tick in range(ticks):
        line.tick(*at_ticks.get(tick, []))
    assert listening.listening[0]
    return np.array(out)[:, 0]


def packets(caller, frames=FRAMES, *, step=160):
    made = []
    for frame in frames:
        made.append(caller.stream.packet(caller.stream.payload_type, frame.tobytes()))
        caller.stream.timestamp += step
    return made


@pytest.fixture
def caller(line):
    return line.ring(stream=CallerStream(sends_silence=False), telephone_events=())


def steadily(datagrams):
    return {tick: [datagram] for tick, datagram in enumerate(datagrams)}


def test_audio_comes_out_whole_two_ticks_later_and_silence_around_it(line, caller):
    out = listen(line, steadily(packets(caller)))
    assert (out[2:42] == FRAMES).all()
    assert (out[:2] == SILENCE).all()
    assert (out[42:] == SILENCE).all()


def test_alaw_comes_out_as_mu_law(line):
    caller = line.ring(stream=CallerStream("alaw", sends_silence=False), telephone_events=())
    out = listen(line, steadily(packets(caller)))
    assert (out[2:42] == g711.encode(g711.decode(FRAMES, "alaw"), "ulaw")).all()


def test_swapped_and_doubled_packets_change_nothing(line, caller):
    sent = packets(caller)
    sent[3], sent[4] = sent[4], sent[3]
    out = listen(line, {tick: [d, d] if tick % 3 else [d] for tick, d in enumerate(sent)})
    assert (out[2:42] == FRAMES).all()
    assert line.plane.sequences.doubled == sum(tick % 3 > 0 for tick in range(40))
    assert line.plane.sequences.lost == 0


def test_two_in_every_tick_of_two_are_as_good_as_one_in_each(line, caller):
    sent = packets(caller)
    out = listen(line, {2 * n: sent[2 * n : 2 * n + 2] for n in range(20)})
    assert (out[2:42] == FRAMES).all()


def test_lost_packets_are_counted_and_leave_silence(line, caller):
    sent = steadily(packets(caller))
    del sent[10], sent[20]
    out = listen(line, sent)
    assert (out[12] == SILENCE).all()
    assert (out[22] == SILENCE).all()
    assert (out[23] == FRAMES[21]).all()
    assert line.plane.sequences.lost == 2


def test_a_packet_that_comes_too_late_is_counted_and_left_out(line, caller):
    sent = steadily(packets(caller))
    sent[15] = [*sent[15], *sent.pop(10)]
    out = listen(line, sent)
    assert line.plane.jitter.late == 1
    assert line.plane.sequences.lost == 0
    assert (out[14:42] == FRAMES[12:]).all()


def test_audio_after_a_pause_comes_out_whole_whether_the_clock_ran_on_or_stood_still(line, caller):
    for pause in (0, 30 * 160, 37 * 160 + 11):
        first = packets(caller, FRAMES[:5])
        caller.stream.timestamp += pause
        second = packets(caller, FRAMES[5:10])
        out = listen(line, {**steadily(first), **{30 + n: [d] for n, d in enumerate(second)}})
        assert (out[2:7] == FRAMES[:5]).all()
        assert (out[32:37] == FRAMES[5:10]).all()
        caller.stream.timestamp += 160 * 60


def test_a_stream_that_was_held_up_loses_nothing_and_is_given_more_time(line, caller):
    sent = packets(caller)
    held = {tick: [d] for tick, d in enumerate(sent[:10])} | {15: sent[10:16]}
    held |= {tick: [d] for tick, d in enumerate(sent) if tick > 15}
    out = listen(line, held)
    heard = [frame.tobytes() for frame in out if (frame != SILENCE).any()]
    assert heard == [frame.tobytes() for frame in FRAMES]
    assert line.plane.jitter.late == 0


@pytest.mark.parametrize("size", [80, 240, 320, 480])
def test_frames_of_other_lengths_come_out_whole(line, caller, size):
    audio = FRAMES[:36].reshape(-1, size)
    sent = packets(caller, audio, step=size)
    out = listen(line, {tick: [d for n, d in enumerate(sent) if n * size // 160 == tick] for tick in range(60)})
    assert (out[2:38] == FRAMES[:36]).all()


def test_a_header_extension_and_contributing_sources_are_stepped_over(line, caller):
    plain = packets(caller, FRAMES[:5])
    longer = [bytes([p[0] | 0x11]) + p[1:12] + bytes(4) + b"\xbe\xde\x00\x01" + bytes(4) + p[12:] for p in plain]
    out = listen(line, steadily(longer))
    assert (out[2:7] == FRAMES[:5]).all()


@pytest.mark.parametrize("begin", ["sequence", "timestamp"])
def test_counters_that_wrap_or_begin_anew_do_no_harm(line, caller, begin):
    caller.stream.sequence = 30_000
    setattr(caller.stream, begin, 2**16 - 8 if begin == "sequence" else 2**32 - 1000)
    first = packets(caller, FRAMES[:20])
    caller.stream.sequence, caller.stream.timestamp = 4711, 1234567
    out = listen(line, steadily([*first, *packets(caller, FRAMES[20:])]))
    assert (out[2:20] == FRAMES[:18]).all()
    assert (out[22:42] == FRAMES[20:]).all()
    assert line.plane.sequences.lost == 0


def test_a_clock_off_by_a_hundredth_loses_single_frames_only(line, caller):
    """1 % is a hundred times what a telephone is off by; 40 packets a tick short or over stay in order."""
    sent = packets(caller, np.tile(FRAMES, (10, 1)))
    out = listen(
        line, {tick: [d for n, d in enumerate(sent) if int(n * 1.01) == tick] for tick in range(420)}, ticks=420
    )
    heard = [frame.tobytes() for frame in out if (frame != SILENCE).any()]
    assert len(heard) >= 395
