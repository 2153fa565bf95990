"""What is left to pay on the bills that a call knows, whoever has paid of them since it looked them up: for what is said.

A billing system of the merchant's (`elsewhere`) is not asked again while the caller waits. What it said stands then, less what
other calls' charges have paid since it was said.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from ivr.core.call import Call
from ivr.core.money import Money
from ivr.flow.talk.open_bills import due_on, left_after
from ivr.store import Payment, Store

Left = tuple[tuple[str, Money], ...]


def left_after_charge(store: Store, call: Call, payment: Payment, at: datetime, *, elsewhere: bool) -> Left:
    """Once this charge of the call is approved, by key."""
    charge = next((one for one in call.charges if call.intent_of(one.attempt) == payment.intent.reference), None)
    if charge is None:
        return ()
    plain = left_after(call, replace(charge, amount=payment.intent.amount))
    return _left_by_all(store, call, plain, at, elsewhere=elsewhere)


def left_on_list(store: Store, call: Call, at: datetime, *, elsewhere: bool) -> Left:
    """On each open bill that the call has looked up, by key; nothing where it has looked up a single one."""
    return _left_by_all(store, call, {one.key: due_on(one) for one in call.bills}, at, elsewhere=elsewhere)


def _left_by_all(store: Store, call: Call, plain: Mapping[str, Money], at: datetime, *, elsewhere: bool) -> Left:
    """`plain`: where nobody else has paid any of them."""
    if not elsewhere:
        return tuple({**plain, **store.left_on(list(plain))}.items())
    others = store.paid_by_others(list(plain), call.id, datetime.fromtimestamp(call.owed_at, UTC), at)
    return tuple((key, Money(max(due.minor - others[key], 0), due.currency)) for key, due in plain.items())
