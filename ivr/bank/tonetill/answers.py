"""Reads the bank's answer from the line: only its own words, in the agreed form and about our question, say anything.

Whether what it says may be believed (an approval with a refusing code, another amount) is for `verdict`.
"""

import re
from typing import Any

from ivr.bank.interface import UNREADABLE, AmountSaid, BankAnswer, Outcome
from ivr.core.json_text import parse_json
from ivr.core.stray_cards import holds_card_number

# What each question can be answered with; anything else is not an answer.
AUTHORIZATION_OUTCOMES: frozenset[Outcome] = frozenset({"approved", "declined"})
INQUIRY_OUTCOMES: frozenset[Outcome] = frozenset({"approved", "declined", "reversed", "not_found", "unknown"})
REVERSAL_OUTCOMES: frozenset[Outcome] = frozenset({"reversed"})
DELETION_OUTCOMES: frozenset[Outcome] = frozenset({"done"})
OK, CREATED, NOT_FOUND, CONFLICT, SERVER_FAULT = 200, 201, 404, 409, 500
LONGEST_CODE = 6  # field 38 has six characters (ISO 8583-1): nothing longer is kept, so nothing secret can be
RESPONSE_CODE_DIGITS = 2  # field 39
LONGEST_AMOUNT = 18  # characters of minor units in text
# A bank that gave out card numbers for tokens would have them kept as such: what could be one is no token.
_TOKEN, _MONTH = re.compile(r"[A-Za-z0-9_.:-]{8,200}"), re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")
# Each may say it, and one that is null takes nothing from the other.
AMOUNTS = ("approved_amount", "amount")


def read_answer(reference: str, status: int, content: bytes, outcomes: frozenset[Outcome]) -> BankAnswer:
    """A status alone could come from any box in between, and an answer under a status that does not fit it as well."""
    # 409: the key or the reference was used for another request. What became of that one only an inquiry can tell.
    if status >= SERVER_FAULT or status == CONFLICT:
        return BankAnswer("unknown", reference, reason=f"status {status}")
    try:
        answer: Any = parse_json(content, object_pairs_hook=_without_repeats, parse_constant=_refuse)
        outcome, about = answer["outcome"], answer["reference"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return _unknown(reference, status, "not an answer in the agreed form")
    if about != reference or not isinstance(outcome, str) or outcome not in outcomes:
        return _unknown(reference, status, "an answer to something else")
    if status not in _statuses_of(outcome):
        return _unknown(reference, status, f"'{outcome}' under this status")
    code = _response_code(answer.get("response_code"))
    token, until = _kept(answer.get("kept_card"))
    return BankAnswer(
        outcome,
        reference,
        code,
        _authorization_code(answer.get("authorization_code")),
        amounts=tuple(_amount(answer[name]) for name in AMOUNTS if answer.get(name) is not None),
        is_code_odd=code is None and _is_there(answer.get("response_code")),
        kept_token=token,
        kept_until=until,
    )


def _kept(written: object) -> tuple[str, str]:
    """What stands for the card, and until when, of `{"token": "...", "expires": "2030-12"}`; one that cannot be read is none: the charge is as good without it."""
    token = written.get("token") if isinstance(written, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or holds_card_number(token.encode()):
        return "", ""
    expires = written.get("expires") if isinstance(written, dict) else None
    until = expires if isinstance(expires, str) and _MONTH.fullmatch(expires) else ""
    return token, until


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
    """Two characters. A number has lost its leading noughts, or is written with more of them; padding means nothing."""
    if isinstance(written, float) and written.is_integer():
        written = int(written)
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    code = written.strip() if isinstance(written, str) else ""
    if code.isascii() and code.isdecimal():
        code = code.lstrip("0").rjust(RESPONSE_CODE_DIGITS, "0")
    return code if len(code) == RESPONSE_CODE_DIGITS and code.isascii() and code.isalnum() else None


def _is_there(written: object) -> bool:
    """Missing, null and blank say nothing; anything else says something, whether or not we can read it."""
    return written is not None and not (isinstance(written, str) and not written.strip())


def _authorization_code(written: object) -> str | None:
    """Up to six characters: banks pad it to their field's length, or send it as a number. None for one of no use."""
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    code = written.strip() if isinstance(written, str) else ""
    return code if 0 < len(code) <= LONGEST_CODE and code.isascii() and code.isalnum() else None


def _amount(written: object) -> AmountSaid:
    """`{"minor": 2000, "currency": "USD"}`, nothing looser; what a looser one says is kept, because it may be another amount."""
    if not isinstance(written, dict):
        return UNREADABLE
    minor, currency = written.get("minor"), written.get("currency")
    currency = currency if isinstance(currency, str) and len(currency) == len("USD") else None
    is_whole = isinstance(minor, int) and not isinstance(minor, bool) and minor >= 0 and currency is not None
    return AmountSaid(_number(minor), currency, is_whole)


def _number(written: object) -> int | None:
    if isinstance(written, float) and written.is_integer():
        written = int(written)
    if isinstance(written, int) and not isinstance(written, bool) and written >= 0:
        return written
    is_number = (
        isinstance(written, str) and written.isascii() and written.isdecimal() and len(written) <= LONGEST_AMOUNT
    )
    return int(str(written)) if is_number else None
