"""`portal` and `user`: the pages that people sign in to, and who they are."""

import json
import os
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table

from ivr.cli.payment_session import as_json, opened, operator
from ivr.errors import RecordError
from ivr.installation import installation_here
from ivr.places import COMMAND
from ivr.portal import MEANINGS, ROLES, create_portal, digest_of, new_secret, site_of
from ivr.settings import Settings, load_settings
from ivr.store import PortalInvitation
from ivr.web import ConnectionLimits, Site, serve

GOOD_HOURS = 72
LONGEST_NAME = 60
LONGEST_IDENTITY = 200
NICENESS = 10  # who clicks can wait for a moment; a caller at the web server of the same machine cannot
console = Console(width=120, highlight=False)


@click.command()
def portal() -> None:
    """Serve the portal on PORTAL_HOST and PORTAL_PORT; on a network, behind a proxy that speaks TLS (docs/portal.md)."""
    os.nice(NICENESS)
    if (found := installation_here()) is not None:
        for settings in found.merchants.values():
            click.echo(f"the portal of {settings.place.name} is at {site_of(settings).address}/")
        serve(portal_site(found.shared, "ivr.mounting:create_portals"))
        return
    settings = load_settings()
    create_portal(settings)  # what is wrong is said here, once, and not by each worker
    click.echo(
        f"the portal is at {site_of(settings).address}/ (`{COMMAND} user add NAME --role finance` invites somebody)"
    )
    serve(portal_site(settings, "ivr.cli.portal_phone:create_portal_and_phone", sockets=True))


def portal_site(settings: Settings, application: str, *, sockets: bool = False) -> Site:
    """`sockets`: where drafts can be called; with one worker, for they are called at the process that gave the ticket."""
    where = settings.portal_host, settings.portal_port, "PORTAL_PORT"
    return Site(application, *where, 1, settings.web_threads, ConnectionLimits(settings.web_read_s), sockets=sockets)


@click.group()
def user() -> None:
    """People who sign in to the portal.

    \b
    python -m ivr user add ada --role finance
    python -m ivr user reset ada
    python -m ivr user list

    An invitation is a link, good once. Whoever opens it chooses a passkey, or a password with codes of an authenticator app.
    """


role_option = click.option(
    "--role",
    required=True,
    type=click.Choice(ROLES),
    help="; ".join(f"{role}: {means}" for role, means in MEANINGS.items()),
)
hours_option = click.option(
    "--hours", type=click.IntRange(1, 24 * 14), default=GOOD_HOURS, show_default=True, help="How long the link is good."
)


@user.command()
@click.argument("name")
@role_option
@hours_option
def add(name: str, role: str, hours: int) -> None:
    """Invite somebody: prints the link to send them."""
    require_name(name)
    with opened() as (settings, store):
        link, invitation = new_invitation(hours)
        if not store.invite_user(name, role, invitation, operator(), now()):
            raise RecordError(f"there is a user {name} already: `{COMMAND} user reset {name}` makes a new link")
        tell_link(settings, name, link, hours)


@user.command()
@click.argument("name")
@hours_option
def reset(name: str, hours: int) -> None:
    """Forget what somebody signed in with, end their sessions, and invite them anew."""
    with opened() as (settings, store):
        link, invitation = new_invitation(hours)
        if not store.reset_user(name, invitation, operator(), now()):
            raise nobody(name)
        tell_link(settings, name, link, hours)


@user.command()
@click.argument("name")
@role_option
def role(name: str, role: str) -> None:
    """Give somebody another role; it holds from their next request on."""
    with opened() as (_, store):
        if not store.change_role(name, role, operator(), now()):
            raise nobody(name)
    click.echo(f"{name} is {role} now: {MEANINGS[role]}")  # type: ignore[index]


@user.command()
@click.argument("name")
@click.argument("identity", default="")
def identity(name: str, identity: str) -> None:
    """What the identity provider calls somebody, such as their e-mail, for single sign-on; without one, it is not for them."""
    known = identity.strip()
    if len(known) > LONGEST_IDENTITY or not known.isprintable():
        raise RecordError(f"an identity is one line of at most {LONGEST_IDENTITY} characters: ada@example.com")
    with opened() as (settings, store):
        known = known.lower() if settings.oidc_claim == "email" else known
        if not store.set_identity(name, known, operator(), now()):
            raise nobody(name) if store.portal_user(name) is None else RecordError(f"{known} is somebody else already")
    click.echo(f"{name} signs in as {known} there" if known else f"single sign-on is not for {name} any more")


@user.command()
@click.argument("name")
def off(name: str) -> None:
    """Let somebody sign in no more, and end their sessions at once. `reset` lets them in again."""
    with opened() as (_, store):
        if not store.switch_user_off(name, operator(), now()):
            raise nobody(name)
    click.echo(f"{name} cannot sign in any more, and their sessions have ended")


@user.command("list")
@as_json
def list_users(is_json: bool) -> None:
    """Everybody, with role and state."""
    with opened() as (_, store):
        found = store.portal_users()
    table = Table("name", "role", "signs in with", "state", "last seen (UTC)", box=None)
    for one in found:
        way = one.signs_in_with or "-"
        if is_json:
            click.echo(json.dumps({"name": one.name, "role": one.role, "state": one.state, "way": way}))
        table.add_row(one.name, one.role, way, one.state, f"{one.seen_at:%Y-%m-%d %H:%M}" if one.seen_at else "-")
    if not is_json:
        console.print(
            table if found else f"nobody yet: `{COMMAND} user add NAME --role operator` invites the first one"
        )


def require_name(name: str) -> None:
    if not (name.isascii() and name.replace("-", "").replace(".", "").isalnum() and len(name) <= LONGEST_NAME):
        raise RecordError(f"a name is of letters, digits, dots and hyphens, at most {LONGEST_NAME}: ada, or a.lovelace")
    if not any(map(str.isalpha, name)):
        raise RecordError("a name has at least one letter")


def new_invitation(hours: int) -> tuple[str, PortalInvitation]:
    link = new_secret()
    return link, PortalInvitation(digest_of(link), now() + timedelta(hours=hours))


def tell_link(settings: Settings, name: str, link: str, hours: int) -> None:
    click.echo(f"for {name} alone, good once and for {hours} hours (`{COMMAND} portal` must run):")
    click.echo(f"{site_of(settings).address}/invitations/{link}")


def nobody(name: str) -> RecordError:
    return RecordError(f"there is no user {name[:LONGEST_NAME]}: `{COMMAND} user list` shows who there is")


def now() -> datetime:
    return datetime.now(UTC)
