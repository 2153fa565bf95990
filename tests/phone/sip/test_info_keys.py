"""Keys in INFO bodies, as phones and gateways write them."""

import pytest

from ivr.phone.sip.info_keys import read_info_key, read_info_keys


@pytest.mark.parametrize(
    ("body", "key", "duration_ms"),
    [
        (b"Signal=5\r\nDuration=160\r\n", "5", 160),
        (b"Signal= 5\r\nDuration= 250", "5", 250),
        (b"signal = *\nduration = 90\n", "*", 90),
        (b"Duration=100\r\nSignal=#", "#", 100),
        (b"Signal=10\r\nDuration=160", "*", 160),
        (b"Signal=11\r\nDuration=160", "#", 160),
        (b"Signal=a", "A", 160),
        (b'Signal="1"\r\nDuration=160', "1", 160),
        (b'Signal = "*"', "*", 160),
        (b"Signal=15", "D", 160),
        (b"Signal=5\r\nDuration=999999", "5", 10_000),
        (b"7", "7", 160),
        (b"#\r\n", "#", 160),
        (b"11", "#", 160),
    ],
)
def test_a_key_is_read_however_it_is_written(body, key, duration_ms):
    found = read_info_key(body)
    assert (found.key, found.duration_ms) == (key, duration_ms)


@pytest.mark.parametrize(
    "body", [b"", b"Signal=", b"Signal=16", b"Signal=55", b"hello", b"\xff\xfe", b"Signal=!", b"123"]
)
def test_what_is_no_key_is_none(body):
    assert read_info_key(body) is None


def test_a_key_is_not_shown():
    assert "7" not in repr(read_info_key(b"Signal=7\r\nDuration=160"))


@pytest.mark.parametrize(("code", "key"), [*enumerate("0123456789*#ABCD")])
@pytest.mark.parametrize("flags", [0x00, 0x0A, 0x8A, 0x0C, 0x20])
@pytest.mark.parametrize("duration", [0x0140, 0x0C30, 0x3030, 0x0A31, 0x2023])
def test_a_payload_is_one_whatever_its_bytes_mean_in_text(code, key, flags, duration):
    body = bytes((code, flags)) + duration.to_bytes(2, "big")
    assert [found.key for found in read_info_keys("audio/telephone-event", body)] == [key]


@pytest.mark.parametrize("body", [b"   5", b"5   ", b"5\r\n ", b"11\r\n", b"  #\n"])
def test_four_printable_bytes_are_text(body):
    assert read_info_keys("audio/telephone-event", body) == (read_info_key(body),)


def test_four_bytes_of_another_type_are_no_payload():
    assert [found.key for found in read_info_keys("application/dtmf", b"\t\n\x0c0")] == ["0"]
