"""Tokens of the portal's API, and what was answered under idempotency keys. Both are known by digests alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, delete, insert, select, update

from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.tables import portal_answer, portal_token, portal_user

columns = portal_token.c
# How exact `seen_at` is: a token's row is not written by every request.
SEEN_EVERY = timedelta(minutes=1)
ANSWERS_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class PortalToken:
    """`role`: the most that it may; never more than its user may. `name`: what people call it."""

    id: str
    name: str
    user: str
    role: str
    made_at: datetime
    until: datetime
    seen_at: datetime | None = None
    is_revoked: bool = False


@dataclass(frozen=True)
class TokenHolder:
    """Who sends a request: the token, its user and the role that the user has now."""

    token: PortalToken
    user_role: str


@dataclass(frozen=True)
class RememberedAnswer:
    """`status`: 0 while nothing was answered. `request_digest`: of what was asked for. `looked_at`: see `tables`."""

    request_digest: str
    looked_at: str
    status: int = 0
    body: str = ""


class PortalTokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add_token(self, token: PortalToken, digest: str, by: str, now: datetime) -> bool:
        """False where its user is nobody, or switched off."""
        row = {
            "id": token.id,
            "digest": digest,
            "name": token.name,
            "user": token.user,
            "role": token.role,
            "made_at": milliseconds(token.made_at),
            "until": milliseconds(token.until),
            "is_revoked": False,
        }
        with self._database.money() as connection:
            owner = connection.execute(select(portal_user.c.is_off).where(portal_user.c.name == token.user)).first()
            if owner is None or owner.is_off:
                return False
            connection.execute(insert(portal_token), row)
            about = f"{token.id} for {token.user} as {token.role}, until {token.until:%Y-%m-%d}"
            add_event(self._database, connection, by, "token made", about, now)
            return True

    def portal_tokens(self) -> Sequence[PortalToken]:
        """By user, the latest first."""
        with self._database.calls() as connection:
            rows = connection.execute(select(portal_token).order_by(columns.user, columns.made_at.desc()))
            return [_token(row) for row in rows]

    def revoke_token(self, key: str, by: str, now: datetime) -> bool:
        """At once. False where there is none, or it was revoked before."""
        is_it = columns.id == key, columns.is_revoked.is_(False)
        with self._database.money() as connection:
            if not connection.execute(update(portal_token).where(*is_it).values(is_revoked=True)).rowcount:
                return False
            add_event(self._database, connection, by, "token revoked", key, now)
            return True

    def token_holder(self, digest: str, now: datetime) -> TokenHolder | None:
        """None for a token that is none, was revoked or has ended, and for one whose user is switched off."""
        wanted = select(portal_token, portal_user.c.role.label("user_role"), portal_user.c.is_off).join(
            portal_user, portal_user.c.name == columns.user
        )
        with self._database.calls() as connection:
            row = connection.execute(wanted.where(columns.digest == digest)).first()
        at = milliseconds(now)
        if row is None or row.is_off or row.is_revoked or row.until <= at:
            return None
        if row.seen_at is None or at - row.seen_at > SEEN_EVERY / timedelta(milliseconds=1):
            with self._database.money() as connection:
                connection.execute(update(portal_token).where(columns.id == row.id).values(seen_at=at))
        return TokenHolder(_token(row), row.user_role)

    # ---- idempotency keys

    def remember_request(self, user: str, key: str, asked: RememberedAnswer, now: datetime) -> RememberedAnswer:
        """What is remembered under this key's digest: of an earlier request, or from now on `asked`."""
        of_it = portal_answer.c
        is_it = of_it.user == user, of_it.key_digest == key
        with self._database.money() as connection:
            self._database.hold(connection, f"portal answer {user} {key}")
            connection.execute(delete(portal_answer).where(of_it.at < milliseconds(now - ANSWERS_KEPT)))
            row = connection.execute(select(portal_answer).where(*is_it)).first()
            if row is not None:
                return RememberedAnswer(row.request_digest, row.looked_at, row.status, row.body)
            named = {"user": user, "key_digest": key, "request_digest": asked.request_digest}
            begun = {"looked_at": asked.looked_at, "status": 0, "body": "", "at": milliseconds(now)}
            connection.execute(insert(portal_answer), named | begun)
            return asked

    def remember_answer(self, user: str, key: str, status: int, body: str) -> None:
        of_it = portal_answer.c
        is_open = of_it.user == user, of_it.key_digest == key, of_it.status == 0
        with self._database.money() as connection:
            connection.execute(update(portal_answer).where(*is_open).values(status=status, body=body))


def revoke_tokens_of(connection: Connection, user: str) -> None:
    connection.execute(update(portal_token).where(columns.user == user).values(is_revoked=True))


def _token(row: Row[tuple[object, ...]]) -> PortalToken:
    seen_at = _time(row.seen_at) if row.seen_at is not None else None
    return PortalToken(
        row.id, row.name, row.user, row.role, _time(row.made_at), _time(row.until), seen_at, row.is_revoked
    )


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
