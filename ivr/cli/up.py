"""`up`: sets up what is missing, starts the Procfile, says what is running and what to try, stops cleanly."""

import sys
from collections.abc import Mapping

import click
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from ivr.calls.production import require_production
from ivr.cli.ports import ports_of, require_free_ports
from ivr.cli.preparation import prepare
from ivr.cli.settings_check import processes_here, require_settings
from ivr.cli.start_up import (
    environment,
    files_of,
    flows_serving,
    port_of_simulator,
    read_procfile,
    to_be_answered,
)
from ivr.cli.supervisor import supervise
from ivr.cli.up_merchants import set_up_merchants, up_merchants
from ivr.console import Trial, console_address, trials
from ivr.errors import ConfigError
from ivr.extras import what_is_missing
from ivr.installation import installation_here
from ivr.places import project_folder
from ivr.settings import Settings, load_settings

console = Console()


@click.command()
@click.option("--without", multiple=True, metavar="NAME", help="Leave out a process of the Procfile, such as trunk.")
def up(without: tuple[str, ...]) -> None:
    """Start web, forwarder, trunk, portal and the bank simulator, as the Procfile says, until Ctrl-C.

    ENVIRONMENT=production starts no bank simulator, and refuses whatever is only safe on a laptop. Where there is a
    merchants.yaml, it starts the lines of all merchants in it.
    """
    if (several := installation_here()) is not None:
        sys.exit(up_merchants(several, without))
    settings = load_settings()
    commands = read_procfile(project_folder())
    if unknown := [name for name in without if name not in commands]:
        raise ConfigError(f"--without {unknown[0]}: the Procfile has {', '.join(commands)}")
    missing = {name: cure for name in commands if (cure := what_is_missing(name)) and name not in without}
    left_out = {*without, *missing, *(["bank"] if settings.environment == "production" else [])}
    processes = {name: command for name, command in commands.items() if name not in left_out}
    bank_port = port_of_simulator(settings) if "bank" in processes else None
    require_free_ports(list(ports_of(settings, processes, bank_port)))
    is_production = settings.environment == "production"
    found = None if is_production else files_of(settings)
    prepare(settings)
    require_production(settings, opens_keys=True)
    require_settings(settings, processes)
    serving = flows_serving(settings)
    # What was published serves in production, whatever the files say.
    flows = serving if is_production and serving else to_be_answered(found or files_of(settings), serving)
    told = welcome(settings, list(processes), missing, flows)
    console.print(Panel(told, title="Tonetill", expand=False))
    variables = environment(settings, list(processes))
    if bank_port is not None:
        variables["BANK_PORT"] = str(bank_port)
    code = supervise(processes, variables, project_folder(), must_start=True)
    console.print(f"stopped: a process ended with {code}, see above" if code else "stopped")
    sys.exit(code)


@click.command("set-up")
def set_up() -> None:
    """Make keys, certificates and the database where they are missing; nothing is started.

    In production it makes what is ours to make (the fingerprint key, the database) and names what the bank must issue. Settings
    that a process would refuse at its start are refused here.
    """
    if (found := installation_here()) is not None:
        made = set_up_merchants(found, processes_here())
    else:
        made = prepare(load_settings())
    for thing in made:
        console.print(f"made: {thing}", highlight=False, soft_wrap=True)
    for settings in found.merchants.values() if found else [load_settings()]:
        require_production(settings, opens_keys=True)
        require_settings(settings, processes_here())
    console.print("everything is in place" if made else "everything was in place already")


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
