"""Other people's telephone systems and decoders, fetched by package name and run beside ours: for benchmarks and tests."""

from benchmarks.peers.asterisk import Asterisk
from benchmarks.peers.debian import PeerMissing, Tree, debian, running
from benchmarks.peers.kamailio import Kamailio

__all__ = ["Asterisk", "Kamailio", "PeerMissing", "Tree", "debian", "running"]
