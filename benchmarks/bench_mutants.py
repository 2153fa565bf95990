"""Mistakes seeded into money code, one at a time, and which of the tests that look for any mistake finds each. `make bench-mutants`.

In a copy of the tree each patch of `tests/mutants` is put in, and the finders are asked, until one fails: that which has found it before,
then the cheapest first: the property tests of double entry, doubled webhooks, the promises of banks, the street of random callers, the simulation, the kill
test; at last the ordinary tests that the patch names. It fails where a mutant survives, and where a patch no longer applies.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.mutants.finders import BY_NAME, FINDERS, UNIT, Finder, Found, find, stop
from tests.mutants.patches import Mutant, PatchFailed, applied, copy_tree, named, read_mutants

SURVIVED = "NOTHING"


def main() -> None:
    wanted = read_arguments()
    try:
        mutants = named(read_mutants(), wanted.only)
        if wanted.list:
            show_list(mutants)
            return
        finders = [BY_NAME[name] for name in wanted.finder] or list(FINDERS)
        found = run_all(mutants, finders, wanted.workers, in_order=wanted.in_order)
    except PatchFailed as error:
        sys.exit(str(error))
    show(found)
    sys.exit(1 if len(found) < len(mutants) or any(not one.finder for one in found) else 0)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--only", action="append", default=[], help="a word of the mutant's name; may be given several times"
    )
    parser.add_argument("--list", action="store_true", help="the mutants and what is wrong with each; nothing is run")
    parser.add_argument(
        "--finder",
        action="append",
        default=[],
        choices=list(BY_NAME),
        help="ask this one alone; may be given several times",
    )
    parser.add_argument("--in-order", action="store_true", help="the cheapest first, whatever has found it before")
    parser.add_argument("--workers", type=int, default=1, help="mutants at once, each in a copy of its own")
    return parser.parse_args()


def run_all(mutants: Sequence[Mutant], finders: Sequence[Finder], workers: int, *, in_order: bool) -> list[Found]:
    """By name; after ctrl-c those that have been found by then."""
    found: list[Found] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with (
        tempfile.TemporaryDirectory(prefix="tonetill-mutants-") as name,
        Progress(*columns, console=Console(stderr=True, width=150)) as progress,
    ):
        trees = SimpleQueue[Path]()
        for number in range(workers):
            trees.put(tree := Path(name) / str(number))
            tree.mkdir()
            copy_tree(tree)
        for mutant in mutants:  # said before an hour has gone
            with applied(mutant, tree):
                pass
        task = progress.add_task("copied", total=len(mutants))

        def one(mutant: Mutant) -> Found:
            tree = trees.get()
            try:
                progress.update(task, description=mutant.name)
                return find(mutant, tree, finders, in_order=in_order)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(workers) as pool:
            try:
                for done in as_completed([pool.submit(one, mutant) for mutant in mutants]):
                    found.append(done.result())
                    progress.console.print(line_of(found[-1]), highlight=False)
                    progress.advance(task)
            except KeyboardInterrupt:
                progress.console.print("stopped")
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                stop()
    return sorted(found, key=lambda one: one.mutant.name)


def line_of(found: Found) -> str:
    return f"{found.mutant.name}: {found.finder or SURVIVED} {found.test}, {found.seconds:.0f} s"


def show_list(mutants: Sequence[Mutant]) -> None:
    table = Table("mutant", "in", "what is wrong")
    for one in mutants:
        table.add_row(one.name, " ".join(one.files), one.reason)
    Console(width=150).print(table)


def show(found: Sequence[Found]) -> None:
    table = Table("mutant", "found by", "its test", "seconds", title="Mistakes in money code")
    for one in found:
        table.add_row(one.mutant.name, one.finder or SURVIVED, one.test, f"{one.seconds:.0f}")
    console = Console(width=150)
    console.print(table)
    by = Counter(one.finder for one in found)
    sums = ", ".join(f"{by[name]} by {name}" for name in (*BY_NAME, UNIT) if by[name])
    console.print(f"{len(found)} mutants, {len(found) - by['']} found: {sums or 'none'}")
    for one in found:
        if not one.finder:
            console.print(f"survives: {one.mutant.name}: {one.mutant.reason}")


if __name__ == "__main__":
    main()
