"""`agree: <name>`: consent to instalments or to recurring payments, in the merchant's words, recorded and not charged.

What follows from it is for the merchant's billing system: no card is kept here, so nothing can be charged later from here.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import model_validator

from ivr.core.events import Value
from ivr.core.money import Money
from ivr.flow.consenting import Consenting, amount_of
from ivr.flow.parts import Drawn, Explained, Need, Values, in_words
from ivr.flow.registry import step_kind
from ivr.flow.talk.turn import Leave, Reply, Turn
from ivr.reading.rules import agreements
from ivr.reading.rules.values import WRONG_VALUE
from ivr.reading.scalars import Count, Name, WrongValue


@step_kind
class AgreeStep(Consenting):
    """Ask for consent to an instalment plan or a recurring mandate; nothing is charged."""

    word = "agree"
    place = 74
    explained = Explained(
        "`agree: <name>`",
        "Records consent to instalments or to recurring payments, in the words of `confirm_<name>`; key 1 agrees",
        "`agreed`, `refused`; optional `gave_up` and `cancelled`",
        "`to: plan` with `instalments: 3`, or `to: mandate`; `every: month` or `week`",
    )
    example = """
plan:
  agree: plan
  to: plan
  instalments: 3
  every: month
  then: {agreed: not_charged, refused: not_charged}
"""

    speaks: ClassVar[Values] = {**Consenting.speaks, "amount_not_payable": frozenset()}

    agree: Name
    """What the agreement is called: the caller hears the prompt `confirm_<name>`, which says its terms."""
    to: Literal["plan", "mandate"]
    """plan: the amount in instalments. mandate: the amount again and again, until it is called off."""
    instalments: Count | None = None
    """Of a plan: how many."""
    every: Literal["week", "month"]
    """How often a payment is due."""

    @model_validator(mode="after")
    def has_instalments(self) -> "AgreeStep":
        if self.to == "plan" and (self.instalments or 0) < 2:
            place = "to" if self.instalments is None else "instalments"
            raise WrongValue(WRONG_VALUE, "a plan has instalments, two at least (write 'instalments: 3')", place)
        if self.to == "mandate" and self.instalments is not None:
            raise WrongValue(
                WRONG_VALUE, "only a plan has a number of instalments (remove it, or write 'to: plan')", "instalments"
            )
        return self

    @property
    def kind(self) -> str:
        return self.to

    @property
    def subject(self) -> Name:
        return self.agree

    @property
    def must_say(self) -> frozenset[str]:
        return frozenset({"amount"} if self.to == "mandate" else {"amount", "instalments", "instalment"})

    @property
    def may_say(self) -> frozenset[str]:
        return self.must_say | ({"last_instalment"} if self.to == "plan" else frozenset())

    @property
    def rhythm(self) -> str:
        return self.every

    @property
    def parts(self) -> int:
        return self.instalments or 0

    def needs(self, name: str) -> Iterator[Need]:
        """What is recorded of a mandate has to say whose it is."""
        yield from super().needs(name)
        if self.to == "mandate":
            message = f"there is a way to the mandate '{name}' on which no bill was looked up: it would be nobody's"
            cure = "let an 'ask' step with 'lookup' come before it, and 'choose_bill' after 'billing.find_bills'"
            yield Need("bill.due", agreements.FOR_NOBODY, message, cure, ("to",))

    def terms(self, amount: Money, turn: Turn) -> Mapping[str, Value]:
        """Instalments are alike but for the last, which has what cannot be divided."""
        if self.instalments is None:
            return {"every": self.every}
        each = Money(amount.minor // self.instalments, amount.currency)
        last = Money(amount.minor - each.minor * (self.instalments - 1), amount.currency)
        return {"every": self.every, "instalments": self.instalments, "instalment": each, "last_instalment": last}

    @property
    def passes_by(self) -> frozenset[str]:
        return frozenset({"refused"} if self.instalments else ())

    def put(self, turn: Turn) -> Reply:
        """Nobody is asked to agree to parts of nothing."""
        if amount_of(turn).minor < (self.instalments or 1):
            return turn.forget("amount", "money").say("amount_not_payable"), Leave("refused")
        return super().put(turn)

    def drawn(self) -> Drawn:
        return Drawn("talk", f"agree: {in_words(self.agree)}")
