"""Yen, which have no minor digits, from the caller's keys to the bank's books and back: a call, a refund or void, `books check`, `reconcile`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.bank import Bank
from ivr.bank.simulator import read_books
from ivr.bank.simulator.modification_books import read_modifications
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.tonetill import TonetillBank
from ivr.calls.assembly import load_flow, vaults_for
from ivr.channels.simulator import Clock
from ivr.cli.book_accounts import books
from ivr.cli.books import reconcile_file
from ivr.core.money import Money
from ivr.store import Payment, Store, WantedModification, open_store
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.adyen.test_simulator import running as running_adyen
from tests.bank.iso8583.running import running as running_host
from tests.bank.stripe.running import RunningStripe, stripe_process
from tests.bank_process import BankKeys, RunningBank, bank, bank_keys, bank_process
from tests.benches import SAMPLE
from tests.store.databases import make_empty

__all__ = ["bank", "bank_keys", "bank_process", "stripe_process"]
DUE, PAID, BACK = 54_321, 12_345, 2_340
KEYS = ("1", "12345678#", "2", f"{PAID}#", "1", "4111111111111111#", "1230", "123", "94105", "1")
ADYEN = "Psp Reference,Merchant Reference,Creation Date,Type,Gross Currency,Gross Debit (GC),Gross Credit (GC)\n"
STRIPE = "created_utc,currency,gross,reporting_category,payment_intent_id\n"
OWN = "kind,reference,bank_reference,amount,currency,at\n"


@dataclass(frozen=True)
class Place:
    """`booked`: what the bank has charged for a payment, and what it has given back, in its own books. `written`: its file, of amounts
    as such a bank writes them."""

    bank: Bank
    key: Path
    form: str
    booked: Callable[[Payment], tuple[list[tuple[int, str]], list[int]]]
    written: Callable[[Payment], str]
    report: str = "tonetill"
    gives_back: str = "refund"
    tell: Callable[[Store], object] = lambda store: None


def own_file(payment: Payment) -> str:
    day, about = payment.begun_at.date(), f"{payment.intent.reference},{payment.bank_reference or ''}"
    return f"{OWN}charge,{about},{PAID},JPY,{day}\nrefund,{about},{BACK},JPY,{day}\n"


def in_books(
    folder: Path, name: Callable[[Payment], str]
) -> Callable[[Payment], tuple[list[tuple[int, str]], list[int]]]:
    def booked(payment: Payment) -> tuple[list[tuple[int, str]], list[int]]:
        theirs = name(payment)
        charges = [one.amount for one in read_books(folder) if one.reference == theirs and one.amount]
        back = [
            one for one in read_modifications(folder / "books.db") if (one.reference, one.kind) == (theirs, "refund")
        ]
        return [(one.minor, one.currency) for one in charges], [one.amount.minor for one in back]

    return booked


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def place(request: pytest.FixtureRequest, opened: ExitStack, bank_keys: BankKeys, tmp_path: Path) -> Place:
    return globals()[f"at_{request.param}"](request, opened.enter_context, bank_keys, tmp_path / "bank")


Enter = Callable[[AbstractContextManager], object]  # type: ignore[type-arg]


def at_tonetill(request: pytest.FixtureRequest, _enter: Enter, keys: BankKeys, _folder: Path) -> Place:
    running: RunningBank = request.getfixturevalue("bank_process")
    client: TonetillBank = request.getfixturevalue("bank")
    booked = in_books(running.folder, lambda payment: payment.intent.reference)
    return Place(client, keys.keys / "bank-sealing.crt", "tonetill", booked, own_file)


def at_adyen(_request: pytest.FixtureRequest, enter, keys: BankKeys, folder: Path) -> Place:  # type: ignore[no-untyped-def]
    one = enter(running_adyen(keys, folder, SimulatorWays()))

    def written(payment: Payment) -> str:
        day, about = payment.begun_at.date(), f"{payment.bank_reference},{payment.intent.reference}"
        return f"{ADYEN}{about},{day} 10:00:00,Settled,JPY,,{PAID}\n{about},{day} 11:00:00,Refunded,JPY,{BACK},\n"

    def tell(store: Store) -> None:
        for payment in store.payments_of(store.latest_calls(1)[0].call.id):
            one.tell(store, payment.intent.reference)

    booked = in_books(folder, lambda payment: payment.intent.reference.replace("-", "."))
    return Place(enter(one.bank()), one.host.account.public_key, "adyen", booked, written, "adyen", tell=tell)


def at_stripe(request: pytest.FixtureRequest, enter, keys: BankKeys, _folder: Path) -> Place:  # type: ignore[no-untyped-def]
    running: RunningStripe = request.getfixturevalue("stripe_process")

    def booked(payment: Payment) -> tuple[list[tuple[int, str]], list[int]]:
        reference = payment.intent.reference
        ours = [one for one in running.intents() if one["metadata"].get("tonetill_reference") == reference]
        return [(one["amount"], one["currency"].upper()) for one in ours], running.refunded(reference)

    def written(payment: Payment) -> str:
        day, number = payment.begun_at.date(), payment.bank_reference
        return f"{STRIPE}{day} 10:00:00,jpy,{PAID},charge,{number}\n{day} 11:00:00,jpy,-{BACK},refund,{number}\n"

    sealing = keys.keys / "forwarder-sealing.crt"
    return Place(enter(running.bank()), sealing, "forwarder", booked, written, "stripe")


def at_iso8583(_request: pytest.FixtureRequest, enter, keys: BankKeys, folder: Path) -> Place:  # type: ignore[no-untyped-def]
    host = enter(running_host(keys, folder, SimulatorWays()))

    def booked(payment: Payment) -> tuple[list[tuple[int, str]], list[int]]:
        entries = [one.amount for one in read_books(folder) if one.amount]
        return [(one.minor, one.currency) for one in entries], []

    def written(payment: Payment) -> str:
        return f"{OWN}void,{payment.intent.reference},,{PAID},JPY,{payment.begun_at.date()}\n"

    client = enter(host.client())
    return Place(client, keys.keys / "forwarder-sealing.crt", "forwarder", booked, written, gives_back="void")


# The sample's own words for it are of dollars and cents.
IN_YEN = """
enter_money_for_pay_a_bill: "{min:money}, {max:money}."
"""


def in_yen(folder: Path) -> tuple[Path, Path]:
    """The sample flow, and what is owed, in yen."""
    flow, accounts = folder / "yen.yaml", folder / "accounts.csv"
    flow.write_text(SAMPLE.read_text(encoding="utf-8").replace("500.00 USD", "60000 JPY"), encoding="utf-8")
    if (SAMPLE.parent / "parts").exists():
        (folder / "parts").symlink_to(SAMPLE.parent / "parts")
    for language in (SAMPLE.parent / "prompts").glob("*.yaml"):
        own = folder / "prompts" / language.name
        own.parent.mkdir(exist_ok=True)
        own.write_text(language.read_text(encoding="utf-8") + IN_YEN, encoding="utf-8")
    accounts.write_text(f"account,due,minimum,currency\n12345678,{DUE},500,JPY\n")
    return flow, accounts


def call(bench: Workbench) -> tuple[str, str]:
    """The call's name, and all that was said."""
    line = bench.dial(bench.flow.name, "+15550100")
    reply = line.begin()
    heard = [one.words for one in reply.heard]
    for keys in KEYS:
        while reply.state == "waiting":
            reply = line.wait()
            heard += [one.words for one in reply.heard]
        reply = line.press(keys)
        heard += [one.words for one in reply.heard]
    for _ in range(30):
        if reply.state != "waiting":
            break
        reply = line.wait()
        heard += [one.words for one in reply.heard]
    line.hang_up()
    return line.call_id, " ".join(heard)


