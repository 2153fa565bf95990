"""What the kinds have in common that ask a caller to agree to something other than a charge.

The caller hears the merchant's own wording, in which every term of the agreement is said, and key 1 agrees to it. What was said
is recorded word for word before the step is left: an agreement that cannot be recorded is a fault, and nobody is told that it
was made. What is due on the bill is read again first, as before a charge: where it is paid by then, or owes another amount than
the one that was agreed to was made of, nothing is recorded and the caller hears so. No card is involved, and no ending is: the
call ends by its charges, as always.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ivr.core.actions import RecordAgreement, Wait
from ivr.core.entry import Reading
from ivr.core.events import AgreementRecorded, AgreementRefused, DueAwaited, Event, KeysEntered, Value, Waited
from ivr.core.fixed_keys import ACCEPT_KEY, REFUSE_KEY
from ivr.core.money import Money
from ivr.core.remembered import Remembered
from ivr.flow.parts import Facts, Finding, Hears, Keyed, Known, Leads, Need, Phases, Place, Said, Values, with_set
from ivr.flow.step import Step
from ivr.flow.talk import charging
from ivr.flow.talk.amounts import is_own_amount
from ivr.flow.talk.charging import DUE_HOLD_S, DUE_PATIENCE_S, count_pause
from ivr.flow.talk.entries import hear_keys, span_of
from ivr.flow.talk.turn import AGREED_AMOUNT, Leave, Listen, Reply, Turn, no_match, offer_cancel
from ivr.flow.value_check import not_of_a_sum, of_a_chosen_bill
from ivr.reading.rules import agreements
from ivr.reading.scalars import Name, Target
from ivr.words.slots import MONEY_KINDS

DATE_KINDS = frozenset({"date", "written"})
AGREED = "an amount that was agreed to"  # the fact: {amount} is that one, until another is chosen, charged or looked up


class Consenting(Step):
    """A step that asks for consent. A kind says what is agreed to (`kind`, `subject`, `terms`) and which terms must be said."""

    outcomes = frozenset({"agreed", "refused"})
    optional_outcomes = frozenset({"gave_up", "cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks", "recording": "looks_up"}
    hears: ClassVar[Hears] = {"recording": (AgreementRecorded, AgreementRefused, DueAwaited)}
    leads: ClassVar[Leads] = {"entry": ("recording",)}
    speaks: ClassVar[Values] = charging.WHY_NOT
    uses_up_amount: ClassVar[bool] = True
    """Whether the amount is agreed to, so that it has to be due and is no amount to pay as well."""
    values: ClassVar[Values] = {
        "by": DATE_KINDS,
        "instalments": frozenset({"number", "digits", "written"}),
        "instalment": MONEY_KINDS,
        "last_instalment": MONEY_KINDS,
    }
    then: dict[str, Target]
    """Where each outcome goes; without gave_up and cancelled the call ends there."""

    @property
    def kind(self) -> str:
        """What is agreed to, as it is recorded: promise, plan or mandate."""
        raise NotImplementedError

    @property
    def subject(self) -> Name:
        """The agreement's name: its wording is the prompt `confirm_<subject>`."""
        raise NotImplementedError

    @property
    def must_say(self) -> frozenset[str]:
        """The terms that the wording has to say."""
        raise NotImplementedError

    @property
    def may_say(self) -> frozenset[str]:
        return self.must_say

    @property
    def rhythm(self) -> str:
        """How often something is paid by what is agreed to; "" where it is paid once."""
        return ""

    @property
    def days(self) -> int:
        """Within how many days what is agreed to is paid; 0 where there is no such time."""
        return 0

    @property
    def parts(self) -> int:
        """In how many parts it is paid; 0 where that is open."""
        return 0

    def terms(self, amount: Money, turn: Turn) -> Mapping[str, Value]:
        """What is agreed to besides the amount, at this moment; the wording may say each of them. Never empty."""
        raise NotImplementedError

    def ends_by(self) -> frozenset[str]:
        return frozenset() if "gave_up" in self.then else frozenset({"gave_up"})

    def says(self) -> Iterator[Said]:
        held_as = f"confirm_{self.kind}"
        yield Said(
            (self.word,),
            f"confirm_{self.subject}",
            self.may_say,
            must_say=self.must_say,
            every=self.rhythm,
            within=self.days,
            instalments=self.parts,
            held_as=held_as,
        )

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        message = f"there is a way to '{name}' without an amount to agree to"
        yield Need("amount", agreements.NO_AMOUNT, message, "set one in a menu, or ask for money")
        yield from not_of_a_sum(name, (self.word,))
        if self.kind != "mandate":  # which needs a bill on every way
            yield from of_a_chosen_bill(name, (self.word,))

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """What was promised is no amount to pay as well: a charge needs one that is chosen for it."""
        if outcome != "agreed" or not self.uses_up_amount:
            return facts
        return with_set(facts - {"amount", "confirmed"}, {AGREED})

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        """`amount` is what was agreed to, until another is chosen or charged; what was keyed in for it is used up."""
        return known - {"money"} if outcome == "agreed" and self.uses_up_amount else known

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def put(self, turn: Turn) -> Reply:
        """Terms are those of the moment at which they are first said, also when they are said again after midnight."""
        turn = turn if turn.call.notes else turn.note(**self.terms(self._amount(turn), turn))
        turn = turn.say(f"confirm_{self.subject}", **self._said(turn))
        return turn.collect_one_key("confirm", flush=True), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        """A key pressed while the agreement is being recorded changes nothing."""
        if turn.call.phase != "recording":
            return hear_keys(turn, event, self._hear_key)
        match event:
            case AgreementRecorded():
                return self._agreed(turn.change(phase="entry")), Leave("agreed")
            case AgreementRefused():
                return charging.hear_no_agreement(turn.change(phase="entry"), event)
            case DueAwaited():
                turn = turn if turn.call.waited else turn.say("one_moment")
            case Waited():
                turn = count_pause(turn)
                return self._record(turn, is_last=turn.call.waited >= DUE_PATIENCE_S), Listen()
        return turn.do(Wait(DUE_HOLD_S)), Listen()

    def _hear_key(self, turn: Turn, event: KeysEntered) -> Reply:
        span = span_of(turn, event, 1, 1)
        key = event.keys.text()[span.start : span.end]
        if key == ACCEPT_KEY:
            return self._record(turn.change(phase="recording", since=turn.at, waited=0.0)), Listen()
        if key == REFUSE_KEY:
            return self._refused(turn), Leave("refused")
        return offer_cancel(turn) if span.reading is Reading.CANCEL else no_match(turn, "no_match")

    def _record(self, turn: Turn, *, is_last: bool = False) -> Turn:
        """The phrase is put together as it was said: nothing that chooses its wording has changed since."""
        phrase = turn.phrase(f"confirm_{self.subject}", **self._said(turn))
        terms = tuple((name, str(value)) for name, value in turn.call.notes.items())
        payable = turn.call.payable if self.uses_up_amount else None
        about = (terms, turn.about, payable, is_own_amount(turn), is_last)
        agreed = RecordAgreement(
            *(self.kind, self.subject, phrase, ACCEPT_KEY, self._amount(turn), *about),
            of_card=self.is_about_card,
            remembers=self._remembers(turn),
        )
        return turn.do(agreed, Wait(DUE_HOLD_S))

    def _agreed(self, turn: Turn) -> Turn:
        """Once it is on record. Its amount is not to be paid as well, but what is said next may say it."""
        if not self.uses_up_amount:
            return turn
        return turn.forget("amount", "money").remember(**{AGREED_AMOUNT: amount_of(turn)})

    def _refused(self, turn: Turn) -> Turn:
        return turn

    def _amount(self, turn: Turn) -> Money:
        """That is agreed to, or that the agreement is made of."""
        return amount_of(turn)

    def _remembers(self, turn: Turn) -> Remembered | None:
        """What is kept of the caller by this agreement."""
        return None

    def _said(self, turn: Turn) -> dict[str, Value]:
        return {"amount": self._amount(turn), **turn.call.notes}


def amount_of(turn: Turn) -> Money:
    amount = turn.call.values.get("amount")
    if not isinstance(amount, Money) or amount.minor <= 0:
        raise ValueError("an agreement needs an amount above nought")
    return amount
