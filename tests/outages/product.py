"""Web and forwarder as processes of their own, with a bank behind TLS in this one, and callers who ring without pause."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil

from ivr.bank.simulator import BankSimulator
from ivr.places import SHIPPED as ROOT
from ivr.store import Payment, Store, open_store
from ivr.testing.twilio import signature_of
from tests.bank_process import SLOW_S, BankKeys, RunningBank
from tests.benches import SAMPLE
from tests.kill.banks import booked_in
from tests.kill.judge import Verdict, judge
from tests.kill.lives import DECLINED, Case, Phone
from tests.outages.trouble import MOST_REQUESTS, new_case
from tests.patience import PATIENCE_S
from tests.web.servers import TOKEN, WEB, answers, end, prepare, until

FORWARDER = (sys.executable, "-m", "tests.outages.quick_forwarder")
ACCOUNTS = 1000
HOLD_S = 0.2  # of a caller on hold, between two requests; at Twilio it is a second
READ_TIMEOUT = "1s"  # with the time to connect, within the lease


@dataclass
class Product:
    """`store`: on the same database, for the comparison afterwards."""

    web: "subprocess.Popen[bytes]"
    forwarder: "subprocess.Popen[bytes]"
    url: str
    environment: dict[str, str]
    bank: RunningBank
    store: Store
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=PATIENCE_S)

    def post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Signed, as Twilio's, which keeps the fragment of an address to itself."""
        path = path.partition("#")[0]
        signed = {"X-Twilio-Signature": signature_of(TOKEN, self.url + path, fields)}
        return httpx.post(f"{self.url}{path}", data=fields, headers=signed, trust_env=False, timeout=PATIENCE_S)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, "-m", "ivr", *words]
        return subprocess.run(
            line, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )

    def workers(self) -> set[int]:
        return {one.pid for one in psutil.Process(self.web.pid).children(recursive=True)}

    # ---- what the judge asks

    def texted(self, call: str) -> list[str]:
        return [one.body for one in self.store.texts_of(call)]

    @property
    def place(self) -> Any:
        def name(payment: Payment) -> str:
            return payment.intent.reference

        return SimpleNamespace(name=name, taken=lambda: booked_in(self.bank.folder), held=dict)

    def judge(self, case: Case) -> Verdict:
        verdict = judge(self, case)  # type: ignore[arg-type]
        verdict.untold += verdict.unheard
        return verdict


@contextmanager
def product(folder: Path, keys: BankKeys, url: str, **settings: str) -> Iterator[Product]:
    """`url`: of a database without tables; `folder`: for the bank's books, settings and the log. The bank's own line is never bad."""
    bank_folder = folder / "bank"
    bank_folder.mkdir()
    for file in keys.bank.iterdir():
        (bank_folder / file.name).write_bytes(file.read_bytes())
    with BankSimulator(bank_folder, slow_s=SLOW_S) as simulator:
        bank = RunningBank(simulator.url, bank_folder, keys.var, keys.settings(simulator.url))
        banks = bank.write_banks_yaml(folder / "banks.yaml", read_timeout=READ_TIMEOUT)
        chosen = {
            "database_url": url,
            "banks": str(banks),
            "flows": str(SAMPLE.parent),
            "log_level": "info",
            **settings,
        }
        port, environment = prepare(folder, keys, **chosen)
        store = open_store(environment["DATABASE_URL"])
        log = folder / "log"
        with log.open("wb") as output:
            begun = [
                subprocess.Popen(line, env=environment, cwd=ROOT, stdout=output, stderr=output)
                for line in (WEB, FORWARDER)
            ]
            running = Product(*begun, f"http://127.0.0.1:{port}", environment, bank, store, log)
            try:
                until(lambda: begun[0].poll() is not None or answers(running))  # type: ignore[arg-type]
                yield running
            finally:
                for process in begun:
                    end(process)
                store.close()


@dataclass
class Callers:
    """So many ring at the same time, one call after the other, each with a card and a bill of its own."""

    product: Product
    at_once: int
    cases: list[Case] = field(default_factory=list)
    over: list[Case] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of every webhook
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def ringing(self) -> Iterator[None]:
        stopping = threading.Event()
        threads = [
            threading.Thread(target=self._ring, args=(range(first, ACCOUNTS, self.at_once), stopping))
            for first in range(self.at_once)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()

    def _ring(self, numbers: Sequence[int], stopping: threading.Event) -> None:
        for number in numbers:
            if stopping.is_set():
                return
            case = new_case(number)
            case.account = f"{20_000_000 + number}"
            self.cases.append(case)
            try:
                self._call(case)
            except Exception as error:
                self.problems.append(f"{case.call}: {type(error).__name__} {error}")
            self.over.append(case)

    def _call(self, case: Case) -> None:
        about = about_call(case)

        def post(url: str, fields: dict[str, str]) -> httpx.Response:
            answer = self.product.post(url, about | fields)
            self.statuses.append(answer.status_code)
            return answer

        world = SimpleNamespace(web=SimpleNamespace(post=post), once_sent=lambda: None)
        pause = threading.Event()
        phone = Phone(world, case, lambda _case: None, lambda: pause.wait(HOLD_S))  # type: ignore[arg-type]
        for _ in range(MOST_REQUESTS * 5):
            if not phone.url or DECLINED in phone.request():
                break
        self.tell_end(case)

    def tell_end(self, case: Case) -> None:
        self.product.post("/twilio/status", about_call(case) | {"CallStatus": "completed"})


def about_call(case: Case) -> dict[str, str]:
    return {"CallSid": case.call, "From": case.ani, "To": "+15550199"}


def settle(running: Product, callers: Callers, within_s: float = PATIENCE_S) -> None:
    """Until the outbox is empty and every call is over, by what the product does by itself."""

    assert callers.problems == []
    running.store.close()  # what it was connected to may be gone

    def is_settled() -> bool:
        if any(running.store.outbox_depth().values()):
            return False
        stored = [(case, running.store.load_call(case.call)) for case in callers.cases]
        left = [case for case, one in stored if one is not None and one.call.phase != "over"]
        # A killed database loses its last moments of calls, which are written without waiting (docs/scaling.md): one that was
        # over is on hold again. The sweeper would end it hours later.
        for case in left:
            callers.tell_end(case)
        return not left

    until(is_settled, within_s)


def verdicts(running: Product, callers: Callers) -> list[str]:
    """What is wrong, in sentences."""
    found = [running.judge(case) for case in callers.cases]
    wrong = [one for verdict in found for one in (*verdict.double, *verdict.lost, *verdict.untold, *verdict.unequal)]
    wrong += [f"the bank has {name}, which nobody knows" for name in unknown_to_us(running)]
    return wrong + callers.problems


def unknown_to_us(running: Product) -> list[str]:
    return [name for name in booked_in(running.bank.folder) if running.store.payment(name) is None]
