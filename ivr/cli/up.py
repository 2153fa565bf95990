"""`up`: sets up what is missing, starts the Procfile, says what is running and what to try, stops cleanly."""

import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import click
import honcho.manager
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from ivr.console import Trial, address, trials
from ivr.core.flow_files import FlowSet
from ivr.errors import ConfigError
from ivr.runner.assembly import load_flows, read_folder
from ivr.settings import ROOT, Settings, load_settings

console = Console()
BANK_PORT = "9443"  # as config/banks.yaml has it
KILL_WAIT_S = 15  # a trunk says goodbye to callers who may not be there to answer (RFC 3261, timer F would be 32 s)
# Freed memory is overwritten at once, so that a process dump holds no card a caller keyed in (docs/card-data.md);
# without glibc's per-thread cache, which would keep the last few pieces as they were.
WIPED_MEMORY = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"}


@click.command()
@click.option("--without", multiple=True, metavar="NAME", help="Leave out a process of the Procfile, such as trunk.")
def up(without: tuple[str, ...]) -> None:
    """Start web, forwarder, trunk and the bank simulator, as the Procfile says, until Ctrl-C."""
    settings = load_settings()
    processes = {
        name: command for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items()
        if name not in without
    }  # fmt: skip
    require_free_port(settings.host, settings.port, "PORT")
    if "bank" in processes:
        require_free_port("127.0.0.1", int(os.environ.get("BANK_PORT", BANK_PORT)), "BANK_PORT (and url in banks.yaml)")
    prepare(settings)
    console.print(Panel(welcome(settings, list(processes)), title="Tonetill", expand=False))
    honcho.manager.KILL_WAIT = KILL_WAIT_S
    variables = environment(settings, list(processes))
    manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty(), prefix=True))
    for name, command in processes.items():
        manager.add_process(name, f"exec {command}", quiet=False, env=variables, cwd=str(ROOT))
    manager.loop()
    stopped_by_hand = manager.returncode in (None, 0, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 130, 143)
    console.print("stopped" if stopped_by_hand else f"stopped: a process ended with {manager.returncode}, see above")
    sys.exit(0 if stopped_by_hand else manager.returncode)


@click.command("set-up")
def set_up() -> None:
    """Make keys, certificates and the database where they are missing; nothing is started."""
    prepare(load_settings())
    console.print("keys, certificates and database are in place")


def prepare(settings: Settings) -> None:
    from ivr.bank import load_banks
    from ivr.bank.dev_keys import make_development_keys
    from ivr.store import migrate, open_store

    tell_left_out(read_folder(settings.flows, load_banks(settings.banks, settings.var)))
    if settings.environment == "development":
        make_development_keys(settings.var / "keys", settings.var / "bank")
    migrate(settings.database_url)
    # On a laptop every start begins with unpaid bills; in production the file only adds accounts.
    open_store(settings.database_url).seed_bills(settings.accounts, anew=settings.environment == "development")


def tell_left_out(found: FlowSet) -> None:
    for problem in found.problems:
        console.print(str(problem), markup=False, soft_wrap=True)
    for name in sorted(found.left_out):
        console.print(f"[red]left out[/] flow {name}: it is not answered until these problems are mended")


def environment(settings: Settings, running: list[str]) -> dict[str, str]:
    metrics = settings.var / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    return {
        **os.environ,
        **WIPED_MEMORY,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "TONETILL_PROCESSES": ",".join(running),
        "WEB_WORKERS": os.environ.get("WEB_WORKERS", "1"),
        # Not one: a billing endpoint that takes its time would hold up every other call.
        "WEB_THREADS": os.environ.get("WEB_THREADS", "2"),
        "TRUNK_DRAIN_S": os.environ.get("TRUNK_DRAIN_S", "2"),  # Ctrl-C on a laptop: nobody waits ten minutes
        "LOG_FORMAT": "text" if sys.stdout.isatty() and settings.log_format == "auto" else settings.log_format,
    }


def welcome(settings: Settings, running: list[str]) -> str:
    """The same as the page at `/` shows."""
    flows, _ = load_flows(settings.flows)
    lines = [f"running: {', '.join(running)}; stop with Ctrl-C", ""]
    for trial in [Trial("The page", f"{address(settings)}/"), *trials(settings, running, list(flows))]:
        lines += [f"[bold]{trial.title}[/]", f"    {escape(trial.text)}"]
    return "\n".join(lines)


def require_free_port(host: str, port: int, setting: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(f"{host}:{port} is taken ({error.strerror}): choose another with {setting}=...") from None
