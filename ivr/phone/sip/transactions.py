"""All transactions of an endpoint: finds the one a message belongs to, or begins one; who may ring is not asked here."""

from collections import Counter
from typing import Protocol

from aiosipua import SipRequest, SipResponse

from ivr.phone.sip.client_transaction import (
    ClientKey,
    ClientTransaction,
    Heard,
    InviteClientTransaction,
    client_key,
)
from ivr.phone.sip.hop import Hop
from ivr.phone.sip.server_transaction import (
    InviteServerTransaction,
    Key,
    ServerTransaction,
    transaction_key,
)
from ivr.phone.sip.settings import Timers
from ivr.phone.sip.wire import recipient


class RequestHandler(Protocol):
    """The layer above (RFC 3261's transaction user)."""

    def may_begin(self, request: SipRequest, hop: Hop) -> bool:
        """Before anything is remembered: False drops the request without an answer."""

    def requested(self, transaction: ServerTransaction) -> None: ...
    def acknowledged(self, ack: SipRequest) -> None:
        """The ACK of a 2xx; those of refusals stay in the transaction."""


class Transactions:
    def __init__(self, timers: Timers, handler: RequestHandler, counters: Counter[str], most: int) -> None:
        self._timers, self._handler, self._counters, self._most = timers, handler, counters, most
        self._servers: dict[Key, ServerTransaction] = {}
        self._merged: dict[Key, Key] = {}
        self._clients: dict[ClientKey, ClientTransaction] = {}

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    def request_received(self, request: SipRequest, hop: Hop) -> None:
        key = transaction_key(request)
        known = self._servers.get(key)
        if request.method == "ACK":
            if known is None or not known.acknowledged():
                self._handler.acknowledged(request)
        elif known is not None:
            self._counters["retransmissions_absorbed"] += 1
            known.received_again()
        elif self._may_begin(request, hop):
            self._handler.requested(self._begin(key, request, hop))

    def response_received(self, response: SipResponse) -> None:
        client = self._clients.get(client_key(response))
        if client is None:
            self._counters["stray_responses"] += 1
        else:
            client.received(response)

    def hop_lost(self, hop: Hop) -> None:
        """What was asked over a connection that has gone gets no answer any more."""
        for client in list(self._clients.values()):
            if client.hop is hop:
                client.undeliverable()

    def is_merged(self, transaction: ServerTransaction) -> bool:
        """RFC 3261 8.2.2.2: the same request came over another path and is being answered there."""
        first = self._merged.get(transaction.merge_key)
        return first is not None and first != transaction.key and not recipient(transaction.request).tag

    def invite_of(self, cancel: SipRequest) -> ServerTransaction | None:
        return self._servers.get(transaction_key(cancel, "INVITE"))

    def request(self, request: SipRequest, hop: Hop) -> ClientTransaction:
        return self._keep(ClientTransaction(request, hop, self._timers, self._forget_client))

    def invite(self, request: SipRequest, hop: Hop, *, provisional: Heard, accepted: Heard) -> ClientTransaction:
        return self._keep(
            InviteClientTransaction(
                request, hop, self._timers, self._forget_client, provisional=provisional, accepted=accepted
            )
        )

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()
        for client in self._clients.values():
            client.stop()
        self._servers.clear()
        self._clients.clear()
        self._merged.clear()

    def _may_begin(self, request: SipRequest, hop: Hop) -> bool:
        if len(self) >= self._most:
            self._counters["dropped_full"] += 1
            return False
        return self._handler.may_begin(request, hop)

    def _begin(self, key: Key, request: SipRequest, hop: Hop) -> ServerTransaction:
        kind = InviteServerTransaction if request.method == "INVITE" else ServerTransaction
        transaction = kind(key, request, hop, self._timers, self._forget_server)
        self._servers[key] = transaction
        self._merged.setdefault(transaction.merge_key, key)
        return transaction

    def _keep(self, transaction: ClientTransaction) -> ClientTransaction:
        self._clients[transaction.key] = transaction
        return transaction

    def _forget_server(self, transaction: ServerTransaction) -> None:
        transaction.stop()
        self._servers.pop(transaction.key, None)
        if self._merged.get(transaction.merge_key) == transaction.key:
            del self._merged[transaction.merge_key]

    def _forget_client(self, key: ClientKey) -> None:
        self._clients.pop(key, None)
