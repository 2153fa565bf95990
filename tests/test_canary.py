"""Whole calls with canary cards, then everything is searched for them; and a planted leak of each kind must be found."""

import hashlib
import hmac
import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

import ivr.conversation.engine
from ivr.bank import AuthorizationRequest
from ivr.bank.hpke_pair import new_hpke_pair
from ivr.bank.simulator.hpke_seals import HpkeKey
from ivr.calls.payments import Payments
from ivr.calls.runner import Runner
from ivr.channels.simulator import play
from ivr.core.events import CardCollected
from ivr.logs import set_up_logging
from ivr.store import SealedField, Store, WantedModification, open_store
from ivr.store.tables import payment_intent
from ivr.testing.bank import ScriptedBank
from ivr.testing.billing import Behaviour, ScriptedBilling
from ivr.testing.recording import RecordingLine, call_file
from ivr.testing.twilio import TwilioCall
from ivr.vault import HPKE, KeyRing, Vault
from tests.benches import ROOT, SAMPLE, Bench, make_bench
from tests.leaks import leaks_in, leaks_in_files, leaks_in_object
from tests.store.databases import make_empty
from tests.webs import Web, make_web

# Published test numbers, so that even a failing test shows nothing that is not public.
CANARIES = ["4012888888881881", "5105105105105100", "371449635398431"]
# (class, method): every way across a zone boundary that card data, or what became of it, could take.
BOUNDARIES: list[tuple[type, str]] = [
    (Runner, "begin"),
    (Runner, "advance"),
    (Payments, "take_card_keys"),
    (Payments, "authorize"),
    (Payments, "answer"),
    (Payments, "take_back"),
    (Payments, "taken_back"),
    (Vault, "take"),
    (ScriptedBilling, "due_now"),
    *[(Store, name) for name in ("load_call", "save_call", "stage_sealed", "begin_payment", "mark_sent", "record")],
    *[(Store, name) for name in ("ask_modification", "mark_modification_sent", "end_modification", "modification")],
    *[(Store, name) for name in ("take_back", "settle_left_open")],
    (ScriptedBank, "modify"),
]


class World:
    """One engine on disk, with everything that crosses a boundary kept for the search."""

    def __init__(self, bench: Bench, web: Web, folder: Path) -> None:
        self.bench, self.web, self.folder = bench, web, folder
        self.crossed: list[object] = []
        self.responses: list[bytes] = []

    def call(self, pan: str, last: str = "1", code: str = "739") -> None:
        """A whole call through the webhooks; the response bodies are kept."""
        line = self.web.line()
        line.begin()
        for keys in ("1", "12345678#", "1", "4111111111111112#", f"{pan[:6]}*{pan}#", "1230", code, "94105", last):
            line.press(keys)
        self.bench.workbench.work()
        line.wait()
        line.press("#")
        self.keep(line)
        self.refund(line.call_id)

    def refund(self, call_id: str) -> None:
        """All that the call has charged."""
        for payment in self.bench.workbench.store.payments_of(call_id):
            if payment.status == "approved":
                about = (payment.intent.reference, "refund", payment.intent.amount, payment.intent.amount)
                self.bench.workbench.store.ask_modification(
                    WantedModification(*about, "ada"), self.bench.workbench.clock()
                )
        self.bench.workbench.work()

    def keep(self, line: TwilioCall) -> None:
        self.responses += [f"{delivery.answer} {delivery.url}".encode() for delivery in line.deliveries]
        self.responses.append(repr(line).encode() + repr(line.deliveries).encode())


@pytest.fixture
def world(sealing_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: object) -> Iterator[World]:
    yield from begin_world(sealing_key, tmp_path, monkeypatch, SAMPLE)


