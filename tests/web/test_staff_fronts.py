"""The documented nginx and Caddy before the real portal process: without a certificate of staff nothing, with one all of the portal."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyotp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.typing import Origin

from ivr.places import SHIPPED as ROOT
from tests.bank_process import BankKeys
from tests.channels.browser.test_phone_socket import DIAL, listen
from tests.patience import PATIENCE_S
from tests.portal.authors import FLOW, fields_of
from tests.portal.lines import PASSWORD
from tests.web.fronts import INSTALL
from tests.web.servers import free_port, prepare, until
from tests.web.staff_fronts import (
    NAME,
    NEIGHBOUR,
    ORIGIN,
    STAFF_FRONTS,
    StaffCertificates,
    self_signed,
    staff_certificates,
    tls_of,
    visitor,
)

IVR = (sys.executable, "-m", "ivr")
OFFICE = "127.0.0.2"
PATHS = ("/", "/sign-in", "/healthz", "/static/portal.css", "/api/v1/openapi.json", "/live/events")


@dataclass(frozen=True)
class GuardedPortal:
    """`url`: of the proxy. Only who comes from `OFFICE` is let in by PORTAL_NETWORKS."""

    kind: str
    url: str
    folder: Path
    staff: StaffCertificates
    environment: dict[str, str]

    def invite(self, name: str, role: str) -> str:
        """The path of the link that the command prints."""
        words = [*IVR, "user", "add", name, "--role", role]
        done = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        found = re.search(rf"{ORIGIN}(/invitations/\S+)", done.stdout)
        assert found, done.stdout
        return found[1]


@pytest.fixture(scope="module", params=sorted(STAFF_FRONTS))
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bank_keys: BankKeys
) -> Iterator[GuardedPortal]:
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} here: {INSTALL}")
    tmp_path = tmp_path_factory.mktemp("guarded")
    port, staff = free_port(), staff_certificates(tmp_path)
    settings = {"portal_url": ORIGIN, "portal_port": str(port), "portal_proxies": "127.0.0.1"}
    _, environment = prepare(tmp_path, bank_keys, **settings, portal_networks=OFFICE)
    with ExitStack() as started:
        process = subprocess.Popen([*IVR, "portal"], cwd=ROOT, env=environment)
        started.callback(process.wait, 60)
        started.callback(process.send_signal, signal.SIGINT)
        until(lambda: process.poll() is not None or answers(port))
        url = started.enter_context(STAFF_FRONTS[request.param](tmp_path, port))
        yield GuardedPortal(request.param, url, tmp_path, staff, environment)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_without_a_certificate_of_staff_the_portal_is_not_asked(guarded: GuardedPortal):
    staff = guarded.staff
    strangers = {
        "none at all": None,
        "one of another authority": staff.of("stranger", by=self_signed("Somebody's own")),
        "one of an authority that is only called the same": staff.of("namesake", by=self_signed(staff.authority.name)),
        "one that is over": staff.of("former", age=timedelta(days=400)),
        "one that is a server's": staff.of("server", use="server"),
    }
    for whose, certificate in strangers.items():
        for path in PATHS:
            assert not is_portals(guarded.url, path, certificate), (whose, path)
    assert is_portals(guarded.url, "/sign-in", staff.of("ada"))


def test_who_has_one_joins_signs_in_and_watches_calls_as_they_come(guarded: GuardedPortal):
    link = guarded.invite("ada", "operator")
    with visitor(guarded.url, guarded.staff.of("ada"), address=OFFICE) as browser:
        assert joined(browser, "ada", link).startswith("__Host-tonetill=")
        assert "Stopping" in browser.get("/payments").text
        with browser.stream("GET", "/live/events") as events:
            assert next(events.iter_text()).startswith("data: ")
    secret_part = link.rpartition("/")[2]
    logs = "".join(file.read_text(errors="replace") for file in guarded.folder.glob("*.log"))
    assert secret_part not in logs
    if guarded.kind == "nginx":
        assert '"POST /sign-in HTTP/1.1" 303' in logs
        assert '"CN=ada"' in logs


def test_an_author_calls_a_draft_over_its_web_socket(guarded: GuardedPortal):
    words = [*IVR, "flows", "publish"]
    subprocess.run(words, cwd=ROOT, env=guarded.environment, capture_output=True, check=True)
    link, certificate = guarded.invite("grace", "author"), guarded.staff.of("grace")
    with visitor(guarded.url, certificate, address=OFFICE) as browser:
        session = joined(browser, "grace", link).partition(";")[0]
        draft = fields_of(browser.get(f"/flows/{FLOW}/draft").text) | {"nonce": "a-nonce-of-a-page"}
        address = browser.post(f"/flows/{FLOW}/draft/call", data=draft).json()["address"]
    with pytest.raises((InvalidMessage, InvalidStatus, OSError)):
        asyncio.run(called(guarded.url, address, None, session))
    told = asyncio.run(called(guarded.url, address, certificate, session))
    assert told[-1]["is"] == "asks"


async def called(url: str, address: str, certificate: Path | None, session: str) -> list[dict[str, Any]]:
    """What the draft's telephone is told up to the first question."""
    async with asyncio.timeout(PATIENCE_S):
        secured = connect(
            f"wss://{NAME}{address}",
            host="127.0.0.1",
            port=urlsplit(url).port,
            ssl=tls_of(certificate),
            origin=Origin(ORIGIN),
            additional_headers={"Cookie": session},
            local_addr=(OFFICE, 0),
            proxy=None,
            open_timeout=PATIENCE_S,
        )
        async with secured as socket:
            await socket.send(json.dumps(DIAL))
            return await listen(socket, "asks")


