"""SRTP for the calls that agreed on it (SDES, AES_CM_128_HMAC_SHA1_80): packet by packet through libsrtp, the slow path.

About 10 us a packet each way, where an unencrypted one costs a fraction; many such calls belong behind rtpengine.
"""

import numpy as np
from pylibsrtp import Error, Policy, Session

from ivr.phone.rtp.contract import MediaError, SrtpKeys
from ivr.phone.rtp.outgoing import PACKET_BYTES, Outgoing
from ivr.phone.rtp.packets import Arrivals

KEY_BYTES = 30
TAG_BYTES = 10


class SecureRow:
    def __init__(self, keys: SrtpKeys) -> None:
        if len(keys.sending) != KEY_BYTES or len(keys.receiving) != KEY_BYTES:
            raise MediaError(f"srtp: a key and salt for AES_CM_128_HMAC_SHA1_80 have {KEY_BYTES} bytes together")
        self.keys = keys
        self._sending = session(keys.sending, Policy.SSRC_ANY_OUTBOUND)
        self._receiving = session(keys.receiving, Policy.SSRC_ANY_INBOUND)

    def unprotect(self, arrivals: Arrivals, at: int) -> bool:
        """In place. False for what was not made with the agreed key, or is a replay."""
        length = int(arrivals.lengths[at])
        try:
            clear = self._receiving.unprotect(arrivals.bytes[at, :length].tobytes())
        except Error:
            return False
        arrivals.bytes[at, : len(clear)] = np.frombuffer(clear, np.uint8)
        arrivals.bytes[at, len(clear) : length] = 0
        arrivals.lengths[at] = len(clear)
        return True

    def protect(self, outgoing: Outgoing, row: int) -> None:
        sealed = self._sending.protect(outgoing.packets[row, :PACKET_BYTES].tobytes())
        outgoing.packets[row, : len(sealed)] = np.frombuffer(sealed, np.uint8)


def session(key: bytes, kind: int) -> Session:
    return Session(Policy(key=key, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80))
