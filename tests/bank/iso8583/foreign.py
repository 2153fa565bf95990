"""A host that nobody of the product wrote the messages of: iso8583sim reads and writes them, in a process of its own over TLS.

`python -m tests.bank.iso8583.foreign FOLDER FORMAT` prints its port, and appends what it has read to FOLDER/seen.jsonl.
What it does with a purchase goes by its amount (`WAYS`); with a sign-on or an echo, by the code in field 70.
"""

import json
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from iso8583sim.core.types import ISO8583Message
from iso8583sim.wire import WireFormat, decode_message, encode_message

ANSWERS = {"0100": "0110", "0200": "0210", "0420": "0430", "0421": "0430", "0800": "0810"}
REPEATED = (2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 70)
REFUSED_SIGN_ON, MUTE_ECHO = "999", "998"


class Host(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, form: WireFormat, tpdu: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.folder, self.form, self.tpdu = folder, form, tpdu
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.seen = (folder / "seen.jsonl").open("a")
        self.lock = threading.Lock()

    def note(self, message: ISO8583Message) -> None:
        with self.lock:
            fields = {str(number): value for number, value in message.fields.items()}
            self.seen.write(json.dumps(fields) + "\n")
            self.seen.flush()


class Line(socketserver.BaseRequestHandler):
    server: Host

    def handle(self) -> None:
        self.line = self.server.context.wrap_socket(self.request, server_side=True)
        self.held: list[bytes] = []
        try:
            while (message := self.read()) is not None:
                self.server.note(message)
                self.answer(message)
        except OSError:
            pass

    def read(self) -> ISO8583Message | None:
        head = self.exactly(2)
        if head is None:
            return None
        content = self.exactly(int.from_bytes(head, "big")) or b""
        assert content.startswith(self.server.tpdu)
        return decode_message(content[len(self.server.tpdu) :], self.server.form)

    def exactly(self, count: int) -> bytes | None:
        found = b""
        while len(found) < count:
            piece = self.line.recv(count - len(found))
            if not piece:
                return None
            found += piece
        return found

    def answer(self, message: ISO8583Message) -> None:
        way = ""
        if message.mti in ("0100", "0200", "0420", "0421"):
            way = WAYS.get(int(message.fields[4]), "")
        if message.mti in ("0420", "0421"):
            if way == "first reversal is not answered" and message.mti == "0420":
                return
            for frame in self.held:
                self.line.sendall(frame)
            self.held.clear()
            way = ""
        code = message.fields.get(70)
        if code == MUTE_ECHO:
            return
        DOES.get(way, Line.plainly)(self, message, "05" if code == REFUSED_SIGN_ON else "00")

    # ---- ways to answer

    def plainly(self, message: ISO8583Message, code: str = "00", **changes: Any) -> None:
        self.line.sendall(self.frame(message, code, **changes))

    def frame(self, message: ISO8583Message, code: str = "00", **changes: Any) -> bytes:
        fields = {number: message.fields[number] for number in REPEATED if number in message.fields}
        if message.mti in ("0100", "0200"):
            fields |= {38: "482913"}
        fields |= {39: code} | {int(name[1:]): value for name, value in changes.items()}
        kept = {number: value for number, value in fields.items() if value is not None}
        raw = self.server.tpdu + encode_message(ISO8583Message(ANSWERS[message.mti], kept), self.server.form)
        return len(raw).to_bytes(2, "big") + raw

    def unknown_trace_number_first(self, message: ISO8583Message, code: str) -> None:
        self.plainly(message, _11="999999")
        self.plainly(message)

    def another_retrieval_reference_first(self, message: ISO8583Message, code: str) -> None:
        self.plainly(message, _37="999999999999", _39="05")
        self.plainly(message)

    def twice(self, message: ISO8583Message, code: str) -> None:
        self.plainly(message)
        self.plainly(message, _39="05")

    def drips(self, message: ISO8583Message, code: str) -> None:
        frame = self.frame(message)
        for start in range(len(frame)):
            self.line.sendall(frame[start : start + 1])

    def cut(self, message: ISO8583Message, code: str) -> None:
        self.line.sendall(self.frame(message)[:30])
        self.line.close()

    def half(self, message: ISO8583Message, code: str) -> None:
        self.line.sendall(self.frame(message)[:30])

    def late(self, message: ISO8583Message, code: str) -> None:
        """With the answer to the reversal."""
        self.held.append(self.frame(message))

    def sends(self, content: bytes) -> None:
        self.line.sendall(content)


DOES: dict[str, Callable[[Line, ISO8583Message, str], None]] = {
    "partial": lambda line, message, code: line.plainly(message, "10", _4="000000001000"),
    "another amount": lambda line, message, code: line.plainly(message, _4="000000001000"),
    "another currency": lambda line, message, code: line.plainly(message, _49="978"),
    "no authorization code": lambda line, message, code: line.plainly(message, _38=None),
    "unknown trace number first": Line.unknown_trace_number_first,
    "another retrieval reference first": Line.another_retrieval_reference_first,
    "twice": Line.twice,
    "drips": Line.drips,
    "cut": Line.cut,
    "half": Line.half,
    "late": Line.late,
    "silent": lambda line, message, code: None,
    "oversized": lambda line, message, code: line.sends(b"\xff\xff" + b"0" * 70_000),
    "too short a length": lambda line, message, code: line.sends(b"\x00\x03abc"),
    "garbage in a frame": lambda line, message, code: line.sends(b"\x00\x20" + b"\xee" * 32),
    "nothing in a frame first": lambda line, message, code: (line.sends(b"\x00\x00"), line.plainly(message))[1],
}
WAYS = dict(enumerate([*DOES, "first reversal is not answered"], 2010))
AMOUNTS = {way: amount for amount, way in WAYS.items()}


def main(folder: Path, form: str, tpdu: str) -> None:
    with Host(folder, WireFormat.preset(form), bytes.fromhex(tpdu)) as host:
        print(host.server_address[1], flush=True)
        host.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
