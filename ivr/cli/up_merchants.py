"""`up` of an installation of several merchants: what all share once, and for each its own forwarder and bank simulator.

web, portal, trunk, console       one process each, with an application or engine for each merchant
forwarder.NAME                    goes to that merchant's banks, with its keys and its environment alone
bank.NAME                         the simulator, in development
console.NAME                      that merchant's page with its phone, where it has a CONSOLE_PORT of its own
"""

import os
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from ivr.calls.production import require_production
from ivr.cli.ports import Port, ports_of, require_free_ports
from ivr.cli.preparation import prepare
from ivr.cli.settings_check import require_settings
from ivr.cli.start_up import environment, files_of, flows_serving, port_of_simulator, read_procfile, to_be_answered
from ivr.cli.supervisor import supervise
from ivr.console import console_address, trials
from ivr.errors import ConfigError
from ivr.extras import what_is_missing
from ivr.installation import InstallationSettings
from ivr.merchants.place import OF_THE_INSTALLATION, UNLESS_ITS_OWN
from ivr.places import MERCHANT_VARIABLE
from ivr.settings import Settings

console = Console()
FOR_ALL = ("web", "console", "trunk", "portal")


def up_merchants(found: InstallationSettings, without: tuple[str, ...]) -> int:
    """Until Ctrl-C; a process that ends is started again, so that one merchant's trouble does not stop the others."""
    found.require_good()
    commands = read_procfile(found.installation.folder)
    if unknown := [name for name in without if name.partition(".")[0] not in commands]:
        raise ConfigError(f"--without {unknown[0]}: the Procfile has {', '.join(commands)}")
    is_production = found.shared.environment == "production"
    missing = {name: cure for name in commands if (cure := what_is_missing(name)) and name not in without}
    left_out = {*without, *missing, *(["bank"] if is_production else [])}
    processes = dict(processes_of(found, commands, left_out))
    require_free_ports(list(ports_of_all(found, processes)))
    set_up_merchants(found, processes)
    flows = {name: flows_of(settings) for name, settings in found.merchants.items()}
    console.print(Panel(welcome(found, processes, missing, flows), title="Tonetill, several merchants", expand=False))
    variables, own = environment(found.shared, list(processes)), [name for name in processes if "." in name]
    code = supervise(processes, variables, found.installation.folder, may_fail=own)
    console.print(f"stopped: a process ended with {code}, see above" if code else "stopped")
    return code


def set_up_merchants(found: InstallationSettings, processes: Collection[str]) -> list[str]:
    """What was made for each. ConfigError, before anything is made, where two share what is one's; afterwards, for settings that
    one of the `processes` would refuse."""
    found.require_good()
    made = [f"{name}: {thing}" for name, settings in found.merchants.items() for thing in prepare(settings)]
    for settings in found.merchants.values():
        require_production(settings, opens_keys=True)
        require_settings(settings, processes)
    return made


def processes_of(
    found: InstallationSettings, commands: Mapping[str, str], left_out: set[str]
) -> Iterator[tuple[str, str]]:
    """Name and command of each."""
    for name, command in commands.items():
        if name in FOR_ALL and name not in left_out:
            yield name, command
    for merchant, settings in found.merchants.items():
        own = f"env {MERCHANT_VARIABLE}={shlex.quote(merchant)}"
        for name in ("forwarder", "bank", "console"):
            if name not in commands or {name, f"{name}.{merchant}"} & left_out:
                continue
            if name == "console" and settings.console_port == found.shared.console_port:
                continue
            port = f" BANK_PORT={port_of_simulator(settings)}" if name == "bank" else ""
            yield f"{name}.{merchant}", f"{own}{port} {commands[name]}"


def ports_of_all(found: InstallationSettings, processes: Mapping[str, str]) -> Iterator[Port]:
    """ConfigError where two merchants' processes would take the same."""
    ports = [*ports_of(found.shared, [name for name in processes if name in FOR_ALL], None)]
    for merchant, settings in found.merchants.items():
        if f"bank.{merchant}" in processes:
            ports.append(Port("127.0.0.1", port_of_simulator(settings), "tcp", f"url in {settings.banks}"))
        if f"console.{merchant}" in processes:
            where = f"CONSOLE_PORT of {merchant}"
            ports.append(Port(settings.console_host, settings.console_port, "tcp", where))
    counted = Counter((one.number, one.transport) for one in ports if one.number)
    if twice := [one for one in ports if counted[one.number, one.transport] > 1]:
        raise ConfigError("\n".join(f"port {one.number} is wanted twice: change {one.setting}" for one in twice))
    yield from ports


def flows_of(settings: Settings) -> list[str]:
    """Those that its calls will be answered with; problems of the others are told."""
    serving = flows_serving(settings)
    is_production = settings.environment == "production"
    return serving if is_production and serving else to_be_answered(files_of(settings), serving)


def welcome(
    found: InstallationSettings,
    processes: Mapping[str, str],
    missing: Mapping[str, str],
    flows: Mapping[str, list[str]],
) -> str:
    lines = [f"running: {', '.join(name for name in processes if name != 'trunk')}; stop with Ctrl-C"]
    if "trunk" in processes:
        lines.append("starting: trunk; it makes its prompts first, and says when it answers calls")
    lines += [f"without {name}: {escape(cure)}" for name, cure in missing.items()]
    if ignored := not_for_all():
        lines.append(f"not used: {', '.join(ignored)} of the environment: each merchant has its own, in its .env")
    lines += ["", f"[bold]What all count[/]  {console_address(found.shared)}/metrics"]
    for name, settings in found.merchants.items():
        lines += ["", f"[bold underline]{name}[/]"]
        if f"console.{name}" in processes:
            lines.append(f"    The page, with a telephone to try: {console_address(settings)}/")
        for trial in trials(settings, list(processes), flows[name]):
            lines.append(f"    {trial.title}: {escape(trial.text)}")
    return "\n".join(lines)


def not_for_all() -> list[str]:
    """Settings in the environment of this process that would be a merchant's, and are nobody's."""
    known = (name for name in Settings.model_fields if name not in OF_THE_INSTALLATION | UNLESS_ITS_OWN)
    return [name.upper() for name in known if name.upper() in os.environ]
