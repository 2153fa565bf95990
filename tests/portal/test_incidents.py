"""What people find on the portal when something goes wrong: what to do first, every key by name, and evidence in one archive."""

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ivr.bank.certificates import VALID, Issuer, issue
from ivr.bank.dev_keys import new_sealing_key, pem
from ivr.books.audit_heads import PRIVATE, PUBLIC, HeadProblem, new_signing_key, read_heads, signed_line
from ivr.calls.alert_settings import KINDS
from ivr.cli.keys import keys as keys_command
from ivr.incidents import FIRST_STEPS, LineKeys
from ivr.portal import renew_portal_key
from ivr.portal.credentials import PortalKeyFile, portal_key
from ivr.portal.signing_in import SignIn
from ivr.settings import load_settings
from ivr.store import AlertReceivers, FoundAlert, TurnRecord
from tests.bank_process import BankKeys, bank_keys
from tests.incidents.sites import environment_of, line_site
from tests.portal.lines import Line, told
from tests.portal.programs import program
from tests.store.databases import make_empty
from tests.store.payments import a_call

__all__ = ["bank_keys"]
CARD = "4111111111111111"
TESTED = FoundAlert("card_testing", "caller 1f2e", "5 different cards were declined in an hour from one caller")
SILENT = FoundAlert("bank_silent", "acme_bank", "'acme_bank' has answered none of 3 charges")
BROKEN = FoundAlert("audit_broken", "audit trail", "event 3 of the audit trail is changed")


@pytest.fixture
def line(tmp_path: Path, bank_keys: BankKeys) -> Line:
    site = Line()
    settings = line_site(tmp_path, bank_keys.var)
    site.line_keys = LineKeys(settings, site.store, renew_portal_key, {"ACME_BANK_API_KEY": "the-banks-own-secret"})
    return site


def raised(line: Line, *alerts: FoundAlert) -> None:
    line.store.note_alerts("", alerts, timedelta(minutes=15), AlertReceivers(), line.clock())


# ---- keys


def test_every_key_is_listed_by_name_and_no_secret_is_shown(line: Line):
    page = line.signed_in("eve", "auditor").get("/keys").text
    for name in (
        "acme_bank sealing",
        "acme_bank certificate",
        "acme_bank authority",
        "audit",
        "portal",
        "fingerprint",
        "numbers",
    ):
        assert f"<td>{name}</td>" in page
    assert "<td>ACME_BANK_API_KEY</td>" in page
    assert "the-banks-own-secret" not in page
    assert line.line_keys is not None
    assert line.line_keys.settings.twilio_auth_token not in page


@pytest.mark.parametrize(
    ("setting", "address", "is_listed"),
    [
        ("SMTP_URL", "", False),
        ("SMTP_URL", "smtp://mail.example.com:587", False),
        ("SMTP_URL", "smtp://ivr@mail.example.com:587", False),
        ("SMTP_URL", "smtp://ivr:a%40b@mail.example.com:587", True),
        ("SMTP_URL", "ivr:secret@mail.example.com", True),
        ("DATABASE_URL", "sqlite:///calls.db", False),
        ("DATABASE_URL", "postgresql+psycopg://ivr@db.example.com/ivr", False),
        ("DATABASE_URL", "postgresql+psycopg://ivr:a/b@db.example.com/ivr", True),
        ("DATABASE_URL", "postgresql+psycopg://db.example.com/ivr?user=ivr&password=secret", True),
    ],
)
def test_an_address_without_a_password_is_no_secret_that_the_page_or_the_command_lists(
    line: Line, tmp_path: Path, setting: str, address: str, is_listed: bool
):
    assert line.line_keys is not None
    environment = environment_of(tmp_path) | {setting: address}
    line.line_keys = replace(line.line_keys, settings=load_settings(environment))
    page = line.signed_in("eve", "auditor").get("/keys").text
    assert (f"<td>{setting}</td>" in page) is is_listed
    if setting == "SMTP_URL":  # the command opens the database
        make_empty(environment_of(tmp_path)["DATABASE_URL"])
        said = CliRunner().invoke(keys_command, ["list", "--json"], env=environment)
        assert (f'"{setting}"' in said.stdout) is is_listed


