"""The world around the calls: bills, a bank, the product's own runner, store and forwarder; three callers at a time."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from ivr.calls import Runner
from ivr.calls.billing import BillingDown, Bills, InOurTable
from ivr.calls.payments import Payments
from ivr.calls.results import result_words
from ivr.channels.simulator import Clock, LocalLine
from ivr.core.call import Call
from ivr.core.caller import takes_texts
from ivr.core.events import Digits, Event, HungUp, KeysEntered, Waited
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.store import StaleCall, Store, TextMessage
from ivr.testing.rules import Untrue
from ivr.vault import Vault
from tests.benches import load_flow
from tests.merchants import files_by_flow
from tests.street.bank import FickleBank
from tests.street.caller import Caller

FLOWS = ("pay-a-bill", "parking-fine", "invoices", "rent")
AT_ONCE = 3
OPEN_BILLS = 6  # callers choose among so few bills at a time that they often meet
WITHHELD = ("", "anonymous", "+266696687", "sip:anonymous@anonymous.invalid", "+7378742833", "restricted")


@dataclass(frozen=True)
class FaultyPayments(Payments):
    """Breaks now and then where the ledger is asked for the bank's answer."""

    chance: random.Random = field(default_factory=random.Random)

    def answer(self, call: Call, event: Waited) -> Event | None:
        if self.chance.random() < 0.01:
            raise OSError("the disk is away")
        return super().answer(call, event)


