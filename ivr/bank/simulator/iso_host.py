"""The simulator's ISO 8583 host: the same books, cards and faults, over TLS on a port of its own.

Each message is answered by a task of its own, so that a slow one lets later ones pass: answers come out of order.
"""

import asyncio
import hashlib
import secrets
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import iso8583
import structlog

from ivr.bank.iso8583.currencies import NAMES
from ivr.bank.iso8583.spec import SHIPPED_SPEC, ReadSpec, load_spec
from ivr.bank.simulator.books import BookEntry, Books
from ivr.bank.simulator.decryption import Refused, check_expiry, check_pan
from ivr.bank.simulator.scenarios import PARTIAL, LineFault, SimulatorWays
from ivr.core.money import Money
from ivr.errors import ConfigError

log = structlog.get_logger()
APPROVED, NO_SUCH_RECORD, DUPLICATE, FAULT, FORMAT = "00", "25", "94", "96", "30"
# Fields that an answer repeats, where they came.
REPEATED = ("2", "3", "4", "7", "11", "12", "13", "32", "37", "41", "42", "49", "70")
ANSWERS = {
    "0100": "0110",
    "0200": "0210",
    "0420": "0430",
    "0421": "0430",
    "0400": "0410",
    "0401": "0410",
    "0800": "0810",
}
PURCHASES, REVERSALS = ("0100", "0200"), ("0400", "0401", "0420", "0421")
Fields = Mapping[str, str]