@pytest.mark.parametrize(("last", "until"), [(time(10, 30), "until {} 10:30 UTC"), (time(23, 59, 59), "until {}")])
def test_the_page_says_the_minute_where_a_key_does_not_end_with_a_day(line: Line, last: time, until: str):
    assert line.line_keys is not None
    day, key = datetime.now(UTC).date() + timedelta(days=100), new_sealing_key()
    made = issue("bank", "sealing", key, Issuer("bank", key), datetime.combine(day, last, UTC) - VALID["sealing"])
    (line.line_keys.settings.var / "keys" / "bank-sealing.crt").write_bytes(pem(made))
    assert f"<td>{until.format(day)}</td>" in line.signed_in("eve", "auditor").get("/keys").text


def ends_in(line: Line, days: int) -> datetime:
    """The bank's sealing key does, and none follows; when exactly."""
    assert line.line_keys is not None
    day, key = line.clock().date() + timedelta(days=days), new_sealing_key()
    begins = datetime.combine(day, time(10, 30), UTC) - VALID["sealing"]
    made = issue("bank", "sealing", key, Issuer("bank", key), begins)
    (line.line_keys.settings.var / "keys" / "bank-sealing.crt").write_bytes(pem(made))
    return begins + VALID["sealing"]


@pytest.mark.parametrize(("days", "is_alarming"), [(100, False), (20, True), (-1, True)])
def test_a_program_reads_every_key_when_it_ends_and_what_is_alarming(line: Line, days: int, is_alarming: bool):
    line.clock.at = datetime.now(UTC)  # the certificates were made now
    end = ends_in(line, days)
    eve = line.signed_in("eve", "auditor")
    answer = program(line, "auditor", "eve").get("/keys")
    found: Any = answer.json
    page = eve.get("/keys").text
    assert all(f"<td>{key['name']}</td>" in page for key in found["keys"])
    keys = {key["name"]: key for key in found["keys"]}
    sealing = keys["acme_bank sealing"]
    assert (sealing["alarm"] is not None) is is_alarming
    if days > 0:
        assert abs(datetime.fromisoformat(sealing["until"]) - end) <= timedelta(seconds=1)
    if is_alarming:
        assert sealing["alarm"].startswith("the sealing key ends on") is (days > 0)
    assert [name for name, key in keys.items() if key["alarm"]] == (["acme_bank sealing"] if is_alarming else [])
    assert keys["portal"].keys() == sealing.keys()
    assert (keys["fingerprint"]["state"], keys["fingerprint"]["until"]) == ("in use", None)
    assert line.line_keys is not None
    settings = line.line_keys.settings
    (token,) = line.store.portal_tokens()
    assert keys[f"token {token.id}"]["until"]
    for secret in ("the-banks-own-secret", settings.twilio_auth_token, "BEGIN"):
        assert secret not in answer.text
    for file in (one for one in (settings.var / "keys").iterdir() if one.stat().st_size):
        assert file.read_bytes() not in answer.data


def test_what_a_program_reads_of_keys_is_what_the_command_says(line: Line):
    line.clock.at = datetime.now(UTC)
    ends_in(line, 20)
    assert line.line_keys is not None
    settings = line.line_keys.settings
    where = {"VAR": str(settings.var), "BANKS": str(settings.banks), "DATABASE_URL": settings.database_url}
    make_empty(settings.database_url)
    said = CliRunner().invoke(keys_command, ["list", "--json"], env=where | {"ENVIRONMENT": "development"})
    assert said.exit_code == 1
    found: Any = program(line, "operator").get("/keys").json
    (alarm,) = {key["alarm"] for key in found["keys"] if key["alarm"]}
    assert f"acme_bank: {alarm}" in said.stderr


def test_banks_that_cannot_be_read_are_a_problem_of_the_api_and_not_a_fault(line: Line):
    assert line.line_keys is not None
    line.line_keys.settings.banks.write_text("banks: [", encoding="utf-8")
    answer = program(line, "operator").get("/keys")
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert program(Line(), "operator").get("/keys").status_code == 404


def test_an_auditor_reads_what_a_rotation_would_do_and_does_none(line: Line):
    eve = line.signed_in("eve", "auditor")
    page = eve.get("/keys?name=audit").text
    assert "What still goes to the old one" in page
    assert "Who must be told" in page
    assert "have no answer yet" in eve.get("/keys?name=acme_bank+sealing").text
    assert '<button class="danger">' not in page
    assert eve.fill_in("/keys", "/keys", name="audit", confirmed="yes").status_code == 403
    refused = [event.about for event in line.store.audit_events(5) if event.what == "portal refused"]
    assert refused == ["POST portal.rotate_key"]


