"""The forwarder takes up keys while charges are open, opens what was sealed to the one before, and says what ends soon."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ivr import metrics
from ivr.bank import CardNotOpened, load_banks
from ivr.bank.dev_keys import make_forwarders_key
from ivr.errors import ConfigError
from ivr.forwarder.keys import ForwarderKeys
from ivr.forwarder.opening import LONGEST_PENDING, CardOpener, opener_for, opening_keys
from ivr.store import Store
from ivr.vault import Vault
from tests.bank.requests import new_request

PAN = "4242424242424242"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
STRIPE = "banks:\n  acme_bank:\n    protocol: stripe\n    url: https://127.0.0.1:9\n    currencies: [USD]\n    sealing_keys:\n"

TWO_CERTIFICATES = """
banks:
  acme_bank:
    url: https://127.0.0.1:9
    ca: old/forwarder-sealing.crt
    sealing_key: old/forwarder-sealing.crt
    client_certificates:
      - {file: one.crt, key: one.key}
      - {file: two.crt, key: two.key, not_before: 2030-01-01}
"""


class Site:
    """Two pairs of the forwarder's, and what the forwarder is made of; the bank is never asked."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store, self.file = folder, store, folder / "banks.yaml"
        for name in ("old", "new"):
            make_forwarders_key(folder / name)

    def write(self, *entries: str) -> None:
        self.file.write_text(STRIPE + "".join(f"      - {entry}\n" for entry in entries), encoding="utf-8")

    def open(self, *entries: str) -> ForwarderKeys:
        self.write(*entries)
        banks = load_banks(self.file, self.folder)
        openers = {name: opener for name, bank in banks.items() if (opener := opener_for(bank))}
        return ForwarderKeys(self.store, self.file, self.folder, banks, {"acme_bank": Renewed()}, openers)  # type: ignore[dict-item]

    def sealed_to(self, name: str):
        return new_request(Vault(self.folder / name / "forwarder-sealing.crt", bytes(32), "forwarder"), PAN)


class Renewed:
    """A bank that is only told of its settings."""

    def __init__(self) -> None:
        self.times = 0

    def renew(self, settings: object) -> None:
        self.times += 1


def entry(name: str, **days: date) -> str:
    more = "".join(f", {key}: {day}" for key, day in days.items())
    return f"{{file: {name}/forwarder-sealing.crt, opening_key: {name}/forwarder-sealing.key{more}}}"


@pytest.fixture
def site(tmp_path: Path, store: Store) -> Site:
    return Site(tmp_path, store)


def opens(opener: CardOpener, request) -> bool:
    try:
        with opener(request) as card:
            return bool(card["card_number"] == PAN.encode())
    except CardNotOpened:
        return False


def test_a_payment_sealed_to_the_old_key_is_opened_after_the_new_one_was_taken_up(site: Site):
    keys = site.open(entry("old"))
    opener = keys.openers["acme_bank"]
    assert [opens(opener, site.sealed_to(name)) for name in ("old", "new")] == [True, False]
    site.write(entry("old", not_after=NOW.date()), entry("new", not_before=NOW.date()))
    keys.reload()
    assert [opens(opener, site.sealed_to(name)) for name in ("old", "new")] == [True, True]


def test_a_key_is_kept_as_long_as_a_charge_may_need_it_and_its_file_is_not_read_after_that(site: Site):
    ended = date(2026, 1, 1)
    keys = site.open(entry("new"), entry("old", not_after=ended))
    settings = keys.settings["acme_bank"]
    files = [
        [one.file.parent.name for one in opening_keys(settings, ended + LONGEST_PENDING + days)]
        for days in (0 * DAY, DAY)
    ]  # type: ignore[arg-type]
    assert files == [["new", "old"], ["new"]]
    assert not opens(keys.openers["acme_bank"], site.sealed_to("old"))


def test_taking_up_is_on_the_audit_trail(site: Site):
    keys = site.open(entry("old"))
    keys.reload()
    (event,) = site.store.audit_events(10)
    assert (event.who, event.what) == ("forwarder", "keys taken up")
    assert event.about.startswith("acme_bank: seals to ")


def test_a_broken_file_changes_nothing(site: Site):
    keys = site.open(entry("old"))
    (site.folder / "new" / "forwarder-sealing.key").write_text("no key")
    site.write(entry("new"))
    with pytest.raises(
        ConfigError, match=r"banks.yaml:7:\d+: acme_bank: .*new/forwarder-sealing.key: not a private key"
    ):
        keys.reload()
    assert opens(keys.openers["acme_bank"], site.sealed_to("old"))
    assert keys.banks["acme_bank"].times == 0  # type: ignore[attr-defined]


def test_what_ends_within_thirty_days_is_logged_once_a_day_and_its_end_is_a_figure(site: Site):
    ends = NOW.date() + 20 * DAY
    keys = site.open(entry("old", not_after=ends))
    with capture_logs() as logs:
        for at in (NOW, NOW, NOW + DAY):
            keys.look(at)
    told = [line for line in logs if line["event"] == "a key or certificate is about to end"]
    assert len(told) == 2
    assert f"the sealing key ends on {ends}, in 20 days, and none follows" in told[0]["problem"]
    assert told[0]["problem"].startswith(f"{site.file}:7:")
    figure = metrics.KEY_ENDS.labels("acme_bank", "sealing key")._value.get()
    assert figure == datetime.combine(ends + DAY, datetime.min.time(), UTC).timestamp()


def test_nothing_is_logged_of_what_is_good_for_longer(site: Site):
    keys = site.open(entry("old"))
    with capture_logs() as logs:
        keys.look(NOW)
    assert logs == []


def test_a_client_certificate_that_begins_today_is_taken_up_without_a_signal(site: Site):
    site.file.write_text(TWO_CERTIFICATES, encoding="utf-8")
    settings = load_banks(site.file, site.folder)
    bank = Renewed()
    keys = ForwarderKeys(site.store, site.file, site.folder, settings, {"acme_bank": bank}, {})  # type: ignore[dict-item]
    for at in (NOW, NOW, NOW + DAY):
        keys.look(at)
    assert bank.times == 1