@pytest.fixture
def hpke_world(
    sealing_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: object
) -> Iterator[tuple[World, HpkeKey]]:
    """The same, sealed by HPKE; with the bank's key."""
    private, public = new_hpke_pair()
    (tmp_path / "bank.jwk").write_bytes(public)
    for world in begin_world(sealing_key, tmp_path, monkeypatch, SAMPLE):
        for vault in world.bench.workbench.runner.payments.vaults.values():
            vault.renew(KeyRing(tmp_path / "bank.jwk", HPKE))
        yield world, HpkeKey(json.loads(private))


@pytest.fixture
def split_world(sealing_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: object) -> Iterator[World]:
    yield from begin_world(sealing_key, tmp_path, monkeypatch, ROOT / "flows" / "split.yaml")


def begin_world(sealing_key: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, flow: Path) -> Iterator[World]:
    url = f"sqlite:///{folder}/canary.db"
    make_empty(url)
    store = open_store(url)
    bench = make_bench(sealing_key, flow, store)
    world = World(bench, make_web(bench), folder)
    set_up_logging("debug", "json")
    for owner, name in BOUNDARIES:
        monkeypatch.setattr(owner, name, watched(getattr(owner, name), world.crossed))
    monkeypatch.setattr(ivr.conversation.engine, "step", watched(ivr.conversation.engine.step, world.crossed))
    yield world
    store.close()


def watched(function: Callable[..., Any], crossed: list[object]) -> Callable[..., Any]:
    """Keeps every argument, result and exception."""

    def keep(*arguments: Any, **named: Any) -> Any:
        crossed.extend([*arguments[1:], *named.values()])
        try:
            result = function(*arguments, **named)
        except Exception as error:
            crossed.append(error)
            raise
        crossed.append(result)
        return result

    keep.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return keep


def everything(world: World, capfd: pytest.CaptureFixture[str]) -> list[str]:
    logged = "".join(capfd.readouterr())
    found = [f"log: {leak}" for leak in leaks_in(logged.encode(), CANARIES)]
    found += [f"response: {leak}" for body in world.responses for leak in leaks_in(body, CANARIES)]
    found += [leak for thing in world.crossed for leak in leaks_in_object(thing, CANARIES)]
    return found + leaks_in_files(world.folder, CANARIES)


def test_no_card_number_is_left_anywhere_after_whole_calls(world: World, capfd: pytest.CaptureFixture[str]):
    code = {15: "7393"}
    for pan in CANARIES:
        world.bench.bank.behaviour = "approves"
        world.call(pan, code=code.get(len(pan), "739"))
        world.bench.workbench.store.seed_bills(Path("config/accounts.csv"), anew=True)
    assert len(world.crossed) > 100
    assert len(world.bench.bank.charged) == len(CANARIES)
    assert len(world.bench.bank.modified) == len(CANARIES)
    assert everything(world, capfd) == []


def test_no_card_number_is_left_where_fields_are_sealed_by_hpke(
    hpke_world: tuple[World, HpkeKey], capfd: pytest.CaptureFixture[str]
):
    world, key = hpke_world
    world.bench.bank.behaviour = "approves"
    world.call(CANARIES[0])
    assert len(world.bench.bank.charged) == 1
    opened = [key.open(thing.jwe)[1] for thing in world.crossed if isinstance(thing, SealedField)]
    assert CANARIES[0].encode() in opened
    opened.clear()
    assert everything(world, capfd) == []


