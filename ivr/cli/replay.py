"""`replay`: stored calls through a changed flow; each that now ends otherwise is named."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ivr.calls.assembly import load_flow
from ivr.calls.number_keys import number_seals
from ivr.cli.exploring import progress_bar
from ivr.cli.flow_choice import chosen_flow, flow_file
from ivr.cli.jobs import jobs_option
from ivr.settings import load_settings
from ivr.store import open_store
from ivr.testing.replay import EndsOtherwise, can_replay
from ivr.testing.replay_pieces import replay_in_pieces

console = Console(highlight=False)
MOST_SHOWN = 50


@click.command()
@click.argument("flow", type=click.Path(path_type=Path), default=chosen_flow)
@click.option("--calls", type=click.IntRange(1), default=10_000, show_default=True, help="The latest so many.")
@jobs_option("Processes.")
def replay(flow: Path, calls: int, jobs: int) -> None:
    """Go through stored calls again with FLOW as it is now, and name each that ends otherwise. Nothing is charged or sent.

    Card numbers, codes and account numbers are not stored: cards as good as those there were stand in for them, and what was
    looked up is answered as it was. The exit code is 1 where a call ends otherwise.
    """
    file = flow_file(flow)
    compiled, _ = load_flow(file)
    settings = load_settings()
    store = open_store(settings.database_url, numbers=number_seals(settings))
    stored = list(store.ended_calls(compiled.name, calls))
    whole = [call for call in stored if can_replay(compiled, call)]
    otherwise: list[EndsOtherwise] = []
    with progress_bar() as bar:
        task = bar.add_task(f"replaying {compiled.name}", total=len(whole))
        for answers in replay_in_pieces(compiled, file, whole, jobs):
            otherwise += filter(None, answers)
            bar.advance(task, len(answers))
    tell(compiled.name, len(whole), len(stored) - len(whole), otherwise)
    sys.exit(1 if otherwise else 0)


def tell(flow: str, replayed: int, left_out: int, otherwise: list[EndsOtherwise]) -> None:
    aside = f"; {left_out} are left out: they were stored without a history, or were too long" if left_out else ""
    console.print(f"{flow}: {replayed} calls replayed, {len(otherwise)} end otherwise{aside}")
    if not otherwise:
        return
    table = Table("call", "ended", "ends now", box=None, pad_edge=False)
    for one in otherwise[:MOST_SHOWN]:
        table.add_row(one.call, str(one.before), str(one.now))
    console.print(table)
    if len(otherwise) > MOST_SHOWN:
        console.print(f"and {len(otherwise) - MOST_SHOWN} more")
