"""From a clone to the first call paid in a browser, by the clock: once with nothing on the machine, once with everything there.

Cold: a fresh clone, no environment, an empty download cache of pip's. Warm: the same clone again, everything set up.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 900.0
EXPECT_MS = 120_000


@click.command()
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
def main(browser: str) -> None:
    """Prints a transcript with seconds since the first command."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "tonetill"
        watch = Watch("cold: nothing is there")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        watch.says("git clone")
        call(clone, browser, watch, PIP_CACHE_DIR=str(Path(folder) / "pip"))
        call(clone, browser, Watch("warm: the second time"))


class Watch:
    def __init__(self, title: str) -> None:
        self.began = time.monotonic()
        click.echo(title)

    def says(self, what: str) -> None:
        click.echo(f"  {time.monotonic() - self.began:6.1f} s  {what}")


def call(clone: Path, browser: str, watch: Watch, **variables: str) -> None:
    with made_to_run(clone, variables) as page:
        watch.says("make run: the page answers")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            pay(chromium.new_page(), page, watch)
            chromium.close()


def pay(page, address: str, watch: Watch) -> None:  # type: ignore[no-untyped-def]
    """As docs/browser-phone.md says it: a card, an account, and twice the key 1."""
    page.set_default_timeout(EXPECT_MS)
    expect.set_options(timeout=EXPECT_MS)
    page.goto(address)
    page.get_by_label("Language").select_option("1")
    page.get_by_role("button", name=re.compile("^approved")).first.click()
    watch.says("a click on a test card: the line is called")
    page.get_by_role("button", name=re.compile("^(?!12345678).*owes (?!0.00)")).first.click()
    for asked in ("menu", "confirm"):
        expect(page.locator("#state")).to_contain_text(f"Asked: {asked}")
        page.locator("[data-key='1']").click()
    expect(page.locator("#money")).to_contain_text("approved:")
    watch.says(page.locator("#money .approved").first.inner_text())


@contextlib.contextmanager
def made_to_run(clone: Path, variables: dict[str, str]) -> Iterator[str]:
    """`make run` in the clone, on ports that are free; the page's address."""
    ports = {name: str(free_port()) for name in ("PORT", "CONSOLE_PORT", "BANK_PORT", "AUDIOSOCKET_PORT", "TRUNK_PORT")}
    banks = (clone / "config" / "banks.yaml").read_text(encoding="utf-8")
    moved = clone.parent / "banks.yaml"
    moved.write_text(banks.replace(":9443", f":{ports['BANK_PORT']}"), encoding="utf-8")
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE")
        if name in os.environ
    }
    environment = kept | ports | variables | {"BANKS": str(moved), "TRUNK_TLS_PORT": "0"}
    with (clone.parent / "log").open("w") as log:
        process = subprocess.Popen(
            ["make", "run"], cwd=clone, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        address = f"http://127.0.0.1:{ports['CONSOLE_PORT']}"
        try:
            until_ready(process, address, clone.parent / "log")
            yield address
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


def until_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(log.read_text(encoding="utf-8"))
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=2):
            return
        time.sleep(0.2)
    raise SystemExit(f"the page did not answer:\n{log.read_text(encoding='utf-8')}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
