"""`twilio`: a call to anybody's TwiML application, as Twilio would make it; what Twilio would not take is told."""

import sys

import click
from rich.console import Console
from rich.markup import escape

from ivr.channels.simulator import converse
from ivr.cli.simulate import scripted, typed
from ivr.testing.twilio import TwimlError
from ivr.testing.twilio.application import DEVELOPMENT_TOKEN, call_application

console = Console(highlight=False)


@click.command()
@click.argument("url")
@click.option(
    "--auth-token", envvar="TWILIO_AUTH_TOKEN", default=DEVELOPMENT_TOKEN, help="What the application checks with."
)
@click.option("--public-url", default="", help="The address that the application believes it has, if not URL's.")
@click.option("--status-callback", default="", metavar="URL", help="Told when the call is over.")
@click.option("--from", "ani", default="+15550100", show_default=True, help="The caller's number.")
@click.option("--keys", help="Press these instead of asking: entries separated by spaces, '-' is silence.")
@click.option(
    "--again", is_flag=True, help="Deliver every webhook twice, as after a time-out: answers must be the same."
)
def twilio(
    url: str, auth_token: str, public_url: str, status_callback: str, ani: str, keys: str | None, again: bool
) -> None:
    """Call the TwiML application at URL by signed webhooks: nothing of Twilio's is reached.

    It does Gather, Say, Play, Pay, Redirect, Pause and Hangup. An answer that is no right TwiML (unknown verbs and attributes,
    nesting, values, limits) ends the call with every mistake and its line; the exit code is 1.
    """
    call = call_application(url, auth_token=auth_token, public_url=public_url, status_callback=status_callback, ani=ani)
    call.delivers_twice = again
    try:
        converse(call, console, scripted(keys) if keys is not None else typed)
    except TwimlError as error:
        console.print(f"[red]not the TwiML that Twilio takes:[/]\n{escape(str(error))}", markup=True)
        sys.exit(1)