class IsoHost:
    """`start` and `stop` from one thread; it serves in another. `url` is where. A file `iso8583.yaml` in its folder is
    its spec, in place of the one that ships."""

    def __init__(self, folder: Path, books: Books, context: ssl.SSLContext, ways: SimulatorWays) -> None:
        self._books, self._context, self._ways = books, context, ways
        own = folder / "iso8583.yaml"
        self._spec = load_spec(own if own.exists() else SHIPPED_SPEC)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="iso-host", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    def start(self, host: str, port: int) -> None:
        """0 takes any free port. ConfigError where it is taken."""
        self._thread.start()
        serving = asyncio.start_server(self._serve, host, port, ssl=self._context)
        try:
            self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        except OSError as error:
            raise ConfigError(f"{host}:{port}: {error.strerror}; choose another with --iso8583-port") from None
        self.url = f"tls://{host}:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = HostLine(self._spec, writer)
        try:
            while True:
                message = await line.read(reader)
                task = asyncio.ensure_future(self._answer(line, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, OSError, iso8583.DecodeError) as error:
            log.info("connection ended", reason=type(error).__name__)
        finally:
            writer.close()

    async def _answer(self, line: "HostLine", message: Fields) -> None:
        kind = message["t"]
        if kind in PURCHASES:
            await self._purchase(line, message)
        elif kind in REVERSALS:
            line.write(message, {"39": self._reverse(message)})
        elif kind == "0800":
            line.write(message, {"39": APPROVED})
        else:
            line.write(message, {"39": FORMAT})

    async def _purchase(self, line: "HostLine", message: Fields) -> None:
        entry, fault = self._decided(message)
        if fault == "duplicate":
            line.write(message, {"39": DUPLICATE})
            return
        if await self._breaks(line, message, fault, "before"):
            return
        entered = self._books.authorize(entry)
        if not await self._breaks(line, message, fault, "after"):
            line.write(message, answered(entered, entry))

    def _decided(self, message: Fields) -> tuple[BookEntry, LineFault | None]:
        pan, amount = message.get("2", ""), amount_of(message)
        try:
            brand = check_pan(pan).name
            check_expiry(month_first(message.get("14", "")), datetime.now(UTC).date())
            scenario = self._ways.choose(pan, amount.minor)
            told = self._spec.host.partial
            takes_part = bool(told) and all(message.get(name, "").strip() == value for name, value in told.items())
            code, approved = scenario.decide(amount.minor, takes_part=takes_part)
            fault = scenario.fault
        except Refused as refused:
            brand, code, fault, approved = "unknown", refused.response_code, None, None
        return replace(new_entry(message, amount, code, brand, pan[-4:]), approved_minor=approved), fault

    async def _breaks(self, line: "HostLine", message: Fields, fault: LineFault | None, moment: str) -> bool:
        """Whether there will be no proper answer."""
        match fault, moment:
            case ("late", "before") | ("slow", "after"):
                await asyncio.sleep(self._ways.slow_s)
                return False
            case ("silent_before", "before") | ("silent_after", "after"):
                pass
            case ("error_before", "before") | ("error_after", "after"):
                line.write(message, {"39": FAULT})
            case ("closed_before", "before") | ("closed_after", "after"):
                line.cut()
            case ("garbled_after", "after"):
                line.write_half(message, {"39": APPROVED})
            case _:
                return False
        return True

    def _reverse(self, message: Fields) -> str:
        """Field 90 names the purchase; field 37 is the one that the purchase had."""
        reference = message.get("37", "").strip()
        known = self._books.find(reference)
        if known is None and not self._ways.blocks:
            return NO_SUCH_RECORD
        if known is not None and known.idempotency_key not in (None, key_of(message["90"][4:10], message["90"][10:20])):
            return NO_SUCH_RECORD
        self._books.reverse(reference)
        return APPROVED


class HostLine:
    """One connection, at the host's end."""

    def __init__(self, spec: ReadSpec, writer: asyncio.StreamWriter) -> None:
        self._spec, self._writer = spec, writer

    async def read(self, reader: asyncio.StreamReader) -> Fields:
        framing = self._spec.host.framing
        length = int.from_bytes(await reader.readexactly(2), "big") - (2 if framing.length_counts_itself else 0)
        content = await reader.readexactly(length)
        decoded, _ = iso8583.decode(content[len(framing.tpdu) // 2 :], self._spec.codec)
        return decoded

    def write(self, asked: Fields, answer: Fields) -> None:
        log.info("iso8583", type=asked["t"], code=answer.get("39"))
        with suppress(OSError):
            self._writer.write(self._frame(asked, answer))

    def write_half(self, asked: Fields, answer: Fields) -> None:
        with suppress(OSError):
            self._writer.write(self._frame(asked, answer)[:20])
        self._writer.close()

    def cut(self) -> None:
        self._writer.close()

    def _frame(self, asked: Fields, answer: Fields) -> bytes:
        repeated = {name: asked[name] for name in REPEATED if name in asked}
        raw, _ = iso8583.encode({"t": ANSWERS.get(asked["t"], "0810"), **repeated, **answer}, self._spec.codec)
        framing = self._spec.host.framing
        body = bytes.fromhex(framing.tpdu) + raw
        return (len(body) + (2 if framing.length_counts_itself else 0)).to_bytes(2, "big") + body


def new_entry(message: Fields, amount: Money, code: str, brand: str, last4: str) -> BookEntry:
    is_approved = code in (APPROVED, PARTIAL)
    without_card = repr(sorted((name, value) for name, value in message.items() if name not in ("2", "14", "48")))
    return BookEntry(
        reference=message["37"].strip(),
        idempotency_key=key_of(message["11"], message["7"]),
        request_hash=hashlib.sha256(without_card.encode()).hexdigest(),
        merchant=message["42"].strip(),
        call=message["41"].strip(),
        amount=amount,
        brand=brand,
        last4=last4,
        outcome="approved" if is_approved else "declined",
        response_code=code,
        authorization_code=f"{secrets.randbelow(10**6):06d}" if is_approved else None,
        invoice_reference="",
    )


def answered(entered: BookEntry, entry: BookEntry) -> dict[str, str]:
    if entered.request_hash != entry.request_hash:
        return {"39": DUPLICATE}
    code = {"38": entered.authorization_code} if entered.authorization_code else {}
    if entered.response_code == PARTIAL and entered.amount is not None:
        code |= {"4": f"{entered.amount.minor:012d}"}
    return {**code, "39": entered.response_code or FAULT}


def key_of(stan: str, transmitted: str) -> str:
    return f"iso8583 {transmitted} {stan}"


def amount_of(message: Fields) -> Money:
    return Money(int(message["4"]), NAMES.get(message["49"], "XXX"))


def month_first(expiry: str) -> str:
    return expiry[2:] + expiry[:2]
