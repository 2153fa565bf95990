"""Why a SIP call that `ring` placed was refused, and what would be done about it: the status means what our own trunk means."""

from collections.abc import Mapping

from ivr.errors import PeerError
from ivr.phone.sip import CallRefusedError
from ivr.places import COMMAND

_LOGIN = "the line asks for a login, which `ring` has not: let this address in by TRUNK_PEERS, or ring from a telephone"
CURES: Mapping[int, str] = {
    401: _LOGIN,
    403: "the far end takes no calls from here: its list of peers, or its dial plan, says who may call",
    404: "no flow answers that number: TRUNK_FLOWS says which does, as number=flow",
    407: _LOGIN,
    408: f"nothing answers there: is a line running (`{COMMAND} up`), at that address and port, and is --bind among its TRUNK_PEERS?",
    480: "nobody can be reached at that number now",
    486: "busy: ring again",
    487: "taken back while it rang",
    488: "the line and `ring` have no codec in common, or it takes encrypted audio only (TRUNK_SRTP)",
    503: "the line takes no more calls now: as many as it may have, no port for audio, or it is stopping",
}


def with_cure(refused: CallRefusedError) -> PeerError:
    """The same error, with what to do where that is known."""
    cure = CURES.get(refused.status)
    return PeerError(f"{refused}: {cure}") if cure else refused
