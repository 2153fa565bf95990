"""Headers of a whole tick at once, against one packet at a time in plain Python; and bytes that are no RTP."""

import struct

import numpy as np

from ivr.phone.rtp.packets import SLOT_BYTES, Arrivals, read_headers

NAME = bytes(28)


def plain(packet: bytes) -> tuple[int, ...] | None:
    """(payload type, marker, sequence, timestamp, SSRC, begin, length), or None where it is no RTP."""
    if len(packet) < 12 or len(packet) > SLOT_BYTES or packet[0] >> 6 != 2 or 192 <= packet[1] <= 223:
        return None
    begin = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        if len(packet) < begin + 4:
            return None
        begin += 4 + 4 * struct.unpack("!H", packet[begin + 2 : begin + 4])[0]
    padding = packet[-1] if packet[0] & 0x20 else 0
    length = len(packet) - begin - padding
    if length < 0 or (packet[0] & 0x20 and not padding):
        return None
    sequence, timestamp, ssrc = struct.unpack("!HII", packet[2:12])
    return packet[1] & 0x7F, packet[1] >> 7, sequence, timestamp, ssrc, begin, length


def parsed(packets: list[bytes]) -> list[tuple[int, ...] | None]:
    arrivals = Arrivals(len(packets))
    for packet in packets:
        arrivals.add(packet, 0, NAME)
    headers, controls = read_headers(arrivals)
    assert headers.refused == len(packets) - len(headers) - len(controls)
    found: list[tuple[int, ...] | None] = [None] * len(packets)
    names = ("kind", "marker", "sequence", "timestamp", "ssrc", "begin", "length")
    for place, at in enumerate(headers.at.tolist()):
        found[at] = tuple(int(getattr(headers, name)[place]) for name in names)
    return found


def test_plain_packets_are_read_as_they_are():
    packets = [struct.pack("!BBHII", 0x80, n % 256, n, n * 160, 99) + bytes(160) for n in range(190)]
    assert parsed(packets) == [plain(packet) for packet in packets]


def test_whatever_the_bytes_are_they_are_read_like_one_by_one():
    rng = np.random.default_rng(11)
    packets = []
    for _ in range(5000):
        packet = bytearray(rng.integers(0, 256, int(rng.integers(0, 80)), dtype=np.uint8).tobytes())
        if packet and rng.random() < 0.8:
            packet[0] = packet[0] & 0x3F | 0x80
        if len(packet) > 16 and rng.random() < 0.7:
            packet[14:16] = struct.pack("!H", int(rng.integers(0, 4)))
            packet[-1] = int(rng.integers(0, 12))
        packets.append(bytes(packet))
    assert parsed(packets) == [plain(packet) for packet in packets]
    assert sum(found is not None for found in parsed(packets)) > 500


def test_what_is_too_long_for_a_telephone_is_refused():
    assert parsed([bytes([0x80]) + bytes(SLOT_BYTES), bytes([0x80]) + bytes(SLOT_BYTES - 1)])[0] is None


def test_wiped_arrivals_hold_nothing():
    arrivals = Arrivals(4)
    for length in (20, 172, 500):
        arrivals.add(bytes([0x80]) + b"\x37" * (length - 1), 0, NAME)
    arrivals.wipe()
    assert not arrivals.bytes.any()
    assert arrivals.count == 0
