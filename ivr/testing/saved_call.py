"""A call on record as a call file: gone through again in this process, with stand-ins for what was keyed, while the
recorder of `simulate --record` writes it down. Nothing is charged, and nothing of the caller is in the file.

What comes out is held against the record (`_require_same`) and played as the plugin would play it, before anybody gets it.
A call that went as it did because of others (a limit that they had used up, a bill that another was paying), or of a billing
system that was away, cannot be gone through alone: RecordError says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivr.channels.simulator import LineReply
from ivr.conversation.history import is_whole, read_digits
from ivr.core.call import Call
from ivr.core.caller import takes_texts
from ivr.core.money import Money
from ivr.core.moves import CONNECTING
from ivr.errors import RecordError
from ivr.flow.compiled import Flow
from ivr.store import Store, memory_store
from ivr.testing.bench import Bench, build_bench
from ivr.testing.recording import RecordingLine, behaviour_of, call_file
from ivr.testing.rehearsal import rehearse
from ivr.testing.replay import KEYED, LOOKED_UP, TRANSFERS, HistoryEntry, entries_of, never_begun
from ivr.testing.stand_ins import EDITS, POSTAL_DIGITS, account_keys, card_field_keys, card_number_keys, stray_card
from ivr.words.phrases import Prompts

CALLER, WITHHELD = "+15550100", "anonymous"
MOST_ACTS = 300
SAID_WHILE_AWAITED = frozenset(
    {"one_moment", "hold_while_charging", "still_working"}
)  # by holds: nothing depends on it
HEAD = "-- Saved from a call on record: the account, the card and the caller's number are stand-ins.\n"


@dataclass(frozen=True)
class Saver:
    """`accounts`: the file that the tests of the project have. `store` is only read."""

    flows: Mapping[str, Flow]
    prompts: Prompts
    accounts: Path | None
    store: Store

    def call_file(self, call_id: str) -> str:
        """The text of the file; a call that goes on ends there as `open`. RecordError says why there is none."""
        stored = self.store.load_call(call_id)
        if stored is None:
            raise RecordError(f"there is no call {call_id}")
        call = stored.call
        if call.flow not in self.flows:
            raise RecordError(f"its flow {call.flow} is not among the flows any more")
        if reason := _cannot_say(self.flows[call.flow]):
            raise RecordError(reason)
        if not stored.is_whole or not is_whole(call.history):
            raise RecordError("what happened in it is not on record: it was made before that was kept, or was too long")
        bench = self._bench(call.flow)
        line = Retelling(self.flows[call.flow], call, self.store, bench).tell()
        _require_same(call, self.store, line, bench)
        text = HEAD + call_file(line.recording, line.call_id, bench.workbench.store)
        self._require_passing(text, call.flow)
        return text

    def _bench(self, flow: str) -> Bench:
        first = sorted(self.flows.values(), key=lambda one: one.name != flow)
        return build_bench(first, self.prompts, self.accounts, store=memory_store())

    def _require_passing(self, text: str, flow: str) -> None:
        bench = self._bench(flow)
        rehearsal = rehearse(text, bench.world())
        untrue = rehearsal.first_difference
        if untrue is not None or bench.disagreement():
            reason = f"line {untrue.instruction.line}: {untrue.instead}" if untrue else bench.disagreement()
            raise RecordError(f"it would not pass as a test ({reason})")


def _cannot_say(flow: Flow) -> str:
    """What of the flow a call file has no words for yet; "" where it has all."""
    if flow.head.lookups:
        return "its flow asks the billing system for more than what is due, which a call file cannot say yet"
    if any(step.offers_bills for step in flow.steps.values()):
        return "its callers choose among several bills, which a call file cannot say yet"
    if flow.head.split is not None:
        return "its flow lets several cards pay a bill, which a saved file cannot say yet"
    return ""


@dataclass
class Retelling:
    """Follows the history from entry to entry; each is used where the line asks for it."""

    flow: Flow
    stored: Call
    store: Store
    bench: Bench
    _line: RecordingLine = field(init=False)

    def __post_init__(self) -> None:
        self._entries = entries_of(self.stored.history)
        self._at = self._accounts = 0
        self._has_one_card = any(one.word == "limit" and one.rest[-1] == "attempts_per_card" for one in self._entries)
        line = self.bench.workbench.dial(
            self.flow.name, CALLER if takes_texts(self.stored.ani) else WITHHELD, RecordingLine
        )
        assert isinstance(line, RecordingLine)
        self._line = line
        people = iter(one.word == "connected" for one in self._entries if one.word in TRANSFERS)
        line.is_reached = lambda: next(people, True)
        self.bench.begun[line.call_id] = self.bench.workbench.clock()

    def tell(self) -> RecordingLine:
        reply = self._line.begin()
        for _ in range(MOST_ACTS):
            next_reply = None if reply.state == "over" else self._act(reply)
            if next_reply is None:
                break
            reply = next_reply
        if self.stored.hung_up and reply.state != "over":
            self._line.hang_up()
            for attempt in self._open_attempts():
                self.bench.tell_bank(self._behaviour(attempt))
        return self._line

    def _act(self, reply: LineReply) -> LineReply | None:
        """What the caller did, or the bank; None where nothing more is on record."""
        if reply.state == "waiting":
            return self._wait()
        entry = self._next(KEYED)
        if entry is None:
            return None
        if entry.word == "silence":
            return self._line.stay_silent()
        # Where any key gives more time one is asked for by itself; at a card's field it is on record as the vault's.
        is_of_card = reply.sensitive or entry.word == "edit"
        return self._line.press(self._card_keys(reply, entry) if is_of_card else self._plain_keys(entry))

    def _next(self, words: frozenset[str]) -> HistoryEntry | None:
        for at in range(self._at, len(self._entries)):
            if self._entries[at].word in words:
                self._at = at + 1
                return self._entries[at]
        return None

    # ---- keys

    def _card_keys(self, reply: LineReply, entry: HistoryEntry) -> str:
        if entry.word == "edit":
            return EDITS[entry.rest[0]]
        if entry.word != "card" or entry.rest[0] != reply.asks:
            raise RecordError(f"the flow was changed since: it asks for the {reply.asks.replace('_', ' ')} now")
        _, verdict, *itself = entry.rest
        asked = self.flow.steps[self._call.step].card
        if reply.asks != "card_number":
            brand = str(self._call.values.get("brand", ""))
            return card_field_keys(
                reply.asks, verdict, brand, bool(itself), asked.postal_digits if asked else POSTAL_DIGITS
            )
        taken = asked.brands if asked else []
        attempt = 0 if self._has_one_card else self._call.attempt - 1
        return card_number_keys(verdict, taken, attempt, bool(itself))

    def _plain_keys(self, entry: HistoryEntry) -> str:
        if entry.word == "keys":
            return entry.rest[0]
        if entry.word == "captured":
            raise RecordError("its card was taken by the telephone network's own form, which a call file has not")
        if entry.word != "digits":
            raise RecordError("the flow was changed since: it asked for a card where it asks for something else now")
        step = self.flow.steps.get(self._call.step)
        looked_up = self._look_up_ahead()
        if looked_up is None:
            _, count, _ = read_digits(entry.rest[0])
            stray = stray_card(count) if self._was_told_of_a_card() else ""
            return (
                f"{stray}#" if stray else account_keys(entry.rest[0], 0, None if self._was_asked_again() else step)[1]
            )
        if looked_up.word == "failed":
            raise RecordError("the billing system was not there for it, which a call file cannot say")
        account, keys = account_keys(entry.rest[0], self._accounts, step)
        self._accounts += 1
        if looked_up.word == "found":
            self._owe(account, *looked_up.rest)
        return keys

    def _look_up_ahead(self) -> HistoryEntry | None:
        """The answer to the look-up of what is keyed in now; between them it may be read back and confirmed."""
        for one in self._entries[self._at :]:
            if one.word in LOOKED_UP:
                return one
            if one.word not in ("keys", "silence"):
                return None
        return None

    def _was_asked_again(self) -> bool:
        """At once: what was keyed in was no answer. One that has letters in it is read back before."""
        return self._at < len(self._entries) and self._entries[self._at].word == "digits"

    def _was_told_of_a_card(self) -> bool:
        return any("card_asked_later" in turn.said for turn in self.store.turns_of(self.stored.id))

    def _owe(self, account: str, due: str, least: str, currency: str) -> None:
        owed, part = Money(int(due), currency), Money(min(int(least), int(due)), currency)
        self.bench.billing.owes(account, str(owed), str(part))
        self._line.recording.bills.append(f"{account} {owed}, at least {part}")

    # ---- the bank

    def _wait(self) -> LineReply | None:
        if not self._is_bank_ahead():
            return None
        for attempt in self._open_attempts():
            self.bench.tell_bank(self._behaviour(attempt))
        return self._line.wait()

    def _is_bank_ahead(self) -> bool:
        """The call went on after this hold, or the bank answered more on record than this caller has heard."""
        went_on = any(one.word in KEYED for one in self._entries[self._at :])
        came_to_its_end = self.stored.phase == "over" and not self.stored.hung_up
        return went_on or came_to_its_end or _bank_words(self._call) < _bank_words(self.stored)

    def _open_attempts(self) -> Sequence[int]:
        return [charge.attempt for charge in self._call.unsettled]

    def _behaviour(self, attempt: int) -> str:
        """What the bank did on record, as a scripted one has to; what it said only after the call is not of the call."""
        if attempt in _never_told(self.stored):
            return "cannot say"
        intent = self.stored.intent_of(attempt)
        payment = self.store.payment(intent)
        return behaviour_of(payment, self.store.entries(intent)) if payment else "approves"

    @property
    def _call(self) -> Call:
        stored = self.bench.workbench.store.load_call(self._line.call_id)
        assert stored is not None
        return stored.call


def _require_same(stored: Call, store: Store, line: RecordingLine, bench: Bench) -> None:
    """RecordError where the call went another way alone, or ended otherwise."""
    told = bench.workbench.store.load_call(line.call_id)
    assert told is not None
    here, flow = bench.workbench.store, bench.workbench.flow
    for what, was, now in (
        ("went", _went(stored), _went(told.call)),
        ("ended", _ending(stored), _ending(told.call)),
        ("said", _said(store, stored.id, flow), _said(here, line.call_id, flow)),
        ("charged", _money(store, stored), _money(here, told.call)),
    ):
        if was and was != now:
            raise RecordError(f"{_why(stored)} (on record it {what} {_first(was, now)}, alone {_first(now, was)})")


def _went(call: Call) -> Sequence[str]:
    """Without the ringing, which older calls have not on record."""
    return [move for move in call.moves if not move.endswith(f" {CONNECTING}")]


def _ending(call: Call) -> Sequence[str]:
    return [call.outcome or "open", *(["hung up"] if call.hung_up else [])]


def _bank_words(call: Call) -> int:
    return sum(entry.word == "bank" for entry in entries_of(call.history))


def _said(store: Store, call_id: str, flow: Flow) -> Sequence[str]:
    """In order. Not counted: what a hold for the bank says while it lasts, and a question that is only put again, as a done
    key pressed out of habit has it, which no history keeps."""
    waits = {
        (name, phase) for name, step in flow.steps.items() for phase, does in step.phases.items() if does == "waits"
    }
    told: list[str] = []
    last: Sequence[str] = ()
    for turn in store.turns_of(call_id):
        if turn.came == "on hold" and (turn.step, turn.phase) in waits:
            continue
        said = [name for name in turn.said if name not in SAID_WHILE_AWAITED]
        if said and list(last[-len(said) :]) != said:
            told += said
            last = said
    return told


def _money(store: Store, call: Call) -> Sequence[str]:
    open_ones = {call.intent_of(attempt) for attempt in _never_told(call)}
    return [
        f"{'open' if one.intent.reference in open_ones else one.status} {one.intent.amount}"
        for one in store.payments_of(call.id)
    ]


def _never_told(call: Call) -> Sequence[int]:
    """Attempts that were still without an answer when the call came to its end."""
    return [charge.attempt for charge in call.unsettled] if call.phase == "over" and not call.hung_up else []


def _first(one: Sequence[str], other: Sequence[str]) -> str:
    """The first of these that the others do not have in that place."""
    differing: Iterator[str] = (word for at, word in enumerate(one) if at >= len(other) or other[at] != word)
    return next(differing, "nothing").replace("_", " ")


def _why(stored: Call) -> str:
    entries = entries_of(stored.history)
    refused = {entry.rest[1] for entry in entries if entry.word == "refused"}
    if any(entry.word == "limit" for entry in entries):
        return "a limit on attempts was reached in it, which other calls count towards"
    if "not_reached" in refused:
        return "the billing system did not say what is due, which a call file cannot say"
    if "not_payable" in refused:
        return "the billing system said what cannot be paid here, which a call file cannot say"
    if "being_paid" in refused:
        return "its bill was being paid by another call"
    if refused:
        return "what its bill owed was changed meanwhile"
    if stored.hung_up and never_begun(stored):
        return "its caller hung up while the billing system was asked what is due, which a call file cannot say"
    if stored.hung_up and _bank_words(stored) < len([one for one in stored.charges if not one.is_open]):
        return "its caller hung up on hold after the bank had answered and before they were told, which a call file cannot say"
    if stored.hung_up and stored.looking_up is not None:
        return "its caller hung up while a bill was looked up, which a call file cannot say"
    if stored.hung_up and stored.moves[-1:] == (f"{stored.step} {CONNECTING}",):
        return "its line ended while a person was being rung, which a call file cannot say"
    if stored.hung_up and stored.unsettled:
        return "its caller hung up before the bank's answer, and what became of the charge later a call file cannot say"
    return (
        "alone it does not go as it went; perhaps the flow was changed since, or other calls were at work on its bill"
    )
