"""The command line: each command is thin over the package that does the work; wrong input exits with one clear line.

Public is `main` alone.
"""

import os
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

import ivr
from ivr import loading
from ivr.errors import IvrError, RecordError
from ivr.extras import needs_extra
from ivr.places import COMMAND, MERCHANT_VARIABLE

# name -> (module, attribute, one line of help): modules are loaded when wanted, so that `check` starts in a moment.
COMMANDS = {
    "init": ("ivr.cli.init", "init", "Make a project of your own: flow, prompts, accounts, bank, call tests."),
    "merchant": ("ivr.cli.merchants", "merchant", "Several merchants in one installation: add, list, remove."),
    "up": ("ivr.cli.up", "up", "Start the whole line on this machine (what `make run` does)."),
    "cluster": ("ivr.cli.cluster", "cluster", "Start several nodes of each kind over PostgreSQL, with fronts."),
    "simulate": ("ivr.cli.simulate", "simulate", "Call a flow from the terminal, with or without a server."),
    "replay": ("ivr.cli.replay", "replay", "Stored calls through a changed flow: which end otherwise."),
    "save": ("ivr.cli.save", "save", "Write a call on record as a call file: a test of it."),
    "load": ("ivr.cli.load", "load", "Place many calls at once against a running line, with a table of latencies."),
    "twilio": (
        "ivr.cli.offline_twilio",
        "twilio",
        "Call any TwiML application as Twilio would, offline, and check it.",
    ),
    "check": ("ivr.cli.check", "check", "Say every problem in flows and prompts at once."),
    "flows": ("ivr.cli.versions", "flows", "Publish flows, list their versions, go back to one, move calls."),
    "diagram": ("ivr.cli.flows", "diagram", "Draw a flow as Mermaid or SVG."),
    "schema": ("ivr.cli.flows", "schema", "Write the JSON schema that lets editors complete flows."),
    "prompts": ("ivr.voice.cli", "prompts", "Render prompts to audio, list what is not recorded, listen."),
    "trunk": ("ivr.cli.trunk", "trunk", "Answer SIP calls (one process), showing calls live on a terminal."),
    "ring": ("ivr.cli.ring", "ring", "Ring a SIP address and press keys: try a trunk."),
    "accounts": ("ivr.cli.accounts", "accounts", "Import what accounts owe from a CSV file."),
    "notices": ("ivr.cli.notices", "notices", "What your own systems were told and have not taken: list, resend."),
    "payments": ("ivr.cli.payments", "payments", "Charges: list, show, refund, void, capture, settle."),
    "settle": ("ivr.cli.books", "settle", "What a day moved by our ledger, with totals, as a table or CSV."),
    "reconcile": ("ivr.cli.books", "reconcile_file", "Compare a bank's settlement file with our ledger."),
    "books": (
        "ivr.cli.book_accounts",
        "books",
        "What the accounts come to: banks, bills, callers; whether they are true.",
    ),
    "audit": ("ivr.cli.audit", "audit", "Who did what: show it, see whether it is whole, sign where it ends."),
    "cards": ("ivr.cli.cards", "cards", "Cards that banks keep for accounts: list, forget."),
    "data": ("ivr.cli.data", "data", "What is kept of people: how long, of whom; the keys of their numbers."),
    "agreements": (
        "ivr.cli.agreements",
        "agreements",
        "Promises, plans and mandates that callers agreed to: list, show.",
    ),
    "web": ("ivr.cli.web", "web", "Answer Twilio's webhooks (the Procfile's web process)."),
    "console": ("ivr.cli.web", "console", "Show the page and the metrics to this machine."),
    "portal": ("ivr.cli.portal", "portal", "Serve the pages that people sign in to: payments, refunds, totals."),
    "user": ("ivr.cli.portal", "user", "People who sign in to the portal: invite, reset, list, switch off."),
    "token": ("ivr.cli.tokens", "token", "Tokens of the portal's API: make, list, revoke."),
    "alerts": ("ivr.cli.alerts", "alerts", "What is wrong with the line, and who is told of it."),
    "forwarder": ("ivr.cli.forwarder", "forwarder", "Take payments to the banks (the Procfile's forwarder process)."),
    "bank": ("ivr.cli.bank", "bank", "Run the bank simulator; check a bank before it is used."),
    "keys": ("ivr.cli.keys", "keys", "Every key, certificate and secret of the line: list, plan, add, rotate."),
    "evidence": (
        "ivr.cli.evidence",
        "evidence",
        "One archive of some days: audit trail, calls, flows, settings; or check one.",
    ),
    "drill": ("ivr.cli.drill", "drill", "Play an incident on a line that is none, and score what you do about it."),
    "recordings": ("dsp.cli", "main", "Find keys in recordings, mask them, draw them (also `python -m dsp`)."),
    "completion": ("ivr.cli.completion", "completion", "Let bash, zsh or fish complete the commands."),
    "limits": ("ivr.cli.limits", "limits", "Show failed attempts to pay, and let somebody try again."),
    "stop": ("ivr.cli.stops", "stop", "Take no cards: of the whole line, a flow or a bank; at once."),
    "start": ("ivr.cli.stops", "start", "Take cards again where `stop` had stopped it."),
    "message": ("ivr.cli.message", "message", "Let every new call hear a message first, at once."),
    "set-up": ("ivr.cli.up", "set_up", "Make keys and database, and stop there."),
}


