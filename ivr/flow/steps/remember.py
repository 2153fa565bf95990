"""`remember: <name>`: consent that the caller's language and last account are known in their next call, in the merchant's words.

A caller is known again by their number alone, so whoever withholds it is not asked. Nothing of a card is kept by it.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ivr.core.actions import ForgetCaller
from ivr.core.caller import caller_key
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.core.remembered import END, IS_REMEMBERED, OF_CALLER, Remembered, end_of
from ivr.flow.answer_step import FOUND
from ivr.flow.consenting import Consenting
from ivr.flow.parts import Drawn, Explained, Need, Values, in_words
from ivr.flow.registry import step_kind
from ivr.flow.talk.turn import Leave, Reply, Turn
from ivr.reading.rules import ways
from ivr.reading.scalars import Name, all_different


@step_kind
class RememberStep(Consenting):
    """Ask whether the caller's language, or last account, may be remembered for their next call."""

    word = "remember"
    place = 75
    explained = Explained(
        "`remember: <name>`",
        "Asks whether the caller may be remembered by their number, in the words of `confirm_<name>`, and records the answer; key 1 agrees",
        "`agreed`, `refused` (also where the number is withheld); optional `gave_up` and `cancelled`",
        "`keeps: [language, account]` ([A caller who rings again](#a-caller-who-rings-again))",
    )
    example = """
next_time:
  remember: remember_me
  keeps: [language, account]
  then: {agreed: receipt, refused: receipt}
"""
    speaks: ClassVar[Values] = {}
    values: ClassVar[Values] = {END: frozenset({"digits"})}
    uses_up_amount: ClassVar[bool] = False

    remember: Name
    """What the consent is called: the caller hears the prompt `confirm_<name>`, which says what is kept."""
    keeps: Annotated[
        list[Literal["language", "account"]], Field(min_length=1, max_length=2), AfterValidator(all_different)
    ]
    """What is kept for the next call: language is the one of this call, account the one that was looked up."""

    @property
    def kind(self) -> str:
        return "remember"

    @property
    def subject(self) -> Name:
        return self.remember

    @property
    def remembers(self) -> frozenset[str]:
        return frozenset(self.keeps)

    @property
    def must_say(self) -> frozenset[str]:
        return frozenset({END} if "account" in self.keeps else ())

    @property
    def passes_by(self) -> frozenset[str]:
        return frozenset({"refused"})

    def needs(self, name: str) -> Iterator[Need]:
        if "account" in self.keeps:
            message = f"there is a way to '{name}' on which no account was found that could be remembered"
            cure = "let 'found' of a look-up lead to it"
            yield Need(FOUND, ways.VALUE_NOT_KNOWN, message, cure, ("keeps",))

    def terms(self, amount: Money, turn: Turn) -> Mapping[str, Value]:
        account = {END: end_of(self._account(turn))} if "account" in self.keeps else {}
        return {"keeps": " ".join(self.keeps), **account}

    # ---- in a call

    def put(self, turn: Turn) -> Reply:
        """Nobody is asked of whom nothing could be kept, or found again."""
        has_all = "account" not in self.keeps or bool(self._account(turn))
        return super().put(turn) if has_all and caller_key(turn.call.ani) else (turn, Leave("refused"))

    def _account(self, turn: Turn) -> str:
        return str(turn.call.values.get(turn.flow.remembered_answer, ""))

    def _remembers(self, turn: Turn) -> Remembered:
        return Remembered(turn.call.language, self._account(turn)).only(self.remembers)

    def _agreed(self, turn: Turn) -> Turn:
        return turn.remember(**{IS_REMEMBERED: True})

    def _refused(self, turn: Turn) -> Turn:
        """What was kept before as well."""
        return turn.do(ForgetCaller()).forget(*OF_CALLER)

    def _amount(self, turn: Turn) -> Money:
        """Nothing is to be paid by it."""
        return Money(0, turn.flow.head.limits.max_amount.currency)

    def _said(self, turn: Turn) -> dict[str, Value]:
        return {END: turn.call.notes[END]} if END in turn.call.notes else {}

    def drawn(self) -> Drawn:
        return Drawn("talk", f"remember: {in_words(self.remember)}")
