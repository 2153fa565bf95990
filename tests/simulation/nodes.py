"""Web nodes and forwarders: the product's own, each a process that may die at any moment and is started again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from typing import Any

from flask import Flask
from sqlalchemy import text

from ivr.app import add_errors
from ivr.bank import Bank
from ivr.calls import CallService, Runner
from ivr.calls.billing import BillingDown, Bills, InOurTable
from ivr.calls.payments import Payments
from ivr.calls.results import result_words
from ivr.calls.sweeping import Sweeper, idle_minutes
from ivr.channels.twilio import Signer, Webhooks, Writer
from ivr.flow.compiled import Flow
from ivr.forwarder.process import Forwarder
from ivr.forwarder.worker_pool import (
    SHORTEST_IDLE_S,
    Queue,
    QueueJobs,
    WorkerPool,
    queues_for,
)
from ivr.store import Store
from ivr.vault import Vault
from ivr.words.phrases import Prompts
from tests.simulation.clocks import MachineClock
from tests.simulation.database import Disk, node_store
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Answer, Process, Scheduler

TOKEN, HOST = "0123456789abcdef0123456789abcdef", "pay.example.com"
PUBLIC = f"https://{HOST}"
# A minute in production. Here most of a seed's time would be spent on it, and nothing that it does is in a hurry.
HOUSEKEEPING_S = 300.0
LONGEST_CALL_MINUTES = 30
_DUE = text(
    "SELECT queue, MIN(MAX(due_at, leased_until)) FROM outbox WHERE is_done = false GROUP BY queue ORDER BY queue"
)


@dataclass(frozen=True)
class Merchant:
    """What all nodes of the site have in common."""

    flows: Mapping[str, Flow]
    prompts: Prompts
    vaults: Mapping[str, Vault]
    secret: bytes


class SlowBills(Bills):
    """The embedded table, but at a consent it is as slow, or as far away, as a billing system of the merchant's may be."""

    def __init__(self, store: Store, node: "Node") -> None:
        super().__init__(store)
        self._node = node

    def due_now(self, source: str, key: str, asker: str) -> InOurTable | None:
        drawn, faults = self._node.scheduler.chance.random(), self._node.disk.faults
        if drawn < faults.billing_away:
            raise BillingDown("out for lunch")
        return None if drawn < faults.billing_away + faults.billing_slow else InOurTable()


@dataclass(eq=False)
class Node:
    """One machine with one process on it."""

    name: str
    scheduler: Scheduler
    disk: Disk
    merchant: Merchant
    clock: MachineClock
    process: Process = field(init=False)
    frailty = 1.0

    def __post_init__(self) -> None:
        self.store = node_store(self.disk, self.clock)
        self.start()

    @property
    def faults(self) -> Faults:
        return self.disk.faults

    def start(self) -> None:
        self.process = Process(self.name, self.frailty)

    def revive(self) -> None:
        """A supervisor looks after it now and then."""
        if self.process.is_dead:
            self.scheduler.note(self.name, "is started again")
            self.start()


class PatientWebhooks(Webhooks):
    """Waits in virtual time."""

    scheduler: Scheduler

    @cached_property
    def service(self) -> CallService:
        waits = self.scheduler
        made = CallService(self.runner, self.store, self._write, super().service.last_words, self.now)
        return replace(made, pause=waits.sleep, monotonic=lambda: waits.now_s)


