"""The portal as its own process, invited to by the command line, and used in Debian's chromium: codes, passkeys, looks."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from ivr.cli.portal import NICENESS
from ivr.core.money import Money
from ivr.store import AlertReceivers, BankWord, Bill, FollowUp, FoundAlert, TurnRecord, open_store
from tests.channels.browser.conftest import SHOTS, STEP_MS, chromium
from tests.channels.browser.products import ROOT
from tests.channels.browser.test_phone_access import violations
from tests.patience import PATIENCE_S
from tests.portal.lines import PASSWORD
from tests.ports import free_port
from tests.store.payments import a_call, begin

__all__ = ["chromium"]
WIDEST = 3840
LOWEST = 19  # of the system's priorities
LOOKS = ((390, "light"), (1300, "dark"), (WIDEST, "light"))
Looks = tuple[tuple[int, str], ...]
IVR = (sys.executable, "-m", "ivr")


@dataclass(frozen=True)
class RunningPortal:
    """`processes`: the supervisor that was started."""

    origin: str
    environment: dict[str, str]
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [*IVR, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def invite(self, name: str, role: str) -> str:
        """The link that the command prints."""
        found = re.search(r"http://\S+/invitations/\S+", self.command("user", "add", name, "--role", role))
        assert found
        return found[0]


@pytest.fixture(scope="module")
def running_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    var, port = tmp_path_factory.mktemp("portal"), free_port()
    url = f"sqlite:///{var}/portal.db"
    environment = {
        **os.environ,
        "VAR": str(var),
        "DATABASE_URL": url,
        "PORTAL_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    running = RunningPortal(f"http://localhost:{port}", environment)
    running.command("set-up")
    charge(url)
    with (var / "log").open("w") as log:
        process = subprocess.Popen([*IVR, "portal"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        running.processes.append(process)
        try:
            wait_for(running, process, var / "log")
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def charge(url: str) -> None:
    store, now = open_store(url), datetime.now(UTC)
    store.note_alerts(
        "", [FoundAlert("card_testing", "caller 1", "5 cards")], timedelta(hours=1), AlertReceivers(), now
    )
    store.save_call(a_call(step="account"), 0, now)
    store.note_turn(TurnRecord("CA1", 1, now, "began", "", "language", ("choose_language",), 4))
    store.note_turn(TurnRecord("CA1", 2, now, "key", "account", "entry", ("welcome", "enter_account_number"), 4))
    store.save_call(a_call("CA2", phase="over", outcome="unpaid", moves=("- began", "account end")), 0, now)
    store.renew_bills([Bill("700101", Money(4250), Money(0))])
    begin(store, pays="700101", now=now)
    job = store.claim(now, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "approved", now, BankWord("482913", "00"), FollowUp())
    store.close()


def wait_for(running: RunningPortal, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{running.origin}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Of a fresh browser; what a script gets wrong in it fails the test."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    page, wrong = context.new_page(), []
    page.set_default_timeout(STEP_MS)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert wrong == []


def join(page: Page, link: str) -> str:
    """With a password, and the secret that an authenticator app would read; the secret."""
    page.goto(link)
    secret = page.locator("form code, code").first.inner_text()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The code that the app shows").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="You have joined")).to_be_visible()
    return secret


def sign_in(page: Page, running: RunningPortal, name: str, code: str) -> None:
    page.goto(f"{running.origin}/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(code)
    page.locator("form").get_by_role("button", name="Sign in").click()


def test_it_gives_way_to_the_processes_that_serve_callers(running_portal: RunningPortal):
    supervisor = psutil.Process(running_portal.processes[0].pid)
    expected = min(psutil.Process().nice() + NICENESS, LOWEST)
    assert {one.nice() for one in (supervisor, *supervisor.children(recursive=True))} == {expected}


def test_somebody_joins_signs_in_and_refunds_with_a_browser(running_portal: RunningPortal, page: Page):
    join(page, running_portal.invite("ada", "finance"))
    code = page.locator(".codes code").first.inner_text()
    sign_in(page, running_portal, "ada", code)
    expect(page.get_by_role("heading", name="Payments")).to_be_visible()
    page.get_by_label("Number", exact=True).fill("700101")
    page.get_by_role("button", name="Search").click()
    assert "700101" not in page.url
    page.locator("tbody a").first.click()
    button = page.get_by_role("button", name="Refund", exact=True)
    expect(button).to_be_hidden()
    page.locator("summary", has_text="Refund").focus()
    page.keyboard.press("Enter")
    expect(button).to_have_accessible_description(re.compile("back to visa 1111, at most 42.50 USD"))
    look_at(page, "payment-refund", LOOKS[:1])
    page.get_by_label("Amount").fill("10.00")
    button.click()
    expect(page.get_by_role("status")).to_have_text("refund of 10.00 USD asked for: the forwarder takes it to the bank")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert '"state": "on"' in running_portal.command("user", "list", "--json")


def test_a_call_is_shown_as_it_goes_on_and_the_page_asks_for_nothing_again(running_portal: RunningPortal, page: Page):
    join(page, running_portal.invite("edsger", "viewer"))
    sign_in(page, running_portal, "edsger", page.locator(".codes code").first.inner_text())
    expect(page.get_by_role("heading", name="Payments")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(running_portal.origin)))
    page.goto(f"{running_portal.origin}/live")
    rows = page.locator("#live tbody tr")
    expect(rows).to_have_count(1)
    store = open_store(running_portal.environment["DATABASE_URL"])
    store.save_call(a_call("CA7", step="card"), 0, datetime.now(UTC))
    expect(rows).to_have_count(2)
    expect(rows.nth(1).locator("td").nth(5)).to_have_text("card")
    store.save_call(a_call("CA7", phase="over", outcome="unpaid"), 1, datetime.now(UTC))
    store.close()
    expect(rows).to_have_count(1)
    expect(rows.first.locator("[data-since]").first).to_have_text(re.compile(r"^\d+$"))
    assert asked == ["/live", "/static/portal.css", "/static/live.js", "/live/events"]


def test_a_passkey_is_made_and_signs_in_and_a_copy_of_its_answer_does_not(running_portal: RunningPortal, page: Page):
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(running_portal.invite("grace", "viewer"))
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    with page.expect_request("**/passkeys/sign-in") as sent:
        page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Payments")).to_be_visible()
    expect(page.get_by_text("grace, viewer")).to_be_visible()
    headers = {"Origin": running_portal.origin, "Sec-Fetch-Site": "same-origin"}
    again = httpx.post(
        f"{running_portal.origin}/passkeys/sign-in", content=sent.value.post_data, headers=headers, timeout=PATIENCE_S
    )
    assert again.status_code == 403


def test_a_passkey_whose_owner_was_not_verified_is_not_taken(running_portal: RunningPortal, page: Page):
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": False,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(running_portal.invite("eve", "viewer"))
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.locator("#passkey-problem")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "looks"),
    [("alan", LOOKS[:1]), pytest.param("hedy", LOOKS[1:], marks=pytest.mark.long)],
    ids=["narrow", "wide and dark"],
)
def test_axe_finds_nothing_on_any_page_and_nothing_is_cut_off(
    running_portal: RunningPortal, page: Page, name: str, looks: Looks
):
    link = running_portal.invite(name, "auditor")
    page.goto(link)
    look_at(page, "invitation", looks)
    join(page, link)
    code = page.locator(".codes code").first.inner_text()
    look_at(page, "joined", looks)
    page.goto(f"{running_portal.origin}/sign-in")
    look_at(page, "sign-in", looks)
    sign_in(page, running_portal, name, code)
    today = datetime.now(UTC).date()
    shown = ("payments", "payments/CA1-1", f"days/{today}", "live", "calls", "calls/CA1", "drop-off", "prompts")
    others = ("requests", "stops", "audit", "users", "alerts", "incident", "keys", "keys?name=audit")
    for path in (*shown, *others):
        page.goto(f"{running_portal.origin}/{path}")
        look_at(
            page, path.partition("/")[0].partition("?")[0] + ("-one" if "CA1" in path or "?" in path else ""), looks
        )


def look_at(page: Page, name: str, looks: Looks) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is cut off at {width} pixels"
        if width < WIDEST:
            assert (name, width, scheme, violations(page)) == (name, width, scheme, [])
        page.screenshot(path=SHOTS / f"portal-{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1300, "height": 900})
