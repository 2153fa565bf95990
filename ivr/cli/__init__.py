"""The command line: each command is thin over the package that does the work; wrong input exits with one clear line."""

import importlib
import sys
from typing import Any

import click

from ivr.errors import IvrError

# name -> (module, attribute, one line of help): modules are loaded when wanted, so that `check` starts in a moment.
COMMANDS = {
    "up": ("ivr.cli.up", "up", "Start the whole product on this machine (what `make run` does)."),
    "simulate": ("ivr.cli.simulate", "simulate", "Call a flow from the terminal, with or without a server."),
    "check": ("ivr.cli.flows", "check", "Say every problem in flows and prompts at once."),
    "diagram": ("ivr.cli.flows", "diagram", "Draw a flow as Mermaid or SVG."),
    "schema": ("ivr.cli.flows", "schema", "Write the JSON schema that lets editors complete flows."),
    "prompts": ("ivr.voice.cli", "prompts", "Render prompts to audio, list what is not recorded, listen."),
    "trunk": ("ivr.cli.trunk", "trunk", "Answer SIP calls (one process), showing calls live on a terminal."),
    "ring": ("ivr.cli.ring", "ring", "Ring a SIP address and press keys: try a trunk."),
    "web": ("ivr.cli.web", "web", "Answer Twilio's webhooks (the Procfile's web process)."),
    "console": ("ivr.cli.web", "console", "Show the page and the metrics to this machine."),
    "set-up": ("ivr.cli.up", "set_up", "Make keys and database, and stop there."),
}


class LazyGroup(click.Group):
    """Knows every command's one line of help without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Tonetill takes card payments over the phone, by keypad, with no human in the path.

    \b
    Try a call without any server:   python -m ivr simulate flows/pay-a-bill.yaml
    Start everything:                make run
    Check what you have written:     python -m ivr check flows/*.yaml
    """


def main(arguments: list[str] | None = None) -> Any:
    """Errors that someone can cure are one line, not a traceback."""
    try:
        return cli.main(arguments, prog_name="python -m ivr")
    except IvrError as error:
        click.echo(f"{type(error).__name__.removesuffix('Error').lower()} error: {error}", err=True)
        sys.exit(2)