@dataclass(eq=False)
class WebNode(Node):
    """Signed webhooks through Flask, without a socket. `write`: notes what an answer says, as no TwiML names its prompts."""

    write: Callable[[Writer], Writer] = lambda writer: writer
    frailty = 0.15  # a call comes to it some hundred times: few callers would get as far as a charge

    @cached_property
    def _app(self) -> Flask:
        merchant = self.merchant
        payments = Payments(self.store, merchant.vaults, "simulated", merchant.secret, merchant.prompts.words)
        runner = Runner(dict(merchant.flows), payments, SlowBills(self.store, self))
        writer = self.write(Writer(merchant.prompts.words))
        webhooks = PatientWebhooks(runner, self.store, Signer(TOKEN), writer, PUBLIC, self.clock)
        object.__setattr__(webhooks, "scheduler", self.scheduler)
        app = Flask("simulated")
        app.register_blueprint(webhooks.blueprint())
        add_errors(app)
        return app

    def answer(self, target: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and body of a POST."""
        path, _, query = target.partition("?")
        status: list[str] = []

        def start_response(line: str, _headers: Any, *_: Any) -> Any:
            status.append(line)

        content = self._app.wsgi_app(environment(path, query, body, headers), start_response)  # type: ignore[arg-type]
        answer = int(status[0][:3]), b"".join(content).decode()
        content.close()  # type: ignore[attr-defined]
        return answer


def environment(path: str, query: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": HOST,
        "SERVER_PORT": "443",
        "HTTP_HOST": HOST,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    } | sent


class SimulatedForwarder(Forwarder):
    """Goes by the database's clock, as in production: the statement asks for it (`Disk`)."""

    @property
    def due(self) -> None:
        return None


@dataclass(eq=False)
class ForwarderNode(Node):
    """The dispatchers and workers of `worker_pool` as tasks in place of threads: they lease and do the same."""

    banks: Mapping[str, Bank] = field(default_factory=dict)
    send_text: Callable[[Any], Any] = lambda _message: None
    outlook: "Outlook | None" = None
    housekeeping_s: float = HOUSEKEEPING_S

    def start(self) -> None:
        super().start()
        merchant, waits = self.merchant, self.scheduler
        forwarder = SimulatedForwarder(
            self.store,
            self.banks,
            self.send_text,
            now=self.clock,
            pause=waits.sleep,
            write_result=result_words(lambda _version: merchant.prompts),
        )
        self.queues = queues_for({name: bank.connections for name, bank in self.banks.items()})
        self.pool = WorkerPool(forwarder, self.queues, self._sweeper(), lambda: waits.now_s)
        for queue in self.queues:
            jobs = QueueJobs(forwarder, queue)
            waits.spawn(self.process, queue.name, lambda jobs=jobs: self._dispatch(jobs))  # type: ignore[misc]
        waits.spawn(self.process, "housekeeping", self._keep_house)

    def _sweeper(self) -> Sweeper:
        payments = Payments(self.store, {}, "", b"", self.merchant.prompts.words)
        runner = Runner(dict(self.merchant.flows), payments, Bills(self.store))
        waits = self.scheduler
        service = CallService(runner, self.store, now=self.clock, pause=waits.sleep, monotonic=lambda: waits.now_s)
        return Sweeper(service, idle_minutes(LONGEST_CALL_MINUTES))

    def _keep_house(self) -> None:
        while True:
            self.scheduler.sleep(self.housekeeping_s * self.scheduler.chance.uniform(0.5, 1.0))
            self.pool.keep_house()

    def _dispatch(self, jobs: QueueJobs) -> None:
        """Looks into the outbox as soon after something is due as a dispatcher does that polls; not in between."""
        assert self.outlook is not None
        free = [jobs.queue.workers]
        while True:
            self.outlook.wait_for(jobs.queue)
            idle_s = self.scheduler.chance.uniform(SHORTEST_IDLE_S, jobs.queue.longest_idle_s)
            self.scheduler.sleep(idle_s)
            if not free[0]:
                continue
            for job in jobs.lease(free[0]):
                free[0] -= 1
                self.scheduler.note(self.name, f"takes up {job.kind} {job.reference}, attempt {job.attempts}")

                def work(job: Any = job) -> None:
                    jobs.do(job)
                    free[0] += 1
                    assert self.outlook is not None
                    self.outlook.changed()

                self.scheduler.spawn(self.process, f"{job.kind} {job.reference}", work)
            self.outlook.changed()


@dataclass(eq=False)
class Outlook:
    """When the next job of each queue is due, read past all nodes: it spares dispatchers the polls that find nothing."""

    scheduler: Scheduler
    disk: Disk
    _waiting: dict[str, list[Answer]] = field(default_factory=dict)
    _is_looking: bool = False
    _look_number: int = 0

    def wait_for(self, queue: Queue) -> None:
        answer = Answer(self.scheduler)
        self._waiting.setdefault(queue.name, []).append(answer)
        self.changed()
        answer.wait(24 * 3600.0)

    def changed(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self.scheduler.after(0, self._look)

    def _look(self) -> None:
        self._is_looking = False
        self._look_number += 1
        number, now_ms = self._look_number, round(self.disk.clock().timestamp() * 1000)
        for queue, due_ms in self.disk.driver.execute(_DUE.text):
            name = queue if queue in self._waiting else "left over"
            delay = max(due_ms - now_ms, 0) / 1000
            if delay < 30 * 24 * 3600.0:
                self.scheduler.after(delay, lambda name=name: self._wake(name, number))  # type: ignore[misc]

    def _wake(self, queue: str, number: int) -> None:
        if number == self._look_number:
            for answer in self._waiting.pop(queue, []):
                answer.give(None)
