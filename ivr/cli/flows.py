"""`check`, `diagram` and `schema`: for those who write flows. What is a problem is decided in `ivr.core`."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from ivr.cli.flow_choice import chosen_flow
from ivr.core.diagram import mermaid, svg
from ivr.core.flow_files import FlowSet, read_flows
from ivr.core.flow_schema import flow_schema

FlowFile = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
SCHEMA = Path("config/flow.schema.json")
PICTURES = {"mermaid": mermaid, "svg": svg}


@click.command()
@click.argument("files", nargs=-1, required=True, type=FlowFile)
def check(files: tuple[Path, ...]) -> None:
    """Say every problem in the flows, and in the prompts beside them, at once.

    Each is a line file:line:column: message (suggestion). The exit code is 1 where there are any.
    """
    found = [read_folder(folder, members) for folder, members in by_folder(files)]
    problems = [problem for flows in found for problem in flows.problems]
    for problem in problems:
        click.echo(str(problem))
    if problems:
        click.echo(f"{count(len(problems), 'problem')} in {count(len({p.file for p in problems}), 'file')}", err=True)
        sys.exit(1)
    for flows in found:
        for line in summary(flows):
            click.echo(line)


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


def read_folder(folder: Path, files: Sequence[Path]) -> FlowSet:
    prompts = sorted((folder / "prompts").glob("*.yaml"))
    return read_flows(contents(files), contents(prompts))


def contents(files: Iterable[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def summary(flows: FlowSet) -> Iterable[str]:
    languages = flows.prompts.languages() if flows.prompts else []
    for flow in flows.flows.values():
        names = len(flows.prompts.names(flow.head.languages[0])) if flows.prompts else 0
        told = f"{count(len(flow.steps), 'step')}, {count(len(flow.head.languages), 'language')}"
        yield f"{flow.name}: no problems ({told}, {count(names, 'prompt')})"
    unused = set(languages) - {language for flow in flows.flows.values() for language in flow.head.languages}
    if unused:
        yield f"no flow here speaks {', '.join(sorted(unused))}"


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
