"""`token`: what programs send to the portal's API, each for one user, with a role and an end."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table

from ivr.cli.payment_session import as_json, opened, operator
from ivr.errors import RecordError
from ivr.places import COMMAND
from ivr.portal import ROLES, digest_of, is_within, new_token, site_of
from ivr.store import PortalToken

DAYS, MOST_DAYS = 90, 366
LONGEST_NAME = 60
console = Console(width=120, highlight=False)


@click.group()
def token() -> None:
    """Tokens of the portal's API (docs/api.md).

    \b
    python -m ivr token add nightly-books --for ada --role finance --days 90
    python -m ivr token list
    python -m ivr token revoke T1f2e3d4c

    A token acts for one user, and never may more than that user (ada is of finance here). It is shown once; kept is its SHA-256.
    """


@token.command()
@click.argument("name")
@click.option("--for", "user", required=True, metavar="USER", help="Whose it is: stands in the audit trail.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="The most that it may; no more than its user.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DAYS, show_default=True, help="How long it is good.")
def add(name: str, user: str, role: str, days: int) -> None:
    """Make one: it is printed here, and nowhere again."""
    if not (name.isprintable() and name.strip() and len(name) <= LONGEST_NAME):
        raise RecordError(f"a token's name is one line of at most {LONGEST_NAME} characters: what it is for")
    now = datetime.now(UTC)
    with opened() as (settings, store):
        owner = store.portal_user(user)
        if owner is None or owner.is_off:
            raise RecordError(f"there is no user {user[:LONGEST_NAME]} who may sign in: `{COMMAND} user list`")
        if not is_within(role, owner.role):
            raise RecordError(
                f"--role {role}: {user} is {owner.role}, and a token never may more than its user: choose --role {owner.role}, "
                f"or give them another role first (`{COMMAND} user role`)"
            )
        secret = new_token()
        made = PortalToken(f"T{secrets.token_hex(4)}", name, user, role, now, now + timedelta(days=days))
        if not store.add_token(made, digest_of(secret), operator(), now):
            raise RecordError(f"{user} was switched off meanwhile: no token was made")
        click.echo(f"{made.id}, for {user} as {role}, until {made.until:%Y-%m-%d}; it is not shown again:", err=True)
        click.echo(secret)
        click.echo(f"curl -H 'Authorization: Bearer ...' {site_of(settings).address}/api/v1/me", err=True)


@token.command("list")
@as_json
def list_tokens(is_json: bool) -> None:
    """All of them, with who they are for and when they end."""
    now = datetime.now(UTC)
    with opened() as (_, store):
        found = store.portal_tokens()
    table = Table("id", "name", "user", "role", "until (UTC)", "last seen (UTC)", "state", box=None)
    for one in found:
        state = "revoked" if one.is_revoked else ("ended" if one.until <= now else "on")
        if is_json:
            shown = {"id": one.id, "name": one.name, "user": one.user, "role": one.role}
            click.echo(json.dumps(shown | {"until": one.until.isoformat(), "state": state}))
        seen = f"{one.seen_at:%Y-%m-%d %H:%M}" if one.seen_at else "-"
        table.add_row(one.id, one.name, one.user, one.role, f"{one.until:%Y-%m-%d %H:%M}", seen, state)
    if not is_json:
        console.print(table if found else f"no tokens: `{COMMAND} token add NAME --for USER --role viewer` makes one")


@token.command()
@click.argument("key", metavar="ID")
def revoke(key: str) -> None:
    """End one at once."""
    with opened() as (_, store):
        if not store.revoke_token(key, operator(), datetime.now(UTC)):
            raise RecordError(f"there is no token {key[:20]} that is on: `{COMMAND} token list` shows them by id")
    click.echo(f"{key} is good for nothing any more")
