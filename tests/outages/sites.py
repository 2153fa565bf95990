"""What the calls of these tests run on: a store, the web application, a forwarder, and a bank behind TLS and a relay."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from ivr.bank.simulator import BankSimulator
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.channels.simulator import Clock
from tests.bank_process import BankKeys
from tests.kill.banks import Place, place_of
from tests.kill.cells import patch_pauses
from tests.kill.world import World, make_world
from tests.outages.relay import Relay, relay

OURS = ("tonetill", "honours keys")
SERVED = (OURS, ("adyen", "honours keys"), ("iso8583", "no keys, blocks"), ("iso8583", "no keys, forgets"))
IMPATIENT_S = 0.5  # until the forwarder takes silence for an answer; only our own protocol is asked so impatiently


@dataclass(frozen=True)
class Site:
    """`keys`: a copy, whose files may be replaced."""

    world: World
    bank: BankSimulator
    line: Relay
    keys: BankKeys

    def warm(self) -> None:
        """A connection stands: what breaks from now on breaks in an exchange, not in a handshake."""
        self.world.place.client.inquire("never-charged")


@contextmanager
def site(url: str, protocol: str, kind: str, keys: BankKeys, folder: Path) -> Iterator[Site]:
    """`url`: of a migrated database; `folder`: for the bank's books and a copy of the keys."""
    patch_pauses()
    own = BankKeys(Path(shutil.copytree(keys.var, folder / "var")))
    ports = {"iso8583": {"iso8583_port": 0}, "adyen": {"adyen_port": 0}}.get(protocol, {})
    ways = SimulatorWays(0.01, blocks=not kind.endswith("forgets"))
    with BankSimulator(own.bank, ways=ways, **ports) as bank:
        host = {"iso8583": bank.iso8583, "adyen": bank.adyen}.get(protocol) or bank
        port = urlsplit(host.url).port or 0
        with relay(port) as line:
            place = _place(protocol, kind, own, host.url.replace(f":{port}", f":{line.port}"))
            world = make_world(url, place, folder)
            try:
                yield Site(world, bank, line, own)
            finally:
                place.client.close()
                world.let_go()


def _place(protocol: str, kind: str, keys: BankKeys, url: str) -> Place:
    timeout = {"read_timeout": f"{IMPATIENT_S:g}s"} if protocol == "tonetill" else {}
    return place_of(protocol, kind, keys, keys.bank, url, Clock(datetime.now(UTC)), **timeout)
