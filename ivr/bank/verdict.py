"""What may be believed of a bank's answer: whether it is recorded, asked about, or taken back. The same for every protocol.

Three questions to an approval: does its code approve (ISO 8583 field 39), is it for the amount that was asked for, and
does it have an authorization code (field 38), or the bank's own reference where it has one? The table:

| the answer | to a charge | to an inquiry, or the charge repeated |
| --- | --- | --- |
| approved, partly (39 = 10) or another amount or currency in any of its amounts | reverse | reverse |
| approved partly, and the bank was told that it may: code 10 and one smaller amount | believe | believe |
| approved with a refusing code or one that cannot be read, declined with an approving one | inquire | reverse |
| approved with an amount that cannot be read | inquire | reverse |
| approved without a response code, or without an authorization code | inquire | believe |
| reversed with a refusing code or one that cannot be read | | ask again |

`reverse`: money may have moved, and not as the caller agreed to; the caller is told nothing that is not so, because the
charge stays `unknown` until the bank has taken it back. `inquire`: one more word of the bank's decides. What is believed
in the end without an authorization code is charged: the bank has said so twice, and a missing number is no reason to take
somebody's payment back.
"""

from dataclasses import replace
from typing import Literal

from ivr.bank.interface import BankAnswer
from ivr.core.money import Money

# Field 39. 08 asks the merchant to look at an identity card, 11 is for very important persons, 16 wants a track updated.
# 85 is left out: "no reason to decline" answers an account check, not a charge.
APPROVING = frozenset({"00", "08", "11", "16"})
PARTIAL, APPROVED = "10", "00"
# 21: no action taken, 25: no such record. Both leave nothing charged under the reference.
REVERSING = frozenset({"00", "21", "25"})
Question = Literal["authorize", "inquire", "repeat", "reverse", "capture"]
# An answer to one of these is a second word on a charge that was asked for before.
SECOND_WORDS: frozenset[Question] = frozenset({"inquire", "repeat"})
Doubt = Literal[
    "partial_approval",
    "another_amount",
    "code_contradicts",
    "amount_unreadable",
    "no_response_code",
    "no_authorization_code",
    "reversal_refused",
    "refusal_contradicts",
]
TAKE_BACK: frozenset[Doubt] = frozenset({"partial_approval", "another_amount"})
BELIEVED_TWICE: frozenset[Doubt] = frozenset({"no_response_code", "no_authorization_code"})


def judge(answer: BankAnswer, question: Question, asked: Money, *, takes_part: bool = False) -> BankAnswer:
    """The answer as the forwarder may act on it: as it is, `unknown` (inquire), or `not_as_asked` (reverse).

    `takes_part`: the bank was told that it may approve less; then that is an approval like any other, of what it says.
    """
    part = _part_of(answer, asked) if takes_part else None
    if part is not None:
        as_if_whole = replace(answer, response_code=APPROVED)
        return replace(judge(as_if_whole, question, part), response_code=answer.response_code, approved=part)
    doubt = doubt_of(answer, asked)
    if doubt is None:
        return answer
    is_second_word = question in SECOND_WORDS
    if doubt in TAKE_BACK or (is_second_word and doubt in ("code_contradicts", "amount_unreadable")):
        return replace(answer, outcome="not_as_asked", reason=doubt)
    if is_second_word and doubt in BELIEVED_TWICE:
        return replace(answer, reason=doubt)
    return replace(answer, outcome="unknown", reason=doubt)


def _part_of(answer: BankAnswer, asked: Money) -> Money | None:
    """What a partial approval is of: its code says so, and every amount in it is the same smaller one."""
    if answer.outcome != "approved" or answer.response_code != PARTIAL or not answer.amounts:
        return None
    said = {(one.minor, one.currency) if one.is_whole else (None, None) for one in answer.amounts}
    minor, currency = said.pop() if len(said) == 1 else (None, None)
    is_less = minor is not None and 0 < minor < asked.minor and currency == asked.currency
    return Money(minor, asked.currency) if minor is not None and is_less else None


def judge_modification(answer: BankAnswer, asked: Money) -> BankAnswer:
    """The same of a refund, void or capture: what contradicts itself is `unknown`, and asked about again.

    Done with a refusing code, refused with an approving one, or done with another amount than was asked for.
    """
    code, doubt = answer.response_code, None
    match answer.outcome:
        case "done" | "taken" if any(amount.differs(asked) for amount in answer.amounts):
            doubt = "another_amount"
        case "done" | "taken" if not all(amount.is_whole for amount in answer.amounts):
            doubt = "amount_unreadable"
        case "done" | "taken" if answer.is_code_odd or (code is not None and code not in APPROVING):
            doubt = "code_contradicts"
        case "refused" if code in APPROVING:
            doubt = "refusal_contradicts"
    return replace(answer, outcome="unknown", reason=doubt) if doubt else answer


def doubt_of(answer: BankAnswer, asked: Money) -> Doubt | None:
    code = answer.response_code
    match answer.outcome:
        case "approved":
            return _doubt_of_approval(answer, asked)
        case "declined" if code in APPROVING or code == PARTIAL:
            return "code_contradicts"
        case "reversed" if answer.is_code_odd or (code is not None and code not in REVERSING):
            return "reversal_refused"
    return None


def _doubt_of_approval(answer: BankAnswer, asked: Money) -> Doubt | None:
    code = answer.response_code
    if code == PARTIAL:
        return "partial_approval"
    if any(amount.differs(asked) for amount in answer.amounts):
        return "another_amount"
    if answer.is_code_odd or (code is not None and code not in APPROVING):
        return "code_contradicts"
    if not all(amount.is_whole for amount in answer.amounts):
        return "amount_unreadable"
    if code is None:
        return "no_response_code"
    return None if answer.authorization_code or answer.bank_reference else "no_authorization_code"
