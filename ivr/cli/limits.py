"""`limits`: who has failed to pay how often, and letting them try again; what counts is decided in `ivr.store.limits`."""

from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table

from ivr.calls.assembly import read_secret
from ivr.calls.guessing import account_hash
from ivr.cli.payment_session import operator
from ivr.core.caller import caller_key
from ivr.errors import ConfigError
from ivr.settings import load_settings
from ivr.store import Attempter, Guess, hash_of_caller, open_store

LONGEST_SHOWN = 40
BILLING = "billing.find_bill"
console = Console(highlight=False)


@click.group()
def limits() -> None:
    """Failed attempts that count against a flow's limits. docs/flows.md says what counts."""


@limits.command()
@click.option("--hours", default=24, show_default=True, help="How far back to look.")
def show(hours: int) -> None:
    """List what counts now, most first."""
    store = open_store(load_settings().database_url)
    since = datetime.now(UTC) - timedelta(hours=hours)
    counted = [*store.counted_attempts(since), *store.counted_guesses(since)]
    table = Table("what", "whom", "failed", "latest", "a call of them", box=None)
    for one in counted:
        latest = datetime.fromtimestamp(one.latest_ms / 1000, UTC)
        table.add_row(one.what, one.whom[:LONGEST_SHOWN], str(one.count), f"{latest:%Y-%m-%d %H:%M:%S}Z", one.call)
    console.print(table if counted else f"no failed attempt in the last {hours} hours")


@limits.command()
@click.option("--caller", default="", metavar="NUMBER", help="A telephone number, however it is written.")
@click.option("--account", default="", metavar="KEY", help="What is paid for: an account, a ticket.")
@click.option("--call", default="", metavar="ID", help="A call's attempts, and all of the cards that were used in it.")
@click.option("--line", default="", metavar="LINE", help="Callers without a number, on a line as `show` writes it.")
@click.option("--all", "everybody", is_flag=True, help="Everybody.")
def reset(caller: str, account: str, call: str, line: str, everybody: bool) -> None:
    """Let somebody try again: the attempts until now count no more."""
    if not everybody and not any((caller, account, call, line)):
        raise click.UsageError("whose? --caller, --account, --call, --line or --all")
    if caller and not caller_key(caller):
        raise ConfigError("--caller: that is how a withheld number is written; use --line")
    settings = load_settings()
    key = read_secret(settings.var / "keys" / "fingerprint.key") if caller or account else b""
    ani_hash = hash_of_caller(key, caller) if caller else ""
    attempter = Attempter(call, ani_hash, "", BILLING, account, line)
    guess = Guess("", call, account_hash(key, account) if account else "", ani_hash)
    store = open_store(settings.database_url)
    count = store.reset_limits(None if everybody else attempter) + store.reset_guesses(None if everybody else guess)
    store.note(operator(), "limits reset", audited(caller, account, call, line), datetime.now(UTC))
    console.print(f"{count} {'attempt counts' if count == 1 else 'attempts count'} no more")


def audited(caller: str, account: str, call: str, line: str) -> str:
    """For the audit trail: of what a caller keyed in, and of telephone numbers, the last four digits only."""
    named = {"caller": caller and f"...{caller[-4:]}", "account": account and f"...{account[-4:]}"}
    named |= {"call": call, "line": line}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value)[:200] or "everybody"
