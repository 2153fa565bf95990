"""Passkeys (WebAuthn level 2): a browser's authenticator signs a challenge of ours, after it has seen that its owner is there.

The authenticator asks its owner for a PIN, a finger or a face (`userVerification: required`), so that a passkey is two
factors: what somebody has, and what they know or are. A challenge is good once, and for five minutes.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ivr.core.json_text import parse_json
from ivr.portal.credentials import digest_of
from ivr.portal.signing_in import SLOWED, Joined, NotSignedIn, SignIn
from ivr.store import Passkey

GOOD_FOR = timedelta(minutes=5)
NOT_TAKEN = "this passkey was not taken: try again, or sign in with a password"


@dataclass(frozen=True)
class Passkeys:
    """`origin`: what browsers call the portal; authenticators sign for its host alone."""

    signing_in: SignIn
    origin: str
    site_name: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def offer(self, link: str) -> str | None:
        """What the browser needs to make one for whoever was invited, as JSON; None where the link is not good."""
        invited = self.signing_in.invited(link)
        if invited is None:
            return None
        options = webauthn.generate_registration_options(
            rp_id=self.host,
            rp_name=self.site_name,
            user_name=invited.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        self._remember(options.challenge)
        return options_to_json(options)

    def accept(self, link: str, answer: str) -> Joined | NotSignedIn:
        invited = self.signing_in.invited(link)
        challenge = self._spent(answer)
        if invited is None or challenge is None:
            return NotSignedIn("the invitation, or this page, is not good any more: load it again, or ask for another")
        try:
            found = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError):
            return NotSignedIn(NOT_TAKEN)
        passkey = Passkey(
            bytes_to_base64url(found.credential_id),
            invited.name,
            bytes_to_base64url(found.credential_public_key),
            found.sign_count,
        )
        is_new = self.signing_in.store.accept_with_passkey(digest_of(link), passkey, self.signing_in.now())
        return Joined(()) if is_new else NotSignedIn("the invitation was used meanwhile: ask for another")

    def challenge(self) -> str:
        """What a browser needs to sign in with one that it has, as JSON: of whom, the authenticator says."""
        options = webauthn.generate_authentication_options(
            rp_id=self.host, user_verification=UserVerificationRequirement.REQUIRED
        )
        self._remember(options.challenge)
        return options_to_json(options)

    def sign_in(self, answer: str, source: str) -> str | NotSignedIn:
        """The secret of the new session's cookie."""
        signing_in, now = self.signing_in, self.signing_in.now()
        key = id_in(answer)
        passkey = signing_in.store.passkey(key) if key else None
        name = passkey.user if passkey else "unknown"
        if signing_in.is_slowed(name, source, now):
            return NotSignedIn(SLOWED)
        challenge = self._spent(answer)
        counted = self._verified(passkey, challenge, answer) if passkey and challenge else None
        if passkey is None or counted is None or not self._counts(passkey, counted):
            signing_in.store.note_failure(name, source, "password", now)
            return NotSignedIn(NOT_TAKEN)
        return signing_in.begin(passkey.user, source)

    def _verified(self, passkey: Passkey, challenge: bytes, answer: str) -> int | None:
        """The authenticator's counter; None where the answer is not by this passkey, for us and for this challenge."""
        try:
            found = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=webauthn.base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError):
            return None
        return found.new_sign_count

    def _counts(self, passkey: Passkey, counted: int) -> bool:
        """Authenticators that do not count say 0 each time."""
        store = self.signing_in.store
        return counted == passkey.sign_count == 0 or store.count_passkey(passkey.id, passkey.sign_count, counted)

    def _remember(self, challenge: bytes) -> None:
        now = self.signing_in.now()
        self.signing_in.store.add_challenge(digest_of(bytes_to_base64url(challenge)), now + GOOD_FOR, now)

    def _spent(self, answer: str) -> bytes | None:
        """The challenge that was answered, where it was one of ours that nobody has answered before."""
        try:
            signed = parse_json(webauthn.base64url_to_bytes(parse_json(answer)["response"]["clientDataJSON"]))
            challenge = str(signed["challenge"])
        except (ValueError, KeyError, TypeError):
            return None
        good = self.signing_in.store.spend_challenge(digest_of(challenge), self.signing_in.now())
        return webauthn.base64url_to_bytes(challenge) if good else None


def id_in(answer: str) -> str:
    """Of the passkey that the answer says it is by; empty where it says none."""
    try:
        read: Any = parse_json(answer)
        key = read["id"]
    except (ValueError, KeyError, TypeError):
        return ""
    return key if isinstance(key, str) and len(key) <= 1400 else ""
