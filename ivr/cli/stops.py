"""`stop` and `start`: the kill switch. No card is taken on the whole line, in a flow or at a bank, at once and on every node."""

import json
from collections.abc import Collection
from datetime import UTC, datetime

import click

from ivr.bank import load_banks
from ivr.calls.stopping import reason_in, require_stoppable
from ivr.cli.message import spoken_by_flow
from ivr.cli.payment_session import as_json, opened, operator
from ivr.errors import RecordError
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import Stop, StopScope, Store

reason_option = click.option("--reason", required=True, help="For whoever looks next: it is on record and on the page.")
flow_argument = click.argument("name", metavar="FLOW")
bank_argument = click.argument("name", metavar="BANK")


@click.group()
def stop() -> None:
    """Take no cards: of the whole line, in a flow, or at a bank.

    \b
    python -m ivr stop line --reason "the bank rang: a breach"
    python -m ivr stop flow pay-a-bill --reason "wrong amounts"
    python -m ivr stop bank acme_bank --reason "not settling"
    python -m ivr stop show

    New callers are told before they key in anything. Who is being asked for a card is told instead of the next question, and
    is not charged. A charge that was begun goes to its end, and the caller hears how it ended. docs/operating.md says more.
    """


@stop.command(name="line")
@reason_option
def stop_line(reason: str) -> None:
    """Take no cards at all."""
    _stop("line", "", reason)


@stop.command(name="flow")
@flow_argument
@reason_option
def stop_flow(name: str, reason: str) -> None:
    """Take no cards in this flow."""
    _stop("flow", name, reason)


@stop.command(name="bank")
@bank_argument
@reason_option
def stop_bank(name: str, reason: str) -> None:
    """Take no cards in the flows that charge at this bank."""
    _stop("bank", name, reason)


@stop.command(name="show")
@as_json
def show_stops(is_json: bool) -> None:
    """What is stopped now, since when, by whom and why."""
    with opened() as (_, store):
        stopped = store.stops()
    for one in stopped:
        if is_json:
            row = {"scope": one.scope, "name": one.name, "reason": one.reason, "by": one.by, "at": one.at.isoformat()}
            click.echo(json.dumps(row))
        else:
            click.echo(f"{one.what}, since {one.at:%Y-%m-%d %H:%M}Z, by {one.by}: {one.reason}")
    if not stopped and not is_json:
        click.echo("nothing is stopped")


@click.group()
def start() -> None:
    """Take cards again, where `stop` had stopped it."""


@start.command(name="line")
def start_line() -> None:
    """Take cards again; what was stopped of flows and banks stays so."""
    _start("line", "")


@start.command(name="flow")
@flow_argument
def start_flow(name: str) -> None:
    """Take cards in this flow again."""
    _start("flow", name)


@start.command(name="bank")
@bank_argument
def start_bank(name: str) -> None:
    """Take cards at this bank again."""
    _start("bank", name)


def _stop(scope: StopScope, name: str, reason: str) -> None:
    with opened() as (settings, store):
        require_stoppable(scope, name, known_names(scope, settings, store))
        wanted = Stop(scope, name, reason_in(reason), operator(), datetime.now(UTC))
        if not store.stop_charging(wanted):
            click.echo(f"{wanted.what} was stopped already: `{COMMAND} stop show` says why")
            return
        click.echo(
            f"no card is taken of {wanted.what} from now on; `{COMMAND} start {scope} {name}".rstrip() + "` ends it"
        )
        _warn_of_others(store, but=wanted)


def _start(scope: StopScope, name: str) -> None:
    with opened() as (_, store):
        at = datetime.now(UTC)
        wanted = Stop(scope, name, "", operator(), at)
        if not store.start_charging(scope, name, wanted.by, at):
            raise RecordError(f"{wanted.what} was not stopped: `{COMMAND} stop show` lists what is")
        click.echo(f"cards are taken again of {wanted.what}")
        _warn_of_others(store)


def _warn_of_others(store: Store, but: Stop | None = None) -> None:
    for one in store.stops():
        if but is None or one.what != but.what:
            click.echo(f"still stopped: {one.what} ({one.reason})")


def known_names(scope: StopScope, settings: Settings, store: Store) -> Collection[str]:
    if scope == "bank":
        return load_banks(settings.banks, settings.var)
    return spoken_by_flow(settings, store) if scope == "flow" else [""]
