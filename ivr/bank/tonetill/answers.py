"""Reads the bank's answer from the line: only its own words, in the agreed form and about our question, say anything.

Whether what it says may be believed (an approval with a refusing code, another amount) is for `verdict`.
"""

import json
from collections.abc import Mapping
from typing import Any

from ivr.bank.interface import UNREADABLE, BankAnswer, Outcome, Unreadable
from ivr.core.money import Money

# What each question can be answered with; anything else is not an answer.
AUTHORIZATION_OUTCOMES: frozenset[Outcome] = frozenset({"approved", "declined"})
INQUIRY_OUTCOMES: frozenset[Outcome] = frozenset({"approved", "declined", "reversed", "not_found", "unknown"})
REVERSAL_OUTCOMES: frozenset[Outcome] = frozenset({"reversed"})
OK, CREATED, NOT_FOUND, CONFLICT, SERVER_FAULT = 200, 201, 404, 409, 500
LONGEST_CODE = 6  # field 38 has six characters (ISO 8583-1): nothing longer is kept, so nothing secret can be
RESPONSE_CODE_DIGITS = 2  # field 39


def read_answer(reference: str, status: int, content: bytes, outcomes: frozenset[Outcome]) -> BankAnswer:
    """A status alone could come from any box in between, and an answer under a status that does not fit it as well."""
    # 409: the key or the reference was used for another request. What became of that one only an inquiry can tell.
    if status >= SERVER_FAULT or status == CONFLICT:
        return BankAnswer("unknown", reference, reason=f"status {status}")
    try:
        answer: Any = json.loads(content, object_pairs_hook=_without_repeats, parse_constant=_refuse)
        outcome, about = answer["outcome"], answer["reference"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _unknown(reference, status, "not an answer in the agreed form")
    if about != reference or not isinstance(outcome, str) or outcome not in outcomes:
        return _unknown(reference, status, "an answer to something else")
    if status not in _statuses_of(outcome):
        return _unknown(reference, status, f"'{outcome}' under this status")
    return BankAnswer(
        outcome,
        reference,
        _response_code(answer.get("response_code")),
        _authorization_code(answer.get("authorization_code")),
        amount=_amount(answer),
    )


def _unknown(reference: str, status: int, why: str) -> BankAnswer:
    return BankAnswer("unknown", reference, reason=f"status {status}, {why}")


def _statuses_of(outcome: str) -> frozenset[int]:
    return frozenset({OK, CREATED, NOT_FOUND}) if outcome == "not_found" else frozenset({OK, CREATED})


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that is there twice says two things, and parsers differ on which counts (RFC 8259 4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _response_code(written: object) -> str | None:
    """Two characters. A number has lost its leading nought; padding means nothing."""
    if isinstance(written, int) and not isinstance(written, bool) and 0 <= written < 10**RESPONSE_CODE_DIGITS:
        return f"{written:0{RESPONSE_CODE_DIGITS}d}"
    code = written.strip() if isinstance(written, str) else ""
    return code if len(code) == RESPONSE_CODE_DIGITS and code.isascii() and code.isalnum() else None


def _authorization_code(written: object) -> str | None:
    """Up to six characters: banks pad it to their field's length, or send it as a number. None for one of no use."""
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    code = written.strip() if isinstance(written, str) else ""
    return code if 0 < len(code) <= LONGEST_CODE and code.isascii() and code.isalnum() else None


def _amount(answer: Mapping[str, Any]) -> Money | Unreadable | None:
    """`approved_amount`, or `amount` where there is no such key: `{"minor": 2000, "currency": "USD"}`, nothing looser."""
    written = answer.get("approved_amount", answer.get("amount"))
    if written is None:
        return None
    minor, currency = (written.get("minor"), written.get("currency")) if isinstance(written, dict) else (None, None)
    if not isinstance(minor, int) or isinstance(minor, bool) or minor < 0:
        return UNREADABLE
    return Money(minor, currency) if isinstance(currency, str) and len(currency) == len("USD") else UNREADABLE
