"""The whole product as processes, called with canary cards by webhooks and by SIP; then everything is searched for them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from ivr.places import SHIPPED as ROOT
from ivr.store import Store, open_store
from ivr.testing.twilio import TwilioCall, call_application
from tests.channels.browser.products import answers
from tests.channels.trunk.callers import telephone
from tests.ports import free_port
from tests.tills import Progress, write_flow
from tests.web.process_memory import card_number
from tests.web.remains import Search, kinds
from tests.web.servers import TOKEN, pay, until

MARKS = {
    "web": "ivr web",
    "console": "ivr console",
    "forwarder": "ivr.forwarder",
    "bank simulator": "ivr.bank.simulator",
    "trunk": "ivr trunk",
    "media worker": "ivr.phone.rtp.worker",
}
OURS = tuple(MARKS)[:3] + tuple(MARKS)[4:]  # the bank has the numbers, of course
PLANT = "LEFT_BEHIND_PLANT"  # in the environment, which every process has in its memory
POLL_S, KEYS_S = 0.1, 0.2
FIRST_BILL = 20_000_000


@dataclass
class Product:
    process: "subprocess.Popen[bytes]"
    var: Path
    url: str
    sip: str
    store: Store

    def kinds(self) -> dict[str, list[psutil.Process]]:
        return kinds(psutil.Process(self.process.pid), MARKS)

    def webhooks(self, number: int) -> TwilioCall:
        return call_application(
            self.url,
            "/twilio/voice/pay-a-bill",
            auth_token=TOKEN,
            public_url=self.url,
            status_callback="/twilio/status",
            ani=f"+1555{number:07d}",
        )


@contextmanager
def running(var: Path, bills: int, plant: str, without: Sequence[str] = ()) -> Iterator[Product]:
    """`python -m ivr up`, on free ports; `plant`: a number that is in every process's memory from the beginning."""
    ports = {name: str(free_port()) for name in ("PORT", "CONSOLE_PORT", "PORTAL_PORT", "BANK_PORT", "TRUNK_PORT")}
    banks = (ROOT / "config" / "banks.yaml").read_text(encoding="utf-8").replace(":9443", f":{ports['BANK_PORT']}")
    (var / "banks.yaml").write_text(banks, encoding="utf-8")
    rows = [f"{FIRST_BILL + number},42.50,10.00,USD" for number in range(bills)]
    (var / "accounts.csv").write_text("\n".join(["account,due,minimum,currency", *rows, ""]), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in ("PUBLIC_URL", "ENVIRONMENT")}
    environment = kept | ports | {
        "VAR": str(var),
        "DATABASE_URL": f"sqlite:///{var}/product.db",
        "BANKS": str(var / "banks.yaml"),
        "ACCOUNTS": str(var / "accounts.csv"),
        "FLOWS": str(write_flow(var).parent),
        "TWILIO_AUTH_TOKEN": TOKEN,
        "WEB_WORKERS": "1",
        "TRUNK_VOICE": "tones",
        "TRUNK_BIND": "127.0.0.1",
        "TRUNK_RTP_PORTS": "0000-0127",
        "TRUNK_MAX_CALLS": "60",
        "LOG_LEVEL": "debug",
        "PYTHONPATH": str(ROOT),
        PLANT: plant,
    }  # fmt: skip
    with (var / "log").open("w") as log:
        line = [sys.executable, "-m", "ivr", "up", *(word for name in without for word in ("--without", name))]
        process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        url, sip = f"http://127.0.0.1:{ports['PORT']}", f"sip:pay@127.0.0.1:{ports['TRUNK_PORT']}"
        store = None
        try:
            until(lambda: process.poll() is not None or is_ready(url, var / "log", without))
            assert process.poll() is None, (var / "log").read_text()
            store = open_store(environment["DATABASE_URL"])
            yield Product(process, var, url, sip, store)
        finally:
            if store is not None:
                store.close()
            process.send_signal(signal.SIGINT)
            process.wait(60)


def is_ready(url: str, log: Path, without: Sequence[str]) -> bool:
    said = log.read_text(encoding="utf-8")
    answering = "web" in without or answers(f"{url}/readyz")
    return answering and "bank simulator: https" in said and "running: trunk, at" in said


# ---- callers


def pays_by_webhooks(product: Product, number: int) -> bool:
    account, pan = f"{FIRST_BILL + number}", card_number(number)
    return pay(product.webhooks(number), account, pan, cvv2=f"{100 + number % 900}").state == "over"


class Watched:
    """What a `Caller` needs to know of a till: read from the product's database."""

    def __init__(self, product: Product) -> None:
        self.uri, self.progress, self.store = product.sip, Progress(), product.store

    async def watch(self) -> None:
        while True:
            for record in await asyncio.to_thread(self.store.latest_calls, 60):
                self.progress.calls[record.id] = record.call
            self.progress._changed.set()
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def watched(product: Product) -> Any:
    till = Watched(product)
    watching = asyncio.create_task(till.watch())
    try:
        yield till
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def all_pay_by_sip(product: Product, numbers: range, at_once: int) -> int:
    """How many did. Half of them key by tones in the audio."""
    left, paid = iter(numbers), 0

    async def caller(till: Watched) -> None:
        nonlocal paid
        for number in left:
            has_paid = await pays_by_sip(till, number)
            paid += has_paid

    async with watched(product) as till, asyncio.TaskGroup() as callers:
        for _ in range(at_once):
            callers.create_task(caller(till))
    return paid


async def pays_by_sip(till: Watched, number: int) -> bool:
    """Once more where a key was lost on a busy machine."""
    ani = f"+1556{number:07d}"
    with suppress(TimeoutError):
        async with telephone(till, ani, method="inband" if number % 2 else "rfc4733") as caller:  # type: ignore[arg-type]
            for place, keys in entries(number):
                await caller.reaches(place)
                await caller.press(keys)
            await caller.reaches("repeat")
            await caller.call.hang_up()
    calls = [call.id for call in till.progress.calls.values() if call.ani == ani]
    return any(one.status == "approved" for call in calls for one in till.store.payments_of(call))


def entries(number: int) -> list[tuple[str, str]]:
    return [
        ("language", "1"),
        ("account", f"{FIRST_BILL + number}#"),
        ("amount", "1"),
        ("card 0", f"{card_number(number)}#"),
        ("card 1", "1230"),
        ("card 2", f"{100 + number % 900}"),
        ("card 3", "94105"),
        ("confirm", "1"),
    ]


async def in_the_middle(product: Product, number: int) -> bool:
    """Whether a number that is being keyed in is found in the trunk's memory: all of it but the last digit."""
    async with watched(product) as till, telephone(till, f"+1557{number:07d}") as caller:
        for place, keys in entries(number)[:3]:
            await caller.reaches(place)
            await caller.press(keys)
        await caller.reaches("card 0")
        await caller.press(card_number(number)[:-1])
        await asyncio.sleep(KEYS_S)
        found = [Search([]).in_process(one) for one in product.kinds()["trunk"]]
        await caller.call.hang_up()
    return any(one.pieces for one in found)


def plant_on_disk(product: Product, pan: str) -> None:
    """Into the database, its log, and a file beside them."""
    product.store.queue_sms("planted-1", "+15550100", f"your card {pan}", datetime.now(UTC))
    (product.var / "crash.txt").write_text(pan, encoding="utf-8")
