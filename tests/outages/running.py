"""Web, trunk, forwarder and bank as processes of their own, with keys that may be changed under them; and two callers."""

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from ivr.bank.simulator import charged, read_books
from ivr.channels.simulator import LineReply
from ivr.core.call import Call
from ivr.phone.rtp import Phone
from ivr.phone.sip import CallerHandler, ListenAddress, LocalSession, SipCaller, SipEndpoint, SipSettings
from ivr.places import SHIPPED as ROOT
from ivr.store import Store, open_store
from ivr.store.sealed import read_sealed
from ivr.testing.twilio import TwilioCall, call_application
from ivr.vault.seal import kid_of_seal
from tests.bank_process import BankKeys, RunningBank
from tests.benches import SAMPLE
from tests.channels.trunk.callers import place_of, speak
from tests.outages.product import FORWARDER
from tests.patience import PATIENCE_S
from tests.web.servers import TOKEN, WEB, end, free_port, prepare, until

TRUNK = (sys.executable, "-m", "ivr", "trunk", "--quiet")
BANK = (sys.executable, "-m", "ivr.bank.simulator", "--port", "0", "--slow-seconds", "2")
LOOK_S = 0.1
TAKEN_UP = {"bank": "read again", "web": '"event": "keys"', "trunk": '"event": "keys"', "forwarder": "keys taken up"}


@dataclass
class Running:
    """`keys`: a copy of the tests', `banks`: the file that names them. Each process writes into its own log in `folder`."""

    folder: Path
    keys: BankKeys
    banks: Path
    environment: dict[str, str]
    store: Store
    processes: dict[str, "subprocess.Popen[bytes]"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def command(self, *words: str) -> str:
        line = [sys.executable, "-m", "ivr", *words]
        done = subprocess.run(line, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def read_keys_again(self, *names: str) -> None:
        """SIGHUP to each process, as `systemctl reload` does on every machine; until each says that it has taken up what is there."""
        chosen = names or tuple(TAKEN_UP)
        before = {name: self.said(name).count(TAKEN_UP[name]) for name in chosen}
        for name in chosen:
            self.processes[name].send_signal(signal.SIGHUP)
        until(lambda: all(self.said(name).count(TAKEN_UP[name]) > before[name] for name in chosen))

    def rotate(self, days_ago: int) -> str:
        """A new key of the bank's, as an operator lists it by commands; its kid. It begins so many days ago: the later, the newer."""
        day = f"{datetime.now(UTC) - timedelta(days=days_ago):%Y-%m-%d}"
        told = self.command("keys", "rotate", "acme_bank", "--from", day)
        assert "seals to" in told, told
        listed = self.command("keys", "list", "--json")
        found = re.search(r'"what": "sealing key", "key": "([^"]+)".*"now": "seals"', listed)
        assert found, listed
        return found[1]

    def caller(self, number: int) -> TwilioCall:
        return call_application(
            self.url, "/twilio/voice/pay-a-bill",
            auth_token=TOKEN, public_url=self.url, status_callback="/twilio/status", ani=f"+1555{number:07d}",
        )  # fmt: skip

    def call_from(self, ani: str) -> Call | None:
        return next((one.call for one in self.store.latest_calls(10) if one.call.ani == ani), None)

    def kids(self, ani: str) -> set[str]:
        """Of what lies sealed for the caller's charge."""
        call = self.call_from(ani)
        assert call is not None
        with self.store._database.calls() as connection:
            return {kid_of_seal(jwe)[:16] for jwe in read_sealed(connection, call.intent).fields.values()}

    def status(self, ani: str) -> str:
        call = self.call_from(ani)
        found = self.store.payments_of(call.id) if call else []
        return " ".join(one.status for one in found)

    def taken(self) -> list[str]:
        """References that the bank has charged, sorted."""
        return sorted(entry.reference for entry in charged(read_books(self.keys.bank)))


@contextmanager
def running(folder: Path, keys: BankKeys) -> Iterator[Running]:
    own = BankKeys(Path(shutil.copytree(keys.var, folder / "var")))
    with ExitStack() as stack:
        begun: dict[str, subprocess.Popen[bytes]] = {}

        def begin(name: str, line: Sequence[str], environment: dict[str, str] | None = None) -> None:
            output = stack.enter_context((folder / f"{name}.log").open("wb"))
            begun[name] = subprocess.Popen(line, env=environment, cwd=ROOT, stdout=output, stderr=output)
            stack.callback(end, begun[name])

        def said(name: str) -> str:
            return (folder / f"{name}.log").read_text(errors="replace")

        begin("bank", (*BANK, "--dir", str(own.bank)))
        until(lambda: "https://" in said("bank"))
        found = re.search(r"https://\S+:\d+", said("bank"))
        assert found
        bank = RunningBank(found[0], own.bank, own.var, own.settings(found[0]))
        banks = bank.write_banks_yaml(folder / "banks.yaml")
        first = free_port() // 2 * 2
        settings = {
            "banks": str(banks),
            "flows": str(SAMPLE.parent),
            "web_workers": "1",
            "log_level": "info",
            "trunk_port": str(free_port()),
            "trunk_tls_port": "0",
            "trunk_voice": "tones",
            "trunk_flows": "pay=pay-a-bill",
            "trunk_rtp_ports": f"{min(first, 60000)}-{min(first, 60000) + 63}",
        }
        _, environment = prepare(folder, own, **settings)
        for name, line in (("web", WEB), ("trunk", TRUNK), ("forwarder", FORWARDER)):
            begin(name, line, environment)
        store = open_store(environment["DATABASE_URL"])
        stack.callback(store.close)
        site = Running(folder, own, banks, environment, store, begun)
        until(lambda: "running: trunk" in said("trunk") and is_up(f"{site.url}/healthz"))
        yield site


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=PATIENCE_S).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class TrunkCaller:
    """On a telephone of our own at the trunk; what the till asks is seen in the store."""

    site: Running
    phone: Phone
    ani: str

    async def at(self, place: str, keys: str = "") -> None:
        """Waits until the till is there, then keys."""
        while place_of(self.site.call_from(self.ani)) != place:
            await asyncio.sleep(LOOK_S)
        if keys:
            await self.phone.press(keys, tone_ms=60, gap_ms=60)


@asynccontextmanager
async def ringing(site: Running, ani: str) -> AsyncIterator[TrunkCaller]:
    endpoint = SipEndpoint(SipSettings(listen=(ListenAddress("udp", "127.0.0.1", 0),)), CallerHandler())
    await endpoint.start()
    phone = await Phone.at("127.0.0.1")
    try:
        session = LocalSession("127.0.0.1", phone.address[1], preference=("PCMU",))
        caller = SipCaller(endpoint, identity=f"sip:{ani}@127.0.0.1")
        call = await caller.call(f"sip:pay@127.0.0.1:{site.environment['TRUNK_PORT']}", session)
        speak(phone, call, "PCMU")
        yield TrunkCaller(site, phone, ani)
    finally:
        phone.hang_up()
        await endpoint.stop()


def press(line: TwilioCall, *entries: str) -> LineReply:
    """What is heard at last."""
    reply = line.press(entries[0])
    for keys in entries[1:]:
        reply = line.press(keys)
    return reply


def hear_out(line: TwilioCall, reply: LineReply) -> str:
    """In words, until the bank's answer was told."""
    heard = [*reply.heard]
    while reply.state == "waiting":
        reply = line.wait()
        heard += reply.heard
    return " ".join(one.words for one in heard)
