"""Signing in: a name, a password and a code; or a passkey, which is two factors in itself. And slowing down who guesses.

A guesser is slowed down by where the guesses come from, so that nobody locks somebody else out by guessing wrong:

    this name from this source    5 failures in 15 minutes, and this source waits with this name
    any name from this source     30 failures in 15 minutes, and this source waits
    right password, wrong code    10 in 15 minutes from anywhere, and the name waits: only who knows the password can cause it
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.portal.credentials import (
    digest_of,
    hash_password,
    is_password,
    new_code_secret,
    new_recovery_codes,
    new_secret,
    open_code_secret,
    password_problem,
    recovery_digest,
    seal_code_secret,
    step_of_code,
)
from ivr.store import PasswordCredentials, PortalUser, SessionEnds, SignedIn, Store

WINDOW = timedelta(minutes=15)
MOST_OF_PAIR, MOST_OF_SOURCE, MOST_WRONG_CODES = 5, 30, 10
WRONG = "the name, the password or the code is not right"
SLOWED = "too many attempts: wait 15 minutes and try again"
NOBODY = "unknown"  # in place of a name that is nobody's: people type other things into that field


@dataclass(frozen=True)
class NotSignedIn:
    reason: str


@dataclass(frozen=True)
class Joined:
    """`codes`: to be shown once."""

    codes: tuple[str, ...]


@dataclass(frozen=True)
class SignIn:
    """`portal_key`: encrypts the secrets of codes at rest; as a function, what it is now. `now`: the clock."""

    store: Store
    portal_key: bytes | Callable[[], bytes]
    ends: SessionEnds
    now: Callable[[], datetime]

    @property
    def key(self) -> bytes:
        return self.portal_key if isinstance(self.portal_key, bytes) else self.portal_key()

    def by_password(self, name: str, password: str, code: str, source: str) -> str | NotSignedIn:
        """The secret of the new session's cookie."""
        now = self.now()
        known = self.store.portal_user(name)
        noted = name if known else NOBODY
        if self.is_slowed(noted, source, now):
            return NotSignedIn(SLOWED)
        credentials = self.store.credentials_of(name)
        if not is_password(password, credentials.password_hash if credentials else None) or credentials is None:
            self.store.note_failure(noted, source, "password", now)
            return NotSignedIn(WRONG)
        if not self._spends_code(name, credentials, code.strip(), now):
            self.store.note_failure(noted, source, "code", now)
            return NotSignedIn(WRONG)
        return self.begin(name, source)

    def by_code(self, name: str, code: str, source: str) -> str | NotSignedIn:
        """For somebody whose first factor was something else than a password. The secret of the new session's cookie."""
        now, credentials = self.now(), self.store.credentials_of(name)
        if self.is_slowed(name, source, now):
            return NotSignedIn(SLOWED)
        if credentials is None or not self._spends_code(name, credentials, code.strip(), now):
            self.store.note_failure(name, source, "code", now)
            return NotSignedIn(WRONG)
        return self.begin(name, source)

    def begin(self, name: str, source: str) -> str:
        session = new_secret()
        self.store.begin_session(digest_of(session), name, source, self.now())
        return session

    def is_slowed(self, name: str, source: str, now: datetime) -> bool:
        found = self.store.failures(name, source, now - WINDOW)
        return (
            found.of_pair >= MOST_OF_PAIR
            or found.of_source >= MOST_OF_SOURCE
            or (name != NOBODY and found.wrong_codes >= MOST_WRONG_CODES)
        )

    def _spends_code(self, name: str, credentials: PasswordCredentials, code: str, now: datetime) -> bool:
        """Each is good once, for whoever looks over a shoulder."""
        if not code.isdecimal():
            return self.store.spend_recovery_code(name, recovery_digest(code), now)
        secret = open_code_secret(self.key, credentials.totp_sealed, name)
        step = step_of_code(secret, code, now) if secret else None
        return step is not None and self.store.spend_code(name, step)

    def whose(self, session: str, *, is_activity: bool = True) -> SignedIn | None:
        """`is_activity`: somebody did something; a page that is only open keeps no session from its end."""
        if not session:
            return None
        return self.store.signed_in(digest_of(session), self.ends, self.now(), is_activity=is_activity)

    def end(self, session: str) -> None:
        self.store.end_session(digest_of(session), self.now())

    # ---- invitations

    def invited(self, link: str) -> PortalUser | None:
        return self.store.invited_user(digest_of(link), self.now())

    def new_code_secret(self, link: str) -> str:
        """For whom the link is; it travels through the form, encrypted."""
        return seal_code_secret(self.key, new_code_secret(), digest_of(link))

    def code_secret(self, link: str, sealed: str) -> str | None:
        try:
            return open_code_secret(self.key, sealed, digest_of(link))
        except ValueError:
            return None

    def accept(self, link: str, password: str, sealed: str, code: str) -> Joined | NotSignedIn:
        """With the password that somebody chose, and the first code of their authenticator app."""
        invited = self.invited(link)
        if invited is None:
            return NotSignedIn("the invitation is not good any more: ask for another")
        problem = password_problem(password, invited.name)
        if problem:
            return NotSignedIn(problem)
        secret = self.code_secret(link, sealed)
        step = step_of_code(secret, code.strip(), self.now()) if secret else None
        if secret is None or step is None:
            return NotSignedIn("the code is not right: is the telephone's clock? Take the code that the app shows now")
        own = PasswordCredentials(hash_password(password), seal_code_secret(self.key, secret, invited.name))
        codes = new_recovery_codes()
        digests = [recovery_digest(one) for one in codes]
        if not self.store.accept_invitation(digest_of(link), own, step, digests, self.now()):
            return NotSignedIn("the invitation was used meanwhile: ask for another")
        return Joined(tuple(codes))
