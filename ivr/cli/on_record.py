"""What is on record of a call that a command has placed: how it ended, its payments, what was agreed to."""

import time
from collections.abc import Callable
from contextlib import closing

from rich.console import Console

from ivr.calls.number_keys import number_seals
from ivr.cli.agreements import in_words
from ivr.cli.payment_views import fee_in
from ivr.errors import ConfigError
from ivr.settings import load_settings
from ivr.store import Payment, Store, open_store

OVER_WITHIN_S = 5.0  # the line hears of the hang-up a moment after the caller
LOOK_S = 0.2
ELSEWHERE = "[bold]on record:[/] not in this project's database; the page of the line that was called has it"
Finder = Callable[[Store], str | None]
"""The id of the call that was placed, where this database has it."""


def tell_record(console: Console, store: Store, call_id: str) -> None:
    stored = store.load_call(call_id)
    console.print(f"[bold]on record:[/] {(stored.call.outcome or 'the call goes on') if stored else 'nothing'}")
    for payment in store.payments_of(call_id):
        number = f", confirmation {payment.receipt_number}" if payment.receipt_number else ""
        console.print(
            f"  {payment.intent.amount}{fee_in(payment)} by {payment.intent.card_summary}: {stands(payment)}{number}"
        )
    for one in store.agreements_of(call_id):
        terms = f" ({in_words(dict(one.terms))})" if one.terms else ""
        console.print(f"  {one.in_words}{terms}: agreed to, reference {one.reference}", markup=False)


def tell_of_line(console: Console, find: Finder) -> None:
    """From this project's database: the line that was called may be this project's, or anybody's."""
    try:
        settings = load_settings()
        store = open_store(settings.database_url, numbers=number_seals(settings))
    except ConfigError:  # no line of this project ever ran
        console.print(ELSEWHERE)
        return
    with closing(store):
        call_id = _when_over(store, find)
        if call_id is None:
            console.print(ELSEWHERE)
        else:
            tell_record(console, store, call_id)


def _when_over(store: Store, find: Finder) -> str | None:
    until = time.monotonic() + OVER_WITHIN_S
    while (call_id := find(store)) is not None and time.monotonic() < until:
        stored = store.load_call(call_id)
        if stored is not None and stored.call.phase == "over":
            break
        time.sleep(LOOK_S)
    return call_id


def stands(payment: Payment) -> str:
    """Of a part of a bill also what has become of it since it was approved."""
    since = {
        "undone": "taken back",
        "undoing": "approved, being taken back",
        "take_back": "approved, the rest not paid",
    }
    return since.get(payment.part, payment.status) if payment.status == "approved" else payment.status
