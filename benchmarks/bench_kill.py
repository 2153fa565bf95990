"""Processes killed with SIGKILL at every point of their work, again and again, and the books of all sides afterwards. `make bench-kill`.

The whole of it makes more than 10,000 kills. `python benchmarks/bench_kill.py --stride 5` kills at every fifth point, `--only sqlite`,
`--only adyen`, `--only forwarder` (any of the words in a cell) makes a part; `--workers 1` leaves a core to others. It fails where
anything was charged twice, lost, not told or not equal, or where a planted mistake was not found. `docs/money.md` says what is killed.
"""

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ivr.bank.dev_keys import make_development_keys
from tests.bank_process import BankKeys
from tests.kill.cells import Cell, Tally, long_cells, planted_cells, run_cell, workers


def main() -> None:
    wanted = read_arguments()
    cells = [*long_cells(wanted.stride), *planted_cells()]
    cells = [cell for cell in cells if all(word in dataclasses.astuple(cell) for word in wanted.only)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        keys = BankKeys(Path(name))
        make_development_keys(keys.keys, keys.bank)
        tallies = run_all(cells, Path(name), wanted.workers)
    show(tallies, time.monotonic() - began)
    sys.exit(1 if any(tally.is_clean == bool(tally.cell.planted) for tally in tallies) else 0)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stride", type=int, default=1, help="every so manieth point")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], help="a word of the cell; may be given several times")
    return parser.parse_args()


def run_all(cells: Sequence[Cell], keys: Path, most: int) -> list[Tally]:
    """In the order in which they end; after ctrl-c those that have ended. Each cell has a worker of its own, which is gone afterwards."""
    tallies: list[Tally] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    pool = ProcessPoolExecutor(most, mp_context=workers, max_tasks_per_child=1)
    with Progress(*columns, console=Console(stderr=True, width=150)) as progress, pool:
        task = progress.add_task("0 kills", total=len(cells))
        try:
            for done in as_completed([pool.submit(run_cell, cell, keys) for cell in cells]):
                tallies.append(done.result())
                progress.console.print(line_of(tallies[-1]))
                progress.update(task, advance=1, description=f"{sum(one.kills for one in tallies)} kills")
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tallies


def line_of(tally: Tally) -> str:
    wrong = ", ".join(f"{count} {name}" for name, count in tally.wrong.items())
    return f"{name_of(tally.cell)}: {tally.kills} kills in {tally.trials} calls, {tally.seconds:.0f} s: {wrong or 'nothing wrong'}"


def name_of(cell: Cell) -> str:
    planted = f", planted: {cell.planted}" if cell.planted else ""
    return f"{cell.store}, {cell.protocol} ({cell.kind}), {cell.process}, {cell.fate}{planted}"


def row_of(cell: Cell) -> tuple[str, str, str, str]:
    return cell.store, cell.protocol, cell.kind, cell.process


def show(tallies: Sequence[Tally], seconds: float) -> None:
    honest = [tally for tally in tallies if not tally.cell.planted]
    table = Table(
        "store", "bank", "kind", "process", "points", "calls", "kills", "charged", title="Killed with SIGKILL"
    )
    for name in WRONGS:
        table.add_column(name, justify="right")
    rows = sorted({row_of(tally.cell) for tally in honest})
    for row in rows:
        these = [tally for tally in honest if row_of(tally.cell) == row]
        counted = (sum(getattr(one, name) for one in these) for name in ("points", "trials", "kills", "charged"))
        wrong = (sum(one.wrong[name] for one in these) for name in WRONGS)
        table.add_row(*row, *map(str, (*counted, *wrong)))
    console = Console(width=150)
    console.print(table)
    totals = ", ".join(f"{sum(tally.wrong[name] for tally in honest)} {name}" for name in WRONGS)
    kills, calls = sum(tally.kills for tally in honest), sum(tally.trials for tally in honest)
    console.print(f"{kills} kills in {calls} calls: {totals}; {seconds / 60:.0f} minutes")
    for tally in tallies:
        if tally.cell.planted:
            found = ", ".join(f"{tally.wrong[name]} {name}" for name in WRONGS if tally.wrong[name]) or "NOT FOUND"
            console.print(f"planted, {tally.cell.planted} ({tally.cell.protocol}): {found} in {tally.trials} calls")
    for example in [one for tally in honest for one in tally.examples][:20]:
        console.print(example)


WRONGS = ("double", "lost", "untold", "unequal", "unheard")


if __name__ == "__main__":
    main()
