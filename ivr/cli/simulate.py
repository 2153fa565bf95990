"""`simulate`: a call from the terminal, in-process or through the running product's signed webhooks."""

from pathlib import Path

import click
from rich.console import Console

from ivr.channels.simulator import Line, Signature, ViaLine, converse, twilio_client
from ivr.settings import load_settings

console = Console(highlight=False)


@click.command()
@click.argument("flow", type=click.Path(path_type=Path), default=Path("flows/pay-a-bill.yaml"))
@click.option("--via", metavar="URL", help="Call the running product at this address, by signed webhooks.")
@click.option("--from", "ani", default="+15550100", show_default=True, help="The caller's number (ANI).")
@click.option("--keys", help="Press these instead of asking: entries separated by spaces, '-' is silence.")
def simulate(flow: Path, via: str | None, ani: str, keys: str | None) -> None:
    """Call a flow: read what is said, type keys.

    \b
    Without a server:          python -m ivr simulate flows/pay-a-bill.yaml
    Through the real product:  python -m ivr simulate --via http://127.0.0.1:8000
    A whole call at once:      python -m ivr simulate --keys "1 12345678 1 4111111111111111# 1230 123 94105 1 # "

    Account 12345678 owes 42.50. Use published test cards only; docs/bank.md says what each does.
    """
    line = via_line(via, flow.stem, ani) if via else local_line(flow, ani)
    entries = iter(keys.split()) if keys is not None else None

    def ask(prompt: str) -> str:
        if entries is None:
            return console.input(prompt)
        entry = next(entries, "h")
        return "" if entry == "-" else entry

    converse(line, console, ask)


def via_line(url: str, flow: str, ani: str) -> Line:
    settings = load_settings()
    public = settings.public_url.rstrip("/") or url.rstrip("/")
    return ViaLine(twilio_client(url), flow, Signature(settings.twilio_auth_token, public), ani)


def local_line(file: Path, ani: str) -> Line:
    from ivr.cli.workbench import workbench

    return workbench(file).dial(file.stem, ani)
