"""Answers a 401 or 407 that a provider sends us; checking those who ring us is in digest.py."""

from dataclasses import dataclass, field

from aiosipua import AuthChallenge, SipDigestAuth, SipResponse, build_credentials, parse_auth, stringify_auth

# RFC 8760 2.4 leaves the order to the server; a weaker algorithm is never taken where a better one is offered.
STRENGTH = {"SHA-256": 2, "MD5": 1}


@dataclass(frozen=True)
class Credentials:
    username: str
    password: str = field(repr=False)


def answer_challenge(credentials: Credentials, response: SipResponse, method: str, uri: str) -> tuple[str, str] | None:
    """The header line to send the request with again; None when no challenge in the response can be answered."""
    asked, answered = (
        ("WWW-Authenticate", "Authorization")
        if response.status_code == 401
        else ("Proxy-Authenticate", "Proxy-Authorization")
    )
    challenges = [parse_auth(value) for value in response.headers.get(asked)]
    known = sorted((c for c in challenges if strength(c)), key=strength, reverse=True)
    login = SipDigestAuth(credentials.username, credentials.password)
    for challenge in known:
        built = build_credentials(login, challenge, method, uri)
        if built is not None:
            return answered, stringify_auth(built)
    return None


def strength(challenge: AuthChallenge) -> int:
    return STRENGTH.get(challenge.params.get("algorithm", "MD5").upper(), 0)
