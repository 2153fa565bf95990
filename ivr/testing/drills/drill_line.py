"""A line for one drill, in a folder of its own: callers who pay, callers who try cards, a scripted bank, and the real alerts."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ivr.bank import load_banks
from ivr.bank.dev_keys import make_development_keys, replace
from ivr.books import new_signing_key
from ivr.books.audit_heads import PRIVATE, PUBLIC
from ivr.calls.alert_settings import alert_thresholds
from ivr.calls.assembly import load_flow
from ivr.calls.bank_keys import KeyEnd, ends_of, ring_of, terms_of
from ivr.channels.simulator import Caller, Clock
from ivr.core.brands import passes_luhn
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.forwarder.alerts import AlertWatch
from ivr.places import PROJECT_FILE, SHIPPED
from ivr.settings import Settings, load_settings
from ivr.store import Alert, AlertReceivers, Bill, Payment, Store, migrate, open_store
from ivr.testing.bank import ScriptedBank
from ivr.testing.bench import throw_away_key
from ivr.testing.workbench import Workbench, build_workbench

FLOW, BANK = "pay-a-bill", "acme_bank"
ACCOUNTS = 400
FIRST_ACCOUNT, DUE_MINOR = 70_000_000, 4250
WITHIN_CALLS = 0.05
EXPIRY, CODE, ZIP = "1230", "123", "94105"
# Nobody listens there: a drill reaches no bank, not even the simulator of a line beside it.
BANKS = f"""banks:
  {BANK}:
    url: https://127.0.0.1:9
    sealing_keys:
      - {{file: keys/bank-sealing.crt{{until}}}}
    ca: keys/bank-ca.crt
    client_certificate: keys/client.crt
    client_key: keys/client.key
    currencies: [USD]
"""


class DrillClock(Clock):
    """Calls of a drill are placed one after another, and are meant to go on at once: within one, time passes slowly."""

    pace = 1.0

    def advance(self, seconds: float) -> None:
        super().advance(seconds * self.pace)


@dataclass
class DrillLine:
    """`counts` and `free`: what its machine says of itself. `attacks`: calls of the incident; `turned_away`: callers who wanted to
    pay and could not."""

    folder: Path
    settings: Settings
    store: Store
    workbench: Workbench
    clock: DrillClock
    bank: ScriptedBank
    began: datetime
    counts: Counter[str] = field(default_factory=Counter)
    free: float = 50.0
    attacks: list[str] = field(default_factory=list)
    payers: list[str] = field(default_factory=list)
    turned_away: int = 0
    _accounts: Iterator[int] = field(default_factory=lambda: iter(range(ACCOUNTS)))
    _cards: Iterator[str] = field(default_factory=lambda: cards_of("400000"))

    def __post_init__(self) -> None:
        self.watch = AlertWatch(
            *(self.store, alert_thresholds(self.settings), AlertReceivers(), "drill", self.folder),
            *(self.key_ends, self.clock),
            count=lambda _, label: float(self.counts[label]),
            free_percent=lambda _: self.free,
        )

    @property
    def environment(self) -> dict[str, str | None]:
        """For commands on this line: no setting of the machine's own is left (None), so that none leads to a real line."""
        unset: dict[str, str | None] = {name.upper(): None for name in Settings.model_fields}
        return unset | environment_of(self.folder)

    @property
    def minute(self) -> int:
        return int((self.clock() - self.began).total_seconds() // 60)

    def pass_minute(self) -> None:
        """To the beginning of the next one."""
        ahead = self.began + timedelta(minutes=self.minute + 1) - self.clock()
        self.clock.advance(ahead.total_seconds())
        self.workbench.work()

    def alerts(self) -> Sequence[Alert]:
        return self.store.alerts(200)

    def key_ends(self) -> list[KeyEnd]:
        """Of the files as they are now, as a forwarder that was sent SIGHUP sees them."""
        now, found = self.clock(), list[KeyEnd]()
        for name, bank in load_banks(self.settings.banks, self.settings.var).items():
            try:
                ring = ring_of(bank)
            except ConfigError:
                ring = None
            found += ends_of(name, terms_of(bank, ring), now)
        return found

    # ---- who rings

    def payer(self) -> None:
        """Somebody who wants to pay what they owe."""
        call = self.call(f"+1415555{next(self._accounts):04d}", [next(self._cards)])
        self.payers.append(call)
        self.turned_away += not self.store.payments_of(call)

    def tester(self, ani: str, cards: int, *, hits: bool = False) -> None:
        """Somebody who tries cards. `hits`: the bank approves the last of them."""
        tried = [next(self._cards) for _ in range(cards)]
        self.attacks.append(self.call(ani, tried, declines=True, hits=hits))

    def call(self, ani: str, cards: Sequence[str], *, declines: bool = False, hits: bool = False) -> str:
        """Its id."""
        self.clock.pace = WITHIN_CALLS
        try:
            return self._placed(ani, cards, declines=declines, hits=hits)
        finally:
            self.clock.pace = 1.0

    def _placed(self, ani: str, cards: Sequence[str], *, declines: bool, hits: bool) -> str:
        line = self.workbench.dial(FLOW, ani)
        caller = Caller(line.call_id, line)
        caller.take(line.begin())
        before = self.bank.behaviour
        self._keys(caller, "1", f"{FIRST_ACCOUNT + next(self._accounts)}#", "1")
        for number, card in enumerate(cards, start=1):
            if declines:
                self.bank.behaviour = "approves" if hits and number == len(cards) else "declines 05"
            self._keys(caller, f"{card}#" if len(card) < 16 else card, EXPIRY, CODE, ZIP, "1")
            if caller.state != "over":
                caller.wait_it_out()
        self.bank.behaviour = before
        if caller.state != "over":
            line.hang_up()
        return line.call_id

    def _keys(self, caller: Caller, *entries: str) -> None:
        for keys in entries:
            if caller.state == "over":
                return
            caller.wait_it_out()
            if caller.state != "over":
                caller.act(lambda keys=keys: caller.line.press(keys))  # type: ignore[misc]

    # ---- what became of it

    def attack_payments(self) -> list[Payment]:
        return [paid for call in self.attacks for paid in self.store.payments_of(call)]

    def let_through(self) -> list[Payment]:
        """Charges of the incident that were approved."""
        return [paid for paid in self.attack_payments() if paid.status == "approved"]

    def spoil_audit_trail(self) -> None:
        """As somebody would who has the database: past the triggers."""
        file = sqlite3.connect(self.folder / "tonetill.db", timeout=10)
        with file:
            named = file.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'"
            ).fetchall()
            for (name,) in named:
                file.execute(f"DROP TRIGGER {name}")
            file.execute("UPDATE audit_event SET about = 'CA77-1' WHERE id = 2")
        file.close()


