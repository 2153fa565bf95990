"""Who may sign in to the portal, and what they have proved it with. Passwords come hashed, secrets of codes encrypted."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.portal_tokens import revoke_tokens_of
from ivr.store.tables import portal_passkey, portal_recovery_code, portal_session, portal_user

UserState = Literal["on", "off", "invited"]
SignInWay = Literal["passkey", "password and codes"]
columns = portal_user.c


@dataclass(frozen=True)
class PortalUser:
    """`invited_until`: an invitation waits for them until then. `has_password`, `passkeys`: what they can sign in with.
    `identity`: what the identity provider calls them."""

    name: str
    role: str
    is_off: bool
    created_at: datetime
    invited_until: datetime | None
    has_password: bool
    passkeys: int
    seen_at: datetime | None = None
    identity: str = ""

    @property
    def state(self) -> UserState:
        """off: nobody signs in by that name. invited: a link waits for them."""
        if self.is_off:
            return "off"
        return "invited" if self.invited_until else "on"

    @property
    def signs_in_with(self) -> SignInWay | None:
        """Two factors either way; None where none is set up."""
        if self.passkeys:
            return "passkey"
        return "password and codes" if self.has_password else None


@dataclass(frozen=True)
class PasswordCredentials:
    """Of a user: the password's hash, and the encrypted secret of their codes."""

    password_hash: str
    totp_sealed: str


@dataclass(frozen=True)
class PortalInvitation:
    """`digest` of the secret in the link; it is good until then."""

    digest: str
    until: datetime


@dataclass(frozen=True)
class Passkey:
    """`id` and `public_key` in base64url."""

    id: str
    user: str
    public_key: str
    sign_count: int


