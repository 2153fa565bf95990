"""The scanner wapiti let loose on a running portal and its API, signed in, by role. `make scan-portal`.

The portal is the process that `python -m ivr portal` starts, on a database of its own with payments, calls and texts in it. The
scanner has what a person of the role has in their browser (session, and the origin that a browser would send), so that what it tries gets past
the outermost guard and into the pages. It fails where anything is found that is not explained here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import pyotp
from rich.console import Console
from rich.table import Table

from benchmarks.children import ROOT, child
from tests.patience import PATIENCE_S
from tests.portal.lines import PASSWORD, field_in
from tests.portal.test_in_a_browser import charge
from tests.ports import free_port

SCANNER = Path(os.environ.get("SCANNER", ROOT / ".venv/scanner"))
ROLES = ("finance", "author", "operator", "auditor")
MODULES = (
    *(
        "backup",
        "cookieflags",
        "crlf",
        "csp",
        "csrf",
        "exec",
        "file",
        "htaccess",
        "http_headers",
        "ldap",
        "methods",
        "permanentxss",
    ),
    *("redirect", "shellshock", "sql", "ssrf", "timesql", "upload", "xss", "xxe"),
)
# What the scanner reports and is meant to be so, by its own heading and a pattern of its words.
EXPLAINED = {
    (
        "Cross Site Request Forgery",
        "POST /sign-in",
    ): "nobody is signed in yet: no session to bind a token to. Who signs in must send the portal's Origin",
    (
        "Cross Site Request Forgery",
        "is not properly checked in backend",
    ): "it repeats the true form with two Content-Types, of which no form is read: that is refused (403) as its forged one is",
    (
        "LDAP Injection",
        "POST /stops",
    ): "a guess by answers that differ: what is no flow or bank is told with those that there are. Nothing here speaks LDAP",
    ("HTTP Methods", "OPTIONS"): "OPTIONS says which methods a page has, and no more",
    ("HTTP Methods", "heuristics"): "the scanner's guess where OPTIONS is not allowed, without a method named",
}
console = Console(width=140)


class Portal:
    """A running one, and who is signed in to it."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        # Of its own: whoever is an operator rotates the bank's key, which is written there.
        banks = shutil.copy(ROOT / "config" / "banks.yaml", folder)
        self.environment = {
            "VAR": str(folder),
            "BANKS": str(banks),
            "DATABASE_URL": url or f"sqlite:///{folder}/portal.db",
            "PORTAL_PORT": str(self.port),
            "LOG_LEVEL": "error",
        }

    def command(self, *words: str) -> str:
        command = [sys.executable, "-m", "ivr", *words]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        self.command("set-up")
        charge(self.environment["DATABASE_URL"])
        with child("-m", "ivr", "portal", environment=self.environment) as process:
            process.line()  # says where it is once it listens
            yield

    def session_of(self, role: str) -> str:
        """The cookie of somebody of this role, who was invited and has joined."""
        return self.session(role, self.join(role, role)[0])

    def sessions(self, count: int) -> list[str]:
        """Cookies of so many browsers, of as many people as it takes: a recovery code is good once."""
        found: list[str] = []
        while len(found) < count:
            name = f"auditor{len(found)}"
            found += [self.session(name, code) for code in self.join(name, "auditor")[: count - len(found)]]
        return found

    def join(self, name: str, role: str) -> list[str]:
        """By the invitation's page, with a password and an app's code: recovery codes."""
        link = re.search(r"http://\S+/invitations/\S+", self.command("user", "add", name, "--role", role))
        assert link
        with httpx.Client(headers=self.headers(), timeout=PATIENCE_S) as browser:
            page = browser.get(link[0]).text
            code = pyotp.TOTP(field_in(page, r"<code>([A-Z2-7]{32})</code>")).now()
            sealed = field_in(page, 'name="sealed" value="([^"]+)"')
            joined = browser.post(link[0], data={"password": PASSWORD, "sealed": sealed, "code": code})
            return re.findall(r"<code>(\w{5}-\w{5})</code>", joined.text)

    def session(self, name: str, code: str) -> str:
        with httpx.Client(headers=self.headers(), timeout=PATIENCE_S) as browser:
            typed = {"name": name, "password": PASSWORD, "code": code}
            if browser.post(f"{self.origin}/sign-in", data=typed).status_code != httpx.codes.SEE_OTHER:
                raise SystemExit(f"{name} cannot sign in")
            return "; ".join(f"{key}={value}" for key, value in browser.cookies.items())

    def token_of(self, role: str) -> str:
        """Of a program that may what the role may."""
        return self.command("token", "add", "scanner", "--for", role, "--role", role).strip()

    def headers(self) -> dict[str, str]:
        """As a browser sends them with a form of the portal's own."""
        return {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}