MERCHANT_OPTION = "--merchant"
COMPLETE_VARIABLE = "_TONETILL_COMPLETE"  # click's name for it, for a command called tonetill


class LazyGroup(click.Group):
    """Knows every command's one line of help without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        try:
            command: click.Command = getattr(loading.load(module), attribute)
        except ModuleNotFoundError as error:
            raise needs_extra(error, cmd_name) or error from None
        return as_typed_here(command)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands by their lines in the table, without importing them: a Tab must be answered at once."""
        own = [
            CompletionItem(name, help=line) for name, (_, _, line) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return own + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


def as_typed_here(command: click.Command) -> click.Command:
    """Help is written for a clone; an installed product is called by its name."""
    command.help = (command.help or "").replace("python -m ivr ", f"{COMMAND} ")
    for inner in getattr(command, "commands", {}).values():
        as_typed_here(inner)
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ivr.__version__, prog_name="tonetill")
@click.option(
    MERCHANT_OPTION,
    metavar="NAME",
    envvar=MERCHANT_VARIABLE,
    help="Whose line is meant, of several merchants (merchants.yaml).",
)
def cli(merchant: str | None) -> None:
    """Tonetill takes card payments over the phone, by keypad, with no human in the path.

    \b
    Try a call without any server:   python -m ivr simulate
    Make a project of your own:      python -m ivr init my-line
    Start everything in it:          python -m ivr up
    Check what you have written:     python -m ivr check
    """


def main(arguments: list[str] | None = None) -> Any:
    """Errors that someone can cure are one line, not a traceback."""
    arguments, merchant = without_merchant(sys.argv[1:] if arguments is None else arguments)
    before = os.environ.get(MERCHANT_VARIABLE)
    if merchant is not None:
        os.environ[MERCHANT_VARIABLE] = merchant  # so that every module and process that this command needs finds it
    try:
        return as_typed_here(cli).main(arguments, prog_name=COMMAND, complete_var=COMPLETE_VARIABLE)
    except IvrError as error:
        # Of what is on record the message says all: "record error" would be a name of ours.
        at_fault = "" if isinstance(error, RecordError) else f"{type(error).__name__.removesuffix('Error').lower()} "
        click.echo(f"{at_fault}error: {error}", err=True)
        sys.exit(2)
    finally:
        if merchant is not None:
            os.environ.pop(MERCHANT_VARIABLE)
            os.environ.update({MERCHANT_VARIABLE: before} if before is not None else {})


def without_merchant(arguments: list[str]) -> tuple[list[str], str | None]:
    """`--merchant NAME` is taken before and after a command, for every command. What is after `--` is not looked at."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest, merchant, at = [], None, 0
    while at < end:
        one = arguments[at]
        if one == MERCHANT_OPTION and at + 1 < end:
            merchant, at = arguments[at + 1], at + 1
        elif one.startswith(f"{MERCHANT_OPTION}="):
            merchant = one.partition("=")[2]
        else:
            rest.append(one)
        at += 1
    return [*rest, *arguments[end:]], merchant
