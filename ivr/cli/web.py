"""`web` and `console`: the two listeners, one for the world's webhooks and one for this machine."""

import os
from dataclasses import replace

import click

from ivr.installation import installation_here
from ivr.places import MERCHANT_VARIABLE
from ivr.settings import Settings, load_settings
from ivr.web import ConnectionLimits, Site, serve

CONSOLE_THREADS = 4


@click.command()
def web() -> None:
    """Answer Twilio's webhooks on HOST and PORT; a proxy in front of it speaks TLS (deploy/)."""
    if (found := installation_here()) is not None:
        serve(public_site(found.shared, "ivr.mounting:create_web"))
        return
    serve(public_site(load_settings()))


@click.command()
def console() -> None:
    """Show the page with its phone, and the metrics, on CONSOLE_HOST and CONSOLE_PORT: for this machine, behind no proxy.

    In an installation of several merchants: what all of them count; with --merchant, that one's page.
    """
    if (found := installation_here()) is not None and not os.environ.get(MERCHANT_VARIABLE):
        serve(
            replace(console_site(found.shared), application="ivr.mounting:create_installation_console", sockets=False)
        )
        return
    serve(console_site(load_settings()))


def public_site(settings: Settings, application: str = "ivr.app:create_app") -> Site:
    limits = ConnectionLimits(settings.web_read_s)
    return Site(application, settings.host, settings.port, "PORT", settings.web_workers, settings.web_threads, limits)


def console_site(settings: Settings) -> Site:
    where = (settings.console_host, settings.console_port)
    limits = ConnectionLimits(settings.web_read_s)
    return Site("ivr.app:create_console_and_phone", *where, "CONSOLE_PORT", 1, CONSOLE_THREADS, limits, sockets=True)