def test_no_card_number_is_left_after_calls_that_went_wrong(
    world: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    world.bench.bank.behaviour = "declines 51"
    world.call(CANARIES[0])
    world.bench.bank.behaviour = "is silent"
    world.call(CANARIES[1])
    monkeypatch.setattr(Store, "stage_sealed", lambda *_: 1 / 0)  # the vault has been passed, the store fails
    world.call(CANARIES[0])
    assert everything(world, capfd) == []


@pytest.mark.parametrize("then", ["pays the rest", "takes back", "hangs up"])
def test_no_card_number_is_left_of_two_cards_that_share_a_bill(
    split_world: World, capfd: pytest.CaptureFixture[str], then: str
):
    first, second, _ = CANARIES
    world, bank = split_world, split_world.bench.bank
    line = world.web.line(flow="split")
    line.begin()
    for keys in ("1", "12345678#", "1", f"{first}#", "1230", "739"):
        line.press(keys)
    bank.behaviour = "approves 20.00"
    line.press("1")
    world.bench.workbench.work()
    line.wait()
    for keys in ("1", f"{second[:6]}*{second}", "1230", "739", *(["1"] if then == "pays the rest" else [])):
        line.press(keys)
    bank.behaviour = "approves"
    if then == "takes back":
        for keys in ("*", "1"):
            line.press(keys)
    elif then == "hangs up":
        line.hang_up()
    world.bench.workbench.work()
    world.keep(line)
    assert sorted(money.minor for money in bank.charged.values()) == ([2000, 2250] if then == "pays the rest" else [])
    assert everything(world, capfd) == []


def test_of_the_beginning_of_a_card_nothing_is_left_but_a_keyed_tag(world: World, capfd: pytest.CaptureFixture[str]):
    """Six digits alone may be found by chance in a whole file: each value that is written of a charge is looked through."""
    world.bench.bank.behaviour = "declines 05"
    for pan in CANARIES[:2]:
        world.call(pan)
    staged = [one for one in world.crossed if isinstance(one, SealedField) and one.bin_tag]
    key = world.bench.workbench.runner.payments.vaults["acme_bank"]._fingerprint_key
    tags = [hmac.new(key, b"bin " + pan[:6].encode(), hashlib.sha256).hexdigest()[:16] for pan in CANARIES[:2]]
    with world.bench.workbench.store._database.calls() as connection:
        rows = [dict(row) for row in connection.execute(select(payment_intent)).mappings()]
    assert sorted(row["card_bin_tag"] for row in rows) == sorted(tags) == sorted({str(one.bin_tag) for one in staged})
    written = [str(value) for row in rows for value in row.values()]
    assert not [pan[:6] for pan in CANARIES for value in written if pan[:6] in value]
    assert everything(world, capfd) == []


MEANT_AS_AN_AMOUNT: dict[str, Callable[[str], list[str]]] = {
    "whole": lambda pan: [f"{pan}#"],
    "with its expiry": lambda pan: [f"{pan}1230#"],
    "by the timer": lambda pan: [pan],
    "in two parts": lambda pan: [f"{pan[:7]}#", f"{pan[7:]}#"],
    "in three parts": lambda pan: [f"{pan[:7]}#", f"{pan[7:14]}#", f"{pan[14:]}#"],
}


@pytest.mark.parametrize("keyed", MEANT_AS_AN_AMOUNT)
def test_no_card_number_is_left_that_was_keyed_in_as_an_amount(
    world: World, capfd: pytest.CaptureFixture[str], keyed: str
):
    for pan in CANARIES:
        line = world.web.line()
        line.begin()
        for keys in ("1", "12345678#", "2", *MEANT_AS_AN_AMOUNT[keyed](pan)):
            reply = line.press(keys)
        world.keep(line)
        gives_up = keyed == "in three parts"  # the third wrong entry
        words = " ".join(heard.words for heard in reply.heard)
        assert ("Nothing was charged" if gives_up else "do not enter a card number here") in words
        (call,) = world.bench.workbench.store.latest_calls(1)
        kept = "".join(entry.split(" ")[-1].strip("#") for entry in call.call.history if " keys " in entry)
        assert not any(pan[start : start + 3] in kept for start in range(len(pan) - 2))
    assert everything(world, capfd) == []


RECORDED = {
    "with its expiry": "1 {pan}1230# 12345678# h",
    "after an account": "1 12345678{pan}# 12345678# h",
    "in three parts": "1 {start}# {rest}#",
    "as an amount": "1 12345678# 2 {pan}# h",
}


@pytest.mark.parametrize("keyed", RECORDED)
def test_no_card_number_is_left_in_the_file_of_a_recorded_call(world: World, keyed: str):
    pan = "4539578763621486"  # a published one would be left as it is
    entries = RECORDED[keyed].format(pan=pan, start=pan[:12], rest=pan[12:])
    line = world.bench.workbench.dial("pay-a-bill", "+15550100", RecordingLine)
    assert isinstance(line, RecordingLine)
    line.begin()
    for keys in entries.split():
        line.hang_up() if keys == "h" else line.press(keys)
    text = call_file(line.recording, line.call_id, world.bench.workbench.store)
    (world.folder / "recorded.txt").write_text(text)
    digits = "".join(filter(str.isdigit, text))
    assert not any(pan[start : start + 8] in digits for start in range(len(pan) - 7))
    assert leaks_in_files(world.folder, [pan]) == []


@pytest.mark.parametrize("then", ["is slow", "is away"])
def test_no_card_number_is_left_by_a_consent_that_waits_for_what_is_due(
    world: World, capfd: pytest.CaptureFixture[str], then: Behaviour
):
    line = world.web.line()
    line.begin()
    for keys in ("1", "12345678#", "1", f"{CANARIES[0]}#", "1230", "739", "94105"):
        line.press(keys)
    world.bench.billing.behaviour = "is slow"
    line.press("1")
    world.bench.billing.behaviour = then
    for _ in range(3):
        reply = line.wait()
        world.bench.workbench.work()
        if reply.state == "over":
            break
    world.keep(line)
    assert len(world.bench.bank.charged) == (then == "is slow")
    assert everything(world, capfd) == []


def test_sealed_fields_are_gone_from_disk_once_the_bank_has_answered(world: World):
    world.call(CANARIES[0])
    sealed = [seal for thing in world.crossed if isinstance(thing, dict) for seal in thing.values()]
    sealed += [
        s for r in world.bench.bank.seen.values() if isinstance(r, AuthorizationRequest) for s in r.sealed.values()
    ]
    assert sealed
    on_disk = b"".join(file.read_bytes() for file in world.folder.rglob("*") if file.is_file())
    assert not [seal for seal in sealed if isinstance(seal, str) and seal[-60:].encode() in on_disk]


PLANTS: dict[str, Callable[[World], None]] = {
    "log": lambda _world: structlog.get_logger("planted").warning("planted", keys=", ".join(CANARIES[0])),
    "response": lambda world: world.responses.append(f"<Say>{CANARIES[0]}</Say>".encode()),
    "object": lambda world: world.crossed.append(
        CardCollected(world.bench.workbench.clock.now, "card_number", valid=True, summary=f"visa {CANARIES[0]}")
    ),
    "exception": lambda world: world.crossed.append(ValueError(f"bad card {CANARIES[1]}")),
    "file": lambda world: (world.folder / "crash.txt").write_text(CANARIES[0]) and None,
    "database": lambda world: (
        world.bench.workbench.store.queue_sms(
            "planted-1", "+15550100", f"your card {CANARIES[0][:4]} {CANARIES[0][4:]}", world.bench.workbench.clock.now
        )
        and None
    ),
}


@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_leak_is_found(kind: str, world: World, capfd: pytest.CaptureFixture[str]):
    world.call(CANARIES[0])
    assert everything(world, capfd) == []
    PLANTS[kind](world)
    assert everything(world, capfd) != []


def test_a_recorded_call_with_a_canary_leaves_nothing(world: World, capfd: pytest.CaptureFixture[str]):
    for script in ("approved", "declined-then-another-card", "hang-up-mid-card", "cancel"):
        text = (Path(__file__).parent / "calls" / f"{script}.txt").read_text(encoding="utf-8")
        text = text.replace("4111111111111111", CANARIES[0]).replace("4000000000000002", CANARIES[0])
        play(text.replace("5555555555554444", CANARIES[1]), world.bench.world())
        world.bench.workbench.store.seed_bills(Path("config/accounts.csv"), anew=True)
    assert everything(world, capfd) == []
