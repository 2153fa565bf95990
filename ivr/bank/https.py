"""One HTTPS exchange with a bank, whatever it says: sent once, under one total time, and nobody in between.

No redirect is followed: it would take the request to somebody we have not agreed with. Nor is a proxy used that the
environment names, nor anything sent a second time: sending again is the forwarder's to decide.
"""

import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import httpcore

from ivr.bank.deadline import Deadlines, PunctualBackend
from ivr.bank.interface import Bank, BankAnswer
from ivr.bank.settings import LONGEST_EXCHANGE_S, BankSettings
from ivr.core.json_text import parse_json
from ivr.errors import ConfigError

MAX_ANSWER_BYTES = 16_384
IDLE_S = 30.0  # a kept connection is used no longer: banks and what is in between close theirs after a minute or so
# Nothing has left: no connection stood yet, so no request could be written to it. httpcore raises ConnectError for a name
# that does not resolve, a refused connection and a failed handshake (also the bank's wrong certificate), and PoolTimeout
# while waiting for a free connection. A connection kept alive from before is past this stage: a break there is a read
# or write error, hence unknown. So is the bank's refusal of our certificate: in TLS 1.3 (RFC 8446 4.4.2) it arrives
# only after we have finished our side, perhaps with the request on its way.
NOTHING_LEFT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


class Line:
    """The connections to one bank: kept alive, shared by its own workers, no more of them than it allows."""

    def __init__(self, settings: BankSettings, context: ssl.SSLContext) -> None:
        self._url = settings.url
        self._connect_s = settings.connect_timeout
        self._deadlines = Deadlines(settings.connect_timeout, settings.read_timeout)
        self._connections = settings.connections
        self._pool = self._new_pool(context)

    def _new_pool(self, context: ssl.SSLContext) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=self._connections,
            max_keepalive_connections=self._connections,
            keepalive_expiry=IDLE_S,
            network_backend=PunctualBackend(self._deadlines),
        )

    def renew(self, context: ssl.SSLContext) -> None:
        """For the connections that are begun from now on. An exchange that is under way ends on its own, within its time."""
        before, self._pool = self._pool, self._new_pool(context)
        closing = threading.Timer(LONGEST_EXCHANGE_S, before.close)
        closing.daemon = True
        closing.start()

    def close(self) -> None:
        self._pool.close()

    def exchange(
        self, method: str, path: str, content: bytes | bytearray, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Status and body. NOTHING_LEFT or BROKEN where there is no answer, or none of a length to be read.

        A `bytearray` is read in place and is the caller's to wipe. The content is JSON, unless headers say otherwise.
        """
        sent = {**headers, "Host": host_of(self._url), "Accept": "application/json", "Accept-Encoding": "identity"}
        kind = headers.get("Content-Type", "application/json")
        sent |= {"Content-Type": kind, "Content-Length": str(len(content))} if content else {}
        # httpcore's types say bytes only; h11 below it takes any buffer, and empty content is none.
        body = iter((cast(bytes, content),)) if content else None
        received = bytearray()
        with (
            self._deadlines.exchange(),
            self._pool.stream(
                method,
                f"{self._url}{path}",
                headers=[*sent.items()],
                content=body,
                extensions={"timeout": {"pool": self._connect_s}},
            ) as response,
        ):
            for piece in response.iter_stream():
                received += piece
                if len(received) > MAX_ANSWER_BYTES:
                    raise httpcore.RemoteProtocolError("the answer is too long")
        return response.status, bytes(received)


class HttpsBank(Bank):
    """A bank at the end of a line. `with` closes its connections."""

    def __init__(self, settings: BankSettings, context: ssl.SSLContext) -> None:
        self.connections = settings.connections
        self._line = Line(settings, context)

    def context_for(self, settings: Any) -> ssl.SSLContext:
        """Of a bank that is shown no certificate of ours."""
        return tls_context_of(settings.ca)

    def renew(self, settings: BankSettings) -> None:
        self._line.renew(self.context_for(settings))

    def close(self) -> None:
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def no_answer(reference: str, error: Exception) -> BankAnswer:
    """What an exchange that failed says of a charge: `not_sent` only where nothing can have left."""
    if isinstance(error, NOTHING_LEFT):
        return BankAnswer("not_sent", reference, reason=describe(error))
    return BankAnswer("unknown", reference, reason=describe(error))


def tls_context_of(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; trusts the system's authorities, or the one that is named and no other."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one too
        raise ConfigError(f"{ca}: {why(error)}; `ca` must be an authority in PEM, or be left out") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def host_of(url: str) -> str:
    """As the Host header says it: with the port, where one is named."""
    return url.removeprefix("https://").partition("/")[0]


def describe(error: Exception) -> str:
    """The network's own words beside the error's name: `ConnectError certificate has expired`."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"{type(error).__name__} {found.verify_message}"
    has_words = isinstance(found, ssl.SSLError) or (isinstance(found, OSError) and found.strerror)
    return f"{type(error).__name__} {why(found)}" if found and has_words else type(error).__name__


def cure_of(words: str) -> str:
    """For a bank that cannot be reached, by what the network said."""
    if "certificate has expired" in words:
        return "the bank's own certificate has ended, and the bank must renew it"
    return "check url, ca and the network"


def why(error: BaseException) -> str:
    words = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
    return (words or "not readable").lower().replace("_", " ")


def no_password() -> str:
    """Without it OpenSSL would ask on the terminal, and a service would hang."""
    raise ValueError


def read_json(content: bytes) -> Mapping[str, Any]:
    """The members of an answer; none where it is no JSON object."""
    try:
        found = parse_json(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
