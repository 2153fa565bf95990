"""`up`: sets up what is missing, starts the Procfile, says what is running and what to try, stops cleanly."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click
from honcho.environ import parse_procfile
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from ivr.bank import load_banks
from ivr.calls.assembly import around, read_folder
from ivr.calls.live_flows import is_usable
from ivr.calls.production import require_production
from ivr.cli.ports import ports_of, require_free_ports
from ivr.cli.preparation import prepare
from ivr.cli.supervisor import supervise
from ivr.console import Trial, console_address, trials
from ivr.errors import ConfigError
from ivr.extras import what_is_missing
from ivr.flow.files import FlowSet
from ivr.loading import load
from ivr.places import SHIPPED, VARIABLE, for_children, project_folder, shown
from ivr.settings import Settings, load_settings
from ivr.store import WITHDRAWN, open_store
from ivr.web import WIPED_MEMORY

console = Console()
DEFAULT_BANK_PORT = 9443  # where the simulator listens when no bank of ours is on this machine


@click.command()
@click.option("--without", multiple=True, metavar="NAME", help="Leave out a process of the Procfile, such as trunk.")
def up(without: tuple[str, ...]) -> None:
    """Start web, forwarder, trunk, portal and the bank simulator, as the Procfile says, until Ctrl-C.

    ENVIRONMENT=production starts no bank simulator, and refuses whatever is only safe on a laptop.
    """
    settings = load_settings()
    commands = read_procfile(project_folder())
    if unknown := [name for name in without if name not in commands]:
        raise ConfigError(f"--without {unknown[0]}: the Procfile has {', '.join(commands)}")
    missing = {name: cure for name in commands if (cure := what_is_missing(name)) and name not in without}
    left_out = {*without, *missing, *(["bank"] if settings.environment == "production" else [])}
    processes = {name: command for name, command in commands.items() if name not in left_out}
    bank_port = port_of_simulator(settings) if "bank" in processes else None
    require_free_ports(list(ports_of(settings, processes, bank_port)))
    if "portal" in processes:
        load("ivr.portal").site_of(settings)  # what is wrong with its settings is said before anything is started
    is_production = settings.environment == "production"
    found = None if is_production else files_of(settings)
    prepare(settings)
    require_production(settings, opens_keys=True)
    serving = flows_serving(settings)
    # What was published serves in production, whatever the files say.
    flows = serving if is_production and serving else to_be_answered(found or files_of(settings), serving)
    told = welcome(settings, list(processes), missing, flows)
    console.print(Panel(told, title="Tonetill", expand=False))
    variables = environment(settings, list(processes))
    if bank_port is not None:
        variables["BANK_PORT"] = str(bank_port)
    code = supervise(processes, variables, project_folder())
    console.print(f"stopped: a process ended with {code}, see above" if code else "stopped")
    sys.exit(code)


@click.command("set-up")
def set_up() -> None:
    """Make keys, certificates and the database where they are missing; nothing is started.

    In production it makes what is ours to make (the fingerprint key, the database) and names what the bank must issue.
    """
    settings = load_settings()
    made = prepare(settings)
    for thing in made:
        console.print(f"made: {thing}", highlight=False, soft_wrap=True)
    require_production(settings, opens_keys=True)
    console.print("everything is in place" if made else "everything was in place already")


def read_procfile(project: Path) -> dict[str, str]:
    """Command by process: the project's own Procfile, or the one that ships. `python` is the one that runs this."""
    own = project / "Procfile"
    file = own if own.is_file() else SHIPPED / "Procfile"
    commands = parse_procfile(file.read_text(encoding="utf-8")).processes
    if not commands:
        raise ConfigError(f"{shown(file)}: no process is named: each is a line such as  web: python -m ivr web")
    python = shlex.quote(sys.executable)
    return {
        name: f"{python}{command.removeprefix('python')}" if command.startswith("python ") else command
        for name, command in commands.items()
    }


def port_of_simulator(settings: Settings) -> int:
    """The port that the flows' bank is looked for at; BANK_PORT may only say the same."""
    ports = {port_of(bank.url) for bank in load_banks(settings.banks, settings.var).values() if is_here(bank.url)}
    asked = os.environ.get("BANK_PORT")
    if asked is None:
        return min(ports, default=DEFAULT_BANK_PORT)
    if not asked.isdecimal() or (ports and int(asked) not in ports):
        listed = ", ".join(map(str, sorted(ports)))
        raise ConfigError(
            f"BANK_PORT={asked}, but {settings.banks} looks for the bank at port {listed}: make them the same"
        )
    return int(asked)


def is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def port_of(url: str) -> int:
    return urlsplit(url).port or 443


def files_of(settings: Settings) -> FlowSet:
    """Judged as the processes will judge them: by the banks there are, and by what is switched on."""
    return read_folder(settings.flows, load_banks(settings.banks, settings.var), settings)


def to_be_answered(found: FlowSet, serving: list[str]) -> list[str]:
    """The flows that calls will be answered with, once each problem of the others has been told. Of a flow whose file has
    problems the version that served goes on."""
    for problem in found.problems:
        console.print(str(problem), markup=False, soft_wrap=True)
    for name in sorted(found.left_out):
        if name in serving:
            told = f"the file of flow {name}: calls go on with the last good version"
        else:
            told = f"flow {name}: it is not answered"
        console.print(f"[red]left out[/] {told} until these problems are mended")
    return [*found.flows, *sorted(found.left_out.intersection(serving))]


def flows_serving(settings: Settings) -> list[str]:
    """Of the versions that were published and are live, those that can answer calls now."""
    found_here = around(load_banks(settings.banks, settings.var), settings)
    store = open_store(settings.database_url)
    try:
        live = {name: one.number for name, one in store.live_versions().items() if one.number != WITHDRAWN}
        return [name for name, number in live.items() if is_usable(store.flow_version(name, number), found_here)]
    finally:
        store.close()


def environment(settings: Settings, running: list[str]) -> dict[str, str]:
    metrics = settings.var / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    return {
        **for_children(os.environ),
        **WIPED_MEMORY,
        VARIABLE: str(project_folder()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "TONETILL_PROCESSES": ",".join(running),
        "TRUNK_DRAIN_S": os.environ.get("TRUNK_DRAIN_S", "2"),  # Ctrl-C on a laptop: nobody waits ten minutes
        "LOG_FORMAT": "text" if sys.stdout.isatty() and settings.log_format == "auto" else settings.log_format,
    }


def welcome(settings: Settings, running: list[str], missing: Mapping[str, str], flows: list[str]) -> str:
    """The same as the page shows. The trunk says by itself when it is running: it makes its prompts first, which may take a
    minute. `missing`: processes that could not be started here, each with its cure; `flows`: the names of those that can
    be called."""
    lines = [f"running: {', '.join(name for name in running if name != 'trunk')}; stop with Ctrl-C"]
    if "trunk" in running:
        lines.append("starting: trunk; it makes its prompts first, and says when it answers calls")
    lines += [*(f"without {name}: {escape(cure)}" for name, cure in missing.items()), ""]
    page = (
        [
            Trial(
                "The page, with a telephone to try" if settings.environment == "development" else "The page",
                f"{console_address(settings)}/",
            )
        ]
        if "console" in running
        else []
    )
    for trial in [*page, *trials(settings, running, flows)]:
        lines += [f"[bold]{trial.title}[/]", f"    {escape(trial.text)}"]
    return "\n".join(lines)
