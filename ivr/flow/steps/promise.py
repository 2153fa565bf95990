"""`promise: <name>`: a promise to pay the chosen amount by a day, in the merchant's words, recorded and not charged."""

from collections.abc import Mapping
from datetime import timedelta

from ivr.core.events import Value
from ivr.core.money import Money
from ivr.flow.consenting import Consenting
from ivr.flow.parts import Drawn, Explained, in_words
from ivr.flow.registry import step_kind
from ivr.flow.talk.turn import Turn
from ivr.flow.talk.values import today
from ivr.reading.scalars import Days, Name


@step_kind
class PromiseStep(Consenting):
    """Ask for a promise to pay the chosen amount by a day; nothing is charged."""

    word = "promise"
    place = 72
    explained = Explained(
        "`promise: <name>`",
        "Records a promise to pay the amount by a day, in the words of `confirm_<name>`; key 1 agrees",
        "`agreed`, `refused`; optional `gave_up` and `cancelled`",
        "`within: 14d`",
    )
    example = """
promise_to_pay: {promise: promise, within: 14d, then: {agreed: not_charged, refused: not_charged}}
"""

    promise: Name
    """What the promise is called: the caller hears the prompt `confirm_<name>`, which says amount and day."""
    within: Days
    """By when: so many days from the day of the call, such as 14d; by the clock of the flow's zone, or UTC without one."""

    @property
    def kind(self) -> str:
        return "promise"

    @property
    def subject(self) -> Name:
        return self.promise

    @property
    def must_say(self) -> frozenset[str]:
        return frozenset({"amount", "by"})

    @property
    def days(self) -> int:
        return self.within

    def terms(self, amount: Money, turn: Turn) -> Mapping[str, Value]:
        return {"by": (today(turn) + timedelta(days=self.within)).isoformat()}

    def drawn(self) -> Drawn:
        return Drawn("talk", f"promise: {in_words(self.promise)}")
