"""Calls on a line of our own: SIP and RTP, or AudioSocket from a PBX; the same flows, vault and ledger as Twilio's calls."""

from ivr.channels.trunk.process import Trunk, serve

__all__ = ["Trunk", "serve"]
