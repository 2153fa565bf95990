"""`check`: every problem of flows and prompts at once. What is a problem is decided in `ivr.flow` and `ivr.words`, how it is written in `reports`."""

import csv
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from ivr.cli import reports
from ivr.cli.flow_choice import chosen_banks, chosen_flows, chosen_switches
from ivr.cli.flows import FlowFile, read_folder
from ivr.flow.compiler import Around
from ivr.places import find_project
from ivr.reading.problems import nearest
from ivr.reading.rules import RULES, Rule

FlowsOrFolder = click.Path(exists=True, readable=True, path_type=Path)
FORMATS: Mapping[str, reports.Writer] = {
    "text": reports.as_text,
    "lines": reports.as_lines,
    "json": reports.as_json,
    "sarif": reports.as_sarif,
}

LIST_HINT = "--list-codes lists them"
FORMAT_HELP = "text: with the line of the file; lines: one each, for editors; json; sarif: for code scanning."


@click.command()
@click.argument("flows", nargs=-1, type=FlowsOrFolder)
@click.option("--banks", type=FlowFile, envvar="BANKS", default=chosen_banks, help="The banks' file.")
@click.option("--accounts", type=FlowFile, envvar="ACCOUNTS", help="The bills that the flows look up (CSV).")
@click.option("--strict", is_flag=True, help="Exit with 1 where there is advice, too.")
@click.option(
    "--format", "written", type=click.Choice(list(FORMATS)), default="text", show_default=True, help=FORMAT_HELP
)
@click.option("--explain", metavar="CODE", help="Say what a code means, why it matters, and what is right.")
@click.option("--list-codes", is_flag=True, help="List every code, and stop.")
def check(
    flows: tuple[Path, ...],
    banks: Path,
    accounts: Path | None,
    strict: bool,
    written: str,
    explain: str | None,
    list_codes: bool,
) -> None:
    """Say every problem in the flows, and in the prompts beside them, at once.

    FLOWS are files, or folders of which all flows are checked; without any, the project's. Each problem has its place, a
    code, and a suggestion. What is marked as advice stands in nobody's way.

    \b
    Exit code 0: no problems.
              1: problems (with --strict: or advice).
              2: a file or folder that is not there, a code that does not exist, a banks' file with problems.
    """
    if list_codes:
        click.echo(reports.code_table(RULES.values()))
    elif explain is not None:
        click.echo(reports.explained(rule_called(explain)))
    else:
        bills = bill_currencies(accounts) if accounts else None
        around = replace(around_banks(banks), bills=bills, switched_on=chosen_switches())
        found = [read_folder(folder, members, around) for folder, members in by_folder(flow_files(flows))]
        click.echo(FORMATS[written](found), nl=False)
        if closing := reports.counted(found, strict=strict):
            click.echo(closing, err=True)
            sys.exit(1)


def rule_called(word: str) -> Rule:
    """By code or by name, in capitals or small letters."""
    by_word = {**RULES, **{rule.name: rule for rule in RULES.values()}}
    found = by_word.get(word.upper()) or by_word.get(word.lower())
    if found is None:
        near = nearest(word.lower(), (rule.name for rule in RULES.values()))
        raise click.UsageError(f"there is no code {word!r} ({f'did you mean {near!r}?' if near else LIST_HINT})")
    return found


def flow_files(named: Iterable[Path]) -> list[Path]:
    """A prompt file stands for the flows that speak it, and a part for those that may use it."""
    files: list[Path] = []
    for path in list(named) or [from_here(chosen_flows())]:
        place = next((one.parent for one in (path, path.parent) if one.name in ("prompts", "parts")), path)
        inside = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
        if not inside:
            raise click.UsageError(f"there are no flows in {path}: they are files that end in .yaml")
        files += inside
    return files


def from_here(folder: Path) -> Path:
    """A project's folder as somebody in this one names it, so that editors and CI find the files; the sample's as it is."""
    return folder if find_project() is None else Path(os.path.relpath(folder))


def by_folder(files: Iterable[Path]) -> list[tuple[Path, list[Path]]]:
    """Flows of one folder share its prompts; a file named twice is checked once."""
    folders: dict[Path, list[Path]] = {}
    for file in dict.fromkeys(files):
        folders.setdefault(file.parent, []).append(file)
    return list(folders.items())


def around_banks(file: Path) -> Around:
    # with its client, which nothing else here needs
    from ivr.bank import fields_carried, load_banks, operations_promised, partly_approving

    banks = load_banks(file, Path())
    return Around(
        banks={name: bank.currencies for name, bank in banks.items()},
        card_fields=fields_carried(banks),
        operations=operations_promised(banks),
        partly_approving=partly_approving(banks),
    )


def bill_currencies(file: Path) -> set[str]:
    """Of an accounts file; what is wrong with the file is told where it is read in."""
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
        return {row["currency"].strip() for row in csv.DictReader(lines) if row.get("currency")}
