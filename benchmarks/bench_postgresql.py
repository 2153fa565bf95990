"""How far one PostgreSQL carries: paid calls a second by several processes on one server, with what each writes and nothing else.

A call is what web and forwarder do at the store: its row with each turn, four sealed fields, the charge, a lease, "sent" and
the answer. There is no HTTP, no voice and no bank, so this is the database's end of it. The server is durable (fsync on).
"""

import multiprocessing
import os
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import click
import psutil

from benchmarks.postgresql_pair import reachable_folder
from ivr.cli.own_postgresql import own_postgresql
from ivr.core.call import Call
from ivr.core.money import Money
from ivr.store import AttemptLimits, PaymentIntent, SealedField, Store, migrate, open_store
from tests.ports import free_port

FIELDS = ("card_number", "expiry", "security_code", "postal_code")
TURNS = 12  # webhooks of a paid call of the sample flow
ANSWER = "x" * 400  # about what an answer to Twilio has
SEAL = "eyJ" + "x" * 840


@click.command()
@click.option("--processes", default=4, show_default=True, help="Web nodes and forwarders at once.")
@click.option("--seconds", default=20.0, show_default=True)
def main(processes: int, seconds: float) -> None:
    with reachable_folder() as folder, own_postgresql(folder / "postgresql", free_port()) as url:
        migrate(url)
        psutil.cpu_percent()
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            paid = pool.starmap(pay, [(url, seconds)] * processes)
        busy, load = psutil.cpu_percent(), os.getloadavg()[0]
    calls = sum(count for count, _ in paid)
    rate = sum(count / took for count, took in paid)
    print(f"{processes} processes, {os.cpu_count()} cores {busy:.0f} % busy, load {load:.0f}: {rate:.0f} paid calls/s, "
          f"{rate * 3600:.0f} an hour; {calls} in all")  # fmt: skip


def pay(url: str, seconds: float) -> Sequence[float]:
    """Calls, and the seconds that they took."""
    store, calls, began = open_store(url), 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        one_call(store)
        calls += 1
    took = time.perf_counter() - began
    store.close()
    return calls, took


def one_call(store: Store) -> None:
    name, now = f"CA{secrets.token_hex(16)}", datetime.now(UTC)
    account = str(secrets.randbelow(10**8))
    call = Call(name, "pay-a-bill", "+15550100", "+15550199", "twilio", "en-US", values={"account_number": account})
    store.save_call(call, 0, now, answer=ANSWER)
    for turn in range(1, TURNS):
        stored = store.load_call(name)
        assert stored is not None
        if 0 < turn - 4 <= len(FIELDS):
            field = FIELDS[turn - 5]
            store.stage_sealed(SealedField(f"{name}-1", field, SEAL, name if field == "card_number" else None), now)
        store.save_call(stored.call, stored.version, now, answer=ANSWER)
    intent = PaymentIntent(f"{name}-1", "m", name, "b", Money(4250), account, "visa 1111", name)
    store.begin_payment(intent, AttemptLimits(), now)
    for job in store.claim_jobs(None, 60, 1):
        store.mark_sent(job)
        store.record(job, "approved", now)


if __name__ == "__main__":
    main()
