"""A bank as a process of its own, behind TLS, by protocol and kind: the simulator, or localstripe. What is in its books."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ivr.bank import Bank
from ivr.bank.adyen import AdyenBank, AdyenSettings
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.messages import read_trace
from ivr.bank.simulator import BankSimulator, BookEntry, read_books
from ivr.bank.simulator.adyen_keys import account_in
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.modification_books import read_modifications
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.tonetill import TonetillBank
from ivr.channels.simulator import Clock
from ivr.places import SHIPPED
from ivr.store import Payment
from tests.bank.iso8583.running import RunningHost
from tests.bank.stripe.running import STATUSES, RunningStripe, localstripe
from tests.bank_process import BankKeys

# Protocol and kind. Keys: whether the same request under the same key is the same charge.
KINDS = (
    ("tonetill", "honours keys"),
    ("tonetill", "forgets keys"),
    ("adyen", "honours keys"),
    ("stripe", "honours keys"),
    ("iso8583", "no keys, blocks"),
    ("iso8583", "no keys, forgets"),
)


@dataclass(frozen=True)
class Place:
    """`client` has no connection yet, and goes by `clock` where it has a time at all. `taken` and `held`: minor units of each charge by its name at the bank, taken and only
    held; `name`: a payment's name there. `key` and `form`: what the vault seals to, and how."""

    client: Bank
    clock: Clock
    key: Path
    form: str
    taken: Callable[[], Mapping[str, list[int]]]
    held: Callable[[], Mapping[str, list[int]]] = dict
    name: Callable[[Payment], str] = lambda payment: payment.intent.reference


@contextmanager
def bank_at(protocol: str, kind: str, keys: BankKeys, folder: Path) -> Iterator[Place]:
    shutil.copytree(keys.bank, folder, dirs_exist_ok=True)
    clock = Clock(datetime.now(UTC))
    if protocol == "stripe":
        with _stripe(keys, clock) as place:
            yield place
        return
    with _process(folder, protocol, kind) as url:
        yield place_of(protocol, kind, keys, folder, url, clock)


def place_of(protocol: str, kind: str, keys: BankKeys, folder: Path, url: str, clock: Clock, **settings: str) -> Place:
    """At a simulator that runs, with its books in `folder`. `settings`: others than usual, for a bank of our own protocol."""
    match protocol:
        case "adyen":
            return _adyen(keys, folder, url, clock)
        case "iso8583":
            return _iso8583(keys, folder, url, kind, clock)
    client, form = TonetillBank(keys.settings(url, **settings)), "tonetill"
    return Place(client, clock, keys.keys / "bank-sealing.crt", form, lambda: booked_in(folder))


def _adyen(keys: BankKeys, folder: Path, url: str, clock: Clock) -> Place:
    account = account_in(folder)
    settings = AdyenSettings.model_validate(
        {
            "url": url,
            "merchant_account": account.merchant_account,
            "sealing_key": str(account.public_key),
            "ca": str(keys.keys / "bank-ca.crt"),
            "connect_timeout": "20s",
            "read_timeout": "20s",
        }
    ).below(folder)

    def captured() -> set[str]:
        found = read_modifications(folder / "books.db")
        return {one.reference.replace(".", "-") for one in found if (one.kind, one.outcome) == ("capture", "done")}

    return Place(
        AdyenBank(settings, account.api_key),
        clock,
        account.public_key,
        "adyen",
        lambda: {name: minor for name, minor in booked_in(folder).items() if name in captured()},
        lambda: {name: minor for name, minor in booked_in(folder).items() if name not in captured()},
    )


def _iso8583(keys: BankKeys, folder: Path, url: str, kind: str, clock: Clock) -> Place:
    host = RunningHost(url, folder, keys)
    settings = host.settings(reversals_block=str(kind.endswith("blocks")).lower())
    return Place(
        Iso8583Bank(settings, host.opener(), now=clock),
        clock,
        keys.keys / "forwarder-sealing.crt",
        "forwarder",
        lambda: booked_in(folder),
        name=lambda payment: read_trace(payment.bank_trace).retrieval if payment.bank_trace else "never traced",
    )


def booked_in(folder: Path) -> dict[str, list[int]]:
    """What is approved and not reversed. A second charge under one reference is booked as `<reference>#2`."""
    found: dict[str, list[int]] = {}
    for one in read_books(folder):
        if one.outcome == "approved" and one.amount is not None:
            found.setdefault(one.reference.partition("#")[0].replace(".", "-"), []).append(one.amount.minor)
    return found


# ---- the simulator, forked before anything is connected


@contextmanager
def _process(folder: Path, protocol: str, kind: str) -> Iterator[str]:
    """Its URL. It ends when the pipe that this process holds is closed, however that comes."""
    ready, tell = os.pipe()
    hear, hold = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(hold)
            _serve(folder, protocol, kind, tell, hear)
        finally:
            os._exit(0)
    os.close(tell)
    os.close(hear)
    try:
        with os.fdopen(ready) as answers:
            yield answers.readline().strip()
    finally:
        os.close(hold)
        os.waitpid(child, 0)


def _serve(folder: Path, protocol: str, kind: str, tell: int, hear: int) -> None:
    if kind == "forgets keys":
        import ivr.bank.simulator.server as server

        server.Books = KeylessBooks  # type: ignore[misc]
    ways = SimulatorWays(0.01, blocks=not kind.endswith("forgets"))
    ports = {"iso8583": {"iso8583_port": 0}, "adyen": {"adyen_port": 0}}.get(protocol, {})
    with BankSimulator(folder, ways=ways, **ports) as simulator:
        host = {"iso8583": simulator.iso8583, "adyen": simulator.adyen}.get(protocol) or simulator
        os.write(tell, f"{host.url}\n".encode())
        os.read(hear, 1)


class KeylessBooks(Books):
    """Every request that comes is a charge, whatever its reference and key: a second one is booked as `<reference>#2`."""

    def find_key(self, idempotency_key: str) -> BookEntry | None:
        return None

    def authorize(self, entry: BookEntry) -> BookEntry:
        known = self.find(entry.reference)
        if known is None or known.amount is None:
            return super().authorize(entry)
        number = 2 + sum(one.reference.startswith(f"{entry.reference}#") for one in self.entries())
        again = replace(
            entry, reference=f"{entry.reference}#{number}", idempotency_key=f"{entry.idempotency_key}#{number}"
        )
        super().authorize(again)
        return entry


# ---- localstripe behind its front door


@contextmanager
def _stripe(keys: BankKeys, clock: Clock) -> Iterator[Place]:
    port = _a_port()
    line = [sys.executable, "-m", "tests.bank.stripe.stand_in", str(keys.bank), str(port)]
    with (
        localstripe(port),
        subprocess.Popen(line, cwd=SHIPPED, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process,
    ):
        assert process.stdout is not None
        stripe = RunningStripe(f"https://127.0.0.1:{process.stdout.readline().strip()}", port, keys)
        try:
            yield Place(
                stripe.bank(),
                clock,
                keys.keys / "forwarder-sealing.crt",
                "forwarder",
                lambda: _listed(stripe, "captured"),
                lambda: _listed(stripe, "authorized"),
            )
        finally:
            process.terminate()


def _a_port() -> int:
    """The kernel's choice: workers that are forked of one server would all begin at the same place of `tests.ports`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listed(stripe: RunningStripe, status: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in stripe.intents():
        if STATUSES.get(one["status"]) == status:
            found.setdefault(one["metadata"].get("tonetill_reference", "none of ours"), []).append(one["amount"])
    return found
