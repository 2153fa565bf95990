"""`payments settle`: how a refund, void or capture has ended, by the word of an operator who knows it from the bank."""

import json
from datetime import UTC, datetime

import click

from ivr.bank import load_banks, protocol_called
from ivr.cli.payment_session import as_json, opened, operator, require_terminal, yes
from ivr.cli.payment_views import STATES, fee_in, modification_record, what_settling_does
from ivr.errors import RecordError
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import WITHOUT_OUTCOME, FollowUp, Modification, Payment, Settled, Store


@click.command()
@click.argument("key", metavar="ID")
@click.option("--done", "status", flag_value="done", help="The bank has done it.")
@click.option("--failed", "status", flag_value="failed", help="The bank has not done it, and will not.")
@yes
@as_json
def settle(key: str, status: Settled | None, *, yes: bool, is_json: bool) -> None:
    """Say how a refund, void or capture has ended of which no answer has come: ID is as `show` names it.

    Look it up at the bank first. What is settled as failed can be asked for again, and is then done a second time if the
    bank had done it after all.

    \b
    python -m ivr payments settle CA1f2e-1-m1 --done
    """
    if status is None:
        raise click.UsageError("--done or --failed: what the bank says")
    with opened() as (settings, store):
        found = to_settle(store, key)
        payment = store.payment(found.reference)
        assert payment is not None  # a modification is of a charge
        refunds = can_refund(settings, payment)
        if not yes:
            click.echo(what_settling_does(found, status, payment, refunds=refunds), err=is_json)
            require_terminal()
            click.confirm(f"Settle it as {status}?", abort=True, err=is_json)
        follow_up = FollowUp(bool(settings.billing_url))
        settled = store.settle_modification(key, status, operator(), datetime.now(UTC), follow_up, refunds=refunds)
    if settled is None:
        raise RecordError(
            f"{key} has just ended, or the forwarder asks the bank now: look again in a minute, nothing was changed"
        )
    if is_json:
        click.echo(
            json.dumps(
                modification_record(settled)
                | {"charged": str(payment.intent.amount), "fee": payment.intent.fee and str(payment.intent.fee)},
                ensure_ascii=False,
            )
        )
    else:
        of = f", of {payment.intent.amount}{fee_in(payment)}" if payment.intent.fee else ""
        click.echo(f"{settled.kind} of {settled.amount}{of} settled as {status}: {settled.id}")


def can_refund(settings: Settings, payment: Payment) -> bool:
    """By what its bank promises today: a part of a bill may have been approved before it had refunds."""
    bank = load_banks(settings.banks, settings.var).get(payment.intent.bank)
    return bank is not None and "refund" in protocol_called(bank.protocol).promises.operations


def to_settle(store: Store, key: str) -> Modification:
    found = store.modification(key)
    if found is None:
        raise RecordError(
            f"no refund, void or capture is called '{key}': `{COMMAND} payments show REF` names a charge's"
        )
    if found.status not in WITHOUT_OUTCOME:
        raise RecordError(f"{key} cannot be settled by hand: it is {found.status} ({STATES[found.status]})")
    return found