@contextmanager
def drill_line(sealing_key_days: int | None = None, now: datetime | None = None) -> Iterator[DrillLine]:
    """Removed afterwards. `sealing_key_days`: how long the bank's sealing key is good yet."""
    with tempfile.TemporaryDirectory(prefix="tonetill-drill-") as made:
        folder = Path(made)
        now = (now or datetime.now(UTC)).replace(second=0, microsecond=0)
        # Before now, so that what commands write is not before what has happened.
        began = now - timedelta(minutes=45)
        write_files(folder, now, began, sealing_key_days)
        settings = load_settings(environment_of(folder), project=folder)
        # Whatever else is set on this machine, this is the database of the drill.
        assert str(folder) in settings.database_url
        migrate(settings.database_url)
        store = open_store(settings.database_url)
        try:
            store.renew_bills(
                [Bill(str(FIRST_ACCOUNT + one), Money(DUE_MINOR), Money(1000)) for one in range(ACCOUNTS)]
            )
            store.note("root", "portal user invited", "ada, operator", began)
            store.note("ada", "refund asked", "CA12-1: 42.50 USD", began)
            store.note("root", "portal user invited", "eve, auditor", began)
            bank, (flow, prompts) = ScriptedBank(), load_flow(SHIPPED / "flows" / f"{FLOW}.yaml")
            clock = DrillClock(began)
            work = build_workbench(flow, prompts, throw_away_key(), bank, None, clock, store)
            yield DrillLine(folder, settings, store, work, clock, bank, began)
        finally:
            store.close()


def write_files(folder: Path, now: datetime, began: datetime, sealing_key_days: int | None) -> None:
    # Good from its first call on, which is of the day before where the drill begins soon after midnight.
    make_development_keys(folder / "keys", folder / "bank", began)
    private, public = new_signing_key()
    replace(folder / "keys" / PUBLIC, public)
    replace(folder / "keys" / PRIVATE, private)
    (folder / PROJECT_FILE).write_text("environment: development\n", encoding="utf-8")
    until = f", not_after: {(now + timedelta(days=sealing_key_days)).date()}" if sealing_key_days is not None else ""
    (folder / "banks.yaml").write_text(BANKS.replace("{until}", until), encoding="utf-8")


def environment_of(folder: Path) -> dict[str, str]:
    return {
        "TONETILL_PROJECT": str(folder),
        "ENVIRONMENT": "development",
        "VAR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/tonetill.db",
        "BANKS": str(folder / "banks.yaml"),
        "FLOWS": str(SHIPPED / "flows"),
        "ACCOUNTS": "",
    }


def cards_of(card_bin: str) -> Iterator[str]:
    """Numbers that begin so, are all different and pass the check; of a range that networks publish for tests."""
    for number in range(10**6):
        body = f"{card_bin}{(735_281_946 + number * 104_729) % 10**9:09d}"
        yield next(whole for digit in range(10) if passes_luhn((whole := f"{body}{digit}").encode()))
