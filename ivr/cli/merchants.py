"""`merchant`: adds one to the installation, lists them, and takes one off it. What a merchant has on disk is never removed."""

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ivr.bank import load_banks
from ivr.cli.init import MAY_BE_THERE, require_empty, sample_flows, write_project
from ivr.cli.merchants_text import merchants_in, says_nothing, with_merchant, with_numbers, without_merchant
from ivr.cli.preparation import prepare
from ivr.cli.start_up import is_here, port_of
from ivr.errors import ConfigError, IvrError, RecordError
from ivr.installation import InstallationSettings, installation_here, read_settings
from ivr.merchants.merchants_file import (
    NAME,
    NAME_MEANS,
    Installation,
    Merchant,
    called_number,
    is_called_number,
    is_installation,
    read_installation,
)
from ivr.merchants.place import OF_THE_INSTALLATION
from ivr.places import COMMAND, MERCHANTS_FILE, PROJECT_FILE, SHIPPED, find_project, shown
from ivr.reading.yaml_source import read_yaml
from ivr.settings import ENVIRONMENT_FILE, Settings, line_settings, merchant_settings
from ivr.store import DatabaseError, open_store

console = Console(width=140, highlight=False)
FIRST_BANK_PORT, FIRST_CONSOLE_PORT = 9443, 8011
ENVIRONMENT = """\
# Secrets and settings of {name} alone, as NAME=value; others on this machine must not read this file (chmod 600).
# TWILIO_AUTH_TOKEN=
# TWILIO_ACCOUNT_SID=
# DATABASE_URL=postgresql+psycopg://user:password@host/{database}
# Its banks' secrets are here too, such as STRIPE_API_KEY for a bank that banks.yaml calls stripe.
"""
NO_TOKEN = "0" * 32
SETTINGS_HEAD = """\
# The settings of {name} alone. What stands here wins over the default; secrets stand in .env beside this file, which wins over
# both. The environment gives a merchant nothing of these. Paths are relative to this folder. What all merchants share, such as
# listeners, is set in the tonetill.yaml beside {file}.
#
# Every setting that a merchant can have follows, with its default: remove the # before a line to change it.
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
@click.option("--yes", is_flag=True, help="Without asking, where this folder has a line of its own.")
def add(
    name: str, numbers: tuple[str, ...], folder: Path | None, also: tuple[str, ...], database_url: str, yes: bool
) -> None:
    """Make a merchant: a project with settings, flows and banks, its keys and its database, and its line in merchants.yaml.

    A folder that is a project already, such as that of a merchant who was removed, is taken as it is.
    """
    if not NAME.fullmatch(name):
        raise RecordError(f"'{name}' cannot be a merchant's name: {NAME_MEANS}")
    home, flows = home_of_installation(), sample_flows(also)
    file, place = home / MERCHANTS_FILE, (folder or home / "merchants" / name).absolute()
    raw = file.read_bytes() if file.is_file() else None
    before = file.read_text(encoding="utf-8") if raw else ""
    found = read_settings(read_installation(home), os.environ) if before else None
    if found and name in found.installation.merchants:
        raise RecordError(f"there is a merchant {name} already: {shown(found.installation.called(name).folder)}")
    require_free(numbers, found, name, "--number ")
    is_taken_up = (place / PROJECT_FILE).is_file()
    if not is_taken_up:
        require_empty(place)
    elif also or database_url:
        raise RecordError(
            f"{shown(place)} is a project already, and is taken as it is: leave --flow and --database-url out, or choose "
            "another --folder"
        )
    if not file.is_file() and not yes:
        ask_for_the_line_of(home)
    there_before = [folder for folder in (place, *place.parents) if folder.exists()]
    if not is_taken_up:
        write_merchant(place, name, flows, free_ports(found, home), database_url)
    where = place.relative_to(home) if place.is_relative_to(home) else place
    file.write_text(with_merchant(before, name, str(where), numbers), encoding="utf-8")
    try:
        own = settings_or_problems(home, name)
        made = prepare(own)
    except ConfigError:
        put_back(file, raw)
        if not is_taken_up:
            unmake(place, there_before)
        click.echo(f"{shown(file)} is as it was, and so is {shown(place)}", err=True)
        raise
    if is_taken_up:
        console.print(f"taken up as it is: {shown(place)}, with its flows, keys and books")
    console.print(f"made: {len(made)} things below {shown(own.var)}: keys, certificates, a database, accounts")
    console.print(f"{name} is in {shown(file)}; its folder is {shown(place)}")
    console.print(f"    `{COMMAND} up` starts the lines of all merchants; the webhook of its number is")
    console.print(f"    {own.base_url}{own.place.mount}/twilio/voice/pay-a-bill, and its portal {own.portal_address}/")
    if not before:
        console.print(f"    from now on {home} is an installation: a line of its own is not started there any more,")
        console.print("    until the last merchant is removed")
    for number in numbers:
        if not called_number(number).isdecimal():
            console.print(f"    {number} is a name: it is called over SIP alone; a telephone number is as +15550100")


def require_free(numbers: Sequence[str], found: InstallationSettings | None, name: str, option: str = "") -> None:
    """RecordError where one is no called number, or leads to another merchant than `name`; `option`: as it was given by."""
    others = found.installation.others_numbers(name) if found else frozenset[str]()
    for number in numbers:
        if not is_called_number(number):
            raise RecordError(f"{option}{number[:40]}: this is no called number; one is such as +15550100, or pay-acme")
        if found and called_number(number) in others:
            owner = next(
                one.name
                for one in found.installation.merchants.values()
                if called_number(number) in map(called_number, one.numbers)
            )
            raise RecordError(f"{option}{number}: it is {owner}'s already; one called number leads to one merchant")


def ask_for_the_line_of(home: Path) -> None:
    """Before a folder with a line of its own becomes an installation, where that line rests."""
    # With a token of its own none is made for it: only looking must leave nothing behind.
    try:
        var = line_settings(home, {"TWILIO_AUTH_TOKEN": NO_TOKEN, **os.environ}).var
    except ConfigError:
        return
    if not (var / "keys").is_dir():
        return
    told = (
        f"{shown(home)} has a line of its own, with keys and payments in {shown(var)}. With merchants that line rests: it is not "
        f"started, and its commands are refused. Nothing of it is lost; it is back once the last merchant is removed."
    )
    if not sys.stdin.isatty():
        raise RecordError(f"{told} Say --yes for that, or work in another folder")
    click.echo(told)
    click.confirm("Go on?", abort=True)


def write_merchant(place: Path, name: str, flows: Sequence[Path], ports: tuple[int, int], database_url: str) -> None:
    bank_port, console_port = ports
    list(write_project(place, flows))
    written = place / "config" / "banks.yaml"
    written.write_text(written.read_text().replace(f"127.0.0.1:{FIRST_BANK_PORT}", f"127.0.0.1:{bank_port}"))
    (place / PROJECT_FILE).write_text(own_settings(place / PROJECT_FILE, name, console_port))
    write_environment(place / ENVIRONMENT_FILE, name, database_url)


def unmake(place: Path, there_before: Collection[Path]) -> None:
    """Everything in a folder that was empty before, and the folders that were not there."""
    for made in place.iterdir():
        if made.name not in MAY_BE_THERE:
            shutil.rmtree(made) if made.is_dir() else made.unlink()
    for folder in (place, *place.parents):
        if folder in there_before:
            return
        folder.rmdir()


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
    file = home / MERCHANTS_FILE
    text = file.read_text(encoding="utf-8")
    left_over = without_merchant(text, name, shown(file))
    if not anyway and (left := what_is_left(home, name)):
        raise RecordError(
            f"{name} has {left}: its web process and forwarder must run until all is done. `{COMMAND} --merchant {name} stop line "
            "--reason ...` takes no new cards meanwhile; --anyway takes it off as it is"
        )
    is_last = says_nothing(left_over)
    file.unlink() if is_last else file.write_text(left_over, encoding="utf-8")
    console.print(
        f"{name} is not in {shown(file)} any more; restart what runs. What it has on disk stays as it is, and"
    )
    console.print(f"    `{COMMAND} merchant add {name}` takes it up again")
    if is_last:
        console.print(
            f"    it was the last one: {shown(file)} is gone, and `{COMMAND} up` starts the line of this folder"
        )


@merchant.command()
@click.argument("name")
@click.argument("called", nargs=-1)
def numbers(name: str, called: tuple[str, ...]) -> None:
    """Give a merchant these called numbers in place of those it has; without any, it is reached by webhooks alone."""
    home = home_of_installation()
    found = require_installation()
    found.installation.called(name)
    require_free(called, found, name)
    file = home / MERCHANTS_FILE
    raw = file.read_bytes()
    file.write_text(with_numbers(file.read_text(encoding="utf-8"), name, called, shown(file)), encoding="utf-8")
    try:
        settings_or_problems(home, name)
    except ConfigError:
        put_back(file, raw)
        click.echo(f"{shown(file)} is as it was", err=True)
        raise
    console.print(f"{name} is called at {', '.join(called) or 'no number'}; restart what runs")


def what_is_left(home: Path, name: str) -> str:
    """Calls that go on and jobs that wait, in words; or that nobody can say. Whatever is wrong with others is no matter here."""
    try:
        own = settings_alone(home, name)
        store = open_store(own.database_url)
        calls, jobs = store.count_open_calls(), sum(store.outbox_depth().values())
        store.close()
    except (IvrError, DatabaseError):
        return (
            "settings or a database that cannot be read, so that nobody can say whether calls or charges are under way"
        )
    return f"{calls} calls under way and {jobs} jobs waiting (charges, refunds, messages)" if calls or jobs else ""


def settings_alone(home: Path, name: str) -> Settings:
    file = home / MERCHANTS_FILE
    source = read_yaml(shown(file), file.read_bytes())
    written = merchants_in(file.read_text(encoding="utf-8"), shown(file)).get(name)
    if not isinstance(written, dict) or not isinstance(written.get("folder"), str):
        raise ConfigError(f"{shown(file)}: {name} has no folder")
    alone = Merchant(name, (home / written["folder"]).resolve())
    if not (alone.folder / PROJECT_FILE).is_file():
        raise ConfigError(f"{shown(alone.folder)}: there is no {PROJECT_FILE}")
    return merchant_settings(Installation(home, {name: alone}, source), alone, os.environ).settings


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


def put_back(file: Path, raw: bytes | None) -> None:
    file.unlink() if raw is None else file.write_bytes(raw)


def free_ports(found: InstallationSettings | None, home: Path) -> tuple[int, int]:
    """Of its bank simulator and its page: none that another merchant has, or one who was removed and may be taken up again."""
    there = found.merchants.values() if found else ()
    banks = {
        port_of(bank.url) for one in there for bank in load_banks(one.banks, one.var).values() if is_here(bank.url)
    }
    consoles = {one.console_port for one in there}
    for folder in (home / "merchants").glob("*"):
        banks |= numbers_after(r"//127\.0\.0\.1:", folder / "config" / "banks.yaml")
        consoles |= numbers_after(r'(?m)^console_port: "?', folder / PROJECT_FILE)
    return first_free(FIRST_BANK_PORT, banks), first_free(FIRST_CONSOLE_PORT, consoles)


def numbers_after(pattern: str, file: Path) -> set[int]:
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return {int(number) for number in re.findall(rf"{pattern}(\d{{1,5}})", text)}


def first_free(first: int, taken: set[int]) -> int:
    return next(port for port in range(first, 65536) if port not in taken)


def own_settings(file: Path, name: str, console_port: int) -> str:
    """Its settings, above those that are switched off. What is the installation's is not among them."""
    own = f'merchant: {name} # what your bank calls this merchant\ntrunk_flows: "*=pay-a-bill" # for all of its numbers in {MERCHANTS_FILE}\n'
    _, _, rest = file.read_text(encoding="utf-8").partition("\n\n")
    shared = tuple(f"# {one}:" for one in sorted(OF_THE_INSTALLATION))
    rest = "".join(line for line in rest.splitlines(keepends=True) if not line.startswith(shared))
    head = SETTINGS_HEAD.format(name=name, file=MERCHANTS_FILE)
    return f'{head}\n{own}console_port: "{console_port}" # its page with a telephone, in development\n\n{rest}'


def write_environment(file: Path, name: str, database_url: str) -> None:
    """Readable to nobody else from the beginning."""
    file.touch(mode=0o600)
    text = ENVIRONMENT.format(name=name, database=re.sub(r"\W", "_", name))
    file.write_text(text + (f"DATABASE_URL={shlex.quote(database_url)}\n" if database_url else ""), encoding="utf-8")


def settings_or_problems(home: Path, name: str) -> Settings:
    found = read_settings(read_installation(home), os.environ)
    found.only(name).require_good()
    return found.merchants[name]
