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
from ivr.channels.trunk import Trunk, TrunkMerchant, serve
from ivr.core.call import Call
from ivr.core.caller import mask_number
from ivr.errors import ConfigError, IvrError
from ivr.installation import InstallationSettings, installation_here
from ivr.logs import set_up_logging
from ivr.merchants.serving import serving, tell_left_out
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
    view, found = LiveView(), installation_here()
    settings = found.shared if found else load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    node = node_of_several(found, view) if found else Trunk(settings, assemble(settings), watch=view.note)
    if quiet or not sys.stderr.isatty():
        asyncio.run(serve(node, settings.trunk_drain_s, lambda: announce(node)))
        return
    asyncio.run(watch(node, settings, view))


def node_of_several(found: InstallationSettings, view: "LiveView") -> Trunk:
    """One whose settings, keys or flows are wrong is left out: calls to its numbers are not found."""
    problems = {name: list(lines) for name, lines in found.problems.items()}
    several = []
    for name, settings in found.merchants.items():
        with serving(name):
            try:
                several.append(TrunkMerchant(settings, assemble(settings), found.installation.called(name).numbers))
            except IvrError as error:
                problems[name] = str(error).splitlines()
    if found.shared.audiosocket_port:
        raise ConfigError(
            "AUDIOSOCKET_PORT: such a call names no called number, so that nobody could say which merchant's it is"
        )
    tell_left_out(problems, is_any_served=bool(several))
    return Trunk(found.shared, None, view.note, several)


def announce(node: Trunk) -> None:
    """Once it listens."""
    settings = node.settings
    where = f"{settings.trunk_bind}:{settings.trunk_port}"
    own = [number for one in node.answered if one.merchant for number in one.routes()]
    listed = ", ".join(f"sip:{number}@{where}" for number in own[:SHOWN] or [settings.trunk_flows.partition("=")[0]])
    click.echo(f"running: trunk, at {listed}", err=True)
    if settings.trunk_record:
        click.echo(f"trunk: every call is recorded in {settings.trunk_record}, its keys masked", err=True)


async def watch(node: Trunk, settings: Settings, view: "LiveView") -> None:
    with Live(console=console, refresh_per_second=4, get_renderable=lambda: view.table(node)):
        await serve(node, settings.trunk_drain_s, lambda: announce(node))


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
