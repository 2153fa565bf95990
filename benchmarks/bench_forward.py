"""Waiting charges through the real forwarder to a bank over mutual TLS, on SQLite and PostgreSQL, beside procrastinate. `make bench-forward`.

The forwarder is the process that `python -m ivr up` starts, at the bank's usual sixteen connections. It is stopped while charges are
begun, and goes on when all wait; CPU is its own, from the system's accounts. Rounds are interleaved. Then one call at a time:
from the request with the last key (the caller's consent) to the first bytes of the charge at the bank, through web server, store and forwarder.
"""

import os
import secrets
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bank_stand_in import stand_in  # noqa: E402
from benchmarks.children import Child, child  # noqa: E402
from benchmarks.last_key import seconds_to_the_bank  # noqa: E402
from benchmarks.peers.procrastinate_runs import PeerRuns, peer_python  # noqa: E402
from ivr.bank.dev_keys import make_development_keys  # noqa: E402
from ivr.cli.own_postgresql import find_program, own_postgresql  # noqa: E402
from ivr.core.money import Money  # noqa: E402
from ivr.store import AttemptLimits, DatabaseError, PaymentIntent, SealedField, Store, migrate, open_store  # noqa: E402
from tests.bank_process import BankKeys, RunningBank  # noqa: E402
from tests.ports import free_port  # noqa: E402

BANK = "acme_bank"
FIELDS = ("card_number", "expiry", "security_code", "postal_code")
SEAL = "eyJ" + secrets.token_hex(400)  # as long as a field sealed to RSA-3072
WORKERS = 16
console = Console(width=120)


@dataclass(frozen=True)
class Drained:
    per_s: float
    cpu_ms: float


@dataclass
class Ours:
    """The forwarder's process on one database."""

    store: Store
    forwarder: Child

    def drain(self, charges: int) -> Drained:
        process = self.forwarder.process
        self.stop()
        for _ in range(charges - 1):
            begin(self.store)
        began, cpu = time.perf_counter(), self.forwarder.cpu_s()
        process.send_signal(signal.SIGCONT)
        while any(self.store.outbox_depth().values()):
            assert process.poll() is None, "the forwarder has ended"
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        return Drained(charges / seconds, (self.forwarder.cpu_s() - cpu) / charges * 1000)

    def stop(self) -> None:
        """Between two writes of its own, or nobody else could write to SQLite's file; one charge has been begun then."""
        while True:
            self.forwarder.process.send_signal(signal.SIGSTOP)
            try:
                begin(self.store)
            except (DatabaseError, sqlite3.OperationalError):  # the latter of what goes straight to the driver
                self.forwarder.process.send_signal(signal.SIGCONT)
            else:
                return


def begin(store: Store) -> None:
    """A charge of a caller and card of its own, with four sealed fields."""
    call, now = f"CA{secrets.token_hex(16)}", datetime.now(UTC)
    for field in FIELDS:
        store.stage_sealed(SealedField(f"{call}-1", field, SEAL, call if field == "card_number" else None), now)
    intent = PaymentIntent(f"{call}-1", "m", call, BANK, Money(4250), "12345678", "visa 1111", call)
    store.begin_payment(intent, AttemptLimits(), now)