class FickleBills(Bills):
    """The bills of the street, which take their time now and then at a consent, and seldom are away."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        super().__init__(store)
        self.chance = chance

    def due_now(self, source: str, key: str, asker: str) -> InOurTable | None:
        drawn = self.chance.random()
        if drawn < 0.02:
            raise BillingDown("out for lunch")
        return None if drawn < 0.25 else InOurTable()


class Street:
    def __init__(self, seed: int, store: Store, sealing_key: Path, accounts: Path) -> None:
        """`accounts`: a file that bills are written to on their way into the store."""
        self.chance = random.Random(seed)
        self.clock, self.store, self._accounts = Clock(), store, accounts
        self.bank = FickleBank(self.chance)
        self.due: dict[str, int] = {}
        self.open_bills: list[str] = []
        self.callers: list[Caller] = []
        self.sent: list[TextMessage] = []
        loaded = {name: load_flow(files_by_flow()[name]) for name in FLOWS}
        prompts = loaded["pay-a-bill"][1]
        flows = {name: flow for name, (flow, _) in loaded.items()}
        bank = str(flows["rent"].bank)
        secret = self.chance.randbytes(32)
        vaults = {bank: Vault(sealing_key, secret)}
        payments = FaultyPayments(store, vaults, "street", secret, prompts.words, chance=self.chance)
        self.runner = Runner(flows, payments, FickleBills(store, self.chance))
        words = result_words(lambda _version: prompts)
        self.forwarder = Forwarder(store, {bank: self.bank}, self._take_text, now=self.clock, write_result=words)

    def run(self, calls: int) -> None:
        """The calls, then everything settled, and what is still owed paid by callers who only want to pay."""
        waiting: list[Caller] = []
        begun = 0
        while begun < calls or waiting:
            while begun < calls and len(waiting) < AT_ONCE:
                waiting.append(self._new_caller(waiting))
                begun += 1
            caller = self.chance.choice(waiting)
            if self._step(caller):
                waiting.remove(caller)
                self.callers.append(caller)
            if self.chance.random() < 0.3:
                self._work(2)
        self._settle()
        self._pay_what_is_left()

    def call_of(self, caller: Caller) -> Call:
        stored = self.store.load_call(caller.line.call_id)
        assert stored is not None
        return stored.call

    # ---- bills and texts

    def due_now(self, account: str) -> int:
        bill = self.store.find_bill(account)
        return bill.due.minor if bill else 0

    def _add_bills(self) -> None:
        lines = ["account,due,minimum,currency"]
        for _ in range(OPEN_BILLS):
            account = str(20_000_000 + len(self.due))
            due = self.due[account] = self.chance.choice([4250, 12_000, 100, self.chance.randrange(1, 50_000)])
            least = Money(self.chance.randrange(due + 1))
            lines.append(f"{account},{str(Money(due)).split()[0]},{str(least).split()[0]},USD")
            self.open_bills.append(account)
        self._accounts.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.store.seed_bills(self._accounts)

    def _take_text(self, message: TextMessage) -> None:
        if not takes_texts(message.recipient):
            raise Untrue("text", f"a text to nobody: {message.id}")
        self.sent.append(message)

    # ---- callers

    def _new_caller(self, others: list[Caller]) -> Caller:
        """Some ring again about the bill that they have just paid, or not; some about one that another is paying."""
        self.clock.advance(self.chance.randrange(90))
        self.open_bills = [account for account in self.open_bills if self.due_now(account) > 0]
        if len(self.open_bills) < OPEN_BILLS:
            self._add_bills()
        account, ani = self.chance.choice(self.open_bills[-OPEN_BILLS:]), self._an_ani()
        if others and self.chance.random() < 0.3:
            account = self.chance.choice(others).account
        elif self.callers and self.chance.random() < 0.3:
            account, ani = self.callers[-1].account, self.callers[-1].ani
        return self._dial(self.chance.choice(FLOWS), account, ani)

    def _an_ani(self) -> str:
        if self.chance.random() < 0.1:
            return self.chance.choice(WITHHELD)
        return f"+1555{self.chance.randrange(10**7):07d}"

    def _dial(self, flow: str, account: str, ani: str, *, patient: bool = False) -> Caller:
        line = LocalLine(self.runner, self.store, str, self.clock, lambda: self._work(self.chance.randrange(4)))
        line.dial(f"CALL{self.chance.randrange(10**12)}", flow, ani=ani, dnis="+15550199")
        caller = Caller(self.chance, line, ani, account, patient)
        line.words = caller.hear
        caller.reply = line.begin()
        return caller

    def _step(self, caller: Caller) -> bool:
        """One thing that the caller does; True when the call is over."""
        reply, line = caller.reply, caller.line
        assert reply is not None
        if reply.state == "over":
            return True
        spoken = len(caller.heard)
        if caller.may(0.06 if reply.state == "waiting" else 0.02):
            line.hang_up()
            caller.hung_up = True
            return True
        if reply.state == "waiting" and caller.may(0.03):
            self._hang_up_during(Waited(self.clock()), caller)
            return True
        if reply.state == "waiting":
            caller.reply = line.wait()
        elif caller.may(0.02):
            caller.reply = line.stay_silent()
        else:
            keys = caller.keys_for(reply.asks, self.open_bills or [caller.account])
            if caller.consents(keys):
                caller.note_consent(self.call_of(caller).intent)
                if caller.may(0.05):
                    self._hang_up_during(KeysEntered(self.clock(), Digits("1")), caller)
                    return True
            caller.reply = line.press(keys)
        caller.turn_began = spoken
        return False

    def _hang_up_during(self, event: Event, caller: Caller) -> None:
        """A consent, or the end of a pause, and the hang-up are handled at one moment: by two threads or nodes, from the
        same stored call."""
        stored = self.store.load_call(caller.line.call_id)
        assert stored is not None
        events = [event, HungUp(self.clock())]
        self.chance.shuffle(events)
        advances = []
        for one in events:
            try:
                advances.append(self.runner.advance(stored.call, one))
            except StaleCall:
                continue
        self.chance.shuffle(advances)
        for advance in advances:
            try:
                self.store.save_call(advance.call, stored.version, self.clock())
            except StaleCall:
                continue
        if self.call_of(caller).phase != "over":
            caller.line.hang_up()
        caller.hung_up = True

    # ---- afterwards

    def _work(self, most: int = 400) -> None:
        for _ in range(most):
            if not self.forwarder.run_once():
                return

    def _settle(self) -> None:
        self.bank.settles = True
        for _ in range(40):
            self._work()
            if not any(self.store.outbox_depth().values()):
                break
            self.clock.advance(600)
        else:
            raise Untrue("end", f"never settled: {self.store.outbox_depth()}")
        self.bank.settles = False

    def _pay_what_is_left(self) -> None:
        """Nothing that happened keeps a bill from being paid to the end."""
        for account in self.due:
            for _ in range(60):
                if not self.due_now(account):
                    break
                caller = self._dial("parking-fine", account, self._an_ani(), patient=True)
                while not self._step(caller):
                    self._work()
                self.callers.append(caller)
                self._settle()
                self.clock.advance(3600)
            else:
                raise Untrue("bill", f"{account} cannot be paid to the end")
