"""`web` and `console`: the two listeners, one for the world's webhooks and one for this machine."""

import click

from ivr.settings import Settings, load_settings
from ivr.web import Limits, Site, serve

CONSOLE_THREADS = 4


@click.command()
def web() -> None:
    """Answer Twilio's webhooks on HOST and PORT; a proxy in front of it speaks TLS (deploy/)."""
    serve(public_site(load_settings()))


@click.command()
def console() -> None:
    """Show the page and the metrics on CONSOLE_HOST and CONSOLE_PORT: for this machine, behind no proxy."""
    serve(console_site(load_settings()))


def public_site(settings: Settings) -> Site:
    limits = Limits(settings.web_read_s)
    return Site(
        "ivr.app:create_app", settings.host, settings.port, "PORT", settings.web_workers, settings.web_threads, limits
    )


def console_site(settings: Settings) -> Site:
    where = (settings.console_host, settings.console_port)
    return Site("ivr.app:create_console", *where, "CONSOLE_PORT", 1, CONSOLE_THREADS, Limits(settings.web_read_s))
