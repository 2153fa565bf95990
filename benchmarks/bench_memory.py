"""What stays in the web process's memory after whole calls by webhooks: ours beside granian, both with freed memory wiped.

Every call has a card and a security code of its own. The process is read from outside, twice: at once, and later.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bench_slow_clients import GRANIAN
from ivr.bank.dev_keys import make_development_keys
from ivr.web import WIPED_MEMORY
from tests.bank_process import BankKeys
from tests.web.process_memory import card_number, left_in
from tests.web.servers import WEB, pay, running

console = Console()


@click.command()
@click.option("--calls", default=200, show_default=True)
@click.option("--later", default=60.0, show_default=True, help="Seconds until the second reading.")
def main(calls: int, later: float) -> None:
    """Prints how many whole card numbers, and forms with a security code, are found. Needs root, and Linux."""
    table = Table(title=f"left in the web processes after {calls} paid calls")
    for column in ("server", "card numbers at once", "forms with a code", f"{later:.0f} s later", "forms with a code"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for name, command in (("ours", WEB), ("granian", (*GRANIAN, "--http", "1"))):
        table.add_row(name, *(str(count) for count in measure(command, calls, later)))
    console.print(table)


def measure(command: Sequence[str], calls: int, later: float) -> list[int]:
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        make_development_keys(var / "keys", var / "bank")
        with running(
            var, BankKeys(var), command, **{name.lower(): word for name, word in WIPED_MEMORY.items()}
        ) as server:
            pans = [card_number(number) for number in range(calls)]
            for number, pan in enumerate(track(pans, description="calls", console=console)):
                pay(server.call(number), str(20_000_000 + number), pan, cvv2=f"{100 + number}")
            found = []
            for wait in (0.0, later):
                time.sleep(wait)
                left = left_in(family(server.process.pid), pans)
                found += [left.pans, left.code_forms]
            return found


def family(pid: int) -> list[psutil.Process]:
    """The supervisor and its workers."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


if __name__ == "__main__":
    main()
