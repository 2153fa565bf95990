"""A caller's keypad payment at localstripe: our flow, its own list of payment intents and our books equal, endings true."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ivr.bank.stripe import StripeBank
from ivr.calls.assembly import vaults_for
from ivr.logs import set_up_logging
from ivr.store import open_store
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.stripe.running import DECLINED_PAN, PAN, RunningStripe
from tests.benches import ROOT, SAMPLE, load_flow
from tests.leaks import leaks_in, leaks_in_files
from tests.store.databases import make_empty

KEYS = ("1", "12345678#", "2", "{amount}#", "1", f"{PAN}#", "1230", "123", "94105", "1")


def bench_of(stripe: RunningStripe, bank: StripeBank, store=None) -> Workbench:
    flow, prompts = load_flow(SAMPLE)
    return build_workbench(
        flow,
        prompts,
        stripe.keys.keys / "forwarder-sealing.crt",
        bank,
        ROOT / "config" / "accounts.csv",
        store=store,
        vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, "forwarder")),
    )


@pytest.fixture
def bench(stripe_bank: StripeBank, stripe_process: RunningStripe) -> Workbench:
    return bench_of(stripe_process, stripe_bank)


def key_in(bench: Workbench, keys: Sequence[str], waits: bool = True) -> tuple[str, str]:
    """The call's reference of its first charge, and how the call ended. `waits`: for the bank, or hangs up at once."""
    line = bench.dial(bench.flow.name, "+15550100")
    reply = line.begin()
    for pressed in keys:
        while reply.state == "waiting":
            reply = line.wait()
        reply = line.press(pressed)
    for _ in range(30 if waits else 0):
        if reply.state == "waiting":
            reply = line.wait()
    line.hang_up()
    call = bench.store.load_call(line.call_id)
    assert call is not None
    return f"{line.call_id}-1", str(call.call.outcome)


def settle(bench: Workbench) -> None:
    for _ in range(6):
        bench.work()
        bench.clock.advance(61)


def keys_for(amount: str, pan: str = PAN) -> list[str]:
    return [one.format(amount=amount).replace(PAN, pan) for one in KEYS]


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize(
    ("amount", "story"),
    [("1500", "approved"), ("1366", "unknown approved"), ("1367", "unknown approved"), ("1320", "unknown approved")],
)
def test_a_caller_pays_by_keypad_and_both_books_say_the_same(
    amount: str, story: str, waits: bool, bench: Workbench, stripe_process: RunningStripe
):
    reference, outcome = key_in(bench, keys_for(amount), waits)
    settle(bench)
    assert bench.store.entries(reference) == ["requested", *story.split(), "capture_asked"]
    assert stripe_process.booked(reference) == [(int(amount), "captured")]
    assert outcome in ("paid", "pending")


def test_who_hangs_up_and_rings_again_pays_the_bill_once(bench: Workbench, stripe_process: RunningStripe):
    first, _ = key_in(bench, keys_for("1367"), waits=False)
    settle(bench)
    again, outcome = key_in(bench, ["1", "12345678#"], waits=False)
    settle(bench)
    assert stripe_process.booked(first) == [(1367, "captured")]
    assert stripe_process.booked(again) == []
    assert outcome != "paid"


def test_a_declined_caller_is_not_charged(bench: Workbench, stripe_process: RunningStripe):
    reference, outcome = key_in(bench, keys_for("1500", DECLINED_PAN))
    settle(bench)
    assert bench.store.entries(reference) == ["requested", "declined"]
    assert stripe_process.booked(reference) == []
    assert outcome not in ("paid", "pending")


@pytest.fixture
def canary(stripe_process: RunningStripe, stripe_bank: StripeBank, tmp_path: Path) -> Iterator[tuple[Workbench, Path]]:
    url = f"sqlite:///{tmp_path}/calls.db"
    make_empty(url)
    store = open_store(url)
    yield bench_of(stripe_process, stripe_bank, store), tmp_path
    store.close()


@pytest.mark.parametrize("amount", ["1500", "1364", "1366"])
def test_no_card_is_left_in_the_log_the_database_or_an_answer(
    amount: str, canary: tuple[Workbench, Path], stripe_process: RunningStripe, capfd: pytest.CaptureFixture[str]
):
    """Also where Stripe fails, and the fields stay sealed to be sent again."""
    bench, folder = canary
    set_up_logging("info", "json")
    reference, _ = key_in(bench, keys_for(amount))
    settle(bench)
    out, err = capfd.readouterr()
    assert reference in out + err
    assert leaks_in((out + err).encode(), [PAN]) == []
    assert leaks_in_files(folder, [PAN]) == []
    assert leaks_in(str(stripe_process.ask("/_seen")).encode(), [PAN]) == []


def test_no_card_is_in_what_is_said_of_a_fault(
    bench: Workbench, stripe_bank: StripeBank, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """A bug of our own with the card open: the log has its kind, nothing of what it was about."""

    def broken(method, path, content, headers):
        raise ValueError(bytes(content).decode())

    monkeypatch.setattr(stripe_bank._line, "exchange", broken)
    set_up_logging("info", "json")
    key_in(bench, keys_for("1500"))
    out, err = capfd.readouterr()
    assert "ValueError" in out + err
    assert leaks_in((out + err).encode(), [PAN]) == []
