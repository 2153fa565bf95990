"""Calls on a line of our own: SIP and RTP, or AudioSocket from a PBX; the same flows, vault and ledger as Twilio's calls.

Public are the names of `__all__`, and the modules `call_handler`, `open_files`, `prompt_cache`.
"""

from ivr.channels.trunk.process import (
    BLOCKING_THREADS,
    Trunk,
    TrunkMerchant,
    media_settings,
    peer_of,
    serve,
    sip_settings,
)

__all__ = ["BLOCKING_THREADS", "Trunk", "TrunkMerchant", "media_settings", "peer_of", "serve", "sip_settings"]