def test_a_rotation_is_asked_for_twice_and_put_on_record(line: Line):
    ada = line.signed_in("ada", "operator")
    assert line.line_keys is not None
    public = line.line_keys.settings.var / "keys" / PUBLIC
    before = public.read_bytes()
    asked = ada.fill_in("/keys", "/keys", name="audit")
    assert "Rotate audit?" in asked.text
    assert public.read_bytes() == before
    done = ada.fill_in("/keys", "/keys", name="audit", confirmed="yes")
    assert "a new audit signing key" in told(done)
    assert public.read_bytes().endswith(before)
    event = line.store.audit_events(1)[0]
    assert (event.who, event.what) == ("ada", "key rotated")
    assert event.about.startswith("audit: from ")


def test_a_banks_own_key_is_rotated_from_the_chosen_day_on(line: Line):
    ada, day = line.signed_in("ada", "operator"), line.clock().date() + timedelta(days=3)
    assert 'name="day"' in ada.get("/keys?name=acme_bank+sealing").text
    done = ada.fill_in("/keys", "/keys", name="acme_bank sealing", confirmed="yes", day=str(day))
    assert f"acme_bank seals to keys/bank-sealing-{day}.crt from {day} on" in told(done)
    late = ada.fill_in("/keys", "/keys", name="acme_bank sealing", confirmed="yes", day="2099-01-01")
    assert late.status_code == 409
    again = ada.fill_in("/keys", "/keys", name="acme_bank sealing", confirmed="yes", day=str(day))
    assert again.status_code == 409
    assert line.store.audit_events(1)[0].what == "key not rotated"


def test_what_the_line_cannot_rotate_has_its_commands_and_no_button(line: Line):
    ada = line.signed_in("ada", "operator")
    page = ada.get("/keys?name=ACME_BANK_API_KEY").text
    assert "ACME_BANK_API_KEY=... in /etc/tonetill.env" in page
    assert "danger" not in page
    assert ada.fill_in("/keys", "/keys", name="ACME_BANK_API_KEY", confirmed="yes").status_code == 409
    assert ada.get("/keys?name=nothing").status_code == 404


def test_a_new_portal_key_lets_everybody_in_as_before_and_the_old_one_opens_nothing(line: Line, tmp_path: Path):
    keys = tmp_path / "portal"
    key = PortalKeyFile(keys)
    old = key()
    signing_in = SignIn(line.store, key, line.site.ends, line.clock)
    ada = line.somebody("ada")
    link = line.invite("ada", "viewer")
    sealed = signing_in.new_code_secret(link)  # under way while the key is rotated
    ada.secret = signing_in.code_secret(link, sealed) or ""
    renew_portal_key(keys, line.store)
    assert signing_in.code_secret(link, sealed) == ada.secret
    joined = signing_in.accept(link, "correct horse battery staple", sealed, ada.code())
    assert hasattr(joined, "codes")
    renew_portal_key(keys, line.store)
    line.clock.passes(minutes=1)
    assert isinstance(signing_in.by_password("ada", "correct horse battery staple", ada.code(), "127.0.0.1"), str)
    alone = SignIn(line.store, old, line.site.ends, line.clock)
    line.clock.passes(minutes=1)
    assert not isinstance(alone.by_password("ada", "correct horse battery staple", ada.code(), "127.0.0.1"), str)
    assert len(portal_key(keys)) == 2 * len(old)


def test_of_rotations_at_once_each_keeps_what_the_one_before_has_sealed(line: Line, tmp_path: Path):
    keys = tmp_path / "portal"
    key = PortalKeyFile(keys)
    signing_in = SignIn(line.store, key, line.site.ends, line.clock)
    ada = line.somebody("ada")
    link = line.invite("ada", "viewer")
    sealed = signing_in.new_code_secret(link)
    ada.secret = signing_in.code_secret(link, sealed) or ""
    assert hasattr(signing_in.accept(link, "correct horse battery staple", sealed, ada.code()), "codes")
    with ThreadPoolExecutor(4) as operators:
        list(operators.map(lambda _: renew_portal_key(keys, line.store), range(8)))
    line.clock.passes(minutes=1)
    assert isinstance(signing_in.by_password("ada", "correct horse battery staple", ada.code(), "127.0.0.1"), str)


def test_heads_that_the_old_audit_key_signed_are_good_after_a_rotation(line: Line, tmp_path: Path):
    assert line.line_keys is not None
    keys, heads = line.line_keys.settings.var / "keys", tmp_path / "heads.jsonl"
    first = signed_line(line.store.audit_head(), keys / PRIVATE, line.clock())
    line.line_keys.rotate("audit", "ada", line.clock())
    heads.write_text(f"{first}\n{signed_line(line.store.audit_head(), keys / PRIVATE, line.clock())}\n")
    assert not [one for one in read_heads(heads, keys / PUBLIC) if isinstance(one, HeadProblem)]
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(new_signing_key()[1])
    assert len([one for one in read_heads(heads, stranger) if isinstance(one, HeadProblem)]) == 2