def scan(portal: Portal, what: str, sent: dict[str, str], seconds: int, folder: Path) -> list[dict[str, str]]:
    """What the scanner reports of one pass. `sent`: headers of whoever is signed in."""
    report, log = folder / f"{what}.json", folder / f"{what}.log"
    headers = [word for name, value in (portal.headers() | sent).items() for word in ("-H", f"{name}: {value}")]
    start = ["--swagger", f"{portal.origin}/api/v1/openapi.json"] if what == "API" else []
    command = [
        SCANNER / "bin/wapiti", "-u", f"{portal.origin}/", *start, "-m", ",".join(MODULES), "-x", f"{portal.origin}/sign-out", *headers,
        "-f", "json", "-o", report, "--flush-session", "--store-session", folder / what, "--store-config", folder / "config",
        "--max-scan-time", str(seconds), "--max-attack-time", str(max(10, seconds // 8)), "-v", "1", "--no-bugreport",
    ]  # fmt: skip
    with log.open("w", encoding="utf-8") as out:
        subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, timeout=seconds * 2 + 300)
    if not report.exists():
        raise SystemExit(f"wapiti wrote no report:\n{log.read_text()[-2000:]}")
    found = json.loads(report.read_text())
    tried = log.read_text().count("[+]")
    console.print(
        f"{what}: {found['infos'].get('crawled_pages_nbr', '?')} pages and forms, {tried:,} attacked by a module"
    )
    groups = (found["vulnerabilities"], found["anomalies"], found["additionals"])
    return [
        {"scan": what, "kind": kind, "where": f"{one['method']} {one['path']}", "info": " ".join(one["info"].split())}
        for group in groups
        for kind, several in group.items()
        for one in several
    ]


def explanation(found: dict[str, str]) -> str:
    words = f"{found['where']} {found['info']}"
    return next((why for (kind, part), why in EXPLAINED.items() if kind == found["kind"] and part in words), "")


@click.command()
@click.option("--seconds", default=240, show_default=True, help="The most that one pass takes.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=ROLES,
    show_default=True,
    help="Who is signed in; may be given several times.",
)
@click.option("--api/--no-api", default=True, show_default=True, help="The API too, by its description.")
def main(seconds: int, roles: tuple[str, ...], api: bool) -> None:
    """Prints what was tried, and what was found with its explanation; fails where something has none."""
    found: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="tonetill-") as name:
        folder = Path(name)
        portal = Portal(folder)
        with portal.running():
            found += scan(portal, "nobody", {}, seconds, folder)
            for role in roles:
                found += scan(portal, role, {"Cookie": portal.session_of(role)}, seconds, folder)
            if api:
                found += scan(portal, "API", {"Authorization": f"Bearer {portal.token_of(roles[0])}"}, seconds, folder)
    table = Table("signed in", "kind", "times", "for example", "in its words", "why it is so", title="Found by wapiti")
    kinds: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for one in found:
        kinds.setdefault((one["scan"], one["kind"], explanation(one)), []).append(one)
    for (scanned, kind, why), several in kinds.items():
        table.add_row(
            scanned, kind, str(len(several)), several[0]["where"], several[0]["info"], why or "[red]not explained[/]"
        )
    console.print(table)
    sys.exit(any(not explanation(one) for one in found))


if __name__ == "__main__":
    main()
