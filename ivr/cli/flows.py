"""`diagram` and `schema`: for those who write flows; and how all commands read a folder of them."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ivr.calls.answer_schema import look_up_schema
from ivr.cli.flow_choice import chosen_flow
from ivr.conversation.phase_picture import phase_picture
from ivr.flow.compiler import NOTHING_AROUND, Around, compile_flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.mermaid import mermaid
from ivr.flow.editor_schema import Schema, flow_schema, part_schema
from ivr.flow.files import FlowSet, read_flows
from ivr.flow.part_files import read_parts
from ivr.flow.step_docs import with_steps
from ivr.reading.rules.advice import NOT_SPOKEN

FlowFile = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
SCHEMA, PART_SCHEMA = Path("config/flow.schema.json"), Path("config/part.schema.json")
PICTURES = {"mermaid": mermaid, "svg": svg}


def flow_unless_phases() -> Path | None:
    return None if click.get_current_context().params.get("phases") else chosen_flow()


@click.command()
@click.argument("file", type=FlowFile, default=flow_unless_phases)
@click.option("--phases", is_flag=True, is_eager=True, help="Draw the phases of a call in place of a flow.")
@click.option("--format", "picture", type=click.Choice(sorted(PICTURES)), default="mermaid", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there instead of here.")
def diagram(file: Path | None, picture: str, out: Path | None, *, phases: bool) -> None:
    """Draw a flow: Mermaid for documents, SVG for anything else."""
    if file is None or phases:
        write(PICTURES[picture](phase_picture()), out)
        return
    flows = read_folder(file.parent, [file])
    own = [problem for problem in flows.problems if problem.file == str(file)]
    if own or not flows.flows:
        raise click.ClickException("\n".join(["the flow has problems", *map(str, own)]))
    write(PICTURES[picture](*flows.flows.values()), out)


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=SCHEMA, show_default=True)
@click.option("--part-out", type=click.Path(dir_okay=False, path_type=Path), default=PART_SCHEMA, show_default=True)
@click.option("--docs", type=FlowFile, help="Renew the table of steps in this document instead (docs/flows.md).")
@click.option(
    "--lookups", type=FlowFile, help="Print what this flow's look-ups ask your billing endpoint, and its answers."
)
def schema(out: Path, part_out: Path, docs: Path | None, lookups: Path | None) -> None:
    """Write the JSON schemas by which editors complete and check flows, parts and calendars while you type."""
    if lookups is not None:
        click.echo(look_ups_text(lookups), nl=False)
        return
    if docs is None:
        write(schema_text(), out)
        write(schema_text(part_schema), part_out)
        return
    try:
        write(with_steps(docs.read_text(encoding="utf-8")), docs)
    except ValueError as error:
        raise click.ClickException(f"{docs}: {error}") from None


def look_ups_text(file: Path) -> str:
    """Of the look-ups that the flow declares; ClickException where it cannot be read."""
    flow, problems = compile_flow(str(file), file.read_bytes())
    if flow is None:
        raise click.ClickException("\n".join(["the flow has problems", *map(str, problems)]))
    found = {source: look_up_schema(source, terms) for source, terms in flow.head.lookups.items()}
    return json.dumps(found, indent=2) + "\n"


def schema_text(of: Callable[[], Schema] = flow_schema) -> str:
    return json.dumps(of(), indent=2) + "\n"


def read_folder(folder: Path, files: Sequence[Path], around: Around = NOTHING_AROUND) -> FlowSet:
    """These files of the folder; a language that none of them speaks may be spoken by its other flows, and is then no news."""
    prompts, parts = (sorted((folder / name).glob("*.yaml")) for name in ("prompts", "parts"))
    found = read_flows(contents(files), contents(prompts), replace(around, parts=read_parts(contents(parts))))
    if {file.name for file in folder.glob("*.yaml")} <= {file.name for file in files}:
        return found
    return replace(found, advice=[one for one in found.advice if one.rule != NOT_SPOKEN])


def contents(files: Iterable[Path]) -> list[tuple[str, bytes]]:
    return [(str(file), file.read_bytes()) for file in files]


def write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None
    click.echo(f"{out} written")
