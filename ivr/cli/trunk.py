"""`trunk`: one process that answers SIP calls, with a live view of them on a terminal."""

import asyncio
import sys
import time
from collections import OrderedDict

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from ivr.calls.assembly import assemble
from ivr.channels.trunk import Trunk, serve
from ivr.core.call import Call
from ivr.core.caller import mask_number
from ivr.logs import set_up_logging
from ivr.settings import Settings, load_settings

SHOWN = 20  # calls on the screen: those in progress, then the latest to end
console = Console(stderr=True)


@click.command()
@click.option("--quiet", is_flag=True, help="No live view: logs only, as under a supervisor.")
def trunk(quiet: bool) -> None:
    """Answer SIP calls with the flows that TRUNK_FLOWS names, until SIGTERM or Ctrl-C; calls then finish first.

    \b
    Where it listens:      TRUNK_BIND, TRUNK_PORT (UDP and TCP), TRUNK_TLS_PORT
    Who may call:          TRUNK_PEERS, TRUNK_USER and TRUNK_PASSWORD
    Which flow answers:    TRUNK_FLOWS, such as  pay=pay-a-bill,*=pay-a-bill
    Recordings, masked:    TRUNK_RECORD, a folder; none are made without it
    """
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    view = LiveView()
    engine = assemble(settings)
    node = Trunk(settings, engine, watch=view.note)
    if quiet or not sys.stderr.isatty():
        asyncio.run(serve(node, settings.trunk_drain_s, lambda: announce(settings)))
        return
    asyncio.run(watch(node, settings, view))


def announce(settings: Settings) -> None:
    """Once it listens."""
    where = f"{settings.trunk_bind}:{settings.trunk_port}"
    click.echo(f"running: trunk, at sip:{next(iter(settings.trunk_flows.split('=')))}@{where}", err=True)
    if settings.trunk_record:
        click.echo(f"trunk: every call is recorded in {settings.trunk_record}, its keys masked", err=True)


async def watch(node: Trunk, settings: Settings, view: "LiveView") -> None:
    with Live(console=console, refresh_per_second=4, get_renderable=lambda: view.table(node)):
        await serve(node, settings.trunk_drain_s, lambda: announce(settings))


class LiveView:
    """The calls of this node: where each is, and no more of its caller than the last three digits."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, tuple[Call, float]] = OrderedDict()

    def note(self, call: Call) -> None:
        began = self._calls.get(call.id, (call, time.monotonic()))[1]
        self._calls[call.id] = (call, began)
        while len(self._calls) > 50 * SHOWN:
            self._calls.popitem(last=False)

    def table(self, node: Trunk) -> Table:
        table = Table(title=headline(node), expand=False)
        for column in ("call", "from", "flow", "language", "step", "for", "outcome"):
            table.add_column(column)
        under_way = [entry for entry in self._calls.values() if entry[0].phase != "over"]
        over = [entry for entry in reversed(self._calls.values()) if entry[0].phase == "over"]
        for call, began in (under_way + over)[:SHOWN]:
            table.add_row(
                call.id[:11],
                mask_number(call.ani),
                call.flow,
                call.language,
                f"{call.step} ({call.phase})",
                f"{time.monotonic() - began:.0f} s",
                call.outcome or "",
            )
        return table


def headline(node: Trunk) -> str:
    stats = node.stats
    if stats is None:
        return "starting"
    per_call = sum(stats.cpu_us_per_tick.values()) / max(stats.calls, 1)
    return (
        f"{stats.calls} calls · ticks late {stats.late_ticks} · packets in {stats.packets_in} out {stats.packets_out} "
        f"lost {stats.lost} late {stats.late} doubled {stats.doubled} refused {stats.refused} · {per_call:.1f} us a call-tick"
    )
