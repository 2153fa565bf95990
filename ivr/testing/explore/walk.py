"""Acts done on a bench, with all that each caller hears; afterwards every call comes to an end and everything is settled."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ivr.channels.simulator import LineReply, LocalLine
from ivr.channels.simulator.script import SECONDS
from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.core.fixed_keys import ACCEPT_KEY
from ivr.core.money import Money
from ivr.testing.bench import Bench
from ivr.testing.explore.acts import Act
from ivr.testing.explore.amounts import FlowAmounts
from ivr.testing.explore.witness import Consent, Witness

MOST_TURNS = 80  # silences and waits: by then every call must have ended by itself
CONSENTS = ("confirm_card", "confirm_kept_card", "confirm_reservation", "confirm_all_bills")
AGREEMENT = "confirm_"  # of a promise, a plan, a mandate, in front of its name


# How a call ended, its payments, its texts and what was agreed to.
Record = tuple[str, Sequence[str], Sequence[str], Sequence[str]]


class NeverEnds(Exception):
    """A caller who does nothing is still on the line after so many turns, or a payment is never settled."""


@dataclass
class WalkingCaller:
    """What one caller hears and agrees to."""

    line: LocalLine
    witness: Witness
    reply: LineReply = field(default_factory=lambda: LineReply((), "keys"))
    heard: list[Phrase] = field(default_factory=list)
    turn_began: int = 0
    hung_up: bool = False

    def hear(self, phrase: Phrase) -> str:
        self.heard.append(phrase)
        return phrase.name

    @property
    def agreed(self) -> Sequence[Money]:
        witness = self.witness
        return [one.amount for one in witness.consents if one.under["call"] == witness.call_id]

    @property
    def last_said(self) -> Sequence[Phrase]:
        return self.heard[self.turn_began :]

    @property
    def is_over(self) -> bool:
        return self.hung_up or self.reply.state == "over"

    def value(self, prompt: str, name: str) -> object:
        said = next((phrase for phrase in reversed(self.last_said) if phrase.name == prompt), None)
        return dict(said.values).get(name) if said else None


@dataclass
class Walk:
    """`acts` grows as they are done."""

    bench: Bench
    acts: list[Act] = field(default_factory=list)
    callers: list[WalkingCaller] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    known: dict[str, FlowAmounts] = field(default_factory=dict)  # by flow; may be shared by walks

    def do(self, act: Act) -> None:
        """An act that makes no sense now (keys on a line that is closed) does nothing."""
        self.acts.append(act)
        if act.verb == "call":
            self._ring(act)
        elif act.verb == "bank":
            self.bench.bank.behaviour = act.rest
        elif act.verb == "passes":
            self.bench.pass_time(int(act.rest[:-1]) * SECONDS[act.rest[-1]])
        elif act.caller <= len(self.callers) and not self.callers[act.caller - 1].is_over:
            self._act(self.callers[act.caller - 1], act)

    def _ring(self, act: Act) -> None:
        flow, _, ani = act.rest.partition(" from ")
        self.bench.dial(flow, ani)
        line = self.bench.line
        assert line is not None
        amounts = self.known.setdefault(flow, FlowAmounts(self.bench.workbench.runner.flows[flow]))
        caller = WalkingCaller(line, Witness(self.bench, line.call_id, ani, self.consents, amounts))
        line.words = caller.hear
        self.callers.append(caller)
        caller.reply = line.begin()
        caller.witness.heard(caller.heard)

    def _act(self, caller: WalkingCaller, act: Act) -> None:
        spoken = len(caller.heard)
        if act.verb == "hangs":
            caller.line.hang_up()
            caller.hung_up = True
            caller.witness.hung_up()
            return
        if act.verb == "wait" or (caller.reply.state == "waiting" and act.verb == "silence"):
            if caller.reply.state != "waiting":
                return
            caller.reply = caller.line.wait()
        elif act.verb == "silence":
            caller.reply = caller.line.stay_silent()
        else:
            caller.witness.keys(caller.reply.asks if caller.reply.state == "keys" else "", act.rest)
            self._note_consent(caller, act.rest)
            caller.reply = caller.line.press(act.rest)
        if len(caller.heard) > spoken:
            caller.turn_began = spoken
        caller.witness.heard(caller.heard[spoken:])

    def _note_consent(self, caller: WalkingCaller, keys: str) -> None:
        """Consent is what the caller was asked, and the key that is the answer; nothing of ours decides it."""
        if caller.reply.state != "keys" or keys[:1] != ACCEPT_KEY:
            return
        amount, fee = (
            next(filter(None, (caller.value(prompt, what) for prompt in CONSENTS)), None)
            for what in ("amount", "card_fee")
        )
        if isinstance(amount, Money):
            caller.witness.consent(amount, fee if isinstance(fee, Money) else None)
        elif caller.reply.asks == "confirm":
            for phrase in caller.last_said:
                if phrase.name.startswith(AGREEMENT):
                    caller.witness.agree(phrase)

    # ---- to the end

    def finish(self) -> None:
        """Whoever is on the line says no more; then the bank answers whatever it is asked, and time passes."""
        for number, caller in enumerate(self.callers, 1):
            for _ in range(MOST_TURNS):
                if caller.is_over:
                    break
                self._act(caller, Act("silence", caller=number))
            else:
                raise NeverEnds(f"caller {number} does nothing, and the call goes on")
        self.bench.bank.settle()
        for _ in range(40):
            self.bench.pass_time(600)
            if not any(self.bench.workbench.store.outbox_depth().values()):
                return
        raise NeverEnds("a payment or a text is never settled")

    def call_of(self, caller: WalkingCaller) -> Call:
        stored = self.bench.workbench.store.load_call(caller.line.call_id)
        assert stored is not None
        return stored.call

    @property
    def records(self) -> Sequence[Record]:
        """What the store has of each call, without its names for things."""
        return [self._record_of(caller) for caller in self.callers]

    def _record_of(self, caller: WalkingCaller) -> Record:
        store, call = self.bench.workbench.store, self.call_of(caller)
        payments = [f"{one.status} {one.part} {one.intent.amount}" for one in store.payments_of(call.id)]
        texts = sorted(text.id.rpartition("-")[2] for text in store.texts_of(call.id))
        agreements = [one.what for one in store.agreements_of(call.id)]
        return call.outcome or "open", payments, texts, sorted(agreements)

    @property
    def endings(self) -> list[str]:
        return [self.call_of(caller).outcome or "open" for caller in self.callers]
