"""Calls of tests over SIP and RTP on loopback: a trunk in this process with a media worker of its own, and a telephone.

    pytest's thread   SipLine: press, silence, wait, hang up; each returns when the line waits for its caller again
    trunk's thread    SipTrunk: the SIP endpoint and the call handler as in production, the telephone, the conversations
    media worker      RTP by the real clock, a process as in production

What is real: INVITE to BYE, RTP both ways, keys as telephone events or tones that the media worker has to hear. What is
not: the time a caller waits. A conversation's timers are by the test's clock (`timers`) and run out only when the caller
is silent or holds the line. No voice is made: a prompt is a mark of 40 ms (`sayings`), unlike every other, and heard is
what the telephone found in the RTP that it received.

Public are the names of `__all__`, and the module `load`.
"""

from ivr.testing.sip.line import SipLine
from ivr.testing.sip.trunk import SipTrunk, the_trunk

__all__ = ["SipLine", "SipTrunk", "the_trunk"]
