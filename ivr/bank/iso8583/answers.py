"""Reads what a host answers, in the words of every bank here. Whether it may be believed is for `verdict`."""

from collections.abc import Mapping

from ivr.bank.interface import UNREADABLE, AmountSaid, BankAnswer
from ivr.bank.iso8583.currencies import NAMES
from ivr.bank.verdict import APPROVING, PARTIAL
from ivr.core.money import Money

LONGEST_CODE = 6  # field 38
RESPONSE_CODE = 2  # field 39
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


def read_purchase(reference: str, answer: Mapping[str, str], asked: Money) -> BankAnswer:
    code = response_code(answer)
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
