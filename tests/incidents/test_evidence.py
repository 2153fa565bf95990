"""The archive of evidence: a stranger finds whatever was changed in it, and a broken trail is packed and said to be broken."""

import hashlib
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text

from ivr.books import new_signing_key
from ivr.books.audit_heads import PUBLIC
from ivr.cli import cli
from ivr.errors import ConfigError, RecordError
from ivr.incidents import EvidenceArchive, EvidenceWanted, LineKeys, check_evidence
from ivr.settings import Settings
from ivr.store import Draft, Store, open_store
from tests.bank_process import BankKeys, bank_keys
from tests.incidents.sites import environment_of, line_site
from tests.store.databases import make_empty
from tests.store.payments import NOW, a_call, begin

__all__ = ["bank_keys"]
DAY = NOW.date()


@pytest.fixture
def settings(tmp_path: Path, bank_keys: BankKeys, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = line_site(tmp_path, bank_keys.var)
    make_empty(made.database_url)
    for name, value in environment_of(tmp_path).items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def store(settings: Settings) -> Store:
    opened = open_store(settings.database_url)
    for number in range(3):
        opened.save_call(a_call(f"CA{number}"), 0, NOW + timedelta(minutes=number))
    begin(opened, "CA1-1", caller="hash")
    opened.publish_flow(Draft("pay-a-bill", "d1" * 32, "flow: pay-a-bill\n", "{}"), "ada", NOW)
    for what in ("refund asked", "limits reset"):
        opened.note("ada", what, "CA1-1", NOW)
    return opened


def packed(settings: Settings, store: Store, file: Path, **wanted: object) -> dict[str, object]:
    keys = LineKeys(settings, store, lambda *_: None, {})
    with file.open("wb") as opened:
        asked = EvidenceWanted(**({"since": DAY, "until": DAY, "by": "ada"} | wanted))  # type: ignore[arg-type]
        return dict(EvidenceArchive(settings, store, keys.all).write(opened, asked, NOW))


def with_file(file: Path, name: str, content: bytes | None) -> Path:
    """A copy in which one file is another; None: gone."""
    made = file.with_name("other.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        if content is not None:
            new.writestr(name, content)
    return made


def test_what_is_on_record_is_in_it_and_every_sum_is_right(settings: Settings, store: Store, tmp_path: Path):
    file = tmp_path / "a.zip"
    packed(settings, store, file)
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums.keys() == files.keys() - {"SHA256SUMS"}
    assert all(hashlib.sha256(files[name]).hexdigest() == one for name, one in sums.items())
    assert len(files["calls/calls.jsonl"].splitlines()) == 3
    assert json.loads(files["calls/charges.jsonl"])["card"] == "visa 1111"
    version = json.loads(files["flows/versions.jsonl"])
    assert (version["digest"], version["is_live"]) == ("d1" * 32, True)
    assert files["flows/pay-a-bill/1/flow.yaml"] == b"flow: pay-a-bill\n"
    assert b"acme_bank sealing" in files["configuration/keys.jsonl"]
    assert check_evidence(file, settings.var / "keys" / PUBLIC) == []


def test_whatever_is_changed_in_it_is_found(settings: Settings, store: Store, tmp_path: Path):
    file, key = tmp_path / "a.zip", settings.var / "keys" / PUBLIC
    packed(settings, store, file)
    with zipfile.ZipFile(file) as archive:
        trail, manifest = archive.read("audit/trail.jsonl"), archive.read("manifest.json")
    changed = with_file(file, "audit/trail.jsonl", trail.replace(b"limits reset", b"limits seen!"))
    assert [one.partition(":")[0] for one in check_evidence(changed, key)] == ["audit/trail.jsonl", "audit trail"]
    assert "is missing" in check_evidence(with_file(file, "alerts.jsonl", None), key)[0]
    assert "it was added" in check_evidence(with_file(file, "more.txt", b"more"), key)[0]
    said = json.loads(manifest)
    other = with_file(file, "manifest.json", json.dumps(said | {"by": "eve"}).encode())
    assert check_evidence(other, key) == [
        "manifest.json: the signature does not fit: it was changed, or signed with another key"
    ]
    assert check_evidence(with_file(file, "manifest.sig", None), key) == ["manifest.json: it is not signed"]
    assert check_evidence(with_file(file, "manifest.sig", b"?"), key)
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(new_signing_key()[1])
    assert check_evidence(file, stranger)
    with pytest.raises(ConfigError, match="no archive of evidence"):
        check_evidence(with_file(file, "manifest.json", None), key)


def test_a_broken_trail_is_packed_and_said_to_be_broken(settings: Settings, store: Store, tmp_path: Path):
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        named = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'")
        )
        for (name,) in named.all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit_event SET who = 'eve' WHERE id = 1"))
    told = packed(settings, store, tmp_path / "a.zip")["audit"]
    assert (told["is_whole"], told["broken_event"]) == (False, 1)  # type: ignore[index]
    assert check_evidence(tmp_path / "a.zip", None) == [
        "audit trail: event 1 is not what was written, or not where (as the database said)"
    ]


def test_the_digest_is_as_the_archive_says_it_is(settings: Settings, store: Store, tmp_path: Path):
    """By somebody who has the README alone."""
    packed(settings, store, tmp_path / "a.zip")
    digest = "0" * 64
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert b"64 zeros" in archive.read("README.txt")
        for line in archive.read("audit/trail.jsonl").splitlines():
            one = json.loads(line)
            event = json.dumps([one["id"], one["at_ms"], one["who"], one["what"], one["about"]])
            digest = hashlib.sha256(f"{digest}{event}".encode()).hexdigest()
            assert one["digest"] == digest


def test_calls_beyond_the_days_and_the_count_are_left_out_and_the_manifest_says_so(
    settings: Settings, store: Store, tmp_path: Path
):
    store.save_call(a_call("CA9"), 0, NOW + timedelta(days=1))
    told = packed(settings, store, tmp_path / "a.zip", most_calls=2)
    assert told["calls"] == {"count": 2, "is_cut_off": True}
    with pytest.raises(RecordError, match="before the first"):
        EvidenceWanted(DAY, DAY - timedelta(days=1), "ada").require()
    with pytest.raises(RecordError, match="at most"):
        EvidenceWanted(date(2025, 1, 1), DAY, "ada").require()


def test_addresses_lose_what_may_be_a_secret_in_them(settings: Settings, store: Store, tmp_path: Path):
    told = {"notices_url": "https://me:hush@example.com/in?key=hush", "database_url": "postgresql://till:hush@db/till"}
    packed(settings.model_copy(update=told), store, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        written = archive.read("configuration/settings.json").decode()
        assert "hush" not in "".join(archive.read(name).decode() for name in archive.namelist())
    assert json.loads(written)["notices_url"] == "https://example.com/in"


def test_without_the_audit_key_the_sums_stand_alone(settings: Settings, store: Store, tmp_path: Path):
    (settings.var / "keys" / "audit_signing.pem").unlink()
    packed(settings, store, tmp_path / "a.zip")
    assert check_evidence(tmp_path / "a.zip", None) == []
    assert check_evidence(tmp_path / "a.zip", settings.var / "keys" / PUBLIC) == ["manifest.json: it is not signed"]


# ---- on the command line


def evidence(*words: str) -> Result:
    return CliRunner().invoke(cli, ["evidence", *words])


def test_the_command_packs_checks_and_writes_over_nothing(settings: Settings, store: Store, tmp_path: Path):
    file = tmp_path / "incident.zip"
    result = evidence("--to", str(file), "--since", "2026-01-15", "--until", "2026-01-15")
    assert "3 calls from 2026-01-15 to 2026-01-15, callers' numbers shortened" in result.output
    assert file.stat().st_mode & 0o077 == 0
    assert store.audit_events(1)[0].what == "evidence exported"
    key = str(settings.var / "keys" / PUBLIC)
    assert "is what was made, and is signed" in evidence("--check", str(file), "--key", key).output
    nowhere = evidence("--check", str(file), "--key", str(tmp_path / "audit_public.pem"))
    assert "where the line is, it is VAR/keys/audit_public.pem" in str(nowhere.exception)
    assert isinstance(evidence("--to", str(file)).exception, ConfigError)
    assert evidence("--check", str(with_file(file, "stops.jsonl", b"{}\n"))).exit_code == 1
    assert evidence().exit_code == 2


def test_keys_are_listed_with_fingerprints_planned_and_refusals_noted(settings: Settings, store: Store):
    def keys(*words: str) -> Result:
        return CliRunner().invoke(cli, ["keys", *words])

    rows = [json.loads(line) for line in keys("list", "--json").stdout.splitlines() if line.startswith("{")]
    own = {row["what"].partition(":")[0]: row for row in rows if not row["bank"]}
    assert {"audit", "portal", "fingerprint", "numbers", "TWILIO_AUTH_TOKEN"} <= own.keys()
    assert settings.twilio_auth_token not in json.dumps(rows)
    assert "must be told:" in keys("plan", "fingerprint").output
    assert "data keys --add" in keys("plan", "numbers").output
    assert "stop line" in keys("rotate", "fingerprint").output
    assert store.audit_events(1)[0].what == "key not rotated"
    assert keys("rotate", "audit").exit_code == 0
    assert store.audit_events(1)[0].what == "key rotated"
    assert "no key 'nothing'" in str(keys("plan", "nothing").exception)


def test_the_same_secret_has_the_same_fingerprint_on_every_node_and_another_has_another(
    settings: Settings, store: Store
):
    def mark(secret: str) -> str:
        keys = LineKeys(settings, store, lambda *_: None, {"ACME_BANK_API_KEY": secret}).all(NOW)
        return next(key.fingerprint for key in keys if key.name == "ACME_BANK_API_KEY")

    assert mark("first") == mark("first") != mark("second")
    assert mark("first") != hashlib.sha256(b"first").hexdigest()[:16]
