"""`keys`: one more key beside the old one, in a banks.yaml whose comments stay; and what ends soon."""

import json
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.bank import load_banks
from ivr.bank.certificates import VALID, Issuer, issue
from ivr.bank.dev_keys import new_sealing_key, pem
from ivr.bank.simulator.decryption import Decryption
from ivr.calls.bank_keys import ring_of
from ivr.cli.keys import keys
from ivr.errors import ConfigError
from ivr.forwarder.opening import opener_for
from ivr.store import open_store
from ivr.vault import HPKE
from tests.bank_process import BankKeys, bank_keys
from tests.store.databases import make_empty

__all__ = ["bank_keys"]
NOW = datetime.now(UTC)
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)
BANKS = """# ours
banks:
  acme_bank: # the simulator
    url: https://127.0.0.1:9443
    sealing_key: keys/bank-sealing.crt # nobody here can read them
    ca: keys/bank-ca.crt
    client_certificate: keys/client.crt
    client_key: keys/client.key
  stripe_us: # the forwarder's own pair
    protocol: stripe
    url: https://127.0.0.1:9
    currencies: [USD] # no other
"""


class Site:
    def __init__(self, folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.var, self.file = folder, folder / "banks.yaml"
        self.file.write_text(BANKS, encoding="utf-8")
        shutil.copytree(made, folder, dirs_exist_ok=True)
        self.url = f"sqlite:///{folder}/calls.db"
        make_empty(self.url)
        chosen = {"VAR": str(folder), "BANKS": str(self.file), "DATABASE_URL": self.url, "ENVIRONMENT": "development"}
        for name, value in chosen.items():
            monkeypatch.setenv(name, value)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(keys, arguments)

    def bank(self, name: str):
        return load_banks(self.file, self.var)[name]

    def sealing(self, name: str, day: date = TODAY) -> str:
        return ring_of(self.bank(name)).at(NOW + (day - TODAY)).file.name

    def noted(self) -> list[tuple[str, str]]:
        store = open_store(self.url)
        try:
            return [(event.what, event.about) for event in store.audit_events(10)]
        finally:
            store.close()


@pytest.fixture
def site(tmp_path: Path, bank_keys: BankKeys, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, bank_keys.var, monkeypatch)


def test_a_rotated_key_of_the_forwarders_seals_from_tomorrow_and_both_are_opened(site: Site):
    result = site.run("rotate", "stripe_us")
    assert result.exit_code == 0, result.output
    new = f"forwarder-sealing-{TOMORROW}.crt"
    assert [site.sealing("stripe_us", day) for day in (TODAY, TOMORROW)] == ["forwarder-sealing.crt", new]
    opener = opener_for(site.bank("stripe_us"))
    assert opener is not None
    assert len(opener.kids) == 2
    assert site.noted() == [("key rotated", f"stripe_us: keys/{new} from {TOMORROW}")]
    assert "currencies: [USD] # no other" in site.file.read_text()


def test_a_rotated_key_of_the_simulators_is_opened_by_it(site: Site):
    assert site.run("rotate", "acme_bank", "--from", TODAY.isoformat()).exit_code == 0
    assert site.sealing("acme_bank") == f"bank-sealing-{TODAY}.crt"
    kid = ring_of(site.bank("acme_bank")).at(NOW).kid
    assert kid in Decryption(site.var / "bank" / "sealing.key")._keys
    text = site.file.read_text()
    assert "# nobody here can read them" in text
    assert text.startswith("# ours\nbanks:\n  acme_bank: # the simulator\n")


def test_a_key_for_hpke_is_rotated_in_its_own_form(site: Site):
    site.file.write_text(
        BANKS.replace("bank-sealing.crt", "bank-sealing-hpke.jwk").replace("    ca:", f"    seal: {HPKE}\n    ca:")
    )
    assert site.run("rotate", "acme_bank").exit_code == 0
    assert site.sealing("acme_bank", TOMORROW) == f"bank-sealing-hpke-{TOMORROW}.jwk"


def test_a_third_key_goes_below_the_others(site: Site):
    later = TOMORROW + timedelta(days=30)
    for first in (TOMORROW, later):
        assert site.run("rotate", "stripe_us", "--from", first.isoformat()).exit_code == 0
    assert len(site.bank("stripe_us").sealing_keys) == 3
    assert site.sealing("stripe_us", later) == f"forwarder-sealing-{later}.crt"
    assert [what for what, _ in site.noted()] == ["key rotated", "key rotated"]


def test_the_same_day_twice_is_refused_and_changes_nothing(site: Site):
    site.run("rotate", "stripe_us")
    before = site.file.read_text()
    assert "there is one already: choose another day with --from" in str(site.run("rotate", "stripe_us").exception)
    assert site.file.read_text() == before


def test_a_key_that_the_bank_has_issued_is_added_with_its_name_and_days(site: Site):
    (site.var / "keys" / "next.crt").write_bytes((site.var / "keys" / "forwarder-sealing.crt").read_bytes())
    result = site.run(
        "add", "acme_bank", "keys/next.crt", "--kid", "2027-a", "--from", TODAY.isoformat(), "--until", "2027-06-30"
    )
    assert result.exit_code == 0, result.output
    added = site.bank("acme_bank").sealing_keys[1]
    assert (added.kid, str(added.not_after)) == ("2027-a", "2027-06-30")
    assert site.noted() == [("key added", f"acme_bank: keys/next.crt from {TODAY}")]


def test_what_is_no_key_is_not_added(site: Site):
    (site.var / "keys" / "next.crt").write_text("no key")
    result = site.run("add", "acme_bank", "keys/next.crt")
    assert isinstance(result.exception, ConfigError)
    assert "next.crt: not a certificate, public key (PEM) or JWK" in str(result.exception)
    assert site.file.read_text() == BANKS
    assert site.noted() == []


def test_a_key_under_the_name_of_another_is_not_added(site: Site):
    for name in ("next.crt", "after.crt"):
        (site.var / "keys" / name).write_bytes((site.var / "keys" / "forwarder-sealing.crt").read_bytes())
    assert site.run("add", "acme_bank", "keys/next.crt", "--kid", "2027").exit_code == 0
    before = site.file.read_text()
    result = site.run("add", "acme_bank", "keys/bank-sealing.crt", "--kid", "2027", "--from", "2027-06-01")
    assert isinstance(result.exception, ConfigError)
    assert "bank-sealing.crt: its kid is '2027', as" in str(result.exception)
    assert site.file.read_text() == before
    assert site.run("add", "acme_bank", "keys/after.crt", "--kid", "2027", "--from", "2027-06-01").exit_code == 0


def test_a_file_that_cannot_be_changed_so_is_left_with_the_line_to_write(site: Site):
    listed = BANKS.replace("sealing_key: keys/bank-sealing.crt #", "sealing_keys: [{file: keys/bank-sealing.crt}] #")
    site.file.write_text(listed)
    result = site.run("add", "acme_bank", "keys/forwarder-sealing.crt")
    assert isinstance(result.exception, ConfigError)
    assert f"- {{file: keys/forwarder-sealing.crt, not_before: {TOMORROW}}}" in str(result.exception)
    assert site.file.read_text() == listed


def test_production_leaves_a_banks_own_key_to_the_bank(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ENVIRONMENT", "production")
    result = site.run("rotate", "acme_bank")
    assert "keys add acme_bank FILE" in str(result.exception)


def test_the_list_says_what_seals_and_what_ends(site: Site):
    site.run("rotate", "stripe_us")
    result = site.run("list", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    states = {(row["bank"], row["what"], row["now"]) for row in rows}
    assert ("stripe_us", "sealing key", "seals") in states
    assert ("stripe_us", "sealing key", "begins later") in states
    assert ("acme_bank", "client certificate", "good") in states
    assert result.exit_code == 0


@pytest.mark.parametrize(("last", "until"), [(time(10, 30), "{} 10:30 UTC"), (time(23, 59, 59), "{}")])
def test_the_list_says_the_minute_where_a_key_does_not_end_with_a_day(site: Site, last: time, until: str):
    day, key = TODAY + timedelta(days=100), new_sealing_key()
    made = issue("bank", "sealing", key, Issuer("bank", key), datetime.combine(day, last, UTC) - VALID["sealing"])
    (site.var / "keys" / "bank-sealing.crt").write_bytes(pem(made))
    result = site.run("list", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    said = [row["until"] for row in rows if (row["bank"], row["what"]) == ("acme_bank", "sealing key")]
    assert said == [until.format(day)]


def test_a_last_day_that_is_written_is_listed_as_it_is_written(site: Site):
    last = TODAY + timedelta(days=100)
    text = BANKS.replace(
        "sealing_key: keys/bank-sealing.crt", f"sealing_keys: [{{file: keys/bank-sealing.crt, not_after: {last}}}]"
    )
    site.file.write_text(text)
    rows = [json.loads(line) for line in site.run("list", "--json").stdout.splitlines() if line.startswith("{")]
    assert [row["until"] for row in rows if row["file"].endswith("bank-sealing.crt")] == [str(last)]


def test_the_list_fails_where_something_is_about_to_end(site: Site):
    soon = TODAY + timedelta(days=10)
    text = BANKS.replace(
        "sealing_key: keys/bank-sealing.crt", f"sealing_keys: [{{file: keys/bank-sealing.crt, not_after: {soon}}}]"
    )
    site.file.write_text(text)
    result = site.run("list")
    assert result.exit_code == 1
    assert "acme_bank: the sealing key ends on" in result.output
