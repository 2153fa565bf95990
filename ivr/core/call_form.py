"""A stored call that another version may have written: read whole, or as much of it as a truthful ending needs."""

import json
import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any, get_args

from ivr.core.call import Call, Charge, ChargeStatus, Ending, PartState, Payable
from ivr.core.json_text import parse_json
from ivr.core.money import Money

ENDINGS = frozenset(get_args(Ending))
STATUSES = frozenset(get_args(ChargeStatus))
PARTS = frozenset(get_args(PartState))
# Of a step, with the parts that it is in: a name in a flow has 60 characters at most.
LONGEST_NAME = 500
_SURROGATES = re.compile(r"\\u[dD]")
# The fields that hold one text, number or truth, each with its type.
_PLAIN: dict[str, type] = {
    name: type(value)
    for name, value in vars(Call("", "", "", "", "", "")).items()
    if isinstance(value, (str, int, float))
}
# What an ending needs of a call that cannot be gone on with: where texts go, in which language, which attempts there were.
TEXTS, NUMBERS = ("ani", "dnis", "channel", "language"), ("attempt",)


def read_call(text: str, call_id: str, flow: str) -> tuple[Call, bool]:
    """The call, and whether it is all there: one that is not must not go on, only end. `flow` is the row's own column."""
    try:
        call = Call.from_json(text)
        is_whole = (call.id, call.flow) == (call_id, flow) and _is_of_its_types(call) and _is_written_again(text, call)
    except (ValueError, TypeError, KeyError, AttributeError):
        is_whole = False
    return (call, True) if is_whole else (_what_can_be_read(text, call_id, flow), False)


def _is_of_its_types(call: Call) -> bool:
    """JSON holds any type anywhere: a field of another one would break the call at some later step."""
    plain = all(_is_like(getattr(call, name), kind) for name, kind in _PLAIN.items())
    lists = (call.history, call.moves) if call.looking_up is None else (call.history, call.moves, call.looking_up)
    return (
        plain
        and all(isinstance(one, str) for written in lists for one in written)
        and (call.looking_up is None or (isinstance(call.looking_up, tuple) and len(call.looking_up) == 2))
        and (call.payable is None or (isinstance(call.payable, Payable) and _is_payable(call.payable)))
        and all(_is_charge(charge) for charge in call.charges)
        and all(isinstance(one.key, str) for one in call.bills)
        and all(_is_value(value) for kept in _kept(call) for value in kept.values())
        and (call.outcome is None or (isinstance(call.outcome, str) and call.outcome in ENDINGS))
    )


def _kept(call: Call) -> tuple[Mapping[str, object], ...]:
    return call.values, call.notes, *(one.values for one in call.bills)


def _is_written_again(text: str, call: Call) -> bool:
    """Text of the right type that no column takes: a name out of all bounds, or half of a pair of surrogates."""
    return len(call.step) <= LONGEST_NAME and (not _SURROGATES.search(text) or _is_text(parse_json(text)))


def _is_text(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_like(value: object, kind: type) -> bool:
    """A time without a fraction may be stored as a whole number; a truth is no number."""
    return type(value) is kind or (kind is float and type(value) is int)


def _is_money(value: object) -> bool:
    return isinstance(value, Money) and type(value.minor) is int and isinstance(value.currency, str)


def _is_value(value: object) -> bool:
    return type(value) in (str, int, float, bool, date, time) or value is None or _is_money(value)


def _is_payable(payable: Payable) -> bool:
    is_plain = isinstance(payable.source, str) and isinstance(payable.key, str) and _is_money(payable.owed)
    return is_plain and all(_is_payable(part) for part in payable.parts)


def _is_charge(charge: Charge) -> bool:
    texts = (charge.status, charge.confirmation_number, charge.payable, charge.part, *charge.bills)
    is_known = (
        charge.status in STATUSES and charge.part in PARTS if all(isinstance(one, str) for one in texts) else False
    )
    is_plain = type(charge.attempt) is int and isinstance(charge.told, bool) and isinstance(charge.reserves, bool)
    has_amounts = _is_money(charge.amount) and (charge.fee is None or _is_money(charge.fee))
    return is_known and is_plain and has_amounts and all(isinstance(one, str) for one in texts)


def _what_can_be_read(text: str, call_id: str, flow: str) -> Call:
    stored = _fields(text)
    texts = {name: stored.get(name) for name in TEXTS}
    read: dict[str, Any] = {
        name: text if isinstance(text, str) and _is_text(text) else "" for name, text in texts.items()
    }
    read |= {name: stored[name] for name in NUMBERS if type(stored.get(name)) is int}
    read |= {name: stored.get(name) is True for name in ("hung_up",)}
    if stored.get("phase") == "over":
        read |= {"phase": "over", "outcome": stored.get("outcome") if stored.get("outcome") in ENDINGS else None}
    return Call(call_id, flow, **read)


def _fields(text: str) -> dict[str, Any]:
    try:
        stored = parse_json(text)
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}
