"""The whole product as `make run` starts it: real processes, a real bank over TLS, a call by signed webhooks, Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ivr.bank.simulator import charged, read_books
from tests.patience import PATIENCE_S
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
PAYMENT = "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"


@dataclass
class Product:
    process: "subprocess.Popen[str]"
    url: str
    environment: dict[str, str]
    var: Path

    def ivr(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ivr", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def until(answered, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not answered():
        assert time.monotonic() < deadline, "nothing answered"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    var = tmp_path_factory.mktemp("var")
    port, console_port, portal_port, bank_port = free_port(), free_port(), free_port(), free_port()
    banks = (ROOT / "config" / "banks.yaml").read_text(encoding="utf-8").replace(":9443", f":{bank_port}")
    (var / "banks.yaml").write_text(banks, encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("TWILIO_AUTH_TOKEN", "PUBLIC_URL")},
        "VAR": str(var),
        "DATABASE_URL": f"sqlite:///{var}/product.db",
        "PORT": str(port),
        "CONSOLE_PORT": str(console_port),
        "PORTAL_PORT": str(portal_port),
        "BANK_PORT": str(bank_port),
        "BANKS": str(var / "banks.yaml"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "ivr", "up", "--without", "trunk"]
    log = (var / "log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, text=True)
    running = Product(process, f"http://127.0.0.1:{port}", environment, var)
    try:
        until(lambda: answers(f"{running.url}/readyz"))
        until(lambda: answers(f"http://127.0.0.1:{console_port}/readyz"))
        until(lambda: "bank simulator: https" in (var / "log").read_text())
        yield running
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def test_a_call_through_the_running_product_is_paid_and_both_books_agree(product: Product):
    heard = " ".join(product.ivr("simulate", "--via", product.url, "--keys", PAYMENT).split())
    number = re.search(r"Confirmation ([\d,; ]+)\.", heard)
    assert number is not None, heard
    assert "42 dollars and 50 cents with Visa" in heard
    entries = charged(read_books(product.var / "bank"))
    assert [(entry.amount.minor, entry.invoice_reference) for entry in entries] == [(4250, "12345678")]
    console = f"http://127.0.0.1:{product.environment['CONSOLE_PORT']}"
    metrics = httpx.get(f"{console}/metrics", trust_env=False, timeout=PATIENCE_S).text
    assert 'tonetill_call_endings_total{flow="pay-a-bill",hung_up="false",outcome="paid"} 1.0' in metrics
    assert 'message="authorize",outcome="approved"' in metrics
    page = httpx.get(f"{console}/", trust_env=False, timeout=PATIENCE_S).text
    assert "42.50 USD" in page
    assert "<svg" in page
    assert "+15550100" not in page


def test_the_portal_is_started_too_and_it_is_said_how_somebody_is_invited(product: Product):
    portal = f"http://localhost:{product.environment['PORTAL_PORT']}"
    until(lambda: answers(f"{portal}/healthz"))
    said = (product.var / "log").read_text()
    assert f"{portal}/" in said
    assert "user add NAME --role operator" in said
    link = re.search(r"http://\S+/invitations/\S+", product.ivr("user", "add", "ada", "--role", "operator"))
    assert link is not None
    assert "ada" in httpx.get(link[0], trust_env=False, timeout=PATIENCE_S).text


def test_what_is_on_disk_and_in_the_log_knows_no_card(product: Product):
    product.ivr(
        "simulate", "--via", product.url, "--from", "+15550123", "--keys", PAYMENT.replace("12345678", "23456789")
    )
    for file in product.var.rglob("*"):
        if file.is_file():
            assert b"4012888888881881" not in file.read_bytes(), file.name


def test_a_taken_port_is_a_clear_error(product: Product):
    done = subprocess.run(
        [sys.executable, "-m", "ivr", "up"],
        cwd=ROOT, env=product.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "choose another with PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_interrupting_it_stops_every_process_cleanly(product: Product):
    product.process.send_signal(signal.SIGINT)
    assert product.process.wait(PATIENCE_S) == 0
    said = (product.var / "log").read_text()
    assert said.rstrip().endswith("stopped")
    assert not answers(f"{product.url}/healthz")
