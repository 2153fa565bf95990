"""An installation of two merchants as `merchant add` makes it, with their callers, banks and people, all in this process."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pyotp
import pytest
from werkzeug.test import Client, TestResponse

from ivr.calls.texting import keep_text
from ivr.cli import main
from ivr.forwarder.process import Forwarder
from ivr.installation import InstallationSettings, read_settings
from ivr.merchants.merchants_file import read_installation
from ivr.mounting import create_portals, create_web
from ivr.portal import digest_of, new_secret, new_token
from ivr.settings import Settings
from ivr.store import PortalInvitation, PortalToken, Store, open_store
from ivr.testing.bank import ScriptedBank
from ivr.testing.twilio import Application, TwilioCall, signature_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ACME, BOLT = "acme-water", "bolt-power"
NUMBERS = {ACME: "+15550101", BOLT: "+15550202"}
ORIGIN = "http://localhost:8002"
OWN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse battery staple"
PAN = "4111111111111111"
KEYS = ("1", "12345678#", "1", f"{PAN}#", "1230", "123", "94105", "1")


def run(folder: Path, *arguments: str) -> int:
    """A command in a folder, with nothing in the environment that this machine happens to have; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*(name.upper() for name in Settings.model_fields), "TONETILL_MERCHANT"):
            patch.delenv(name, raising=False)
        patch.setenv("TONETILL_PROJECT", str(folder))
        patch.chdir(folder)
        with pytest.raises(SystemExit) as end:
            main([*arguments])
    return int(end.value.code or 0)


def make_installation(folder: Path, names: Iterable[str] = (ACME, BOLT)) -> None:
    (folder / "merchants.yaml").touch()
    for name in names:
        assert run(folder, "merchant", "add", name, "--number", NUMBERS[name]) == 0


def settings_in(folder: Path, **environ: str) -> InstallationSettings:
    return read_settings(read_installation(folder), environ)


@dataclass
class Joined:
    """Somebody of one merchant, at a browser that keeps cookies as browsers do."""

    merchant: str
    name: str
    browser: Client
    session: str = ""

    def get(self, merchant: str, path: str, **how: Any) -> TestResponse:
        return self.browser.get(f"/m/{merchant}{path}", base_url=ORIGIN, **how)

    def post(self, merchant: str, path: str, data: dict[str, str], **how: Any) -> TestResponse:
        return self.browser.post(f"/m/{merchant}{path}", data=data, base_url=ORIGIN, headers=OWN, **how)


@dataclass
class TwoMerchants:
    """`web` and `portal` are what the processes of an installation serve."""

    folder: Path
    found: InstallationSettings
    web: "WSGIApplication"
    portal: "WSGIApplication"
    stores: dict[str, Store]
    banks: dict[str, ScriptedBank] = field(default_factory=lambda: {ACME: ScriptedBank(), BOLT: ScriptedBank()})

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(transport=httpx.WSGITransport(app=self.web), base_url=self.base)

    @property
    def base(self) -> str:
        return self.found.shared.base_url

    def token(self, merchant: str) -> str:
        return self.found.merchants[merchant].twilio_auth_token

    def rings(self, merchant: str, dnis: str = "", **how: Any) -> TwilioCall:
        """A call to the merchant, with its own signature."""
        status = f"/m/{merchant}/twilio/status"
        url = f"{self.base}/m/{merchant}/twilio/voice/pay-a-bill"
        application = Application(self.http, url, self.token(merchant), self.base, status)
        return TwilioCall(application, dnis=dnis or NUMBERS[merchant], **how)

    def pays(self, merchant: str, account: str = "12345678") -> str:
        """A caller who pays a bill; the call's name."""
        line = self.rings(merchant)
        line.begin()
        for keys in KEYS:
            line.press(keys.replace("12345678", account))
        while Forwarder(self.stores[merchant], {"acme_bank": self.banks[merchant]}, keep_text).run_once():
            pass
        while line.state == "wait":
            line.wait()
        line.hang_up()
        return line.call_id

    def signed_post(self, path: str, fields: dict[str, str], by: str, **headers: str) -> httpx.Response:
        """Signed with the token of one merchant for exactly this address."""
        body = urlencode(fields)
        signature = signature_of(self.token(by), f"{self.base}{path}", dict(parse_qsl(body)))
        form = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(path, content=body, headers=form | headers)

    # ---- people

    def browser(self) -> Client:
        """Of this machine, with a jar of cookies of its own."""

        def from_here(environ: Any, start_response: Any) -> Any:
            return self.portal({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)

        return Client(from_here)

    def joins(self, merchant: str, name: str, role: str) -> Joined:
        """By the invitation's page, then signed in with a recovery code."""
        link = self.invites(merchant, name, role)
        person = Joined(merchant, name, self.browser())
        page = person.get(merchant, f"/invitations/{link}").text
        secret, sealed = found_in(page, r"<code>([A-Z2-7]{32})</code>"), found_in(page, 'name="sealed" value="([^"]+)"')
        fields = {"password": PASSWORD, "sealed": sealed, "code": code_of(secret)}
        joined = person.post(merchant, f"/invitations/{link}", fields)
        recovery = found_in(joined.text, r"<code>(\w{5}-\w{5})</code>")
        typed = {"name": name, "password": PASSWORD, "code": recovery}
        signed_in = person.post(merchant, "/sign-in", typed)
        assert signed_in.status_code == 303, signed_in.text
        cookie = person.browser.get_cookie("tonetill", "localhost", f"/m/{merchant}")
        assert cookie is not None
        person.session = cookie.value
        return person

    def invites(self, merchant: str, name: str, role: str) -> str:
        link, now = new_secret(), datetime.now(UTC)
        invitation = PortalInvitation(digest_of(link), now + timedelta(hours=1))
        assert self.stores[merchant].invite_user(name, role, invitation, "root", now)
        return link

    def gives_token(self, person: Joined, role: str) -> str:
        made, now = new_token(), datetime.now(UTC)
        token = PortalToken(
            f"T{digest_of(made)[:8]}", f"of-{person.name}", person.name, role, now, now + timedelta(days=1)
        )
        self.stores[person.merchant].add_token(token, digest_of(made), "root", now)
        return made

    # ---- what is on record

    def everything(self, merchant: str) -> str:
        """Every value of every row of its database, and every file of its folder."""
        return "\n".join(rows_in(self.found.merchants[merchant].var / "tonetill.db"))


def rows_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [f"{table}: {row!r}" for table in tables for row in database.execute(f'SELECT * FROM "{table}"')]


def open_two(folder: Path) -> TwoMerchants:
    found = settings_in(folder)
    stores = {name: open_store(one.database_url) for name, one in found.merchants.items()}
    return TwoMerchants(folder, found, create_web(found), create_portals(found), stores)


def code_of(secret: str) -> str:
    return str(pyotp.TOTP(secret).now())


def found_in(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return unescape(found[1])
