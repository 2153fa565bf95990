"""A program that uses the portal's API by a token, over the same line as the pages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivr.portal import digest_of, new_token
from ivr.store import PortalToken
from tests.portal.lines import ORIGIN, Line

ROOT = f"{ORIGIN}/api/v1"


@dataclass
class Program:
    client: FlaskClient
    token: str
    address: str = "127.0.0.1"

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.send("GET", path, **how)

    def post(self, path: str, body: object, key: str = "", **how: Any) -> TestResponse:
        return self.send("POST", path, json=body, headers={"Idempotency-Key": key} if key else {}, **how)

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **how: Any) -> TestResponse:
        known = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        place = {"REMOTE_ADDR": self.address}
        url = f"/api/v1{path}"
        return self.client.open(
            url, method=method, base_url=ORIGIN, headers=known | (headers or {}), environ_base=place, **how
        )

    def refund(self, key: str = "one-refund", reference: str = "CA1-1", **body: object) -> TestResponse:
        return self.post(f"/payments/{reference}/modifications", {"kind": "refund", **body}, key)


def program(line: Line, role: str, user: str = "ada", user_role: str = "", days: int = 90) -> Program:
    """With a token of that role, for a user who is there, or is invited here with the same role."""
    if line.store.portal_user(user) is None:
        line.invite(user, user_role or role)
    secret = new_token()
    now = line.clock()
    made = PortalToken(f"T{digest_of(secret)[:8]}", "books", user, role, now, now + timedelta(days=days))
    assert line.store.add_token(made, digest_of(secret), "root", now)
    return Program(line.app().test_client(), secret)


def events(line: Line, what: str) -> list[str]:
    return [one.about for one in line.store.audit_events(50) if one.what == what]
