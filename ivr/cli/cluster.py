"""`cluster`: two of every node on this machine over one PostgreSQL, nginx before the web nodes, Kamailio before the trunks.

    nginx     PORT           -> web1, web2          each at a port of its own, any serves any webhook of a call
    kamailio  TRUNK_PORT     -> trunk1, trunk2      a call stays with the node that answered it
                                forwarder1, forwarder2
                                bank, console, portal
    postgres  DATABASE_URL, or one of this command's own below VAR

A node that dies is started again a second later; what it had begun is the others' meanwhile.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console
from rich.panel import Panel

from ivr.calls.production import require_production
from ivr.cli.cluster_parts import ClusterPlan, kamailio_command, missing_programs, nginx_command
from ivr.cli.own_postgresql import own_postgresql
from ivr.cli.ports import Port, require_free_ports
from ivr.cli.preparation import prepare
from ivr.cli.start_up import environment, port_of_simulator
from ivr.cli.supervisor import supervise
from ivr.errors import ConfigError
from ivr.places import COMMAND, IS_CLONE
from ivr.settings import Settings, load_settings

console = Console()
FRONTS = ("nginx", "kamailio")


@click.command()
@click.option("--nodes", default=2, show_default=True, type=click.IntRange(1, 8), help="Of each kind.")
@click.option(
    "--without", multiple=True, type=click.Choice(FRONTS), help="Leave out a front and what stands behind it."
)
def cluster(nodes: int, without: tuple[str, ...]) -> None:
    """Start several web nodes, forwarders and trunk nodes over one PostgreSQL, with nginx and Kamailio before them.

    For trying what becomes of calls when a node dies: kill any of them; Ctrl-C stops all. Without a DATABASE_URL it
    makes a PostgreSQL of its own below VAR. docs/scaling.md says how this is done over several machines.
    """
    if not IS_CLONE:
        raise ConfigError("a cluster is started from a clone of the repository, which has deploy/cluster")
    settings = load_settings()
    if settings.environment == "production":
        raise ConfigError("this is for trying on one machine: docs/scaling.md has the production set-up")
    fronts = [front for front in FRONTS if front not in without]
    if missing := missing_programs(fronts, needs_database=not is_postgresql(settings.database_url)):
        raise ConfigError("\n".join(missing))
    plan = ClusterPlan(nodes, settings)
    bank_port = port_of_simulator(settings)
    require_free_ports([*plan.ports(fronts), Port("127.0.0.1", bank_port, "tcp", "BANK_PORT and url in banks.yaml")])
    with ExitStack() as stack:
        url = settings.database_url
        if not is_postgresql(url):
            folder, most = settings.var / "cluster" / "postgresql", plan.connections(fronts)
            url = stack.enter_context(own_postgresql(folder, plan.database_port, most))
        variables = {**environment(settings, plan.names(fronts)), "DATABASE_URL": url, "BANK_PORT": str(bank_port)}
        variables["PUBLIC_URL"] = settings.base_url
        ready = load_settings({**os.environ, "DATABASE_URL": url})
        prepare(ready)
        require_production(ready, opens_keys=True)
        processes = {**plan.processes(fronts), **front_processes(fronts, plan, settings)}
        console.print(Panel(welcome(plan, fronts, settings, url), title="Tonetill, a cluster", expand=False))
        if url != settings.database_url:  # whoever gave one knows it, and it may hold a password
            console.print("in other terminals first, for settle, books, payments, audit, user and the like:")
            console.print(f"export DATABASE_URL={url}", soft_wrap=True, highlight=False)
        code = supervise(processes, variables, Path.cwd())
    console.print(f"stopped: a process ended with {code}, see above" if code else "stopped")
    sys.exit(code)


def is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


def front_processes(fronts: list[str], plan: ClusterPlan, settings: Settings) -> Mapping[str, str]:
    commands = {"nginx": nginx_command, "kamailio": kamailio_command}
    return {front: commands[front](settings.var / "cluster" / front, plan) for front in fronts}


def welcome(plan: ClusterPlan, fronts: list[str], settings: Settings, url: str) -> str:
    place = url.rpartition("@")[2]
    lines = [f"database    postgresql at {place}"]
    if "nginx" in fronts:
        webs = ", ".join(str(port) for port in plan.web_ports)
        lines += [f"webhooks    {settings.base_url} by nginx -> web nodes at {webs}"]
        lines += [f"            {COMMAND} simulate --via {settings.base_url}"]
    if "kamailio" in fronts:
        trunks = ", ".join(str(port) for port in plan.trunk_ports)
        where = f"127.0.0.1:{settings.trunk_port}"
        lines += [f"SIP         {where} by Kamailio -> trunk nodes at {trunks}"]
        lines += [f"            {COMMAND} ring sip:pay@{where}"]
    lines += [f"page        http://{settings.console_host}:{settings.console_port}"]
    lines += [f"portal      {settings.portal_origin}/ (`{COMMAND} user add NAME --role finance` invites somebody)"]
    lines += ["try         kill -9 any process below: its calls and charges go on at another; Ctrl-C stops all"]
    return "\n".join(lines)
