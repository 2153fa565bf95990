"""`use_card: <bank>`: the caller may pay with the card that the bank keeps, by one key, or with another."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ivr.core.actions import BeginCard, ForgetKeptCard, UseKeptCard
from ivr.core.entry import Reading
from ivr.core.events import Event, KeysEntered
from ivr.core.fixed_keys import ACCEPT_KEY, REFUSE_KEY
from ivr.flow.keeping import ASKED, KEPT, second_answer_needed
from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Finding,
    Keyed,
    Known,
    Need,
    Phases,
    Place,
    Said,
)
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk.entries import hear_keys, span_of
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn, no_match, offer_cancel
from ivr.flow.value_check import value_needed
from ivr.reading.scalars import BankName, Target

FORGET_KEY = "3"
CARD = frozenset({"brand", "last4"})


@step_kind
class UseCardStep(Step):
    """Offer the card that the bank keeps for what was looked up; the first key is the consent to its charge."""

    word = "use_card"
    place = 28
    explained = Explained(
        "`use_card: <bank>`",
        "Offers the card that the bank keeps, by brand, last four and amount: key 1 pays with it, 2 takes another, 3 has it forgotten",
        "`known`, `another`, `none` (no card is kept); optional `gave_up` and `cancelled`",
        "[A card that is kept](#a-card-that-is-kept)",
    )
    example = """
which_card:
  use_card: acme_bank
  then: {known: charge, another: card, none: card}
"""
    outcomes = frozenset({"known", "another", "none"})
    optional_outcomes = frozenset({"gave_up", "cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks"}

    use_card: BankName
    """The bank that keeps it."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @property
    def goes_alone(self) -> str:
        return "where a kept card may be charged"

    def says(self) -> Iterator[Said]:
        yield Said(("use_card",), "confirm_kept_card", CARD, must_say=CARD | {"amount"})
        yield Said(("use_card",), "forget_kept_card", frozenset({"key"}), key=FORGET_KEY)
        yield Said(("use_card",), "kept_card_forgotten")

    def ends_by(self) -> frozenset[str]:
        return frozenset() if "gave_up" in self.then else frozenset({"gave_up"})

    @property
    def passes_by(self) -> frozenset[str]:
        return frozenset({"none"})

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        yield from value_needed(name, ("use_card",), "amount")
        yield from second_answer_needed(name, "use_card")

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """Brand, last four and amount were said, and agreed to: the card is taken and confirmed at once."""
        facts -= {"confirmed", "to_reserve", "card", KEPT}
        return facts | {"card", "confirmed", ASKED, KEPT} if outcome == "known" else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known | CARD if outcome == "known" else known - CARD

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    @property
    def bank(self) -> tuple[str, str]:
        return "use_card", self.use_card

    @property
    def bank_operations(self) -> Iterable[tuple[Place, str]]:
        return [(("use_card",), "charge token")]

    @property
    def offers_kept_card(self) -> bool:
        return True

    def drawn(self) -> Drawn:
        return Drawn("card", "use the card that is kept")

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def put(self, turn: Turn) -> Reply:
        brand, last4 = (turn.call.values.get(name) for name in ("kept_brand", "kept_last4"))
        if not brand or not last4 or "amount" not in turn.call.values:
            return turn, Leave("none")
        turn = turn.do(BeginCard(turn.call.intent))  # where no card is taken now, none is offered
        turn = turn.say("confirm_kept_card", brand=brand, last4=last4).say("forget_kept_card", key=FORGET_KEY)
        return turn.collect_one_key("confirm", flush=True), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        return hear_keys(turn, event, self._hear_key)

    def _hear_key(self, turn: Turn, event: KeysEntered) -> Reply:
        span = span_of(turn, event, 1, 1)
        match event.keys.text()[span.start : span.end]:
            case key if key == ACCEPT_KEY:
                return _take(turn), Leave("known")
            case key if key == REFUSE_KEY:
                return turn, Leave("another")
            case key if key == FORGET_KEY:
                forgotten = turn.do(ForgetKeptCard()).forget("kept_brand", "kept_last4")
                return forgotten.say("kept_card_forgotten"), Leave("another")
        return offer_cancel(turn) if span.reading is Reading.CANCEL else no_match(turn, "no_match")


def _take(turn: Turn) -> Turn:
    """A new attempt, with an intent of its own; what an earlier one left unsent is dropped."""
    values = turn.call.values
    turn = turn.forget_card().change(attempt=turn.call.attempt + 1)
    turn = turn.remember(brand=values["kept_brand"], last4=values["kept_last4"])
    return turn.do(BeginCard(turn.call.intent), UseKeptCard(turn.call.intent))