# ---- what to do first


def test_what_is_raised_is_in_the_order_in_which_it_presses(line: Line):
    raised(line, TESTED, SILENT, BROKEN)
    page = line.signed_in("eve", "auditor").get("/incident").text
    at = [page.index(words) for words in ("1. Audit broken", "2. Card testing", "3. Bank silent", "Whatever it is")]
    assert at == sorted(at)
    assert TESTED.words in page
    assert "stop flow NAME" in page


def test_every_alert_has_first_steps():
    assert FIRST_STEPS.keys() == KINDS.keys()


def test_the_bank_that_is_silent_has_a_button_that_asks_once_more(line: Line):
    raised(line, SILENT)
    ada = line.signed_in("ada", "operator")
    assert 'value="bank acme_bank"' in ada.get("/incident").text
    asked = ada.fill_in("/incident", "/stops", what="bank acme_bank", reason="bank silent")
    assert "Stop taking cards?" in asked.text
    assert not line.store.stops()
    assert '<button class="danger">' not in line.signed_in("eve", "auditor").get("/incident").text


def test_without_an_alert_there_is_a_plan_all_the_same(line: Line):
    page = line.signed_in("ada", "operator").get("/incident").text
    assert "No alert is raised" in page
    assert "stop taking them first" in page


# ---- evidence


def archive_of(answer: object) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:  # type: ignore[attr-defined]
        return {name: archive.read(name).decode() for name in archive.namelist()}


def with_calls(line: Line) -> Line:
    line.charge(caller="hash")
    line.store.save_call(a_call("CA1", phase="over", outcome="paid"), 0, line.clock())
    line.store.note_turn(TurnRecord("CA1", 1, line.clock(), "began", "", "language", ("choose_language",), 4))
    line.store.note("root", "canary", f"somebody typed {CARD}", line.clock())
    return line


def test_an_operator_takes_evidence_in_which_callers_are_shortened(line: Line):
    ada = with_calls(line).signed_in("ada", "operator")
    answer = ada.fill_in("/incident", "/incident/evidence", since="2026-01-15", until="2026-01-15")
    assert answer.mimetype == "application/zip"
    files = archive_of(answer)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["by"], manifest["callers"], manifest["calls"]["count"]) == ("ada", "shortened", 1)
    assert manifest["audit"]["is_whole"]
    assert '"...100"' in files["calls/calls.jsonl"]
    assert not [name for name, text in files.items() if "+15550100" in text]
    assert "evidence exported" in files["audit/trail.jsonl"]
    full = ada.fill_in("/incident", "/incident/evidence", since="2026-01-15", until="2026-01-15", callers="full")
    assert full.status_code == 403


def test_an_auditor_may_have_callers_in_full_and_that_is_on_record(line: Line):
    eve = with_calls(line).signed_in("eve", "auditor")
    files = archive_of(eve.fill_in("/incident", "/incident/evidence", since="2026-01-15", callers="full"))
    assert "+15550100" in files["calls/calls.jsonl"]
    assert "callers' numbers in full" in line.store.audit_events(1)[0].about


def test_no_archive_has_a_card_or_a_secret_in_it(line: Line):
    eve = with_calls(line).signed_in("eve", "auditor")
    answer = eve.fill_in("/incident", "/incident/evidence", since="2026-01-15", callers="full")
    files = archive_of(answer)
    assert line.line_keys is not None
    settings = line.line_keys.settings
    for secret in (CARD, "the-banks-own-secret", settings.twilio_auth_token, "PRIVATE KEY"):
        assert not [name for name, text in files.items() if secret in text]
    assert CARD.encode() not in answer.data
    assert json.loads(files["manifest.json"])["taken_out"] == 1
    assert json.loads(files["configuration/settings.json"])["twilio_auth_token"] == "(set)"


def test_days_that_are_no_period_are_refused(line: Line):
    ada = line.signed_in("ada", "operator")
    for since, until in (("2026-01-15", "2026-01-14"), ("2025-01-01", "2026-01-15"), ("soon", "2026-01-15")):
        assert ada.fill_in("/incident", "/incident/evidence", since=since, until=until).status_code == 400


def test_a_portal_that_is_not_given_the_lines_keys_has_no_such_page():
    assert Line().signed_in("ada", "operator").get("/keys").status_code == 404
    assert load_settings({}).portal_hours
