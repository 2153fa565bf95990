"""`merchant`: adds one to the installation, lists them, and takes one off it. What a merchant has on disk is never removed."""

import json
import os
import re
import shlex
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ivr.bank import load_banks
from ivr.cli.init import require_empty, sample_flows, write_project
from ivr.cli.merchants_text import with_merchant, without_merchant
from ivr.cli.preparation import prepare
from ivr.cli.start_up import is_here, port_of
from ivr.errors import ConfigError, IvrError, RecordError
from ivr.installation import InstallationSettings, installation_here, read_settings
from ivr.merchants.merchants_file import NAME, NAME_MEANS, is_installation, read_installation
from ivr.places import COMMAND, MERCHANTS_FILE, PROJECT_FILE, SHIPPED, find_project, shown
from ivr.settings import ENVIRONMENT_FILE, Settings
from ivr.store import open_store

console = Console(width=140, highlight=False)
FIRST_BANK_PORT, FIRST_CONSOLE_PORT = 9443, 8011
ENVIRONMENT = """\
# Secrets and settings of {name} alone, as NAME=value; others on this machine must not read this file (chmod 600).
# TWILIO_AUTH_TOKEN=
# TWILIO_ACCOUNT_SID=
# DATABASE_URL=postgresql+psycopg://user:password@host/{database}
# Its banks' secrets are here too, such as STRIPE_API_KEY for a bank that banks.yaml calls stripe.
"""


@click.group()
def merchant() -> None:
    """Several merchants in one installation, each with a folder and a database of its own.

    \b
    python -m ivr merchant add acme-water --number +15550100
    python -m ivr merchant list
    python -m ivr --merchant acme-water payments list

    Every other command is for one of them: --merchant NAME, or TONETILL_MERCHANT, or from within its folder.
    """


@merchant.command()
@click.argument("name")
@click.option("--number", "numbers", multiple=True, help="A called number that is this merchant's; may be given again.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where its project is made [merchants/NAME].")
@click.option("--flow", "also", metavar="NAME", multiple=True, help="This sample flow too, beside pay-a-bill.")
@click.option("--database-url", default="", help="Its own, empty database [SQLite in its folder].")
def add(name: str, numbers: tuple[str, ...], folder: Path | None, also: tuple[str, ...], database_url: str) -> None:
    """Make a merchant: a project with settings, flows and banks, its keys and its database, and its line in merchants.yaml."""
    if not NAME.fullmatch(name):
        raise RecordError(f"'{name}' cannot be a merchant's name: {NAME_MEANS}")
    home, flows = home_of_installation(), sample_flows(also)
    file, place = home / MERCHANTS_FILE, (folder or home / "merchants" / name).absolute()
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = read_settings(read_installation(home), os.environ) if before else None
    if found and name in found.installation.merchants:
        raise RecordError(f"there is a merchant {name} already: {shown(found.installation.called(name).folder)}")
    require_empty(place)
    bank_port, console_port = free_ports(found)
    list(write_project(place, flows))
    written = place / "config" / "banks.yaml"
    written.write_text(written.read_text().replace(f"127.0.0.1:{FIRST_BANK_PORT}", f"127.0.0.1:{bank_port}"))
    (place / PROJECT_FILE).write_text(own_settings(place / PROJECT_FILE, name, console_port))
    write_environment(place / ENVIRONMENT_FILE, name, database_url)
    where = place.relative_to(home) if place.is_relative_to(home) else place
    file.write_text(with_merchant(before, name, str(where), numbers), encoding="utf-8")
    try:
        own = settings_or_problems(home, name)
        made = prepare(own)
    except ConfigError:
        file.write_text(before, encoding="utf-8") if before else file.unlink()
        click.echo(f"{shown(file)} is as it was; what was made is in {shown(place)}", err=True)
        raise
    console.print(f"made: {len(made)} things below {shown(own.var)}: keys, certificates, a database, accounts")
    console.print(f"{name} is in {shown(file)}; its folder is {shown(place)}")
    console.print(f"    `{COMMAND} up` starts the lines of all merchants; the webhook of its number is")
    console.print(f"    {own.base_url}{own.place.mount}/twilio/voice/pay-a-bill, and its portal {own.portal_address}/")
    if not before:
        console.print(f"    from now on {home} is an installation: a line of its own is not started there any more")


