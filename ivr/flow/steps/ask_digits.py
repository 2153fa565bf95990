"""`ask: <name>`: plain digits such as an account number."""

from typing import Any

from ivr.flow.answer_step import AnswerStep
from ivr.flow.parts import Explained
from ivr.flow.registry import step_kind


@step_kind
class AskDigitsStep(AnswerStep):
    """Ask for plain digits."""

    place = 10
    explained = Explained(
        "`ask: <name>`",
        "Asks for digits",
        "`ok`, or with `lookup` `found` and `not_found`; `gave_up`; optional `cancelled`",
        "`length` (`8` or `8..10`), `lookup: billing.find_bill`, `confirm: always`",
    )
    example = """
account:
  ask: account_number
  length: 8..10
  lookup: billing.find_bill
  then: {found: amount, not_found: retry, gave_up: not_charged}
"""

    @classmethod
    def claims(cls, body: Any) -> bool:
        return "ask" in body and body["ask"] != "money" and "letters" not in body
