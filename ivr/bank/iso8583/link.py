"""Keeps one connection to a host standing, and brings each answer to whoever asked, in whatever order they come."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from ivr.bank.iso8583.codec import UnreadableMessage, decode, encode, wipe
from ivr.bank.iso8583.connection import Away, HostAddress, HostConnection, NothingLeft
from ivr.bank.iso8583.messages import NETWORK, NETWORK_ANSWER, STANS, MessageWriter, answer_type
from ivr.bank.iso8583.spec import ReadSpec

log = structlog.get_logger()
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
APPROVED = "00"
Fields = Mapping[str, str]


class NoAnswer(Exception):
    """The frame may have left, and nothing answers it."""


@dataclass
class OpenQuestion:
    """One that waits. `echoed`: fields that its answer repeats, where it has them."""

    echoed: Fields
    answered: threading.Event = field(default_factory=threading.Event)
    answer: Fields | None = None
    failed: str = ""

    def fits(self, answer: Fields) -> bool:
        return all(answer.get(name, value).strip() == value.strip() for name, value in self.echoed.items())

    def end(self, answer: Fields | None, failed: str = "") -> None:
        self.answer, self.failed = answer, failed
        self.answered.set()


class HostLink:
    """All threads ask over the same connection. It is begun with the first question, and kept from then on."""

    def __init__(self, address: HostAddress, spec: ReadSpec, writer: MessageWriter, echo_s: float) -> None:
        self._address, self._spec, self._writer, self._echo_s = address, spec, writer, echo_s
        self._lock = threading.Condition()
        self._connection: HostConnection | None = None
        self._waiting: dict[tuple[str, str], OpenQuestion] = {}
        self._problem = "no connection yet"
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._network_stan = 0
        self.late_answers = 0

    def renew(self, address: HostAddress) -> None:
        """For the next connection."""
        self._address = address

    def close(self) -> None:
        """With a goodbye, where there is somebody to hear it."""
        self._stopping.set()
        self._hurry.set()
        with self._lock:
            connection = self._connection
        if connection is not None:
            with suppress(Away, NothingLeft):
                stan = self._next_stan()
                message = self._writer.network(self._spec.host.network.sign_off, stan, datetime.now(UTC))
                connection.send(encode(self._spec, message), 1.0)
            connection.abort()
        if self._keeper is not None:
            self._keeper.join(self._address.connect_s + 1)

    def echo(self) -> str:
        """Field 39 of the host's answer to one, asked on the connection that charges use. For `bank check`."""
        with self._lock:
            stan = self._next_stan()
        message = self._writer.network(self._spec.host.network.echo, stan, datetime.now(UTC))
        return self.ask(message, encode(self._spec, message), self._address.answer_s).get("39", "nothing")

    # ---- asking

    def ask(self, message: Fields, frame: bytearray, within_s: float) -> Fields:
        """The answer to a message, given as its frame and, for what identifies it, as fields. The frame is overwritten.

        NothingLeft where no connection stands within the time to connect; NoAnswer where it may have left.
        """
        try:
            connection = self._ready()
            until = time.monotonic() + within_s
            with self._asked(message) as question:
                self._send(connection, frame, within_s)
                wipe(frame)
                return self._answer_to(question, until - time.monotonic())
        finally:
            wipe(frame)

    def _send(self, connection: HostConnection, frame: bytearray, within_s: float) -> None:
        try:
            connection.send(frame, within_s)
        except Away as error:
            raise NoAnswer(str(error)) from None

    def _answer_to(self, question: OpenQuestion, within_s: float) -> Fields:
        if not question.answered.wait(within_s):
            raise NoAnswer("no answer in time")
        if question.answer is None:
            raise NoAnswer(question.failed)
        return question.answer

    @contextmanager
    def _asked(self, message: Fields) -> Iterator[OpenQuestion]:
        key = answer_type(message["t"]), message["11"]
        question = OpenQuestion({name: message[name] for name in ("37", "41") if name in message})
        with self._lock:
            if key in self._waiting:
                raise NothingLeft("another question has its trace number")
            self._waiting[key] = question
        try:
            yield question
        finally:
            with self._lock:
                self._waiting.pop(key, None)

    def _ready(self) -> HostConnection:
        self._begin()
        self._hurry.set()
        until = time.monotonic() + self._address.connect_s
        with self._lock:
            while self._connection is None:
                left = until - time.monotonic()
                if left <= 0 or self._stopping.is_set():
                    raise NothingLeft(self._problem)
                self._lock.wait(left)
            return self._connection

    def _begin(self) -> None:
        with self._lock:
            if self._keeper is None and not self._stopping.is_set():
                self._keeper = threading.Thread(target=self._keep, name="iso8583", daemon=True)
                self._keeper.start()

    # ---- the thread that keeps the connection

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._serve()
            except (Away, NothingLeft, NoAnswer) as error:
                if self._stopping.is_set():
                    return
                self._problem = str(error)
                log.warning("no connection to the bank", bank=self._address.host, reason=str(error))
            if time.monotonic() - began > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            # Whoever asks meanwhile ends the pause, but not more often than the shortest one lasts.
            self._hurry.clear()
            self._stopping.wait(FIRST_PAUSE_S)
            self._hurry.wait(pause_s - FIRST_PAUSE_S)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _serve(self) -> None:
        connection = HostConnection(self._address, self._spec.host.framing)
        try:
            self._network(connection, self._spec.host.network.sign_on)
            self._stand(connection)
            while not self._stopping.is_set():
                self._read_or_echo(connection)
        finally:
            self._fall(connection)

    def _stand(self, connection: HostConnection) -> None:
        with self._lock:
            self._connection = connection
            self._lock.notify_all()

    def _fall(self, connection: HostConnection) -> None:
        connection.close()
        with self._lock:
            self._connection = None
            waiting, self._waiting = self._waiting, {}
        for question in waiting.values():
            question.end(None, "the connection broke")

    def _read_or_echo(self, connection: HostConnection) -> None:
        message = connection.receive(self._echo_s)
        if message is None:
            self._network(connection, self._spec.host.network.echo)
        else:
            self._take(connection, message)

    def _network(self, connection: HostConnection, code: str) -> None:
        """Asked and answered in this thread, which goes on taking what others wait for. Away where it is refused."""
        message = self._writer.network(code, self._next_stan(), datetime.now(UTC))
        with self._asked(message) as question:
            connection.send(encode(self._spec, message), self._address.answer_s)
            until = time.monotonic() + self._address.answer_s
            while not question.answered.is_set():
                left = until - time.monotonic()
                received = connection.receive(left) if left > 0 else None
                if received is None:
                    raise Away(f"the host does not answer 0800 with {code}")
                self._take(connection, received)
        said = (question.answer or {}).get("39", "nothing")
        if said != APPROVED:
            raise Away(f"the host answers 0800 with {code} by {said} in field 39")

    def _take(self, connection: HostConnection, received: bytearray) -> None:
        try:
            message = decode(self._spec, received)
        except UnreadableMessage as error:
            log.error("a message of the bank's cannot be read", bank=self._address.host, reason=str(error))
            return
        finally:
            wipe(received)
        if message["t"] == NETWORK:
            self._answer_network(connection, message)
            return
        key = message["t"], message.get("11", "")
        if not self._answered(key, message):
            # Given up on, or never asked. What it says changes nothing: the charge is being undone.
            self.late_answers += 1
            log.warning("an answer nobody waits for", bank=self._address.host, type=key[0], stan=key[1])

    def _answered(self, key: tuple[str, str], message: Fields) -> bool:
        """The first answer counts, and no second."""
        with self._lock:
            question = self._waiting.get(key)
            if question is None or not question.fits(message):
                return False
            del self._waiting[key]
            question.end(message)
            return True

    def _answer_network(self, connection: HostConnection, asked: Fields) -> None:
        """The host's own echo."""
        answer = {name: asked[name] for name in ("7", "11", "70") if name in asked}
        with suppress(Away, NothingLeft):
            connection.send(encode(self._spec, {"t": NETWORK_ANSWER, **answer, "39": APPROVED}), self._address.answer_s)

    def _next_stan(self) -> str:
        self._network_stan = self._network_stan % STANS + 1
        return f"{self._network_stan:06d}"
