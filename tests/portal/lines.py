"""A portal over a store in memory, with a clock that a test moves, and people who join it as people do: by the pages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any, Literal

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivr.bank import BankSettings, load_banks
from ivr.calls.assembly import around
from ivr.calls.resending import Resender
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.incidents import LineKeys
from ivr.portal import (
    Asker,
    Finder,
    FlowEditing,
    Pages,
    PortalSite,
    Publisher,
    SignIn,
    add_errors,
    api,
    digest_of,
    new_secret,
    portal,
    site_of,
)
from ivr.portal.flow_drafts import TryingPhone
from ivr.portal.identity_provider import IdentityProvider
from ivr.portal.single_sign_on import SingleSignOn
from ivr.settings import load_settings
from ivr.store import BankWord, Bill, FollowUp, Payment, PortalInvitation, Store, memory_store
from tests.store.payments import NOW, begin

ORIGIN = "http://localhost:8002"
OWN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse battery staple"
KEY = bytes(range(32))


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class Person:
    """Somebody at a browser. `secret`: what their authenticator app has; `codes`: their recovery codes."""

    line: "Line"
    name: str
    browser: FlaskClient
    secret: str = ""
    codes: tuple[str, ...] = ()
    address: str = "127.0.0.1"

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.line.clock())

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.browser.get(path, base_url=ORIGIN, environ_base={"REMOTE_ADDR": self.address}, **how)

    def post(self, path: str, data: dict[str, str] | None = None, **how: Any) -> TestResponse:
        """As one of our pages does, but for the token of its forms."""
        how.setdefault("headers", OWN)
        return self.browser.post(
            path, data=data or {}, base_url=ORIGIN, environ_base={"REMOTE_ADDR": self.address}, **how
        )

    def fill_in(self, page: str, path: str, **fields: str) -> TestResponse:
        """A form of that page, with its token."""
        return self.post(path, {"csrf_token": token_in(self.get(page).text), **fields})

    def sign_in(self, password: str = PASSWORD, code: str | None = None, name: str | None = None) -> TestResponse:
        typed = {"name": name or self.name, "password": password, "code": code or self.code()}
        return self.post("/sign-in", typed)


@dataclass
class Line:
    store: Store = field(default_factory=memory_store)
    clock: Clock = field(default_factory=Clock)
    site: PortalSite = field(default_factory=lambda: site_of(load_settings({})))
    banks: Callable[[], dict[str, BankSettings]] = field(default=lambda: own_banks())
    flows: Callable[[], Mapping[str, Flow]] = dict
    resender: Resender | None = None
    provider: IdentityProvider | None = None
    takes_two_authors: bool = False
    phone: TryingPhone | None = None
    line_keys: LineKeys | None = None
    hash_caller: Callable[[str], str] = "hash of {}".format

    def app(self) -> Flask:
        signing_in = SignIn(self.store, KEY, self.site.ends, self.clock)
        asker = Asker(self.store, self.banks, self.site, self.clock)
        finder = Finder(self.store, self.hash_caller)
        app = Flask(__name__, static_folder=None)
        pages = Pages(self.site, self.store, finder, asker, self.flows, self.resender, line_keys=self.line_keys)
        single_sign_on = SingleSignOn(signing_in, self.provider) if self.provider else None
        publisher = Publisher(self.store, lambda: around(self.banks()), self.clock, self.takes_two_authors)
        app.register_blueprint(portal(self.site, signing_in, pages, FlowEditing(publisher, self.phone), single_sign_on))
        app.register_blueprint(api(pages, signing_in, publisher))
        add_errors(app)
        return app

    def somebody(self, name: str = "nobody") -> Person:
        """Who has not signed in."""
        return Person(self, name, self.app().test_client())

    def invite(self, name: str, role: str) -> str:
        """The link's secret."""
        link = new_secret()
        invitation = PortalInvitation(digest_of(link), self.clock() + timedelta(hours=72))
        assert self.store.invite_user(name, role, invitation, "root", self.clock())
        return link

    def join(self, name: str, role: str) -> Person:
        """By the invitation's page, with a password and an authenticator app; not signed in yet."""
        person, link = self.somebody(name), self.invite(name, role)
        return self.accept(person, link)

    def accept(self, person: Person, link: str) -> Person:
        page = person.get(f"/invitations/{link}").text
        person.secret = field_in(page, r"<code>([A-Z2-7]{32})</code>")
        fields = {
            "password": PASSWORD,
            "sealed": field_in(page, 'name="sealed" value="([^"]+)"'),
            "code": person.code(),
        }
        joined = person.post(f"/invitations/{link}", fields)
        assert joined.status_code == 200, joined.text
        person.codes = tuple(re.findall(r"<code>(\w{5}-\w{5})</code>", joined.text))
        self.clock.passes(seconds=60)  # a code is good once
        return person

    def signed_in(self, name: str, role: str) -> Person:
        person = self.join(name, role)
        assert person.sign_in().status_code == 303
        return person

    def charge(
        self,
        reference: str = "CA1-1",
        *,
        minor: int = 4250,
        pays: str = "",
        caller: str = "",
        status: Literal["approved", "declined"] = "approved",
        code: str = "00",
        captures_later: bool = False,
    ) -> Payment:
        """Answered by the bank that ships, begun at this moment."""
        if pays:
            self.store.renew_bills([Bill(pays, Money(minor), Money(0))])
        how: dict[str, Any] = {"caller": caller or reference, "card": reference, "captures_later": captures_later}
        begin(self.store, reference, minor=minor, pays=pays, now=self.clock(), **how)
        job = self.store.claim(self.clock(), 60)
        assert job is not None
        self.store.mark_sent(job)
        assert self.store.record(job, status, self.clock(), BankWord("482913", code), FollowUp())
        found = self.store.payment(reference)
        assert found is not None
        return found


def own_banks() -> dict[str, BankSettings]:
    settings = load_settings({})
    return load_banks(settings.banks, settings.var)


def line_with(**site: Any) -> Line:
    """Whose site differs from what ships in these."""
    usual = Line()
    return Line(site=replace(usual.site, **site))


def token_in(page: str) -> str:
    return field_in(page, 'name="csrf_token" value="([0-9a-f]+)"')


def field_in(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return unescape(found[1])


def told(answer: TestResponse) -> str:
    """What the page says of what was asked for."""
    found = re.search(r'<p class="(?:told|problem)"[^>]*>([^<]*)</p>', answer.text)
    return unescape(found[1]) if found else answer.text