@pytest.mark.parametrize("place", ["tonetill", "adyen", "stripe", "iso8583"], indirect=True)
def test_yen_are_whole_on_every_side(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'yen.db'}"
    make_empty(url)
    for name, value in {"DATABASE_URL": url, "VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    store, (flow, accounts) = open_store(url), in_yen(tmp_path)
    made = lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, place.form))  # noqa: E731
    clock = Clock(datetime.now(UTC))
    bench = build_workbench(*load_flow(flow), place.key, place.bank, accounts, clock, store, vaults=made)

    call_id, heard = call(bench)
    bench.work()
    place.tell(store)
    (payment,) = store.payments_of(call_id)
    assert (payment.status, payment.intent.amount) == ("approved", Money(PAID, "JPY"))
    assert "54,321 Japanese yen" in heard
    assert "12,345 Japanese yen" in heard
    assert place.booked(payment) == ([(PAID, "JPY")], [])
    assert store.left_on(["12345678"])["12345678"] == Money(DUE - PAID, "JPY")

    back = Money(PAID if place.gives_back == "void" else BACK, "JPY")
    left = store.balance_of(payment).refundable
    store.ask_modification(
        WantedModification(payment.intent.reference, place.gives_back, back, left, "ada"),  # type: ignore[arg-type]
        clock(),
    )
    bench.work()
    place.tell(store)
    assert store.balance_of(payment).returned == back
    if place.gives_back == "refund":
        assert place.booked(payment)[1] == [BACK]

    checked = CliRunner().invoke(books, ["check"])
    assert (checked.exit_code, checked.output.strip()) == (0, "every account says what its charges say")
    (file := tmp_path / "bank.csv").write_text(place.written(payment))
    asked = [
        "--form",
        place.report,
        *(["--since", f"{payment.begun_at.date()}", "--until", f"{payment.begun_at.date()}"]),
    ]
    told = CliRunner().invoke(reconcile_file, [str(file), *asked])
    assert told.exit_code == 0, told.output
    if place.gives_back == "refund":
        file.write_text(place.written(payment).replace(str(PAID), f"{PAID}00"))
        assert CliRunner().invoke(reconcile_file, [str(file), *asked]).exit_code == 1, "a hundredfold is a difference"
    store.close()
