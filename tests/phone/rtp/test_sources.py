"""Whose media is it: one latch a call, ports shared afterwards, and nobody from elsewhere gets in or gets anything."""

import socket

import pytest

from ivr.phone.rtp import CallerStream, KeyHeard, Latched, MediaError, MediaUnavailable
from ivr.phone.rtp.addresses import readable, socket_name

STRANGER = ("203.0.113.66", 31337)


def key_of(stream: CallerStream, digit: int = 5) -> bytes:
    return stream.packet(101, bytes([digit, 10, 0, 160]), marker=True)


def test_a_call_latches_on_the_place_that_signalling_named(line):
    caller = line.ring()
    line.tick()
    assert line.of(Latched) == [Latched("call", caller.source)]


def test_a_key_alone_latches_a_call_too(line):
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    line.tick(key_of(stream))
    assert line.keys() == "5"
    assert len(line.of(Latched)) == 1


def test_behind_nat_the_host_that_signalling_came_from_may_send_from_any_port(line):
    caller = line.ring(allowed_hosts=("198.51.100.9",))
    caller.source = ("198.51.100.9", 4242)
    line.run(2)
    assert line.of(Latched) == [Latched("call", ("198.51.100.9", 4242))]
    assert caller.went_to == {socket_name(("198.51.100.9", 4242), socket.AF_INET)}


def test_before_media_has_come_ours_goes_where_signalling_said(line):
    caller = line.ring(stream=CallerStream(sends_silence=False))
    line.tick()
    assert caller.went_to == {socket_name(caller.source, socket.AF_INET)}


def test_a_stranger_can_neither_key_nor_take_the_call_over(line):
    caller = line.ring()
    thief = CallerStream()
    line.deliver(caller, key_of(thief), STRANGER)
    line.tick()
    line.run(3)
    for _ in range(20):
        line.deliver(caller, key_of(thief), STRANGER)
        line.deliver(caller, key_of(thief), (caller.source[0], 9))
        line.tick()
    assert line.keys() == ""
    assert caller.went_to == {socket_name(caller.source, socket.AF_INET)}
    assert line.plane.reception.refused == 41


def test_a_second_source_from_the_allowed_host_comes_too_late(line):
    caller = line.ring()
    line.run(2)
    line.deliver(caller, key_of(CallerStream()), (caller.source[0], 40000))
    line.run(2)
    assert line.keys() == ""


def test_the_last_packets_of_a_call_that_is_over_do_not_take_its_successor_on_the_port(make_line):
    line = make_line(calls=2, sockets=1)
    gone = line.ring("gone")
    gone.source = (gone.source[0], 40000)
    line.run(2)
    line.plane.close("gone")
    del line.callers["gone"]
    caller = line.ring("call")
    # One PBX, one host: what it still sends for the old call comes to the port that the new one waits on.
    line.deliver(caller, gone.stream.tick()[0], gone.source)
    line.quiet_tick()
    caller.stream.press("5")
    line.talk()
    assert line.keys("call") == "5"
    assert line.of(Latched)[-1] == Latched("call", caller.source)


def test_who_has_once_come_from_where_signalling_said_stays_there(make_line):
    line = make_line(calls=2, sockets=1)
    caller = line.ring(allowed_hosts=("198.51.100.9",))
    line.deliver(caller, key_of(CallerStream(), 1), ("198.51.100.9", 4242))
    line.run(2)
    line.deliver(caller, key_of(CallerStream(), 2), ("198.51.100.9", 4242))
    line.run(2)
    assert line.keys() == "1"
    assert [event.source for event in line.of(Latched)] == [("198.51.100.9", 4242), caller.source]


def test_a_payload_type_nobody_agreed_on_latches_nothing(line):
    caller = line.ring(stream=CallerStream(sends_silence=False))
    line.tick(caller.stream.packet(99, bytes(160)))
    assert not line.of(Latched)


def test_many_calls_share_a_port_once_they_have_latched(make_line):
    line = make_line(calls=30, sockets=2)
    for n in range(30):
        caller = line.ring(f"{n}", CallerStream(ssrc=7))
        caller.stream.press(str(n % 10))
        line.tick()
    line.talk()
    assert {caller.socket for caller in line.callers.values()} == {0, 1}
    assert [line.keys(f"{n}") for n in range(30)] == [str(n % 10) for n in range(30)]


