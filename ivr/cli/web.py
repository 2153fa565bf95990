"""`web` and `console`: the two listeners, one for the world's webhooks and one for this machine."""

import click

from ivr.settings import Settings, load_settings
from ivr.web import ConnectionLimits, Site, serve

CONSOLE_THREADS = 4


@click.command()
def web() -> None:
    """Answer Twilio's webhooks on HOST and PORT; a proxy in front of it speaks TLS (deploy/)."""
    serve(public_site(load_settings()))


@click.command()
def console() -> None:
    """Show the page with its phone, and the metrics, on CONSOLE_HOST and CONSOLE_PORT: for this machine, behind no proxy."""
    serve(console_site(load_settings()))


def public_site(settings: Settings) -> Site:
    limits = ConnectionLimits(settings.web_read_s)
    return Site(
        "ivr.app:create_app", settings.host, settings.port, "PORT", settings.web_workers, settings.web_threads, limits
    )


def console_site(settings: Settings) -> Site:
    where = (settings.console_host, settings.console_port)
    limits = ConnectionLimits(settings.web_read_s)
    return Site("ivr.app:create_console_and_phone", *where, "CONSOLE_PORT", 1, CONSOLE_THREADS, limits, sockets=True)
