"""`check`, `diagram` and `schema`: for those who write flows. What is a problem is decided in `ivr.core`."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from ivr.cli.flow_choice import chosen_banks, chosen_flow
from ivr.flow.compiler import NOTHING_AROUND, Around
from ivr.flow.drawing.diagram import mermaid, svg
from ivr.flow.editor_schema import flow_schema
from ivr.flow.files import FlowSet, read_flows
from ivr.reading.problems import Problem

FlowFile = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
SCHEMA = Path("config/flow.schema.json")
PICTURES = {"mermaid": mermaid, "svg": svg}


@click.command()
@click.argument("files", nargs=-1, required=True, type=FlowFile)
@click.option("--banks", type=FlowFile, envvar="BANKS", default=chosen_banks, help="The banks' file.")
@click.option("--accounts", type=FlowFile, envvar="ACCOUNTS", help="The bills that the flows look up (CSV).")
@click.option("--strict", is_flag=True, help="Exit with 1 where there is advice, too.")
def check(files: tuple[Path, ...], banks: Path, accounts: Path | None, strict: bool) -> None:
    """Say every problem in the flows, and in the prompts beside them, at once.

    Each is a line file:line:column: message (suggestion). The exit code is 1 where there are any. Lines that say
    'advice:' stand in nobody's way; with --strict they count as problems.
    """
    around = Around(banks=bank_currencies(banks), bills=bill_currencies(accounts) if accounts else None)
    found = [read_folder(folder, members, around) for folder, members in by_folder(files)]
    problems = [problem for flows in found for problem in flows.problems]
    advice = [problem for flows in found for problem in flows.advice]
    for problem in sorted([*problems, *advice]):
        click.echo(str(problem))
    if problems or (strict and advice):
        click.echo(counted(problems, advice), err=True)
        sys.exit(1)
    for flows in found:
        for line in summary(flows):
            click.echo(line)


def counted(problems: Sequence[Problem], advice: Sequence[Problem]) -> str:
    files = len({problem.file for problem in [*problems, *advice]})
    told = [count(len(problems), "problem")] * bool(problems) + [f"{len(advice)} of advice"] * bool(advice)
    return f"{' and '.join(told)} in {count(files, 'file')}"


def bank_currencies(file: Path) -> dict[str, list[str]]:
    from ivr.bank import load_banks  # with its client, which nothing else here needs

    return {name: bank.currencies for name, bank in load_banks(file, Path()).items()}


def bill_currencies(file: Path) -> set[str]:
    """Of an accounts file; what is wrong with the file is told where it is read in."""
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
        return {row["currency"].strip() for row in csv.DictReader(lines) if row.get("currency")}


@click.command()
@click.argument("file", type=FlowFile, default=chosen_flow)
@click.option("--format", "picture", type=click.Choice(sorted(PICTURES)), default="mermaid", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there instead of here.")
def diagram(file: Path, picture: str, out: Path | None) -> None:
    """Draw a flow: Mermaid for documents, SVG for anything else."""
    flows = read_folder(file.parent, [file])
    own = [problem for problem in flows.problems if problem.file == str(file)]
    if own or not flows.flows:
        raise click.ClickException("\n".join(["the flow has problems", *map(str, own)]))
    write(PICTURES[picture](*flows.flows.values()), out)


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=SCHEMA, show_default=True)
def schema(out: Path) -> None:
    """Write the JSON schema by which editors complete and check flows while you type."""
    write(schema_text(), out)


def schema_text() -> str:
    return json.dumps(flow_schema(), indent=2) + "\n"


def by_folder(files: Iterable[Path]) -> list[tuple[Path, list[Path]]]:
    """Flows of one folder share its prompts; a file named twice is checked once."""
    folders: dict[Path, list[Path]] = {}
    for file in dict.fromkeys(files):
        folders.setdefault(file.parent, []).append(file)
    return list(folders.items())


def read_folder(folder: Path, files: Sequence[Path], around: Around = NOTHING_AROUND) -> FlowSet:
    prompts = sorted((folder / "prompts").glob("*.yaml"))
    return read_flows(contents(files), contents(prompts), around)


def contents(files: Iterable[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def summary(flows: FlowSet) -> Iterable[str]:
    for flow in flows.flows.values():
        names = len(flows.prompts.names(flow.head.languages[0])) if flows.prompts else 0
        told = f"{count(len(flow.steps), 'step')}, {count(len(flow.head.languages), 'language')}"
        yield f"{flow.name}: no problems ({told}, {count(names, 'prompt')})"


def count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None
    click.echo(f"{out} written")
