"""`keep_card: <name>`: consent that the bank keeps the card for later payments, in the merchant's words, recorded.

It comes between the card and its charge. What is kept is at the bank: here is only what stands for it there.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ivr.core.events import Value
from ivr.core.money import Money
from ivr.flow.consenting import Consenting
from ivr.flow.keeping import ASKED, second_answer_needed
from ivr.flow.parts import Drawn, Explained, Facts, Need, Place, Values, in_words
from ivr.flow.registry import step_kind
from ivr.flow.talk.turn import Turn
from ivr.reading.rules import charges
from ivr.reading.scalars import Name


@step_kind
class KeepCardStep(Consenting):
    """Ask whether the bank may keep the card that was keyed in, for later payments."""

    word = "keep_card"
    place = 36
    explained = Explained(
        "`keep_card: <name>`",
        "Asks whether the bank may keep the card for later payments, in the words of `confirm_<name>`, and records the answer; key 1 agrees",
        "`agreed`, `refused`; optional `gave_up` and `cancelled`",
        "before a `pay` with `token: create` ([A card that is kept](#a-card-that-is-kept))",
    )
    example = """
keep: {keep_card: keep_card, then: {agreed: charge, refused: charge}}
"""
    speaks: ClassVar[Values] = {"cards_not_taken_now": frozenset()}
    uses_up_amount: ClassVar[bool] = False

    keep_card: Name
    """What the consent is called: the caller hears the prompt `confirm_<name>`, which says brand and last four digits."""

    @property
    def kind(self) -> str:
        return "keep_card"

    @property
    def subject(self) -> Name:
        return self.keep_card

    @property
    def is_about_card(self) -> bool:
        return True

    @property
    def must_say(self) -> frozenset[str]:
        return frozenset({"brand", "last4"})

    def terms(self, amount: Money, turn: Turn) -> Mapping[str, Value]:
        return {name: turn.call.values[name] for name in ("brand", "last4")}

    def needs(self, name: str) -> Iterator[Need]:
        yield from super().needs(name)
        yield Need(
            "card", charges.NO_CARD, f"there is a way to '{name}' without a card", "let a 'collect' step come first"
        )
        yield from second_answer_needed(name, "keep_card")

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        return super().makes(path, outcome, facts) | {ASKED}

    def _agreed(self, turn: Turn) -> Turn:
        return super()._agreed(turn).remember(keeps_card=turn.call.attempt)

    def drawn(self) -> Drawn:
        return Drawn("talk", f"keep the card: {in_words(self.keep_card)}")
