"""How long "where callers stop" takes over many stored calls: the query, what is made of it, and what noting a way costs."""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ivr.calls.assembly import load_flow
from ivr.core.moves import way_of
from ivr.flow.compiled import Flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.traffic import traffic_of
from ivr.flow.drawing.traffic_look import TrafficLook
from ivr.store import Store, migrate, open_store
from ivr.store.tables import call
from ivr.traces import SPANS, DropOff, begin_of
from tests.conversation.talk import Talk

console = Console()
FLOW = Path(__file__).resolve().parent.parent / "flows" / "pay-a-bill.yaml"
AT_ONCE = 10_000
DAYS = 60.0
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# As large as those of real calls of the sample flow.
STATE, ANSWER = "x" * 1500, "y" * 700


@click.command()
@click.option("--calls", "sizes", multiple=True, type=int, default=(10_000, 100_000, 1_000_000), show_default=True)
def main(sizes: tuple[int, ...]) -> None:
    """Prints milliseconds, the best of five, on a SQLite file."""
    table = Table(title=f"where callers stop, over calls of the last {DAYS:.0f} days (ms)")
    for column in ("calls", "ways", "today", "7 days", "30 days", "all", "tables and drawing"):
        table.add_column(column, justify="right")
    for size in sizes:
        table.add_row(f"{size:,}", *measured(size))
    console.print(table)
    ended = Talk().at_receipt().keys("#").call
    console.print(f"a call's way, once when it ends: {best(lambda: way_of(ended)) * 1000:.1f} us")


def measured(size: int) -> Iterator[str]:
    flow, _ = load_flow(FLOW)
    with tempfile.TemporaryDirectory() as folder:
        store = filled(Path(folder), size)
        taken = store.ways_taken(flow.name)
        yield str(len(taken.ways))
        for span in SPANS:
            since = begin_of(span, NOW)
            yield f"{best(lambda since=since: store.ways_taken(flow.name, since)):.1f}"  # type: ignore[misc]
        yield f"{best(lambda: drawn(flow, taken.ways)):.1f}"
        store.close()


def drawn(flow: Flow, ways: Sequence[tuple[str, int]]) -> None:
    traffic = traffic_of(flow, ways)
    shown = DropOff(flow.name, "all", traffic)
    assert shown.steps
    assert shown.ways
    svg(flow, look=TrafficLook(traffic))


def best(work: Callable[[], object]) -> float:
    """Milliseconds."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took) * 1000


def filled(folder: Path, size: int) -> Store:
    url = f"sqlite:///{folder}/calls.db"
    migrate(url)
    store, chance = open_store(url), random.Random(1)
    for first in range(0, size, AT_ONCE):
        rows = [a_row(number, size, chance) for number in range(first, min(first + AT_ONCE, size))]
        with store._database.money() as connection:
            connection.execute(insert(call), rows)
    return store


def a_row(number: int, size: int, chance: random.Random) -> dict[str, object]:
    at = int((NOW - timedelta(days=DAYS * number / size)).timestamp() * 1000)
    row = {"id": f"CA{number:032d}", "version": 12, "state": STATE, "answer": ANSWER, "flow": "pay-a-bill"}
    return row | {"is_over": True, "started_at": at, "updated_at": at + 80_000, "way": a_way(chance)}


def a_way(chance: random.Random) -> str:
    """Of some hundred different ones, as callers go wrong in many places."""
    moves = ["- began", *["account not_found"] * chance.choice((0, 0, 0, 1, 2))]
    if chance.random() < 0.1:
        return " ".join([*moves, "account hung_up"])
    moves.append("account found")
    moves += ["amount key_1"] if chance.random() < 0.7 else ["amount key_2", "other_amount ok"]
    for _ in range(chance.choice((0, 0, 0, 1, 2, 3))):
        moves += ["card ok", "charge declined"]
    ending = chance.choice(("card hung_up", "card gave_up send_link end", "card cancelled goodbye_unpaid end"))
    if chance.random() < 0.2:
        return " ".join([*moves, ending])
    return " ".join([*moves, "card ok", "charge approved", chance.choice(("receipt end", "receipt hung_up"))])


if __name__ == "__main__":
    main()