class PortalUsers:
    """Every change is on record in the audit trail, in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invite_user(self, name: str, role: str, invitation: PortalInvitation, by: str, now: datetime) -> bool:
        """False where somebody of that name is there already."""
        with self._database.money() as connection:
            self._database.hold(connection, f"portal user {name}")
            if _user(connection, name) is not None:
                return False
            row = {"name": name, "role": role, "is_off": False, "created_at": milliseconds(now), "identity": ""}
            connection.execute(insert(portal_user), row | _nothing_proved(invitation))
            self._note(connection, by, "user invited", f"{name} as {role}", now)
            return True

    def reset_user(self, name: str, invitation: PortalInvitation, by: str, now: datetime) -> bool:
        """What they signed in with is forgotten, their sessions and tokens end, and they are invited anew. False where there is nobody."""
        with self._database.money() as connection:
            values = _nothing_proved(invitation) | {"is_off": False}
            if not connection.execute(update(portal_user).where(columns.name == name).values(values)).rowcount:
                return False
            for table in (portal_recovery_code, portal_passkey, portal_session):
                connection.execute(delete(table).where(table.c.user == name))
            revoke_tokens_of(connection, name)
            self._note(connection, by, "user reset", name, now)
            return True

    def switch_user_off(self, name: str, by: str, now: datetime) -> bool:
        """Nobody signs in by that name any more, and its sessions and tokens end at once. False where there is nobody."""
        with self._database.money() as connection:
            values = {"is_off": True, "invitation": ""}
            if not connection.execute(update(portal_user).where(columns.name == name).values(values)).rowcount:
                return False
            connection.execute(delete(portal_session).where(portal_session.c.user == name))
            revoke_tokens_of(connection, name)
            self._note(connection, by, "user switched off", name, now)
            return True

    def change_role(self, name: str, role: str, by: str, now: datetime) -> bool:
        """Holds from the next request on. False where there is nobody."""
        with self._database.money() as connection:
            if not connection.execute(update(portal_user).where(columns.name == name).values(role=role)).rowcount:
                return False
            self._note(connection, by, "role changed", f"{name} to {role}", now)
            return True

    def set_identity(self, name: str, identity: str, by: str, now: datetime) -> bool:
        """Empty: single sign-on is not for them. False where there is nobody, or somebody else has that identity."""
        with self._database.money() as connection:
            self._database.hold(connection, "portal identities")
            others = select(columns.name).where(columns.identity == identity, columns.name != name)
            if identity and connection.execute(others).first() is not None:
                return False
            changed = update(portal_user).where(columns.name == name).values(identity=identity)
            if not connection.execute(changed).rowcount:
                return False
            self._note(connection, by, "identity changed", f"{name} is {identity or 'nobody'} there", now)
            return True

    def user_by_identity(self, identity: str) -> PortalUser | None:
        """None also for somebody who is switched off."""
        wanted = select(portal_user).where(columns.identity == identity, columns.is_off.is_(False))
        with self._database.calls() as connection:
            row = connection.execute(wanted).first() if identity else None
            return _shown(connection, row) if row else None

    def portal_users(self) -> Sequence[PortalUser]:
        with self._database.calls() as connection:
            rows = connection.execute(select(portal_user).order_by(columns.name)).all()
            return [_shown(connection, row) for row in rows]

    def portal_user(self, name: str) -> PortalUser | None:
        with self._database.calls() as connection:
            row = _user(connection, name)
            return _shown(connection, row) if row else None

    def invited_user(self, digest: str, now: datetime) -> PortalUser | None:
        """Whom the link with this secret is for, while it is good."""
        wanted = select(portal_user).where(*_is_invited(digest, now))
        with self._database.calls() as connection:
            row = connection.execute(wanted).first()
            return _shown(connection, row) if row else None

    def credentials_of(self, name: str) -> PasswordCredentials | None:
        """None for nobody, for somebody who is switched off, and for whoever has no password."""
        with self._database.calls() as connection:
            row = _user(connection, name)
        return PasswordCredentials(row.password_hash, row.totp_sealed) if row and _can_sign_in(row) else None

    def seal_codes_again(self, again: Callable[[str, str], str | None]) -> None:
        """Of everybody who has codes by time, what stands in `totp_sealed`, in one transaction. `again`: from it and the name;
        None leaves it as it is."""
        columns = portal_user.c
        with self._database.money() as connection:
            for row in connection.execute(
                select(columns.name, columns.totp_sealed).where(columns.totp_sealed != "")
            ).all():
                sealed = again(row.totp_sealed, row.name)
                if sealed is not None:
                    connection.execute(update(portal_user).where(columns.name == row.name).values(totp_sealed=sealed))

    def accept_invitation(
        self, invitation: str, credentials: PasswordCredentials, step: int, codes: Collection[str], now: datetime
    ) -> bool:
        """With a password and codes by time, of which the one of `step` was shown. False where the link is not good any more.
        `codes`: digests of the recovery codes."""
        values = {"password_hash": credentials.password_hash, "totp_sealed": credentials.totp_sealed, "totp_step": step}
        with self._database.money() as connection:
            name = self._accept(connection, invitation, values, now)
            if name:
                connection.execute(insert(portal_recovery_code), [{"user": name, "digest": one} for one in codes])
            return bool(name)

    def accept_with_passkey(self, invitation: str, passkey: Passkey, now: datetime) -> bool:
        with self._database.money() as connection:
            name = self._accept(connection, invitation, {}, now)
            if name:
                of_it = {"id": passkey.id, "user": name, "public_key": passkey.public_key}
                counted = {"sign_count": passkey.sign_count, "added_at": milliseconds(now)}
                connection.execute(insert(portal_passkey), {**of_it, **counted})
            return bool(name)

    def _accept(self, connection: Connection, invitation: str, values: dict[str, object], now: datetime) -> str:
        row = connection.execute(select(columns.name).where(*_is_invited(invitation, now))).first()
        if row is None:
            return ""
        used = {"invitation": "", "invited_until": 0}
        changed = connection.execute(
            update(portal_user).where(*_is_invited(invitation, now)).values(values | used)
        ).rowcount
        if not changed:
            return ""
        self._note(connection, row.name, "invitation accepted", row.name, now)
        return str(row.name)

    def spend_code(self, name: str, step: int) -> bool:
        """A code by time is good once: False where one of this step or a later one was used."""
        is_newer = columns.totp_step < step
        with self._database.money() as connection:
            spent = update(portal_user).where(columns.name == name, is_newer).values(totp_step=step)
            return bool(connection.execute(spent).rowcount)

    def spend_recovery_code(self, name: str, digest: str, now: datetime) -> bool:
        """False where it is none, or was used."""
        of_it = portal_recovery_code.c
        with self._database.money() as connection:
            spent = delete(portal_recovery_code).where(of_it.user == name, of_it.digest == digest)
            if not connection.execute(spent).rowcount:
                return False
            self._note(connection, name, "recovery code used", name, now)
            return True

    def passkey(self, key: str) -> Passkey | None:
        """None also for that of somebody who is switched off."""
        wanted = select(portal_passkey).where(portal_passkey.c.id == key)
        with self._database.calls() as connection:
            row = connection.execute(wanted).first()
            owner = _user(connection, row.user) if row else None
        if row is None or owner is None or owner.is_off:
            return None
        return Passkey(row.id, row.user, row.public_key, row.sign_count)

    def count_passkey(self, key: str, before: int, now_at: int) -> bool:
        """The authenticator's counter, as it was and is now. False where somebody else has used it meanwhile."""
        of_it = portal_passkey.c
        counted = update(portal_passkey).where(of_it.id == key, of_it.sign_count == before).values(sign_count=now_at)
        with self._database.money() as connection:
            return bool(connection.execute(counted).rowcount)

    def _note(self, connection: Connection, by: str, what: str, about: str, now: datetime) -> None:
        add_event(self._database, connection, by, what, about, now)


def _nothing_proved(invitation: PortalInvitation) -> dict[str, object]:
    return {
        "password_hash": "",
        "totp_sealed": "",
        "totp_step": 0,
        "invitation": invitation.digest,
        "invited_until": milliseconds(invitation.until),
    }


def _is_invited(digest: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_it = columns.invitation == digest, columns.invitation != ""
    return *is_it, columns.invited_until > milliseconds(now), columns.is_off.is_(False)


def _can_sign_in(row: Row[tuple[object, ...]]) -> bool:
    return bool(row.password_hash) and not row.is_off


def _user(connection: Connection, name: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(portal_user).where(columns.name == name)).first()


def _shown(connection: Connection, row: Row[tuple[object, ...]]) -> PortalUser:
    keys = connection.execute(select(portal_passkey.c.id).where(portal_passkey.c.user == row.name)).all()
    seen = connection.execute(
        select(portal_session.c.seen_at)
        .where(portal_session.c.user == row.name)
        .order_by(portal_session.c.seen_at.desc())
        .limit(1)
    ).first()
    return PortalUser(
        name=row.name,
        role=row.role,
        is_off=row.is_off,
        created_at=_time(row.created_at),
        invited_until=_time(row.invited_until) if row.invitation else None,
        has_password=bool(row.password_hash),
        passkeys=len(keys),
        seen_at=_time(seen.seen_at) if seen else None,
        identity=row.identity,
    )


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
