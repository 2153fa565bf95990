"""Sessions of the portal, and attempts to sign in that failed. A session is known by the digest of its cookie alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, insert, select, update

from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.tables import portal_challenge, portal_failure, portal_session, portal_user

# How exact `seen_at` is: a session's row is not written by every request.
SEEN_EVERY = timedelta(seconds=20)
FAILURES_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class SessionEnds:
    """A session is over when nothing came for `idle`, and after `longest` in any case."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True)
class SignedIn:
    name: str
    role: str


@dataclass(frozen=True)
class Failures:
    """Failed attempts since some time: of this user from this source, of this source with any name, and those with the right
    password and a wrong code, of this user from anywhere."""

    of_pair: int
    of_source: int
    wrong_codes: int


class PortalSessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_session(self, digest: str, user: str, source: str, now: datetime) -> None:
        """The user's failed attempts from this source count no more."""
        at = milliseconds(now)
        of_it = portal_failure.c
        with self._database.money() as connection:
            connection.execute(insert(portal_session), {"digest": digest, "user": user, "begun_at": at, "seen_at": at})
            connection.execute(delete(portal_failure).where(of_it.user == user, of_it.source == source))
            connection.execute(delete(portal_failure).where(of_it.at < milliseconds(now - FAILURES_KEPT)))
            add_event(self._database, connection, user, "signed in", f"from {source}", now)

    def signed_in(self, digest: str, ends: SessionEnds, now: datetime, *, is_activity: bool = True) -> SignedIn | None:
        """Whose session it is, with the role they have now; None where it is over, or they are switched off. `is_activity`: somebody
        has done something, and it is idle no more."""
        of_it = portal_session.c
        wanted = select(portal_session, portal_user.c.role, portal_user.c.is_off).join(
            portal_user, portal_user.c.name == of_it.user
        )
        with self._database.calls() as connection:
            row = connection.execute(wanted.where(of_it.digest == digest)).first()
        at = milliseconds(now)
        if row is None or row.is_off:
            return None
        if at - row.seen_at > ends.idle / timedelta(milliseconds=1):
            return None
        if at - row.begun_at > ends.longest / timedelta(milliseconds=1):
            return None
        if is_activity and at - row.seen_at > SEEN_EVERY / timedelta(milliseconds=1):
            with self._database.money() as connection:
                connection.execute(update(portal_session).where(of_it.digest == digest).values(seen_at=at))
        return SignedIn(row.user, row.role)

    def end_session(self, digest: str, now: datetime) -> None:
        of_it = portal_session.c
        with self._database.money() as connection:
            row = connection.execute(select(of_it.user).where(of_it.digest == digest)).first()
            if row is not None:
                connection.execute(delete(portal_session).where(of_it.digest == digest))
                add_event(self._database, connection, row.user, "signed out", "", now)

    def note_failure(self, user: str, source: str, kind: Literal["password", "code", "token"], now: datetime) -> None:
        """On record in the audit trail too."""
        row = {"user": user, "source": source, "kind": kind, "at": milliseconds(now)}
        with self._database.money() as connection:
            connection.execute(insert(portal_failure), row)
            add_event(self._database, connection, user, "sign-in refused", f"{kind}, from {source}", now)

    def failures(self, user: str, source: str, since: datetime) -> Failures:
        of_it = portal_failure.c
        recent = of_it.at >= milliseconds(since)
        by = (
            (of_it.user == user) & (of_it.source == source),
            of_it.source == source,
            (of_it.user == user) & (of_it.kind == "code"),
        )
        with self._database.calls() as connection:
            counts = [
                connection.execute(select(func.count()).select_from(portal_failure).where(recent, one)).scalar_one()
                for one in by
            ]
        return Failures(*counts)

    def add_challenge(self, digest: str, until: datetime, now: datetime) -> None:
        """Of a passkey; those that nobody answered in time are dropped."""
        of_it = portal_challenge.c
        with self._database.money() as connection:
            connection.execute(delete(portal_challenge).where(of_it.until < milliseconds(now)))
            connection.execute(insert(portal_challenge), {"digest": digest, "until": milliseconds(until)})

    def spend_challenge(self, digest: str, now: datetime) -> bool:
        """False where it is none of ours, was answered, or is too old."""
        of_it = portal_challenge.c
        with self._database.money() as connection:
            good = of_it.digest == digest, of_it.until >= milliseconds(now)
            return bool(connection.execute(delete(portal_challenge).where(*good)).rowcount)
