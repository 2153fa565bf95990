"""Registering with a provider: challenge, refresh, failure and return; the registrar here is a small one of the test's own."""

import asyncio

import pytest

from ivr.phone.sip import Account, Credentials, Registration, SipEndpoint, SipSettings
from ivr.phone.sip.digest import DigestGuard
from ivr.phone.sip.settings import Peer
from ivr.phone.sip.wire import make_response, note_source, read_message
from tests.phone.sip.network import MemoryNetwork, MemoryTransport, run_virtually
from tests.phone.sip.phones import FakeCallHandler, Phone

REGISTRAR = ("192.0.2.80", 5060)


class Registrar:
    """Wants a login, grants at most `most_s`, refuses less than `least_s`; `down` is silence."""

    def __init__(self, network, *, most_s=600, least_s=60):
        self.most_s, self.least_s, self.down = most_s, least_s, False
        self.granted: list[tuple[float, int, str]] = []
        self.requests = 0
        self._peers = (Peer("us", username="line7", password="pw"),)
        self._guard = DigestGuard("provider", 60)
        network.join(REGISTRAR, MemoryTransport(network, REGISTRAR), self._take)

    def _take(self, data, hop):
        if self.down:
            return
        request, now = read_message(data), asyncio.get_running_loop().time()
        note_source(request, hop.remote)
        self.requests += 1
        expires = int(request.headers.get_first("expires"))
        if self._guard.check(request, self._peers, hop.remote[0], now) != "passed":
            response = make_response(request, 401, headers=self._guard.challenges(hop.remote[0], now))
        elif 0 < expires < self.least_s:
            response = make_response(request, 423, headers=[("Min-Expires", str(self.least_s))])
        else:
            given, contact = min(expires, self.most_s), request.headers.get_first("contact")
            self.granted.append((now, given, contact))
            bindings = [("Contact", "<sip:other@198.51.100.1>;expires=9999"), ("Contact", f"{contact};expires={given}")]
            response = make_response(request, 200, headers=bindings)
        hop.send(bytes(response))


def registering(test, password="pw", **registrar):
    expires_s = registrar.pop("expires_s", 3600)

    async def body():
        network = MemoryNetwork()
        provider = Registrar(network, **registrar)
        endpoint = SipEndpoint(
            SipSettings(), handler := FakeCallHandler(), MemoryTransport(network, ("192.0.2.1", 5060))
        )
        await endpoint.start()
        account = Account("sip:192.0.2.80", "sip:+15550100@provider.example", Credentials("line7", password), expires_s)
        registration = Registration(endpoint, account)
        await registration.start()
        await test(network, provider, endpoint, registration, handler)
        await registration.stop()
        await endpoint.stop()

    run_virtually(body())


def test_a_registration_is_kept_alive_by_refreshes_and_taken_back_at_the_end():
    async def run(network, provider, endpoint, registration, handler):
        await registration.until("registered")
        await asyncio.sleep(2000)
        times = [round(now) for now, _, _ in provider.granted]
        assert times == [0, 480, 960, 1440, 1920]  # four fifths of 600 s
        assert provider.granted[0][2] == "<sip:+15550100@192.0.2.1:5060>"
        assert registration.granted_s == 600
        await registration.stop()
        assert provider.granted[-1][1] == 0
        assert registration.state == "unregistered"

    registering(run)


def test_a_registered_line_is_rung_at_its_contact():
    async def run(network, provider, endpoint, registration, handler):
        await registration.until("registered")
        uri = provider.granted[0][2].strip("<>")
        phone = Phone(network, ("192.0.2.80", 5062))
        await phone.call(uri=uri)
        assert handler.invitations[0].dnis == "+15550100"

    registering(run)


def test_a_registrar_that_wants_longer_gets_it():
    async def run(network, provider, endpoint, registration, handler):
        await registration.until("registered")
        assert registration.granted_s == 120

    registering(run, expires_s=60, least_s=120)


def test_a_wrong_password_is_told_and_tried_ever_more_slowly():
    async def run(network, provider, endpoint, registration, handler):
        await registration.until("failing")
        assert registration.last_status == 401
        await asyncio.sleep(600)
        assert provider.requests <= 2 * 8

    registering(run, password="wrong")


def test_a_provider_that_was_away_is_found_again():
    async def run(network, provider, endpoint, registration, handler):
        await registration.until("registered")
        provider.down = True
        await registration.until("failing")
        assert registration.last_status == 408
        provider.down = False
        await registration.until("registered")

    registering(run)


@pytest.mark.parametrize("loss", [0.2])
def test_a_registration_survives_a_bad_line(loss):
    async def run(network, provider, endpoint, registration, handler):
        network.loss = loss
        await registration.until("registered")
        await asyncio.sleep(10_000)
        assert registration.state == "registered"
        gaps = [b[0] - a[0] for a, b in zip(provider.granted, provider.granted[1:], strict=False)]
        assert max(gaps) < 600

    registering(run)
