"""The processes of an installation: who answers a called number, what a broken merchant costs the others, whose keys are read again."""

import os
import queue
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.app import create_console
from ivr.calls.assembly import assemble
from ivr.calls.bank_keys import BankKeys
from ivr.channels.trunk import Trunk, TrunkMerchant
from ivr.cli.up_merchants import ports_of_all, processes_of
from ivr.errors import ConfigError
from ivr.mounting import create_installation_console, create_web
from tests.patience import PATIENCE_S
from tests.several.installations import (
    ACME,
    BOLT,
    KEYS,
    NUMBERS,
    TwoMerchants,
    make_installation,
    open_two,
    run,
    settings_in,
)


def trunk_of(two: TwoMerchants) -> Trunk:
    several = [
        TrunkMerchant(settings, assemble(settings), two.found.installation.called(name).numbers)
        for name, settings in two.found.merchants.items()
    ]
    return Trunk(two.found.shared, None, several=several)


def test_a_called_number_leads_to_its_merchants_own_database_and_to_no_other(two: TwoMerchants):
    trunk = trunk_of(two)
    routes = trunk.handler.routes
    assert set(routes) == set(NUMBERS.values())  # no `*`: a number that is nobody's is not found
    for name, number in NUMBERS.items():
        route = routes[number]
        assert route is not None
        assert route.merchant == name
        call = two.rings(name)
        call.begin()
        for other in NUMBERS.values():
            services = routes[other].services
            assert (services.store.load_call(call.call_id) is not None) is (other == number)


def test_one_merchants_trouble_is_not_the_others(tmp_path: Path, restored: None):
    make_installation(tmp_path)
    (tmp_path / "merchants" / BOLT / "var" / "keys" / "fingerprint.key").unlink()
    two = open_two(tmp_path)
    assert two.http.get(f"/m/{ACME}/readyz").status_code == 200
    assert two.http.get(f"/m/{BOLT}/readyz").status_code == 503
    assert two.http.post(f"/m/{BOLT}/twilio/voice/pay-a-bill").status_code == 503
    assert BOLT not in two.http.get(f"/m/{BOLT}/readyz").text
    (tmp_path / "merchants" / ACME / "var" / "keys" / "fingerprint.key").unlink()
    with pytest.raises(ConfigError):
        create_web(settings_in(tmp_path))


def test_a_hangup_has_every_merchant_read_its_keys_again(two: TwoMerchants, monkeypatch: pytest.MonkeyPatch):
    """A process has one handler of the signal, which no merchant may keep for itself."""
    read: queue.SimpleQueue[BankKeys] = queue.SimpleQueue()
    monkeypatch.setattr(BankKeys, "reload", lambda keys: read.put(keys))
    create_web(two.found)
    os.kill(os.getpid(), signal.SIGHUP)
    assert read.get(timeout=PATIENCE_S) is not read.get(timeout=PATIENCE_S)


def test_what_all_count_is_shown_to_this_machine_alone(two: TwoMerchants):
    console = create_installation_console(two.found).test_client()
    here = {"REMOTE_ADDR": "127.0.0.1"}
    page = console.get("/metrics", environ_base=here, base_url="http://127.0.0.1:8001")
    assert page.status_code == 200
    assert f'merchant="{ACME}"' in page.text
    assert console.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403
    assert console.get("/", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403


def test_each_merchant_has_a_forwarder_with_its_name_and_the_listeners_are_shared(two: TwoMerchants):
    commands = {name: f"run {name}" for name in ("web", "console", "forwarder", "bank", "trunk", "portal")}
    processes = dict(processes_of(two.found, commands, set()))
    assert processes["web"] == "run web"
    assert processes[f"forwarder.{ACME}"] == f"env TONETILL_MERCHANT={ACME} run forwarder"
    assert processes[f"bank.{BOLT}"] == f"env TONETILL_MERCHANT={BOLT} BANK_PORT=9444 run bank"
    ports = [port.number for port in ports_of_all(two.found, processes)]
    assert {8000, 8001, 8002, 8011, 8012, 9443, 9444} <= set(ports)
    alone = dict(processes_of(two.found, commands, {"bank", f"forwarder.{BOLT}", "trunk"}))
    assert f"forwarder.{ACME}" in alone
    assert not {f"forwarder.{BOLT}", f"bank.{ACME}", "trunk"} & set(alone)


def test_a_merchant_is_added_listed_and_taken_off_and_its_books_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_installation(tmp_path)
    assert run(tmp_path, "merchant", "list", "--json") == 0
    assert f'"merchant": "{BOLT}"' in capsys.readouterr().out
    assert run(tmp_path, "payments", "list") == 2
    assert "which merchant?" in capsys.readouterr().err
    for arguments in (("--merchant", ACME, "payments", "list"), ("payments", "list", f"--merchant={ACME}")):
        assert run(tmp_path, *arguments) == 0
        assert f"merchants/{ACME}/var" in capsys.readouterr().out.replace("\n", "")
    assert "TONETILL_MERCHANT" not in os.environ
    before = (tmp_path / "merchants.yaml").read_text()
    assert run(tmp_path, "merchant", "add", ACME) == 2
    assert run(tmp_path, "merchant", "add", "third", "--number", NUMBERS[BOLT]) == 2
    assert f"is {BOLT}'s already" in capsys.readouterr().err
    assert (tmp_path / "merchants.yaml").read_text() == before
    secrets = tmp_path / "merchants" / ACME / ".env"
    assert secrets.stat().st_mode & 0o077 == 0
    assert run(tmp_path, "merchant", "remove", BOLT) == 0
    assert list(settings_in(tmp_path).merchants) == [ACME]
    assert (tmp_path / "merchants" / BOLT / "var" / "tonetill.db").is_file()


def test_a_merchant_with_a_call_or_a_charge_under_way_is_not_taken_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], restored: None
):
    make_installation(tmp_path)
    two = open_two(tmp_path)
    line = two.rings(BOLT)
    line.begin()
    assert run(tmp_path, "merchant", "remove", BOLT) == 2
    assert f"{BOLT} has 1 calls under way and 0 jobs waiting" in capsys.readouterr().err
    assert run(tmp_path, "merchant", "remove", ACME) == 0
    for keys in KEYS:
        line.press(keys)
    line.hang_up()
    assert run(tmp_path, "merchant", "remove", BOLT) == 2
    assert re.search(f"{BOLT} has 0 calls under way and [1-9] jobs waiting", capsys.readouterr().err)
    assert run(tmp_path, "merchant", "remove", BOLT, "--anyway") == 0


def test_a_merchant_whose_database_cannot_be_reached_is_not_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_installation(tmp_path, [ACME])
    before = (tmp_path / "merchants.yaml").read_text()
    away = f"sqlite:///{tmp_path}/merchants.yaml/books.db"
    assert run(tmp_path, "merchant", "add", "third", "--database-url", away) == 2
    assert "merchants.yaml is as it was" in capsys.readouterr().err
    assert (tmp_path / "merchants.yaml").read_text() == before


def test_a_merchants_own_page_names_no_process_of_another(two: TwoMerchants, monkeypatch: pytest.MonkeyPatch):
    running = f"web,console,forwarder.{ACME},bank.{ACME},console.{ACME},forwarder.{BOLT},bank.{BOLT},console.{BOLT}"
    monkeypatch.setenv("TONETILL_PROCESSES", running)
    page = create_console(two.found.merchants[ACME]).test_client().get("/", base_url="http://127.0.0.1:8011").text
    assert "takes payments to the bank" in page
    assert BOLT not in page


@pytest.fixture
def restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)
