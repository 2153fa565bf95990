"""`flows rollback`, `migrate` and `withdraw`: which version new calls begin on, and which one calls in progress go on with."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from ivr.bank import load_banks
from ivr.calls.assembly import around
from ivr.calls.live_flows import stored_content_of
from ivr.calls.publishing import known_flow, live_version, numbered_version, required_live, roll_back, way_back
from ivr.cli.reports import count
from ivr.cli.stored_flows import (
    ask,
    by_option,
    calls_on,
    hint_in_development,
    named,
    opened,
    told_time,
    who,
    yes_option,
)
from ivr.core.call import Call
from ivr.flow.content import compiled
from ivr.flow.difference import differences
from ivr.flow.moving import why_it_stays
from ivr.settings import load_settings
from ivr.store import WITHDRAWN, FlowVersion, Store

MOST_SHOWN = 20


@click.command(short_help="Let new calls begin on an earlier version again.")
@click.argument("flow")
@click.argument("number", type=click.IntRange(min=1), required=False)
@yes_option
@by_option
def rollback(flow: str, number: int | None, yes: bool, by: str) -> None:
    """Let new calls of FLOW begin on version NUMBER again; without it, on the one that was live before.

    Calls in progress finish on their own version, the one that is left behind included.
    """
    settings = load_settings()
    with opened(settings) as store:
        way = way_back(store, flow, number)
        live, target = way.live, way.target
        if live is not None and way.is_live_already:
            click.echo(f"{flow}: version {live.number} is live already")
            return
        click.echo(f"{flow}: from {named(live)} back to version {target.number} of {told_time(target)}")
        for line in differences(stored_content_of(live) if live else None, stored_content_of(target)):
            click.echo(line)
        ask(yes)
        banks = around(load_banks(settings.banks, settings.var), settings)
        roll_back(store, target, banks, who(by), datetime.now(UTC))
        click.echo(f"{flow}: version {target.number} is live")
        hint_in_development(settings)


@click.command(short_help="Let calls in progress go on with the live version.")
@click.argument("flow")
@click.option(
    "--from",
    "numbers",
    type=int,
    multiple=True,
    metavar="NUMBER",
    help="Only calls of this version; may be given again.",
)
@click.option("--dry-run", is_flag=True, help="Show which calls could move, and move none.")
@yes_option
def migrate(flow: str, numbers: tuple[int, ...], dry_run: bool, yes: bool) -> None:
    """Let calls of FLOW that are in progress on older versions go on with the live one.

    A call moves at its next event, where its step is still there and nothing is half done: a card being keyed in, a
    charge without an answer. One that cannot move yet is asked again at each event, and finishes on its version if it
    never can. Rarely needed: calls are over in minutes, and finish on their own version by themselves.
    """
    with opened(load_settings()) as store:
        live = required_live(live_version(store, known_flow(store, flow)), flow)
        old = [
            one
            for one in store.flow_versions(flow)
            if one.number != live.number and one.number in (numbers or [one.number])
        ]
        for number in numbers:
            numbered_version(store, flow, number)
        stays = list(_stays(store, live, old))
        _tell_moves(flow, live, stays)
        if dry_run:
            click.echo("nothing was changed (--dry-run)")
            return
        if not stays:
            return
        ask(yes)
        store.move_calls(flow, [one.number for one in old])
        store.note(who(""), "calls moved", f"{flow} {live.number}", datetime.now(UTC))
        click.echo("they move at their next event")


def _stays(store: Store, live: FlowVersion, old: Sequence[FlowVersion]) -> Iterator[tuple[Call, str]]:
    """Open calls on the old versions, each with why it cannot move now, if so."""
    new, _ = compiled(stored_content_of(live))
    flows = {one.digest: compiled(stored_content_of(one))[0] for one in old}
    for call in store.open_calls(live.flow):
        if call.flow_version in flows:
            yield call, why_it_stays(call, flows[call.flow_version], new)


def _tell_moves(flow: str, live: FlowVersion, stays: Sequence[tuple[Call, str]]) -> None:
    if not stays:
        click.echo(f"{flow}: no call in progress is on an older version than {live.number}")
        return
    staying = [(call, why) for call, why in stays if why]
    moving = len(stays) - len(staying)
    click.echo(f"{flow}: {count(moving, 'call')} can go on with version {live.number}, {len(staying)} not now")
    for call, why in staying[:MOST_SHOWN]:
        click.echo(f"  {call.id}: {why}")
    if len(staying) > MOST_SHOWN:
        click.echo(f"  and {len(staying) - MOST_SHOWN} more")


@click.command(short_help="Answer no new call of a flow.")
@click.argument("flow")
@yes_option
@by_option
def withdraw(flow: str, yes: bool, by: str) -> None:
    """Answer no new call of FLOW: its numbers are refused. Calls in progress finish; `rollback` lets it answer again."""
    settings = load_settings()
    with opened(settings) as store:
        live = required_live(live_version(store, known_flow(store, flow)), flow)
        click.echo(
            f"{flow}: no new call will be answered; {count(calls_on(store, live), 'call')} on version {live.number}"
        )
        ask(yes)
        store.make_live(flow, WITHDRAWN)
        store.note(who(by), "flow withdrawn", flow, datetime.now(UTC))
        click.echo(f"{flow}: withdrawn")
        hint_in_development(settings)