@merchant.command("list")
@click.option("--json", "is_json", is_flag=True, help="A line of JSON for each.")
def list_merchants(is_json: bool) -> None:
    """Each merchant with its numbers, folder and addresses; what is wrong with one is told."""
    found = require_installation()
    table = Table("merchant", "numbers", "folder", "webhooks", "portal", box=None)
    for name, settings in found.merchants.items():
        one = found.installation.called(name)
        numbers, webhooks = ", ".join(one.numbers), f"{settings.base_url}{settings.place.mount}/twilio/"
        if is_json:
            row = {"merchant": name, "numbers": one.numbers, "folder": str(one.folder), "webhooks": webhooks}
            click.echo(json.dumps({**row, "portal": f"{settings.portal_address}/"}))
        table.add_row(name, numbers, shown(one.folder), webhooks, f"{settings.portal_address}/")
    if not is_json:
        console.print(table if found.merchants else f"nobody yet: `{COMMAND} merchant add NAME` makes one")
    if found.problems:
        raise ConfigError("\n".join(line for lines in found.problems.values() for line in lines))


@merchant.command()
@click.argument("name")
@click.option("--anyway", is_flag=True, help="Also while calls go on, or charges and messages are not done.")
def remove(name: str, anyway: bool) -> None:
    """Take a merchant off the installation: its calls are not answered any more. Its folder and database stay as they are.

    Refused while calls of it go on or its forwarder has something to do: nobody would ask the bank what became of a charge.
    """
    home = home_of_installation()
    if not is_installation(home):
        raise no_installation()
    one = read_installation(home).called(name)
    if not anyway and (left := what_is_left(home, name)):
        raise RecordError(
            f"{name} has {left}: its web process and forwarder must run until they are done. `{COMMAND} --merchant {name} stop line "
            "--reason ...` takes no new cards meanwhile; --anyway leaves them as they are"
        )
    file = home / MERCHANTS_FILE
    file.write_text(without_merchant(file.read_text(encoding="utf-8"), name, shown(file)), encoding="utf-8")
    console.print(
        f"{name} is not in {shown(file)} any more; restart what runs. Its keys and books stay in {shown(one.folder)}"
    )


def what_is_left(home: Path, name: str) -> str:
    """Calls that go on and jobs that wait, in words. Nothing where its settings or database cannot be read: then nobody serves it."""
    own = read_settings(read_installation(home), os.environ).merchants.get(name)
    if own is None:
        return ""
    try:
        store = open_store(own.database_url)
        calls, jobs = store.count_open_calls(), sum(store.outbox_depth().values())
        store.close()
    except IvrError:
        return ""
    return f"{calls} calls under way and {jobs} jobs waiting (charges, refunds, messages)" if calls or jobs else ""


def home_of_installation() -> Path:
    """The project's folder, or the one above it whose merchants it is one of; where there is no project, this folder."""
    project, here = find_project() or Path.cwd(), Path.cwd()
    if project == SHIPPED and not here.is_relative_to(SHIPPED):
        project = here  # nobody's project: the clone is only where the program is
    return next((one for one in (project, *project.parents) if is_installation(one)), project)


def require_installation() -> InstallationSettings:
    found = installation_here()
    if found is None:
        raise no_installation()
    return found


def no_installation() -> RecordError:
    return RecordError(f"there is no {MERCHANTS_FILE} here: `{COMMAND} merchant add NAME` makes the first merchant")


def free_ports(found: InstallationSettings | None) -> tuple[int, int]:
    """Of its bank simulator and its page: none that another merchant has."""
    there = found.merchants.values() if found else ()
    banks = {
        port_of(bank.url) for one in there for bank in load_banks(one.banks, one.var).values() if is_here(bank.url)
    }
    consoles = {one.console_port for one in there}
    return first_free(FIRST_BANK_PORT, banks), first_free(FIRST_CONSOLE_PORT, consoles)


def first_free(first: int, taken: set[int]) -> int:
    return next(port for port in range(first, 65536) if port not in taken)


def own_settings(file: Path, name: str, console_port: int) -> str:
    """Its settings, above those that are switched off. What is the installation's is not among them."""
    own = f'merchant: {name} # what your bank calls this merchant\ntrunk_flows: "*=pay-a-bill" # for all of its numbers in {MERCHANTS_FILE}\n'
    head, _, rest = file.read_text(encoding="utf-8").partition("\n\n")
    return f'{head}\n\n{own}console_port: "{console_port}" # its page with a telephone, in development\n\n{rest}'


def write_environment(file: Path, name: str, database_url: str) -> None:
    """Readable to nobody else from the beginning."""
    file.touch(mode=0o600)
    text = ENVIRONMENT.format(name=name, database=re.sub(r"\W", "_", name))
    file.write_text(text + (f"DATABASE_URL={shlex.quote(database_url)}\n" if database_url else ""), encoding="utf-8")


def settings_or_problems(home: Path, name: str) -> Settings:
    found = read_settings(read_installation(home), os.environ)
    found.only(name).require_good()
    return found.merchants[name]
