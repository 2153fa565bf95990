"""What `up` looks at and makes before it starts anything: commands of the Procfile, ports, flows, the environment of processes."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from honcho.environ import parse_procfile
from rich.console import Console

from ivr.bank import load_banks
from ivr.calls.assembly import around, read_folder
from ivr.calls.live_flows import is_usable
from ivr.errors import ConfigError
from ivr.flow.files import FlowSet
from ivr.places import SHIPPED, VARIABLE, for_children, project_folder, shown
from ivr.settings import Settings
from ivr.store import WITHDRAWN, open_store
from ivr.web import WIPED_MEMORY

console = Console()
DEFAULT_BANK_PORT = 9443  # where the simulator listens when no bank of ours is on this machine


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
