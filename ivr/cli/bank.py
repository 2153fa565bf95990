"""`bank`: the simulator's commands, and `bank check`, a look at a bank of `banks.yaml` before it is used."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from ivr.bank import BankSettings, Examined, load_banks
from ivr.bank.simulator.__main__ import main as bank
from ivr.calls.bank_check import check_bank
from ivr.calls.bank_keys import line_of_problem
from ivr.calls.production import wrong_system
from ivr.errors import ConfigError
from ivr.forwarder.opening import opener_for
from ivr.reading.problems import did_you_mean
from ivr.settings import Settings, load_settings

MARKS = {True: "ok   ", False: "WRONG", None: "-    "}


@bank.command()
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Whether the bank NAME of banks.yaml can be used: files, keys, secrets, connection, currencies. NAME may be left out where there is one.

    Nothing is charged. Exit code 1 where something is wrong.
    """
    settings = load_settings()
    banks = load_banks(settings.banks, settings.var)
    if name is None and len(banks) == 1:
        name = next(iter(banks))
    if name is None:
        raise click.UsageError(f"which bank? {settings.banks} names {', '.join(banks) or 'none'}")
    if name not in banks:
        raise click.UsageError(f"{settings.banks} names no bank '{name}' ({did_you_mean(name, banks)})")
    findings = []
    for finding in examine(settings, name, banks[name]):
        findings.append(finding)
        click.echo(line_of(finding))
    if any(finding.is_good is False for finding in findings):
        sys.exit(1)


def examine(settings: Settings, name: str, bank: BankSettings) -> Iterator[Examined]:
    """First what every process refuses at its start, then what the bank itself says."""
    try:
        wrong = wrong_system(settings, name, bank)
    except ConfigError:
        wrong = ""  # a secret that is none: check_bank says so
    if wrong:
        yield Examined(False, wrong)
    for found in check_bank(name, bank, settings.place.environ, opener_for):
        is_wrong = found.is_good is False
        yield replace(found, words=line_of_problem(settings.banks, name, bank, found.words)) if is_wrong else found


def line_of(finding: Examined) -> str:
    return f"{MARKS[finding.is_good]} {finding.words}"


__all__ = ["bank", "check"]
