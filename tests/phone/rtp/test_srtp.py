"""Calls under SRTP beside calls without: keys and prompts as ever, forged and repeated packets left out."""

import os

import numpy as np
import pytest
from pylibsrtp import Policy, Session

from ivr.phone.rtp import CallerStream, Latched, MediaError, SrtpKeys

OURS, THEIRS = bytes(range(30)), bytes(range(100, 130))
KEYS = SrtpKeys(sending=OURS, receiving=THEIRS)


def session(key: bytes, kind: int) -> Session:
    return Session(Policy(key=key, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80))


class SecurePhone(CallerStream):
    def __init__(self, key: bytes = THEIRS, **how) -> None:
        super().__init__(**how)
        self._session = session(key, Policy.SSRC_ANY_OUTBOUND)

    def packet(self, *what, **how):
        return self._session.protect(super().packet(*what, **how))


@pytest.mark.parametrize("inband", [False, True], ids=["telephone_event", "inband"])
def test_keys_come_through_and_prompts_go_out(line, inband):
    caller = line.ring(stream=SecurePhone(), srtp=KEYS)
    plain = line.ring("plain")
    clip = np.random.default_rng(1).integers(0, 255, 1600, dtype=np.uint8)
    line.plane.prompts.load(1, clip)
    line.plane.play("call", 1, [1], False)
    caller.stream.press("4907", inband=inband)
    plain.stream.press("12", inband=inband)
    line.talk()
    assert line.keys() == "4907"
    assert line.keys("plain") == "12"
    theirs = session(OURS, Policy.SSRC_ANY_INBOUND)
    heard = b"".join(theirs.unprotect(datagram)[12:] for datagram in caller.heard)
    assert heard[:1600] == clip.tobytes()
    assert {len(datagram) for datagram in plain.heard} == {172}


def test_a_packet_under_another_key_neither_latches_nor_keys(line):
    caller = line.ring(stream=SecurePhone(os.urandom(30)), srtp=KEYS)
    caller.stream.press("5")
    line.talk()
    assert line.keys() == ""
    assert not line.of(Latched)
    assert line.plane.reception.refused > 10


def test_a_packet_without_any_encryption_is_refused(line):
    caller = line.ring(srtp=KEYS)
    caller.stream.press("5")
    line.talk()
    assert line.keys() == ""
    assert not line.of(Latched)


def test_a_replayed_packet_is_refused(line):
    caller = line.ring(stream=SecurePhone(), srtp=KEYS)
    line.run(3)
    key = caller.stream.packet(101, bytes([5, 10, 0, 160]), marker=True)
    line.tick(key, key)
    line.tick(key)
    assert line.keys() == "5"
    assert line.plane.reception.refused == 2


def test_a_reinvite_with_new_keys_takes_them(line):
    caller = line.ring(stream=SecurePhone(), srtp=KEYS)
    caller.stream.press("1")
    line.talk()
    other = bytes(30)
    caller.stream = SecurePhone(other, ssrc=caller.stream.ssrc)
    line.agree(caller, srtp=SrtpKeys(sending=OURS, receiving=other))
    caller.stream.press("2")
    line.talk()
    assert line.keys() == "12"


def test_keys_of_the_wrong_length_are_refused_and_never_shown(line):
    wrong = SrtpKeys(sending=b"short-secret", receiving=THEIRS)
    with pytest.raises(MediaError, match="30 bytes") as refused:
        line.ring(srtp=wrong)
    assert "short-secret" not in str(refused.value) + repr(wrong)
    line.ring()
