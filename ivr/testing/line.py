"""Calls from Python: place one, press, wait, hang up; script bank and billing; look at books and texts. No real time passes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ivr.channels.simulator import Caller, CallerLine
from ivr.channels.simulator.script import DURATION, SECONDS
from ivr.errors import ConfigError
from ivr.testing.bench import Bench
from ivr.testing.billing import ScriptedBilling
from ivr.testing.channels import Channel, dial
from ivr.testing.key_methods import KeyMethod
from ivr.testing.project import Project

ANI = "+15550100"


@dataclass(repr=False)
class PlacedCall:
    """One call, from the caller's side. What was heard is by prompt names, since the last key; `words` are the words."""

    bench: Bench
    caller: Caller

    def __repr__(self) -> str:
        return f"<call {self.ended}, heard last: {', '.join(self.heard) or 'nothing'}>"

    @property
    def heard(self) -> Sequence[str]:
        return tuple(self.caller.since_keys)

    @property
    def ever_heard(self) -> Sequence[str]:
        return tuple(self.caller.ever)

    @property
    def words(self) -> str:
        return self.caller.words.strip()

    @property
    def is_over(self) -> bool:
        return self.caller.state == "over"

    def press(self, *entries: str) -> "PlacedCall":
        """Each entry is pressed when the line awaits keys: a hold before it is waited out."""
        for keys in entries:
            self.wait()
            self.caller.act(lambda keys=keys: self.caller.line.press(keys))  # type: ignore[misc]
        return self

    def type_ahead(self, keys: str) -> "PlacedCall":
        """During a hold, without waiting for its end."""
        self.caller.act(lambda: self.caller.line.press(keys))
        return self

    def stay_silent(self) -> "PlacedCall":
        self.wait()
        self.caller.act(self.caller.line.stay_silent)
        return self

    def wait(self) -> "PlacedCall":
        """Until a hold is over: the bank gets its turns, and answers as it was told to."""
        self.caller.wait_it_out()
        return self

    def hang_up(self) -> "PlacedCall":
        self.caller.line.hang_up()
        self.caller.state = "over"
        return self

    # ---- what is on record

    @property
    def ended(self) -> str:
        """`open` while the call lasts; then `paid`, `unpaid`, `pending`, or `reserved`."""
        return self.bench.ended(self.caller.call)

    @property
    def payments(self) -> Sequence[str]:
        """Such as "approved 42.50 USD"."""
        return [f"{paid.status} {paid.amount}" for paid in self.bench.world().payments(self.caller.call)]

    @property
    def texts(self) -> dict[str, str]:
        """Words by the name of the text, once they are sent: after `line.settle()` at the latest."""
        return {text.name: text.words for text in self.bench.world().texts(self.caller.call)}

    @property
    def lasted_s(self) -> float:
        return self.bench.world().elapsed_s(self.caller.call)


@dataclass(repr=False)
class MerchantLine:
    """The fixture `line`: every call of a test is over one store, one bank and one clock."""

    project: Project
    channel: Channel = "core"
    keys: KeyMethod = "events"
    _bench: Bench | None = None
    calls: list[PlacedCall] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<line {self.channel}: {len(self.calls)} calls, the bank charged {self.books}>"

    @property
    def bench(self) -> Bench:
        if self._bench is None:
            self._bench = self.project.bench()
        return self._bench

    def call(
        self,
        flow: str = "",
        ani: str = ANI,
        *,
        at: str = "",
        channel: Channel | None = None,
        keys: KeyMethod | None = None,
    ) -> PlacedCall:
        """Rings; `flow` may be left out where the project has only one. `at`: when, such as "2026-12-24 18:30" (UTC);
        without it, now by the test's clock. `channel`: core, webhooks or sip; `keys`: over SIP, as telephone events or
        as tones."""
        name = self._flow(flow)
        if at:
            self._wait_until(at)
        call, line = dial(channel or self.channel, self.bench, name, ani, keys or self.keys)
        self.bench.begun.setdefault(call, self.bench.workbench.clock())
        return self._placed(call, line)

    def _placed(self, call: str, line: CallerLine) -> PlacedCall:
        caller = Caller(call, line)
        caller.take(line.begin())
        self.calls.append(PlacedCall(self.bench, caller))
        return self.calls[-1]

    def _flow(self, flow: str) -> str:
        if not flow and len(self.project.flows) != 1:
            raise ConfigError(f"say which flow is called: {', '.join(sorted(self.project.flows))}")
        self.project.require(flow)
        return flow or next(iter(self.project.flows))

    # ---- the world around the calls

    def bank(self, behaviour: str) -> None:
        """From now on, as in a call file: approves, approves 20.00 (a part), declines 51, is silent, is silent after charging, is unreachable,
        cannot say."""
        self.bench.tell_bank(behaviour)

    @property
    def billing(self) -> ScriptedBilling:
        return self.bench.billing

    def pass_time(self, duration: str) -> None:
        """Such as "90s", "5m" or "2h"."""
        match = DURATION.fullmatch(duration)
        if match is None:
            raise ConfigError(f"'{duration}': expected a time such as 90s, 5m or 2h")
        self.bench.pass_time(int(match[1]) * SECONDS[match[2]])

    def _wait_until(self, at: str) -> None:
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise ConfigError(f"'{at}': expected a time such as 2026-12-24 18:30, in UTC") from None
        now = self.bench.workbench.clock()
        ahead = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
        if ahead.total_seconds() < 0:
            raise ConfigError(f"'{at}': it is later already: {now:%Y-%m-%d %H:%M} UTC")
        self.bench.pass_time(ahead.total_seconds())

    def settle(self) -> None:
        """Whatever waits is done: inquiries, reversals, texts."""
        for _ in range(40):
            self.bench.pass_time(600)
            if not any(self.bench.workbench.store.outbox_depth().values()):
                return

    def close(self) -> None:
        """Calls over SIP that are still on the line are hung up."""
        if self._bench is not None:
            self._bench.close()

    @property
    def books(self) -> str:
        """What the bank has charged in all, such as "42.50 USD"; "nothing"."""
        return self.bench.world().books()

    @property
    def reserved(self) -> str:
        """The same of what the bank only holds reserved."""
        return self.bench.world().reserved()

    def owes(self, account: str) -> str:
        return self.bench.world().owes(account)
