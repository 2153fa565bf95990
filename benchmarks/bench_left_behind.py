"""What a thousand calls leave behind: every process's memory, the database, its log and all files searched for card numbers.

Half of the calls come by webhooks, half by SIP, each with a card of its own; the product runs as `up` starts it. A number that is
planted must be found in every process, one in the database, and one that is just being keyed in at the trunk.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.web.left_behind import (
    MARKS,
    Product,
    all_pay_by_sip,
    in_the_middle,
    pays_by_webhooks,
    plant_on_disk,
    running,
)
from tests.web.process_memory import card_number
from tests.web.remains import Remains, Search

console = Console(width=120)
AT_ONCE = 12
COLUMNS = ("where", "processes", "numbers", "pieces of one", "forms with a code", "the planted one")


@click.command()
@click.option("--calls", default=1000, show_default=True)
@click.option("--later", default=30.0, show_default=True, help="Seconds until memory is read.")
def main(calls: int, later: float) -> None:
    """Prints what is found, by process. Needs root, and Linux."""
    half, plant, on_disk, middle = calls // 2, card_number(900_001), card_number(900_002), calls
    pans = [card_number(number) for number in range(calls)]
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), calls + 1, plant) as product:
        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            by_web = sum(pool.map(lambda number: pays_by_webhooks(product, number), range(half)))
        console.print(f"{by_web} calls by webhooks, {time.monotonic() - begun:.0f} s")
        by_sip = asyncio.run(all_pay_by_sip(product, range(half, calls), AT_ONCE))
        console.print(f"{by_sip} paid calls by SIP, {time.monotonic() - begun:.0f} s")
        time.sleep(later)
        table = Table(*COLUMNS, title=f"left behind by {calls} calls, {later:.0f} s later")
        in_memory(table, product, pans, plant)
        search = Search([*pans, on_disk])
        table.add_row("all files", "", *row_of(search.in_files(product.var), set()), "")
        plant_on_disk(product, on_disk)
        found = search.in_files(product.var)
        table.add_row(
            "all files, one planted", "", str(found.whole), str(found.pieces.total()), str(found.codes), "found"
        )
        table.add_row(
            "trunk, one being keyed in", "", "", "yes" if asyncio.run(in_the_middle(product, middle)) else "NO"
        )
        console.print(table)


def in_memory(table: Table, product: Product, pans: list[str], plant: str) -> None:
    search = Search([*pans, plant])
    for kind in ("supervisor", *MARKS):
        processes = product.kinds().get(kind, [])
        remains = [search.in_process(process) for process in processes]
        planted = sum(plant in set().union(*found.numbers.values()) for found in remains)
        whole = sum_of(remains)
        forms = {form: len(numbers - {plant}) for found in remains for form, numbers in found.numbers.items()}
        told = ", ".join(f"{count} {form}" for form, count in forms.items() if count)
        table.add_row(kind, str(len(processes)), *row_of(whole, {plant}), f"in {planted} of {len(processes)}")
        if told or whole.pieces:
            console.print(f"{kind}: {told}; pieces {dict(whole.pieces)}")


def sum_of(remains: list[Remains]) -> Remains:
    whole = Remains(pieces=Counter())
    for found in remains:
        for form, numbers in found.numbers.items():
            whole.numbers.setdefault(form, set()).update(numbers)
        whole.pieces += found.pieces
        whole.codes += found.codes
    return whole


def row_of(found: Remains, without: set[str]) -> tuple[str, str, str]:
    numbers = set().union(*found.numbers.values()) - without
    return str(len(numbers)), str(found.pieces.total()), str(found.codes)


if __name__ == "__main__":
    main()
