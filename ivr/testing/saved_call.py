"""A call on record as a call file: gone through again in this process, with stand-ins for what was keyed, while the
recorder of `simulate --record` writes it down. Nothing is charged, and nothing of the caller is in the file.

What comes out is held against the record (`same_as_record`) and played as the plugin would play it, before anybody gets it.
A call that went as it did because of others (a limit that they had used up, a bill that another was paying), or of a billing
system that was away, cannot be gone through alone: RecordError says so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ivr.channels.simulator import LineReply, Owed
from ivr.conversation.history import began, is_whole, read_digits
from ivr.core.call import Call, Payable
from ivr.core.caller import takes_texts
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.flow.compiled import Flow
from ivr.flow.schema import LookUpTerms
from ivr.flow.step import Step
from ivr.flow.talk.open_bills import left_after
from ivr.store import Store, memory_store
from ivr.testing.bench import Bench, build_bench
from ivr.testing.recording import RecordingLine, behaviour_of, call_file
from ivr.testing.rehearsal import rehearse
from ivr.testing.replay import KEYED, LOOKED_UP, TRANSFERS, HistoryEntry, entries_of
from ivr.testing.same_as_record import bank_words, never_told, require_same, why
from ivr.testing.stand_in_bills import bills_for, looked_up_at
from ivr.testing.stand_ins import EDITS, POSTAL_DIGITS, account_keys, card_field_keys, card_number_keys, stray_card
from ivr.words.phrases import Prompts

CALLER, WITHHELD = "+15550100", "anonymous"
MOST_ACTS = 300
OWED_BY_THEN = frozenset(
    {"due_changed", "nothing_due"}
)  # why a charge or an agreement was refused, for what is due on its bill
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
        if not stored.is_whole or not is_whole(call.history):
            raise RecordError("what happened in it is not on record: it was made before that was kept, or was too long")
        if any(one.word == "remembered" for one in entries_of(call.history)):
            raise RecordError("what was remembered of its caller is of an earlier call, and is in no file of this one")
        bench = self._bench(call.flow)
        line = Retelling(self.flows[call.flow], call, self.store, bench).tell()
        require_same(call, self.store, line, bench)
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
        begun = datetime.fromtimestamp(began(self.stored.history), UTC).replace(second=0)
        # A flow with hours asks what time it is; a test's clock goes forward only.
        is_timed = self.flow.head.hours is not None and begun > self.bench.workbench.clock()
        if is_timed:
            self.bench.pass_time((begun - self.bench.workbench.clock()).total_seconds())
        line = self.bench.workbench.dial(
            self.flow.name, CALLER if takes_texts(self.stored.ani) else WITHHELD, RecordingLine
        )
        assert isinstance(line, RecordingLine)
        if is_timed:
            line.recording.begins_at(begun)
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
        self._let_change_what_is_due()
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
            changed = f"the flow was changed since: it asks for the {reply.asks.replace('_', ' ')} now"
            raise RecordError(why(self.stored, changed))
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
            return self._could_be_paid(entry.rest[0])
        if entry.word == "captured":
            raise RecordError("its card was taken by the telephone network's own form, which a call file has not")
        if entry.word != "digits":
            changed = "the flow was changed since: it asked for a card where it asks for something else now"
            raise RecordError(why(self.stored, changed))
        step = self.flow.steps.get(self._call.step)
        looked_up = self._look_up_ahead()
        if looked_up is None:
            _, count, _ = read_digits(entry.rest[0])
            stray = stray_card(count) if self._was_told_of_a_card() else ""
            if stray:
                return f"{stray}#"
            # What a look-up is asked with is another for each, so that bills of two look-ups are not mixed up.
            number = self._accounts if step is not None and step.answer in self._keys else 0
            return account_keys(entry.rest[0], number, None if self._was_asked_again() else step)[1]
        if looked_up.word == "failed":
            raise RecordError("the billing system was not there for it, which a call file cannot say")
        account, keys = account_keys(entry.rest[0], self._accounts, step)
        if looked_up.word != "not_found":
            self._owe(account, step, looked_up)
        self._accounts += 1
        return keys

    def _could_be_paid(self, keys: str) -> str:
        """An amount that was only read back is on record as its first digit and noughts, which may be less than can be paid."""
        step, done = self.flow.steps.get(self._call.step), "#" if keys.endswith("#") else ""
        amount = keys.removesuffix(done)
        is_amount = step is not None and step.keyed(self._call.phase) == "amount" and amount.isdecimal()
        if not is_amount or int(amount) == 0 or self._line.amounts is None:
            return keys
        low, high = self._line.amounts
        return f"{min(max(int(amount), low.minor), high.minor)}{done}"

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

    def _owe(self, account: str, step: Step | None, looked_up: HistoryEntry) -> None:
        """`account`: what is keyed in now, for the last of what the look-up is asked with."""
        terms = self.flow.head.lookups.get(looked_up_at(looked_up), LookUpTerms())
        answer = step.answer if step is not None else ""
        known = {**self._call.values, answer: account}
        keyed = {name: str(known.get(name, "")) for name in terms.takes or [answer]}
        for owed in bills_for(looked_up, terms, keyed, self._accounts, self._is_mailed):
            self.bench.billing.owe(owed)
            self._line.recording.bills.append(str(owed))

    def _let_change_what_is_due(self) -> None:
        """Before the keys that ask for a charge which the bill's new amount has refused."""
        for one in self._entries[self._at :]:
            if one.word == "refused" and one.rest[1] in OWED_BY_THEN and self._call.payable is not None:
                self._owe_by_now(self._call.payable, one.rest[2:])
                self._owe_what_is_left(one, [bill.key for bill in self._call.bills], one.rest[3])
            if one.word != "awaited":
                return

    def _owe_by_now(self, payable: Payable, rest: Sequence[str]) -> None:
        due, currency, *of_each = rest[: rest.index("left")] if "left" in rest else rest
        for part, amount in zip(payable.parts or (payable,), of_each or [due], strict=False):
            self._change_due(part.key, Money(int(amount), currency))

    def _owe_what_is_left(self, entry: HistoryEntry, keys: Sequence[str], currency: str) -> None:
        """What others have paid meanwhile on the bills that the call knows, where that is on record. `keys`: as it names them."""
        left = entry.rest[entry.rest.index("left") + 1 :] if "left" in entry.rest else ()
        for key, minor in zip(keys, left, strict=False):
            self._change_due(key, Money(int(minor), currency))

    def _change_due(self, account: str, owed: Money) -> None:
        bill = self.bench.workbench.store.find_bill(account)
        if bill is not None and bill.due != owed:
            changed = Owed(bill.account, str(owed), str(min(bill.minimum, owed)))
            self.bench.billing.owe(changed)
            self._line.recording.add("owes", str(changed))

    def _let_others_pay(self) -> None:
        """Before the bank's answer, with which the call learned of it. The bill that the call itself pays is for the bank to lower."""
        keyed = next((at for at in range(self._at, len(self._entries)) if self._entries[at].word in KEYED), None)
        answers = [one for one in self._entries[self._at : keyed] if one.word == "bank"]
        charge = next((one for one in self._call.unsettled if one.attempt == self._call.attempt), None)
        if answers and charge is not None:
            paid = {charge.payable, *charge.bills}
            keys = [key if key not in paid else "" for key in left_after(self._call, charge)]
            self._owe_what_is_left(answers[0], keys, charge.amount.currency)

    @property
    def _keys(self) -> Collection[str]:
        return {name for terms in self.flow.head.lookups.values() for name in terms.takes}

    @property
    def _is_mailed(self) -> bool:
        return any("email_sent" in turn.said for turn in self.store.turns_of(self.stored.id))

    # ---- the bank

    def _wait(self) -> LineReply | None:
        if not self._is_bank_ahead():
            return None
        self._let_others_pay()
        for attempt in self._open_attempts():
            self.bench.tell_bank(self._behaviour(attempt))
        if self._call.has_parts and not self._call.unsettled:
            behaviour = "approves" if any(one.word == "back" for one in self._entries) else "cannot say"
            self._line.recording.takes_back(behaviour)
            self.bench.tell_bank(behaviour)
        return self._line.wait()

    def _is_bank_ahead(self) -> bool:
        """The call went on after this hold, or the bank answered more on record than this caller has heard."""
        went_on = any(one.word in KEYED for one in self._entries[self._at :])
        came_to_its_end = self.stored.phase == "over" and not self.stored.hung_up
        return went_on or came_to_its_end or bank_words(self._call) < bank_words(self.stored)

    def _open_attempts(self) -> Sequence[int]:
        return [charge.attempt for charge in self._call.unsettled]

    def _behaviour(self, attempt: int) -> str:
        """What the bank did on record, as a scripted one has to; what it said only after the call is not of the call."""
        if attempt in never_told(self.stored):
            return "cannot say"
        intent = self.stored.intent_of(attempt)
        payment = self.store.payment(intent)
        return behaviour_of(payment, self.store.entries(intent)) if payment else "approves"

    @property
    def _call(self) -> Call:
        stored = self.bench.workbench.store.load_call(self._line.call_id)
        assert stored is not None
        return stored.call
