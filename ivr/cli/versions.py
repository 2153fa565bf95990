"""`flows`: publishes flows, lists their versions and calls, goes back to one, moves calls. What serves is in `ivr.calls.live_flows`."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ivr.bank import load_banks
from ivr.calls.assembly import around
from ivr.calls.live_flows import stored_content_of
from ivr.calls.publishing import known_flow, live_version, numbered_version, publish_content, required_live
from ivr.cli import reports
from ivr.cli.check import FlowsOrFolder, by_folder, flow_files
from ivr.cli.flows import read_folder
from ivr.cli.stored_flows import by_option, calls_on, named, opened, who
from ivr.cli.version_switches import migrate, rollback, withdraw
from ivr.errors import ConfigError
from ivr.flow.content import Content, contents_of
from ivr.flow.difference import differences
from ivr.flow.files import FlowSet
from ivr.places import COMMAND
from ivr.settings import Settings, load_settings
from ivr.store import WITHDRAWN, Store

console = Console(highlight=False)
WORKING_COPY = "the file"


@click.group()
def flows() -> None:
    """Versions of flows: a change goes live without a restart, and a call finishes on the version it began on.

    \b
    What would change, file against live:  python -m ivr flows diff pay-a-bill
    Let new calls have it:                 python -m ivr flows publish
    See what serves, and what calls it has: python -m ivr flows list
    That was a mistake:                    python -m ivr flows rollback pay-a-bill

    A version is a flow's text and the prompts it speaks. In development every saved file is published by itself;
    in production the files are published once, at the first start, and from then on by `publish`. docs/versions.md
    """


for command in (rollback, migrate, withdraw):
    flows.add_command(command)


@flows.command(short_help="Check files, store each as a version, let new calls begin on it.")
@click.argument("files", nargs=-1, type=FlowsOrFolder, metavar="[FILE]...")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@by_option
def publish(files: tuple[Path, ...], dry_run: bool, by: str) -> None:
    """Check FILEs, store each as a version, and let new calls begin on it; without any, all of the project's.

    A flow with problems is refused, with what `check` says, and the others are published. Running processes take up
    what is new within seconds. Calls in progress finish on their own version.

    \b
    Exit code 0: all of them are live.
              1: some were refused; what served goes on serving.
    """
    settings = load_settings()
    banks = around(load_banks(settings.banks, settings.var), settings)
    found = [read_folder(folder, members, banks) for folder, members in by_folder(flow_files(files))]
    with opened(settings) as store:
        for one in found:
            for content in contents_of(one).values():
                _publish(store, content, who(by), dry_run)
    if refused := [replace(one, advice=[]) for one in found if one.problems]:
        click.echo(reports.as_text(refused), nl=False, err=True)
    if names := sorted(name for one in found for name in one.left_out):
        click.echo(
            f"refused: {', '.join(names)}; nothing of {'it' if len(names) == 1 else 'them'} has changed", err=True
        )
    if names or any(_is_no_flow(one) for one in found):
        sys.exit(1)


def _is_no_flow(found: FlowSet) -> bool:
    return bool(found.problems) and not found.flows


def _publish(store: Store, content: Content, by: str, dry_run: bool) -> None:
    live = live_version(store, content.flow)
    if live is not None and live.digest == content.digest:
        click.echo(f"{content.flow}: version {live.number} is live already, and nothing has changed")
        return
    if dry_run:
        click.echo(f"{content.flow}: {named(live)} would be replaced; nothing was changed (--dry-run)")
    else:
        version = publish_content(store, content, by, datetime.now(UTC))
        instead = f" instead of {live.number}" if live else ""
        click.echo(f"{content.flow}: version {version.number} is live{instead}")
    for line in differences(stored_content_of(live) if live else None, content):
        click.echo(line)
    if live is not None and (staying := calls_on(store, live)):
        click.echo(f"  {reports.count(staying, 'call')} in progress on version {live.number}, which finish on it")


@flows.command("list", short_help="List versions: which is live, how many calls are on each.")
@click.argument("flow", required=False)
def list_versions(flow: str | None) -> None:
    """List the versions of FLOW, or of every flow: which is live, and how many calls are on each."""
    with opened(load_settings()) as store:
        names = [known_flow(store, flow)] if flow else store.published_flows()
        if not names:
            click.echo(f"nothing is published yet: `{COMMAND} flows publish`, or the first start, does it")
            return
        table, notes = Table("flow", "version", "", "published", "by", "calls", "digest", box=None), list[str]()
        for name in names:
            for *row, note in _rows(store, name):
                table.add_row(*row)
                notes += [f"{' '.join(filter(None, row[:3]))}: {note}"] if note else []
    console.print(table)
    # Below it: beside the row they would break the table on a terminal of 80 columns.
    for note in notes:
        click.echo(note)


def _rows(store: Store, flow: str) -> Iterator[Sequence[str]]:
    live, moves = store.live_versions()[flow].number, store.flow_moves()
    versions = store.flow_versions(flow)
    numbers = {version.digest: version.number for version in versions}
    calls = Counter(call.flow_version for call in store.open_calls(flow))
    for version in reversed(versions):
        is_live = version.number == live
        moved = numbers.get(moves.get(version.digest, ""))
        note = f"its calls go on with {moved}, where they can" if moved else ""
        yield (
            *(flow, str(version.number), "live" if is_live else "", f"{version.published_at:%Y-%m-%d %H:%M}Z"),
            *(version.published_by, str(calls[version.digest]), version.digest[:7], note),
        )
    if calls[""]:
        yield flow, "none", "", "", "", str(calls[""]), "", "begun by a program without versions"
    if live == WITHDRAWN:
        yield flow, "", "withdrawn", "", "", "", "", f"`{COMMAND} flows rollback {flow}` lets it answer again"


@flows.command(short_help="Say what has changed, between versions or in the file.")
@click.argument("flow", required=False)
@click.argument("numbers", nargs=-1, type=click.IntRange(min=1), metavar="[OLD [NEW]]")
def diff(flow: str | None, numbers: tuple[int, ...]) -> None:
    """Say what has changed in FLOW: steps, what stands above them, and prompts, a line each.

    \b
    diff pay-a-bill        from the live version to the file in flows/: what `publish` would change
    diff pay-a-bill 2      from version 2 to the live one
    diff pay-a-bill 2 3    from version 2 to version 3
    """
    if len(numbers) > 2:
        raise click.UsageError("at most two versions: the old one and the new one")
    settings = load_settings()
    with opened(settings) as store:
        if flow is None:
            published = ", ".join(store.published_flows())
            raise click.UsageError(
                f"which flow? Published are {published}" if published else "no flow was ever published"
            )
        live = required_live(live_version(store, known_flow(store, flow)), flow)
        old = numbered_version(store, flow, numbers[0]) if numbers else live
        if numbers:
            new = numbered_version(store, flow, numbers[1]) if len(numbers) == 2 else live
            after, name = stored_content_of(new), str(new.number)
        else:
            after, name = _in_folder(settings, flow), WORKING_COPY
    click.echo(f"{flow}: version {old.number} -> {name}")
    for line in differences(stored_content_of(old), after):
        click.echo(line)


def _in_folder(settings: Settings, flow: str) -> Content:
    found = read_folder(settings.flows, sorted(settings.flows.glob("*.yaml")))
    content = contents_of(found).get(flow)
    if content is None:
        raise ConfigError(
            f"no file in {settings.flows} has a flow '{flow}' without problems: `{COMMAND} check` tells them"
        )
    return content
