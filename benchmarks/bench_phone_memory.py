"""What stays in the console's process after calls from the phone on its page: card numbers, and tones of keys.

Every call has a card of its own; half of them send keys as tones, half as events. The process is read from outside, twice:
at once, and later. The whole product runs, as `make run` starts it.
"""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table
from websockets.sync.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dsp import g711, tones
from tests.channels.browser.products import Product, running
from tests.web.process_memory import card_number, left_in, writable

console = Console()
FRAME = 160
CODE = "739"


@click.command()
@click.option("--calls", default=50, show_default=True)
@click.option("--later", default=60.0, show_default=True, help="Seconds until the second reading.")
def main(calls: int, later: float) -> None:
    """Prints how many whole card numbers are found, and frames of the tones of keys. Needs root, and Linux."""
    table = Table(title=f"left in the console's process after {calls} calls from its page")
    for column in ("read", "card numbers", "frames of tones, of those sent"):
        table.add_column(column, justify="left" if column == "read" else "right")
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        accounts = [str(20_000_000 + number) for number in range(calls + 1)]
        rows = [f"{account},42.50,10.00,USD" for account in accounts]
        (var / "accounts.csv").write_text("\n".join(["account,due,minimum,currency", *rows, ""]), encoding="utf-8")
        with running(var, ACCOUNTS=str(var / "accounts.csv")) as product:
            pans = [card_number(number) for number in range(calls)]
            frames: set[bytes] = set()
            for number, pan in enumerate(track(pans, description="calls", console=console)):
                frames |= pay(product, number, accounts[number], pan, as_tones=number % 2 == 0)
            processes = console_of(product)
            table.add_row("in the middle of one's entry", found_in_the_middle(product, accounts[-1], processes), "")
            for name, wait in (("at once", 0.0), (f"{later:.0f} s later", later)):
                time.sleep(wait)
                found = left_in(processes, pans).pans
                table.add_row(name, f"{found} of {calls}", f"{left_of(frames, processes)} of {len(frames)}")
    console.print(table)


def pay(product: Product, number: int, account: str, pan: str, *, as_tones: bool) -> set[bytes]:
    """One call, until the bank is asked and has answered. The frames that carried tones."""
    answers = {
        "language": "1",
        "account_number": f"{account}#",
        "menu": "1",
        "card_number": f"{pan}#",
        "expiry": "1230",
        "security_code": CODE,
        "postal_code": "94105",
        "confirm": "1",
    }
    sent: set[bytes] = set()
    host = product.page.removeprefix("http://")
    with connect(f"ws://{host}/phone", origin=product.page, proxy=None) as socket:  # type: ignore[arg-type]
        socket.send(json.dumps({"do": "call", "flow": "pay-a-bill", "ani": f"+1202555{number:04d}"}))
        for message in map(json.loads, (one for one in socket if isinstance(one, str))):
            if message["is"] != "asks":
                continue
            keys = answers.pop(message["field"], None)
            if keys is None:
                socket.send(json.dumps({"do": "hang_up"}))
            elif as_tones:
                sent |= send_tones(socket, keys)
            else:
                for key in keys:
                    socket.send(json.dumps({"do": "key", "key": key}))
    return sent


def send_tones(socket: ClientConnection, keys: str) -> set[bytes]:
    codes = g711.encode(np.concatenate([tones.dtmf(keys), np.zeros(800, np.int16)]), "ulaw").tobytes()
    frames = [codes[start : start + FRAME] for start in range(0, len(codes) - FRAME + 1, FRAME)]
    for frame in frames:
        socket.send(frame)
        time.sleep(0.01)
    return {frame for frame in frames if len(set(frame)) > 2}


def found_in_the_middle(product: Product, account: str, processes: Sequence[psutil.Process]) -> str:
    """That the reading finds what is there: a number that is being keyed in and is not over yet."""
    pan = card_number(999_999)
    host = product.page.removeprefix("http://")
    with connect(f"ws://{host}/phone", origin=product.page, proxy=None) as socket:  # type: ignore[arg-type]
        socket.send(json.dumps({"do": "call", "flow": "pay-a-bill", "ani": "+12025559999"}))
        answers = {"language": "1", "account_number": f"{account}#", "menu": "1", "card_number": pan[:-1]}
        for message in map(json.loads, (one for one in socket if isinstance(one, str))):
            if message["is"] == "asks":
                for key in answers.pop(message["field"]):
                    socket.send(json.dumps({"do": "key", "key": key}))
            if not answers and message["is"] == "heard":
                break
        time.sleep(1.0)  # the last keys are on their way; the entry is not over for five seconds more
        found = any(pan[:-1].encode() in block for one in processes for block in writable(one.pid))
    return f"{int(found)} of 1"


def console_of(product: Product) -> list[psutil.Process]:
    """The processes that answer the page: those that hold its port."""
    port, found = int(product.page.rpartition(":")[2]), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            listening = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
            found += [process] if any(one.laddr.port == port for one in listening) else []
    return found


def left_of(frames: Iterable[bytes], processes: Iterable[psutil.Process]) -> int:
    wanted = set(frames)
    seen: set[bytes] = set()
    for process in processes:
        for block in writable(process.pid):
            seen |= {frame for frame in wanted - seen if frame in block}
    return len(seen)


if __name__ == "__main__":
    main()
