"""Real telephone systems for tests: `benchmarks.peers`, with a skip that says why where one cannot be had."""

import shutil
from collections.abc import Sequence

import pytest

from benchmarks import peers
from benchmarks.peers import Asterisk, Kamailio, PeerMissing, debian, running
from benchmarks.peers.asterisk import PACKAGES as ASTERISK
from benchmarks.peers.kamailio import PACKAGES as KAMAILIO

needs_peers = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="peers are unpacked with apt, which is not here"),
]


class Tree(peers.Tree):
    def __init__(self, name: str, suite: str, packages: Sequence[str]) -> None:
        try:
            super().__init__(name, suite, packages)
        except PeerMissing as missing:
            pytest.skip(f"{name}: {missing}")


__all__ = ["ASTERISK", "KAMAILIO", "Asterisk", "Kamailio", "Tree", "debian", "needs_peers", "running"]
