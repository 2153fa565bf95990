"""`flows publish | list | diff | rollback | migrate | withdraw` as an operator runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.calls.assembly import Engine, assemble
from ivr.calls.live_flows import LiveFlows
from ivr.cli import cli
from ivr.core.call import Call
from ivr.errors import RecordError
from ivr.settings import load_settings
from ivr.store import Store, open_store
from tests.bank_process import BankKeys, bank_keys  # noqa: F401
from tests.benches import ROOT
from tests.patience import PATIENCE_S
from tests.store.databases import make_empty
from tests.store.payments import NOW


class Site:
    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.flows, self.variables = folder, variables

    def run(self, *arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(cli, ["flows", *arguments], input=answer)

    def lines(self, *arguments: str, answer: str = "") -> list[str]:
        done = self.run(*arguments, answer=answer)
        assert done.exit_code == 0, done.output
        return done.output.splitlines()

    def edit(self, old: str, new: str, name: str = "pay-a-bill.yaml") -> None:
        file = self.flows / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def store(self) -> Store:
        return open_store(self.variables["DATABASE_URL"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    shutil.copytree(ROOT / "tests" / "flows" / "sample", tmp_path / "flows")
    url = f"sqlite:///{tmp_path / 'till.db'}"
    make_empty(url)
    variables = {"FLOWS": str(tmp_path / "flows"), "DATABASE_URL": url, "VAR": str(tmp_path), "COLUMNS": "200"}
    variables |= {"ENVIRONMENT": "production", "PUBLIC_URL": "https://pay.example.com", "TWILIO_AUTH_TOKEN": "x" * 32}
    variables |= {"PAY_LINK": "https://pay.example.com/bill?token={token}", "PAY_LINK_KEY": "A" * 43 + "="}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Site(tmp_path / "flows", variables)


def test_publishing_says_what_is_live_and_what_has_changed(site: Site):
    assert site.lines("publish", "--by", "ana")[0] == "pay-a-bill: version 1 is live"
    assert site.lines("publish") == ["pay-a-bill: version 1 is live already, and nothing has changed"]
    site.edit("repeat: 2", "repeat: 1")
    expected = ["  ~ step receipt", "      ~ repeat: 2 -> 1"]
    assert site.lines("publish", "--dry-run")[1:] == expected
    assert site.lines("diff", "pay-a-bill") == ["pay-a-bill: version 1 -> the file", *expected]
    assert site.lines("publish") == ["pay-a-bill: version 2 is live instead of 1", *expected]
    assert site.lines("diff", "pay-a-bill", "1") == ["pay-a-bill: version 1 -> 2", *expected]
    assert site.lines("diff", "pay-a-bill", "2", "1")[-1] == "      ~ repeat: 1 -> 2"
    store = site.store()
    assert [(one.who, one.about) for one in store.audit_events(9)][-1] == ("ana", "pay-a-bill 1")
    store.close()


def test_a_broken_flow_is_refused_with_what_check_says_and_the_others_are_published(site: Site):
    site.lines("publish")
    text = (site.flows / "pay-a-bill.yaml").read_text(encoding="utf-8")
    (site.flows / "other.yaml").write_text(text.replace("flow: pay-a-bill", "flow: other"), encoding="utf-8")
    site.edit("ok: charge", "ok: chrage")
    done = site.run("publish")
    assert done.exit_code == 1
    assert "other: version 1 is live" in done.output
    assert "no step is called 'chrage' (did you mean 'charge'?)" in done.output
    assert "refused: pay-a-bill; nothing of it has changed" in done.output
    assert "pay-a-bill  1        live" in site.run("list").output


def test_a_flow_with_an_unknown_bank_is_refused(site: Site):
    site.edit("acme_bank", "acme_bnk")
    done = site.run("publish", str(site.flows / "pay-a-bill.yaml"))
    assert done.exit_code == 1
    assert "did you mean 'acme_bank'?" in done.output
    assert "nothing is published yet" in site.run("list").output


def test_the_list_says_which_version_is_live_and_how_many_calls_are_on_each(site: Site):
    site.lines("publish")
    store = site.store()
    digest = store.flow_versions("pay-a-bill")[0].digest
    for number in range(3):
        store.save_call(Call(f"CA{number}", "pay-a-bill", "", "", "x", "en-US", flow_version=digest), 0, NOW)
    store.save_call(Call("CA9", "pay-a-bill", "", "", "x", "en-US"), 0, NOW)
    store.close()
    site.edit("repeat: 2", "repeat: 1")
    assert "  3 calls in progress on version 1, which finish on it" in site.lines("publish")
    rows = [line.split() for line in site.lines("list")][1:4]
    assert [(row[1], row[2] == "live") for row in rows] == [("2", True), ("1", False), ("none", False)]
    assert rows[1][-2:] == ["3", digest[:7]]
    assert rows[2][2] == "1"


def test_a_rollback_asks_and_goes_back_to_what_was_live_before(site: Site):
    site.lines("publish")
    site.edit("repeat: 2", "repeat: 1")
    site.lines("publish")
    assert site.run("rollback", "pay-a-bill", answer="n\n").exit_code == 1
    assert "version 2 is live already" in site.run("rollback", "pay-a-bill", "2").output
    assert "pay-a-bill: version 1 is live" in site.lines("rollback", "pay-a-bill", answer="y\n")
    assert "pay-a-bill: version 2 is live" in site.lines("rollback", "pay-a-bill", "--yes")


def test_a_first_version_has_nothing_to_go_back_to(site: Site):
    site.lines("publish")
    done = site.run("rollback", "pay-a-bill", "--yes")
    assert isinstance(done.exception, RecordError)
    assert "has no version before 1" in str(done.exception)


@pytest.mark.parametrize("command", ["rollback", "migrate", "withdraw", "diff"])
def test_a_flow_that_was_never_published_is_told_with_its_neighbour(site: Site, command: str):
    site.lines("publish")
    done = site.run(command, "pay-a-bil")
    assert str(done.exception) == "no flow 'pay-a-bil' was ever published (did you mean 'pay-a-bill'?)"


def test_a_version_that_is_not_there_is_told_with_those_that_are(site: Site):
    site.lines("publish")
    for arguments in (
        ["rollback", "pay-a-bill", "7"],
        ["diff", "pay-a-bill", "7"],
        ["migrate", "pay-a-bill", "--from", "7"],
    ):
        assert str(site.run(*arguments).exception) == "there is no version 7 of pay-a-bill; there are 1"


def test_migrating_says_which_calls_cannot_and_why(site: Site):
    site.lines("publish")
    store = site.store()
    digest = store.flow_versions("pay-a-bill")[0].digest
    for name, step, attempt in (("CA1", "amount", 0), ("CA2", "card", 1), ("CA3", "receipt", 0)):
        call = Call(name, "pay-a-bill", "", "", "x", "en-US", step=step, attempt=attempt, flow_version=digest)
        store.save_call(call, 0, NOW)
    site.edit("approved: receipt", "approved: thanks")
    site.edit("  receipt: {", "  thanks: {")
    site.lines("publish")
    expected = [
        "pay-a-bill: 1 call can go on with version 2, 2 not now",
        "  CA2: its card is being taken",
        "  CA3: there is no step 'receipt' any more",
    ]
    assert site.lines("migrate", "pay-a-bill", "--dry-run") == [*expected, "nothing was changed (--dry-run)"]
    assert store.flow_moves() == {}
    assert site.lines("migrate", "pay-a-bill", "--yes") == [*expected, "they move at their next event"]
    assert list(store.flow_moves()) == [digest]
    assert "its calls go on with 2, where they can" in site.run("list").output
    store.close()


def test_nobody_is_moved_where_no_call_is_on_an_older_version(site: Site):
    site.lines("publish")
    assert site.lines("migrate", "pay-a-bill") == ["pay-a-bill: no call in progress is on an older version than 1"]


def test_a_withdrawn_flow_answers_again_after_a_rollback(site: Site):
    site.lines("publish")
    assert site.lines("withdraw", "pay-a-bill", "--yes")[-1] == "pay-a-bill: withdrawn"
    *table, note = site.lines("list")
    assert table[1:]
    assert max(map(len, table)) <= 80
    assert table[-1].split() == ["pay-a-bill", "withdrawn"]
    assert note == "pay-a-bill withdrawn: `python -m ivr flows rollback pay-a-bill` lets it answer again"
    assert "is withdrawn" in str(site.run("withdraw", "pay-a-bill", "--yes").exception)
    assert site.lines("rollback", "pay-a-bill", "--yes")[-1] == "pay-a-bill: version 1 is live"


# ---- two programs


@pytest.fixture
def engine(site: Site, bank_keys: BankKeys) -> Engine:  # noqa: F811
    """Of a process that has started, in development, where no bank's certificates are asked for."""
    chosen = {"ENVIRONMENT": "development", "VAR": str(bank_keys.var)}
    return assemble(load_settings({**os.environ, **chosen}))


def test_a_running_process_takes_up_what_another_program_publishes(site: Site, engine: Engine):
    assert isinstance(engine.flows, LiveFlows)
    before = engine.flows["pay-a-bill"]
    site.edit("repeat: 2", "repeat: 1")
    done = subprocess.run(
        [sys.executable, "-m", "ivr", "flows", "publish"],
        cwd=ROOT, env={**os.environ, **site.variables}, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    engine.flows.look()
    now = engine.flows["pay-a-bill"]
    assert now.version != before.version
    assert engine.flows.served("pay-a-bill").number == 2