@contextmanager
def ours(url: str, environment: Mapping[str, str]) -> Iterator[Ours]:
    migrate(url)
    store = open_store(url)
    with child("-m", "ivr.forwarder", environment={**environment, "DATABASE_URL": url}) as forwarder:
        begin(store)
        while any(store.outbox_depth().values()):  # it has started, and has a connection to the bank
            assert forwarder.process.poll() is None, "the forwarder has ended"
            time.sleep(0.05)
        try:
            yield Ours(store, forwarder)
        finally:
            store.close()


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds of each, interleaved.")
@click.option("--charges", default=1500, show_default=True, help="Waiting charges a round.")
@click.option("--calls", default=200, show_default=True, help="Calls, one at a time, from the last key to the bank.")
def main(rounds: int, charges: int, calls: int) -> None:
    """Prints charges a second and CPU a charge, ours beside procrastinate, and how soon a charge is at the bank."""
    drained: dict[str, list[Drained]] = defaultdict(list)
    waited: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="tonetill-") as name, ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o755)  # as root PostgreSQL runs as another user
        keys = BankKeys(folder / "var")
        make_development_keys(keys.keys, keys.bank)
        databases = {"SQLite": f"sqlite:///{folder}/bench.db", **running.enter_context(postgresql(folder))}
        bank, _ = running.enter_context(stand_in(keys.bank))
        environment = settings(folder, keys, bank)
        runs = {name: running.enter_context(ours(url, environment)).drain for name, url in databases.items()}
        if "PostgreSQL" in databases and peer_python():
            peer = running.enter_context(PeerRuns.started(databases["PostgreSQL"], bank, keys.keys, charges, WORKERS))
            runs["procrastinate, PostgreSQL"] = lambda _: Drained(*peer.run())
        for number in range(rounds):
            for who, drain in runs.items():
                drained[who].append(drain(charges))
                console.print(
                    f"round {number + 1}, {who}: {drained[who][-1].per_s:,.0f}/s, {drained[who][-1].cpu_ms:.2f} ms CPU"
                )
        running.pop_all().close()
        for who, url in {**databases}.items() if calls else ():
            with ExitStack() as again:
                if who != "SQLite":
                    url = again.enter_context(postgresql(folder))[who]
                waited[who] = seconds_to_the_bank(folder, url, keys, calls)
    report(drained, waited)


def settings(folder: Path, keys: BankKeys, bank: str) -> dict[str, str]:
    there = RunningBank(bank, folder, keys.var, keys.settings(bank))
    banks = there.write_banks_yaml(folder / "banks.yaml", BANK)
    return {"VAR": str(keys.var), "BANKS": str(banks), "LOG_LEVEL": os.environ.get("LOG_LEVEL", "warning")}


@contextmanager
def postgresql(folder: Path) -> Iterator[dict[str, str]]:
    """One of our own, as durable as it comes; none where it is not installed."""
    if url := os.environ.get("BENCH_POSTGRESQL"):
        yield {"PostgreSQL": url}
    elif find_program("initdb") is None:
        console.print("no PostgreSQL, and so no peer: apt-get install postgresql")
        yield {}
    else:
        with own_postgresql(folder / "postgresql", free_port()) as url:
            yield {"PostgreSQL": url}


def report(drained: Mapping[str, list[Drained]], waited: Mapping[str, list[float]]) -> None:
    table = Table(
        "",
        "charges/s (median)",
        "lowest to highest",
        "CPU ms a charge (median)",
        title="waiting charges to a bank over TLS",
    )
    for who, rounds in drained.items():
        rates = [one.per_s for one in rounds]
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        table.add_row(who, f"{median(rates):,.0f}", spread, f"{median([one.cpu_ms for one in rounds]):.2f}")
    console.print(table)
    if peer := next((rounds for who, rounds in drained.items() if who.startswith("procrastinate")), None):
        ratio = median([one.per_s for one in drained["PostgreSQL"]]) / median([one.per_s for one in peer])
        less = median([one.cpu_ms for one in peer]) / median([one.cpu_ms for one in drained["PostgreSQL"]])
        console.print(
            f"on PostgreSQL {ratio:.1f} times as many charges as procrastinate's jobs, each for 1/{less:.1f} of the CPU"
        )
    for who, seconds in waited.items():
        cuts = statistics.quantiles(seconds, n=100)
        console.print(
            f"{who}: from the last key to the bank {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
            f"longest {max(seconds) * 1000:.1f} ms, {len(seconds)} calls"
        )


def median(numbers: list[float]) -> float:
    return statistics.median(numbers)


if __name__ == "__main__":
    main()