def test_more_calls_than_ports_may_wait_for_their_first_packet(make_line):
    line = make_line(calls=12, sockets=2)
    for n in range(12):
        line.ring(f"{n}", CallerStream(sends_silence=False))
    line.run(5)
    for n, caller in enumerate(line.callers.values()):
        caller.stream.press(str(n % 10))
    line.talk()
    assert [line.keys(f"{n}") for n in range(12)] == [str(n % 10) for n in range(12)]


def test_two_calls_from_one_address_and_port_are_told_apart_by_ssrc(make_line):
    line = make_line(calls=2, sockets=1)
    for name, ssrc in (("a", 1), ("b", 2)):
        caller = line.ring(name, CallerStream(ssrc=ssrc))
        if name == "b":
            caller.source = line.callers["a"].source
            line.agree(caller, remote=caller.source)
        line.run(3)
    line.callers["a"].stream.press("11")
    line.callers["b"].stream.press("22")
    line.talk()
    assert (line.keys("a"), line.keys("b")) == ("11", "22")


def test_a_new_ssrc_from_the_known_place_is_the_same_call(line):
    caller = line.ring()
    caller.stream.press("12", inband=True)
    line.talk()
    caller.stream = CallerStream()
    caller.stream.press("34", inband=True)
    line.talk()
    assert line.keys() == "1234"
    assert len(line.of(Latched)) == 1


def test_keys_under_an_ssrc_of_their_own_come_through_beside_audio(line):
    caller, keypad = line.ring(), CallerStream(sends_silence=False)
    line.run(3)
    keypad.press("739")
    while not keypad.idle:
        line.tick(*keypad.tick())
    assert line.keys() == "739"
    assert line.plane.sequences.lost == 0
    assert caller.media.telephone_events


def test_after_a_reinvite_the_new_place_latches_and_the_old_one_is_heard_until_then(line):
    caller = line.ring()
    line.run(2)
    old, new = caller.source, ("192.0.2.99", 6000)
    line.agree(caller, remote=new)
    caller.stream.press("1")
    line.talk()
    caller.source = new
    caller.stream = CallerStream()
    caller.stream.press("2")
    line.talk()
    line.deliver(caller, key_of(CallerStream()), old)
    line.run(2)
    assert line.keys() == "12"
    assert [event.source for event in line.of(Latched)] == [old, new]
    assert caller.went_to == {socket_name(place, socket.AF_INET) for place in (old, new)}


def test_a_closed_call_hears_nothing_and_its_place_is_free(make_line):
    line = make_line(calls=1)
    caller = line.ring()
    line.run(2)
    line.plane.close("call")
    line.callers.clear()
    line.deliver(caller, key_of(caller.stream))
    line.quiet_tick()
    assert not line.of(KeyHeard)
    assert line.plane.reception.refused == 1
    again = line.ring("again")
    again.stream.press("8")
    line.talk()
    assert line.keys("again") == "8"


def test_a_full_plane_says_so_and_goes_on(make_line):
    line = make_line(calls=1)
    line.ring("one")
    with pytest.raises(MediaUnavailable, match="all 1 calls are taken"):
        line.ring("two")
    line.run(3)
    assert len(line.callers["one"].heard) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload_type": 200},
        {"telephone_events": ((0, 8000),)},
        {"telephone_events": ((101, 44100),)},
        {"law": "opus"},
        {"remote": ("example.com", 4000)},
        {"remote": ("2001:db8::1", 4000)},
    ],
    ids=str,
)
def test_media_that_cannot_be_is_refused_and_changes_nothing(line, wrong):
    with pytest.raises(MediaError):
        line.ring(**wrong)
    caller = line.ring()
    with pytest.raises(MediaError):
        line.agree(caller, **wrong)
    caller.stream.press("6")
    line.talk()
    assert line.keys() == "6"


@pytest.mark.parametrize(("host", "family"), [("192.0.2.1", socket.AF_INET), ("2001:db8::7", socket.AF_INET6)])
def test_an_address_survives_the_kernels_way_of_writing_it(host, family):
    assert readable(socket_name((host, 4711), family)) == (host, 4711)


def test_an_ipv4_caller_of_an_ipv6_socket_keeps_its_name():
    assert readable(socket_name(("192.0.2.1", 9), socket.AF_INET6)) == ("192.0.2.1", 9)