def joined(browser: httpx.Client, name: str, link: str) -> str:
    """Who is invited by the link has joined and signed in; the cookie that was set."""
    page = browser.get(link).text
    secret = found_in(page, r"([A-Z2-7]{32}|(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})").replace(" ", "")
    typed = {**hidden(page), "password": PASSWORD, "code": pyotp.TOTP(secret).now()}
    recovery = found_in(browser.post(link, data=typed).text, r"<code>(\w{5}-\w{5})</code>")
    signed_in = browser.post("/sign-in", data={"name": name, "password": PASSWORD, "code": recovery})
    assert signed_in.status_code == 303, signed_in.text
    return signed_in.headers["Set-Cookie"]


def test_nobody_writes_themselves_into_an_allowed_network(guarded: GuardedPortal):
    certificate = guarded.staff.of("ada")
    for written in ({}, {"X-Forwarded-For": OFFICE}, {"X-Forwarded-For": f"{OFFICE}, {OFFICE}", "X-Real-IP": OFFICE}):
        with visitor(guarded.url, certificate) as elsewhere:
            assert elsewhere.get("/sign-in", headers=written).status_code == 403
    with visitor(guarded.url, certificate, address=OFFICE) as here:
        assert here.get("/sign-in", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200


@pytest.mark.parametrize("server_name", [NEIGHBOUR, ""])
def test_the_name_beside_it_that_asks_for_no_certificate_is_no_way_in(guarded: GuardedPortal, server_name: str):
    with visitor(guarded.url, None, server_name) as browser:
        if server_name:
            assert "neighbour" in browser.get("/", headers={"Host": NEIGHBOUR}).text
        for path in PATHS:
            assert is_refusal(browser.get(path))


def is_portals(url: str, path: str, certificate: Path | None) -> bool:
    """Whether the answer is the portal's own, which no TLS alert and no word of the proxy's is."""
    try:
        with visitor(url, certificate, address=OFFICE) as browser, browser.stream("GET", path) as answer:
            return not is_refusal(answer)
    except (httpx.TransportError, OSError):
        return False


def is_refusal(answer: httpx.Response) -> bool:
    """The portal answers all with its own headers, refusals too."""
    return "content-security-policy" not in answer.headers and answer.status_code >= 400


def hidden(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)}


def found_in(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return found[1]
