"""`ask: <name>`: plain digits such as an account number; a caller who is remembered may take the last one by a key."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from ivr.core.events import KeysEntered
from ivr.core.remembered import ACCOUNT, END, end_of
from ivr.flow.answer_step import AnswerStep
from ivr.flow.parts import Explained, Leads, Phases, Said, Values
from ivr.flow.registry import step_kind
from ivr.flow.talk.entries import hear_confirmation
from ivr.flow.talk.turn import REFUSE_KEY, Again, Listen, Reply, Turn, one_key


@step_kind
class AskDigitsStep(AnswerStep):
    """Ask for plain digits."""

    place = 10
    explained = Explained(
        "`ask: <name>`",
        "Asks for digits",
        "`ok`, or with `lookup` `found` and `not_found`; `gave_up`; optional `cancelled`",
        "`length` (`8` or `8..10`), `lookup: billing.find_bill`, `confirm: always`, `remembered: offer` ([A caller who rings again](#a-caller-who-rings-again))",
    )
    example = """
account:
  ask: account_number
  length: 8..10
  lookup: billing.find_bill
  then: {found: amount, not_found: retry, gave_up: not_charged}
"""
    phases: ClassVar[Phases] = {**AnswerStep.phases, "offer": "asks"}
    leads: ClassVar[Leads] = {
        **AnswerStep.leads,
        "entry": (*AnswerStep.leads["entry"], "offer"),
        "offer": ("entry", "lookup"),
    }
    values: ClassVar[Values] = {END: frozenset({"digits"})}

    remembered: Literal["offer"] | None = None
    """offer: a caller who agreed to be remembered hears the end of their last account first, and takes it with key 1."""

    @classmethod
    def claims(cls, body: Any) -> bool:
        return "ask" in body and body["ask"] != "money" and "letters" not in body

    @property
    def offers_remembered(self) -> bool:
        return self.remembered is not None

    def says(self) -> Iterator[Said]:
        yield from super().says()
        if self.remembered:
            end = frozenset({END})
            yield Said(("remembered",), self._offer, end, must_say=end)

    @property
    def _offer(self) -> str:
        return f"confirm_remembered_{self.ask}"

    # ---- in a call

    def put(self, turn: Turn) -> Reply:
        account = str(turn.call.values.get(ACCOUNT, "")) if self.remembered else ""
        if turn.call.phase == "confirm" or self._answer_of(account) is None:
            return super().put(turn.change(phase="entry") if turn.call.phase == "offer" else turn)
        turn = turn.change(phase="offer").say(self._offer, account_end=end_of(account))
        return turn.collect_one_key("confirm", flush=True), Listen()

    def _hear_keys(self, turn: Turn, event: KeysEntered) -> Reply:
        """It is offered until the caller wants another."""
        if turn.call.phase != "offer":
            return super()._hear_keys(turn, event)
        if ACCOUNT not in turn.call.values:
            return turn, Again()
        if one_key(turn, event) == REFUSE_KEY:
            turn = turn.forget(ACCOUNT)
        return hear_confirmation(turn, event, self._take)

    def _take(self, turn: Turn) -> Reply:
        """As if it had been keyed in, and read back."""
        return self._accept(turn.remember(**{self.ask: turn.call.values[ACCOUNT]}))

    def _not_found(self, turn: Turn, prompt: str, *, told: bool = False) -> Reply:
        """Of an account that is none any more nobody is asked again."""
        return super()._not_found(turn.forget(ACCOUNT) if self.remembered else turn, prompt, told=told)
