"""Reads what a host answers, in the words of every bank here. Whether it may be believed is for `verdict`."""

import re
from collections.abc import Mapping

from ivr.bank.interface import UNREADABLE, AmountSaid, BankAnswer
from ivr.bank.iso8583.currencies import NAMES
from ivr.bank.iso8583.spec import PartialAnswer
from ivr.bank.verdict import APPROVING, PARTIAL
from ivr.core.money import Money

LONGEST_CODE = 6  # field 38
RESPONSE_CODE = 2  # field 39
AS_USUAL = PartialAnswer()
ENTRY = 20  # characters of each amount in field 54
_ENTRY = re.compile(r"[0-9]{2}(?P<type>[0-9]{2})(?P<currency>[0-9]{3})[CD](?P<minor>[0-9]{12})")
# 68: an answer came too late, 94: duplicate, 96: fault. The purchase may have been booked all the same.
UNDECIDED = frozenset({"68", "94", "96"})
NO_SUCH_RECORD = "25"
DONE = "00"
TAKEN_BACK = frozenset({DONE, "21", NO_SUCH_RECORD})
VOID_REFUSED = {
    "12": "the host takes no such reversal: refund it at the acquirer",
    "21": "the host has done nothing, perhaps it is settled: refund it at the acquirer",
    NO_SUCH_RECORD: "the host knows no such charge, perhaps it is settled: refund it at the acquirer",
    "30": "the host wants another message, perhaps with the card number: do it at the acquirer",
}


def read_purchase(
    reference: str, answer: Mapping[str, str], asked: Money, partial: PartialAnswer = AS_USUAL
) -> BankAnswer:
    """`partial`: how this host says that less was approved; from here on it is code 10."""
    code = response_code(answer)
    if code == partial.code:
        said = amounts_of_type(answer, partial.amount_type) if partial.amount_type else amounts(answer, asked)
        return BankAnswer("approved", reference, PARTIAL, authorization_code(answer), amounts=said)
    if code is None or code in UNDECIDED:
        return BankAnswer("unknown", reference, reason=f"field 39 is {code or 'missing'}")
    if code in APPROVING or code == PARTIAL:
        return BankAnswer("approved", reference, code, authorization_code(answer), amounts=amounts(answer, asked))
    return BankAnswer("declined", reference, code)


def read_reversal(reference: str, answer: Mapping[str, str]) -> BankAnswer:
    code = response_code(answer)
    if code in TAKEN_BACK:
        return BankAnswer("reversed", reference, code)
    return BankAnswer("unknown", reference, reason=f"the reversal is answered by {code or 'nothing'} in field 39")


def read_void(reference: str, answer: Mapping[str, str], is_repeat: bool) -> BankAnswer:
    """21 and 25: nothing was done. To a repeat they may mean that the first one has done it."""
    code = response_code(answer)
    if code == DONE:
        return BankAnswer("done", reference, code)
    if code is None or code in UNDECIDED or (is_repeat and code in TAKEN_BACK):
        return BankAnswer("unknown", reference, reason=f"the void is answered by {code or 'nothing'} in field 39")
    return BankAnswer(
        "refused", reference, code, reason=VOID_REFUSED.get(code, f"field 39 is {code}: ask the acquirer")
    )


def response_code(answer: Mapping[str, str]) -> str | None:
    code = answer.get("39", "").strip()
    return code if len(code) == RESPONSE_CODE and code.isascii() and code.isalnum() else None


def authorization_code(answer: Mapping[str, str]) -> str | None:
    code = answer.get("38", "").strip()
    return code if 0 < len(code) <= LONGEST_CODE and code.isascii() and code.isalnum() else None


def amounts(answer: Mapping[str, str], asked: Money) -> tuple[AmountSaid, ...]:
    """Field 4, in the currency of field 49; without that one it is the one that was asked for."""
    if "4" not in answer:
        return ()
    currency = NAMES.get(answer["49"]) if "49" in answer else asked.currency
    written = answer["4"]
    if currency is None or not (written.isascii() and written.isdigit()):
        return (UNREADABLE,)
    return (AmountSaid(int(written), currency, is_whole=True),)


def amounts_of_type(answer: Mapping[str, str], amount_type: str) -> tuple[AmountSaid, ...]:
    """Of field 54: entries of account type, amount type, currency's number, C or D, and twelve digits. One of that type, or none
    that can be read."""
    written = answer.get("54", "").rstrip()
    entries = [written[at : at + ENTRY] for at in range(0, len(written), ENTRY)]
    found = [one for one in map(_ENTRY.fullmatch, entries) if one and one["type"] == amount_type]
    currency = NAMES.get(found[0]["currency"]) if len(found) == 1 else None
    return (AmountSaid(int(found[0]["minor"]), currency, is_whole=True),) if currency else (UNREADABLE,)
