"""One seed: site, bank and callers put together, left alone while everything goes wrong, then healed."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from ivr.calls.texting import TextDelayed
from ivr.core.caller import takes_texts
from ivr.core.money import Money
from ivr.store import Bill, Store, TextMessage
from ivr.testing.rules import Untrue
from tests.simulation.bank import KINDS, BankHost, BankLine, SimulatedBank
from tests.simulation.callers import TwilioCaller
from tests.simulation.clocks import MachineClock
from tests.simulation.database import Disk, linger, node_store
from tests.simulation.faults import Faults, drawn
from tests.simulation.network import Front, Notes, Telephone
from tests.simulation.nodes import ForwarderNode, Node, Outlook, WebNode
from tests.simulation.operators import Operator
from tests.simulation.scheduler import Scheduler
from tests.simulation.site import BANK, FLOWS, site
from tests.simulation.trace import Trace
from tests.street.caller import Caller

BUSY_S = 480.0  # within which callers ring
MOST_CALLERS, MOST_BILLS = 5, 3
SUPERVISED_S = 4.0  # how often a supervisor looks whether its processes live
LONGEST_S = 4 * 3600.0  # a call that goes on for so long never ends
ROUNDS, ROUND_S = 12, 900.0  # of healing, and then as many of longer ones: a bank is asked for a day
LONG_ROUND_S = 3 * 3600.0
WITHHELD = ("", "anonymous", "+266696687")
FIRST_ACCOUNT = 20_000_000


@dataclass(eq=False)
class World:
    """`draw`: what goes wrong; without it any kinds of fault."""

    seed: int
    trace: Trace = field(default_factory=Trace)
    draw: Callable[[random.Random], Faults] = drawn

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.scheduler = Scheduler(self.chance, self.trace.note)
        self.faults = self.draw(self.chance)
        self.disk = Disk(self.scheduler, self._clock(), self.faults)
        self.store: Store = self.disk.store
        self.outlook = Outlook(self.scheduler, self.disk)
        self.disk.changed = self.outlook.changed
        self.due = self._owe()
        self.kind = KINDS[self.chance.choice(list(KINDS))]
        self.host = BankHost(self.scheduler, self.faults, site().decryption, self.kind.honours_keys)
        self.sent: Counter[str] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()
        self.notes = Notes()
        self.webs = [self._web(number) for number in range(self.chance.randint(1, 3))]
        self.forwarders = [self._forwarder(number) for number in range(self.chance.randint(1, 3))]
        self.nodes: list[Node] = [*self.webs, *self.forwarders]
        self.front = Front(self.scheduler, self.faults, self.webs)
        clock = self._clock()
        self.operator = Operator(self.scheduler, node_store(self.disk, clock), clock, self.kind.promises)
        self.callers: list[TwilioCaller] = []
        self.busy_s = 0.0

    # ---- put together

    def _clock(self) -> MachineClock:
        return MachineClock(self.scheduler, self.chance.uniform(-1, 1) * self.faults.skew_s)

    def _owe(self) -> Mapping[str, Money]:
        due = {}
        for number in range(self.chance.randint(1, MOST_BILLS)):
            minor = self.chance.choice([4250, 12_000, 100, self.chance.randrange(1, 50_000)])
            due[str(FIRST_ACCOUNT + number)] = Money(minor)
        least = {account: Money(self.chance.randrange(money.minor + 1)) for account, money in due.items()}
        self.store.renew_bills([Bill(account, money, least[account]) for account, money in due.items()])
        return due

    def _web(self, number: int) -> WebNode:
        where = self.scheduler, self.disk, site().merchant, self._clock()
        return WebNode(f"web {number}", *where, write=self.notes.noting)

    def _forwarder(self, number: int) -> ForwarderNode:
        where = self.scheduler, self.disk, site().merchant, self._clock()
        bank = SimulatedBank(BankLine(self.scheduler, self.faults, self.host), self.kind.promises)
        return ForwarderNode(
            f"forwarder {number}", *where, banks={BANK: bank}, send_text=self._send_text, outlook=self.outlook
        )

    def _send_text(self, message: TextMessage) -> None:
        if not takes_texts(message.recipient):
            raise Untrue("text", f"a text to nobody: {message.id}")
        linger(self.scheduler, self.faults, 0.2)
        drawn = self.chance.random()
        if drawn < self.faults.text_fails / 2:
            raise OSError("refused")
        self.sent[message.id] += 1
        if drawn < self.faults.text_fails:
            raise TextDelayed("no answer")

    # ---- what happens

    def run(self) -> None:
        """Until all is settled: Untrue where it never is."""
        before = structlog.get_config()
        structlog.configure(processors=[self._note_error], wrapper_class=structlog.make_filtering_bound_logger(40))
        try:
            self._plan()
            self.scheduler.run(self._is_quiet)
            self.busy_s = self.scheduler.now_s
            self._heal()
        finally:
            structlog.configure(**before)

    def close(self) -> None:
        """Every task unwinds."""
        for process in [*(node.process for node in self.nodes), *(caller.process for caller in self.callers)]:
            self.scheduler.end(process)
        self.store.close()

    def _note_error(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        kind = str(event.get("kind", event.get("reason", "")))
        self.errors[str(event["event"]), kind] += 1
        self.scheduler.note("log", f"{event['event']} {kind}")
        raise structlog.DropEvent

    def _plan(self) -> None:
        chance, planned = self.chance, self.faults
        for number in range(1, chance.randint(1, MOST_CALLERS) + 1):
            self.ring(self._new_caller(number), chance.uniform(0.0, BUSY_S / 2))
        for _ in range(round(planned.database_restarts)):
            self._at_some_time(lambda: self.disk.restart(chance.choice((1.0, 5.0, 20.0, 70.0)) * chance.random()))
        for _ in range(round(planned.database_crashes)):
            self._at_some_time(lambda: self.disk.crash_in(5.0, chance.uniform(0.5, 10.0)))
        for _ in range(round(planned.clock_jumps)):
            self._at_some_time(self._jump)
        for _ in range(round(planned.refunds)):
            self._at_some_time(self._refund)
        self._supervise()

    def _at_some_time(self, work: Any) -> None:
        self.scheduler.after(self.chance.uniform(0.0, BUSY_S), work)

    def _supervise(self) -> None:
        for node in self.nodes:
            node.revive()
        self.scheduler.after(SUPERVISED_S, self._supervise)

    def _jump(self) -> None:
        clocks = {"database": self.disk.clock} | {node.name: node.clock for node in self.nodes}
        name = self.chance.choice(list(clocks))
        clocks[name].error_s = self.chance.uniform(-1, 1) * self.chance.choice((1.0, 60.0, 3600.0))
        self.scheduler.note(name, f"has its clock set, {clocks[name].error_s:+.1f} s off")
        self.outlook.changed()

    def _refund(self) -> None:
        call = self.chance.choice(self.callers).call_id
        self.scheduler.spawn(self.operator.process, "refund", lambda: self.operator.refund(call))

    # ---- callers

    def _new_caller(self, number: int) -> TwilioCaller:
        """Some ring about what others are paying at that moment, some again."""
        account = self.chance.choice(list(self.due))
        return self.caller(number, self.chance.choice(FLOWS), account)

    def caller(self, number: int, flow: str, account: str, *, patient: bool = False) -> TwilioCaller:
        ani = self.chance.choice(WITHHELD) if self.chance.random() < 0.15 else f"+1555{number:07d}"
        about: Any = None
        who = Caller(self.chance, about, ani, account, patient)
        made = TwilioCaller(self.scheduler, Telephone(self.front, self.notes), who, flow, self.seed * 1000 + number)
        self.callers.append(made)
        return made

    def ring(self, caller: TwilioCaller, after_s: float) -> None:
        self.scheduler.after(after_s, lambda: self.scheduler.spawn(caller.process, "call", caller.call))

    # ---- afterwards

    def _require_sane(self) -> None:
        if self.scheduler.crashed:
            name, error = self.scheduler.crashed[0]
            raise error if isinstance(error, Untrue) else Untrue("fault", f"{name}: {error!r}") from error

    def _is_quiet(self) -> bool:
        self._require_sane()
        if self.scheduler.now_s > LONGEST_S:
            raise Untrue("end", "a call never ends")
        return self.scheduler.now_s > BUSY_S and all(caller.is_over for caller in self.callers)

    def _heal(self) -> None:
        """Nothing goes wrong any more, every clock is right, and time passes."""
        self.scheduler.note("world", "heals")
        self.faults.heal()
        self.disk.heal()
        for clock in [self.disk.clock, *(node.clock for node in self.nodes)]:
            clock.error_s = 0.0
        self.outlook.changed()
        self.settle()

    def settle(self) -> None:
        for round_s in (ROUND_S, LONG_ROUND_S):
            for _ in range(ROUNDS):
                self.scheduler.run_for(round_s)
                self._require_sane()
                if not any(self.left().values()):
                    return
            for forwarder in self.forwarders:
                forwarder.housekeeping_s = LONG_ROUND_S
        raise Untrue("end", f"never settled: {self.left()}")

    def left(self) -> Mapping[str, int]:
        """What is not over yet."""
        driver = self.disk.driver
        return {
            "jobs": driver.execute("SELECT count(*) FROM outbox WHERE is_done = false").fetchone()[0],
            "calls": driver.execute("SELECT count(*) FROM call WHERE is_over = false").fetchone()[0],
            "sealed fields": driver.execute("SELECT count(*) FROM sealed_field").fetchone()[0],
        }
