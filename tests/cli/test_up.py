"""`up` and `set-up` before anything is started: ports, the simulator's port, keys, a full disk; and what is said of them."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from shutil import copytree

import pytest

from ivr.calls.assembly import around
from ivr.calls.flow_folder import FlowFolder
from ivr.cli import main
from ivr.cli.up import files_of, flows_serving, to_be_answered
from ivr.settings import Settings, load_settings
from ivr.store import migrate, open_store
from tests.patience import PATIENCE_S
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
FOREIGN = ("TWILIO_AUTH_TOKEN", "PUBLIC_URL", "DATABASE_URL", "ENVIRONMENT", "BANK_PORT")


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


def ivr(folder: Path, *arguments: str, **settings: str) -> Ended:
    """The command line with a VAR of its own, on ports that nobody uses (0: any). In this process: to start costs two seconds."""
    chosen = {"VAR": str(folder), "COLUMNS": "200", "TRUNK_PORT": "0", **settings}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        for name in FOREIGN:
            patch.delenv(name, raising=False)
        for name, value in chosen.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            main([*arguments])
    return Ended(int(end.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_every_port_is_tried_before_the_welcome(tmp_path: Path, taken: int):
    done = ivr(tmp_path, "up", PORT=str(taken), AUDIOSOCKET_PORT=str(taken))
    assert done.returncode == 2
    assert "with PORT" in done.stderr
    assert "with AUDIOSOCKET_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert "running:" not in done.stdout


def test_a_udp_port_of_the_trunk_that_is_taken_is_named(tmp_path: Path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        done = ivr(tmp_path, "up", TRUNK_PORT=str(other.getsockname()[1]), PORT="1")
    assert "(udp) cannot be used" in done.stderr


def test_a_bank_port_that_the_banks_file_does_not_know_is_refused(tmp_path: Path):
    done = ivr(tmp_path, "up", BANK_PORT="9555")
    assert done.returncode == 2
    assert "BANK_PORT=9555" in done.stderr
    assert "9443" in done.stderr


def test_a_process_that_the_procfile_does_not_have_cannot_be_left_out(tmp_path: Path):
    done = ivr(tmp_path, "up", "--without", "tunk")
    assert done.returncode == 2
    assert "the Procfile has web, console, forwarder" in done.stderr


def test_set_up_says_what_it_made_and_the_second_time_that_all_was_there(tmp_path: Path):
    first, second = (ivr(tmp_path, "set-up", ACCOUNTS="") for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert f"key or certificate {tmp_path}/keys/fingerprint.key" in first.stdout
    assert f"database {tmp_path}/tonetill.db" in first.stdout
    assert "everything was in place already" in second.stdout.splitlines()[-1]


WRONG = {
    "ALERT_EMAILS": "foo",
    "BILLING_URL": "bills",
    "NOTICES_KINDS": "payment.aproved",
    "OIDC_ISSUER": "http://login.example.com",
    "PAY_LINK": "http://pay.example.com",
    "PORTAL_ALONE_UP_TO": "abc",
    "PORTAL_NETWORKS": "here",
    "PORTAL_URL": "http://portal.example.com",
    "SMTP_FROM": "till@example.com",
    "TRUNK_ADVERTISE": "till.example.com",
    "TRUNK_FLOWS": "pay=nosuch",
    "TRUNK_PEERS": "everybody",
    "TRUNK_RTP_PORTS": "10001-10100",
    "TRUNK_TLS_PORT": "5061",
}
# How the message calls it, where that is not by the setting's name.
CALLED = {"TRUNK_PEERS": "peer trunk", "TRUNK_RTP_PORTS": "RTP ports from 10001"}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_setting_that_some_process_refuses_is_refused_by_set_up(tmp_path: Path, name: str):
    done = ivr(tmp_path, "set-up", ACCOUNTS="", **{name: WRONG[name]})
    assert done.returncode == 2
    assert CALLED.get(name, name) in done.stderr
    assert "in place" not in done.stdout


@pytest.mark.parametrize("name", ["ALERT_EMAILS", "PORTAL_ALONE_UP_TO"])
def test_a_setting_that_some_process_refuses_keeps_up_from_starting_any(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ivr.cli.up.supervise", lambda *_, **__: pytest.fail("processes were started"))
    ports = {port: str(free_port()) for port in ("PORT", "CONSOLE_PORT", "PORTAL_PORT")}
    done = ivr(tmp_path, "up", "--without", "trunk", "--without", "bank", ACCOUNTS="", **ports, **{name: WRONG[name]})
    assert done.returncode == 2
    assert name in done.stderr


def test_all_wrong_settings_are_told_at_once(tmp_path: Path):
    told = ivr(
        tmp_path, "set-up", ACCOUNTS="", **{name: WRONG[name] for name in ("ALERT_EMAILS", "PORTAL_ALONE_UP_TO")}
    )
    assert "ALERT_EMAILS: expected e-mail addresses" in told.stderr
    assert "PORTAL_ALONE_UP_TO: " in told.stderr


def test_set_up_for_production_makes_what_is_ours_and_names_what_the_bank_must_issue(tmp_path: Path):
    done = ivr(tmp_path, "set-up", ENVIRONMENT="production", ACCOUNTS="")
    assert done.returncode == 2
    assert f"made: key or certificate {tmp_path}/keys/fingerprint.key" in done.stdout
    assert "bank-sealing.crt" in done.stderr
    assert "fingerprint.key" not in done.stderr
    assert not (tmp_path / "bank").exists()
    assert not (tmp_path / "keys" / "twilio_auth_token").exists()


def test_production_starts_no_bank_simulator(tmp_path: Path):
    environment = {**os.environ, "ENVIRONMENT": "production", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ivr.bank.simulator", "--port", "0", "--dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode != 0
    assert "does not run with ENVIRONMENT=production" in done.stderr


def test_a_full_disk_is_one_clear_line(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs root, to mount a small disk: sudo make test")
    try:
        done = ivr(disk, "set-up")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert done.returncode == 2
    assert "MB are free" in done.stderr
    assert "Traceback" not in done.stderr


def with_bad_flows(folder: Path) -> Path:
    """The sample, one flow that names a bank nobody knows, and one that needs a setting that is off."""
    copytree(ROOT / "flows" / "prompts", folder / "prompts")
    sample = (ROOT / "flows" / "pay-a-bill.yaml").read_text(encoding="utf-8")
    handed_over = sample.replace(
        "goodbye_unpaid: {say: you_were_not_charged, end: unpaid}",
        'goodbye_unpaid: {transfer: "+15550123456", then: {not_available: nobody}}\n  nobody: {end: unpaid}',
    )
    for name, text in (
        ("pay-a-bill", sample),
        ("elsewhere", sample.replace("acme_bank", "acme_bnk")),
        ("helpline", handed_over),
    ):
        (folder / f"{name}.yaml").write_text(text.replace("flow: pay-a-bill", f"flow: {name}"), encoding="utf-8")
    return folder


def settings_of(folder: Path, flows: Path) -> Settings:
    return load_settings().model_copy(
        update={"var": folder, "database_url": f"sqlite:///{folder}/up.db", "flows": flows, "transfers": "off"}
    )


def test_a_flow_that_will_not_be_answered_is_not_offered(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    settings = settings_of(tmp_path, with_bad_flows(tmp_path / "flows"))
    assert to_be_answered(files_of(settings), []) == ["pay-a-bill"]
    said = " ".join(capsys.readouterr().out.split())
    for name in ("elsewhere", "helpline"):
        assert f"left out flow {name}: it is not answered until these problems are mended" in said


def test_of_a_broken_file_the_last_good_version_is_offered_where_it_can_still_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = settings_of(tmp_path, with_bad_flows(tmp_path / "flows"))
    other_then = settings.model_copy(update={"transfers": "on"})
    migrate(settings.database_url)
    store = open_store(settings.database_url)
    FlowFolder(settings.flows, around(None, other_then), publishes_edits=True).begin(store)
    assert set(store.published_flows()) == {"pay-a-bill", "elsewhere", "helpline"}
    store.close()
    assert flows_serving(settings) == ["pay-a-bill"]
    file = settings.flows / "pay-a-bill.yaml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("ok: charge", "ok: chrage"), encoding="utf-8")
    (settings.flows / "second.yaml").write_text(good.replace("flow: pay-a-bill", "flow: second"), encoding="utf-8")
    assert to_be_answered(files_of(settings), flows_serving(settings)) == ["second", "pay-a-bill"]
    said = " ".join(capsys.readouterr().out.split())
    assert "left out the file of flow pay-a-bill: calls go on with the last good version until" in said
    assert "left out flow elsewhere: it is not answered until" in said
