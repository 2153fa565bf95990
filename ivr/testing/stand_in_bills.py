"""Bills that stand in for those that a call on record has looked up: what they owed is on record, whose they were is not.

Amounts and dates are in the history of a call, for a bill that was looked up alone. Names, numbers and yes or no are not, nor what
else each of several bills said: something of their type stands for it. Where a flow decides by one of these the call may go
another way, which whoever saves it is told.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from ivr.channels.simulator import Owed
from ivr.conversation.history import KEPT
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.flow.schema import LookUpTerms
from ivr.reading.scalars import BILL, BILL_VALUES, EMAIL, OPEN_BILLS
from ivr.testing.replay import HistoryEntry, kept_value, stand_in_bill

ADDRESS = "caller@example.com"


def looked_up_at(entry: HistoryEntry) -> str:
    """The look-up that answers so."""
    return OPEN_BILLS if entry.word == "listed" else BILL


def bills_for(
    entry: HistoryEntry, terms: LookUpTerms, keyed: Mapping[str, str], number: int, is_mailed: bool
) -> Iterator[Owed]:
    """`keyed`: the stand-ins of what the look-up is asked with, the first of them what it is known by. `number`: of the call's
    look-ups, from 0. `is_mailed`: whether the caller was told of an e-mail."""
    first, *others = keyed
    details = [(f"key.{name}", keyed[name]) for name in others]
    email = {EMAIL: ADDRESS} if is_mailed and EMAIL in terms.gives else {}
    if entry.word == "listed":
        currency, *amounts = entry.rest
        for place, (due, least) in enumerate((one.split("/") for one in amounts), 1):
            values = stand_in_bill(due, least, currency, terms.gives) | email
            yield _owed(f"7{number:02d}{place:03d}", values, details, customer=keyed[first])
        return
    due, least, currency, *more = entry.rest
    written = dict(one.split("=") for one in more)
    if KEPT in written:
        raise RecordError(
            "the caller's card was kept by the bank before it, which a call file cannot say: save the call that kept it, and write this one below it"
        )
    known = {name: kept_value(text, currency) for name, text in written.items()}
    yield _owed(keyed[first], stand_in_bill(due, least, currency, terms.gives) | known | email, details)


def _owed(account: str, values: Mapping[str, Value], details: list[tuple[str, str]], customer: str = "") -> Owed:
    due, least = values["bill.due"], values["bill.min"]
    assert isinstance(due, Money)
    assert isinstance(least, Money)
    given = [(name, _written(value)) for name, value in values.items() if name not in BILL_VALUES and value != ""]
    return Owed(account, str(due), str(min(least, due)), customer, (*details, *given))


def _written(value: Value) -> str:
    """As a column of an accounts file has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)
