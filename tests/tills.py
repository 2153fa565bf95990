"""A whole till on loopback: the trunk with a media worker, a database in a file, a forwarder, and a bank that opens cards."""

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwe
from joserfc.jwk import RSAKey
from joserfc.registry import HeaderParameter

from ivr.bank import AuthorizationRequest
from ivr.calls import CallStore, Runner
from ivr.calls.assembly import Engine
from ivr.calls.billing import Bills
from ivr.calls.payments import Payments
from ivr.calls.texting import keep_text
from ivr.channels.trunk import Trunk
from ivr.core.call import Call
from ivr.forwarder.process import Forwarder
from ivr.places import SHIPPED as ROOT
from ivr.settings import Settings, load_settings
from ivr.store import open_store
from ivr.testing.bank import ScriptedBank
from ivr.vault import Vault
from tests.benches import load_flow
from tests.store.databases import make_empty

FINGERPRINT_KEY = bytes(range(32))
FORWARDER_REST_S = 0.05
ACCOUNTS = 1000
MOST = (
    "limits: {attempts_per_call: 20, attempts_per_caller: 10000/1s, attempts_per_card: 10000/1s, "
    "attempts_per_account: 10000/1s, attempts_per_line: 10000/1s, max_amount: 500.00 USD}"
)
REGISTRY = jwe.JWERegistry(
    header_registry={"tonetill": HeaderParameter("where the field may be used", lambda value: None)},
    algorithms=["RSA-OAEP-256", "A256GCM"],
)


@dataclass(frozen=True)
class Keyed:
    """What the bank was sent, opened with its own key."""

    pan: str
    expiry: str
    cvv2: str
    amount_minor: int


class Progress:
    """Where each call of a trunk is, for a caller who waits for the right moment to key."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.history: list[Call] = []
        self._changed = asyncio.Event()

    def note(self, call: Call) -> None:
        self.calls[call.id] = call
        self.history.append(call)
        self._changed.set()

    async def until(self, reached: Callable[[], bool], within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    def ended(self) -> list[str | None]:
        return [call.outcome for call in self.calls.values() if call.phase == "over"]


@dataclass
class Till:
    trunk: Trunk
    bank: ScriptedBank
    store: CallStore
    folder: Path
    private_key: RSAKey
    progress: Progress = field(default_factory=Progress)

    @property
    def port(self) -> int:
        return dict(self.trunk.endpoint.listening)["udp"][1]

    @property
    def uri(self) -> str:
        return f"sip:pay@127.0.0.1:{self.port}"

    def keyed(self) -> list[Keyed]:
        return [self._opened(request) for request in self.bank.seen.values()]

    def _opened(self, request: AuthorizationRequest) -> Keyed:
        clear = {
            name: jwe.decrypt_compact(sealed, self.private_key, registry=REGISTRY).plaintext or b""
            for name, sealed in request.sealed.items()
        }
        return Keyed(
            clear["card_number"].decode(),
            clear["expiry"].decode(),
            clear["security_code"].decode(),
            request.amount.minor,
        )


@contextlib.asynccontextmanager
async def open_till(folder: Path, flow: Path | None = None, **settings: str) -> AsyncIterator[Till]:
    """Free ports, tone prompts, no limits on attempts; `settings` are environment variables in small letters. `flow`: another than the sample."""
    till = make_till(folder, flow, **settings)
    stopping = threading.Event()
    forwarder = threading.Thread(target=forward, args=(till, stopping), daemon=True)
    forwarder.start()
    try:
        await till.trunk.start()
        yield till
    finally:
        await till.trunk.stop(0.5)
        stopping.set()
        await asyncio.to_thread(forwarder.join, 5)


def make_till(folder: Path, flow: Path | None = None, **settings: str) -> Till:
    chosen = till_settings(folder, **settings)
    private_key, opening_key = bank_key()
    sealing_key = folder / "sealing.pem"
    sealing_key.write_bytes(private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    make_empty(chosen.database_url)
    store = open_store(chosen.database_url)
    store.seed_bills(write_accounts(folder))
    progress = Progress()
    trunk = Trunk(chosen, engine_over(store, flow or write_flow(folder), sealing_key), watch=progress.note)
    return Till(trunk, ScriptedBank(), store, folder, opening_key, progress)


@functools.cache
def bank_key() -> tuple[rsa.RSAPrivateKey, RSAKey]:
    """One for all tills: to make and examine one takes a tenth of a second."""
    private_key = rsa.generate_private_key(65537, 2048)
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private_key, RSAKey.import_key(pem)


def till_settings(folder: Path, **settings: str) -> Settings:
    chosen = {
        "var": str(folder),
        "database_url": f"sqlite:///{folder / 'till.db'}",
        "trunk_port": "0",
        "trunk_rtp_ports": "0000-0031",
        "trunk_max_calls": "50",
        "trunk_voice": "tones",
        "twilio_auth_token": "x" * 32,
        **settings,
    }
    return load_settings({name.upper(): value for name, value in chosen.items()})


def write_flow(folder: Path) -> Path:
    """The product's own flow, without limits on attempts: tests ring more often than one caller may."""
    flow = (ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml").read_text(encoding="utf-8")
    lines = [MOST if line.startswith("limits:") else line for line in flow.splitlines()]
    file = folder / "flows" / "pay-a-bill.yaml"
    file.parent.mkdir(exist_ok=True)
    (file.parent / "prompts").symlink_to(ROOT / "flows" / "prompts")
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def account(number: int) -> str:
    """A bill of 42.50 for each call: what one pays, another owes no more."""
    return str(20_000_000 + number)


def write_accounts(folder: Path) -> Path:
    lines = ["account,due,minimum,currency", *(f"{account(number)},42.50,10.00,USD" for number in range(ACCOUNTS))]
    file = folder / "accounts.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def card(number: int) -> Keyed:
    """A card of its own for each call: the bank must be sent exactly this."""
    return Keyed(passing_luhn(f"4{number:06d}19283746"), "1230", f"{(number * 37) % 1000:03d}", 4250)


def engine_over(store: CallStore, file: Path, sealing_key: Path) -> Engine:
    flow, prompts = load_flow(file)
    payments = Payments(store, {flow.bank: Vault(sealing_key, FINGERPRINT_KEY)}, "test", FINGERPRINT_KEY, prompts.words)
    return Engine({flow.name: flow}, prompts, store, Runner({flow.name: flow}, payments, Bills(store)))


def forward(till: Till, stopping: threading.Event) -> None:
    flow = next(iter(till.trunk.engine.flows.values()))
    forwarder = Forwarder(till.store, {flow.bank: till.bank}, keep_text)
    while not stopping.wait(FORWARDER_REST_S):
        while forwarder.run_once():
            pass


def passing_luhn(body: str) -> str:
    """`body` with its check digit (ISO/IEC 7812-1 annex B): card numbers of their own for many calls."""
    doubled = [int(digit) * 2 for digit in body[::-2]]
    total = sum(sum(divmod(one, 10)) for one in doubled) + sum(map(int, body[-2::-2]))
    return f"{body}{-total % 10}"
