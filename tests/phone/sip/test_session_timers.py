"""RFC 4028, both ways: who refreshes, what happens when nobody does, and that long calls are not dropped."""

import asyncio

import pytest

from ivr.phone.sip import SipSettings
from tests.phone.sip.network import MemoryNetwork, run_virtually
from tests.phone.sip.phones import Phone, open_endpoint
from tests.phone.sip.test_calls import answer_to


class RefreshingPhone(Phone):
    """Answers what the handler asks within the call: 200 to everything, or `status` to `method`."""

    refusals: dict[str, str]

    def __init__(self, network, refusals=None):
        super().__init__(network)
        self.refusals = refusals or {}
        network.join(self.address, self.transport, self._take)

    def _take(self, data, hop):
        from tests.phone.sip.phones import SDP, Message

        message = Message(data.decode())
        self.received.append(message)
        if message.method not in ("", "ACK"):
            status = self.refusals.get(message.method, "200 OK")
            reply = answer_to(message, status.partition("|")[0])
            if status == "200 OK":
                lines = f"Session-Expires: {message.header('Session-Expires')}\r\nContact: <sip:anna@192.0.2.9>\r\n"
                body = SDP if message.method == "INVITE" else ""
                kind = "Content-Type: application/sdp\r\n" if body else ""
                reply = reply.replace("Content-Length: 0\r\n", f"{lines}{kind}Content-Length: {len(body)}\r\n") + body
            elif "|" in status:
                reply = reply.replace("Content-Length", status.partition("|")[2] + "\r\nContent-Length")
            self.send(reply)

    def methods(self):
        return [message.method for message in self.received if message.method]


def call_for(seconds, *headers, refusals=None, settings=None, talk=None):
    """A call that lasts; gives the phone, the handler, the 200, and whether the call is still there."""

    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network, settings=settings or SipSettings(max_call_s=10**6))
        phone = RefreshingPhone(network, refusals)
        ok = await phone.call(headers=headers)
        if talk:
            await talk(phone, ok)
        await asyncio.sleep(seconds)
        alive = bool(endpoint.calls)
        before = phone.methods()
        await endpoint.stop()
        return phone, handler, ok, alive, before

    return run_virtually(body())


def test_we_refresh_with_update_at_half_the_interval():
    _, handler, ok, alive, methods = call_for(1000, "Session-Expires: 600", "Supported: timer", "Allow: INVITE, UPDATE")
    assert ok.header("Session-Expires") == "600;refresher=uas"
    assert ok.header("Require") == "timer"
    assert methods == ["UPDATE"] * 3
    assert alive
    assert handler.reasons() == ["we hung up"]


def test_a_peer_without_update_is_refreshed_by_reinvite_with_the_same_session():
    phone, _, ok, alive, methods = call_for(1000, "Session-Expires: 600", "Supported: timer", "Allow: INVITE, BYE")
    assert methods == ["INVITE", "ACK"] * 3
    assert alive
    assert {message.body for message in phone.received if message.method == "INVITE"} == {ok.body}


def test_an_hour_passes_without_a_drop_when_the_peer_says_nothing_of_timers():
    _, _, ok, alive, methods = call_for(3600, "Allow: INVITE, UPDATE")
    assert ok.header("Session-Expires") == "1800;refresher=uas"
    assert ok.header("Require") == ""
    assert alive
    assert methods == ["UPDATE"] * 4


def test_a_longer_interval_than_ours_is_shortened_but_not_below_the_peers_least():
    settings = SipSettings(session_expires_s=300)
    for asked, agreed in ((("Session-Expires: 1800",), 300), (("Session-Expires: 1800", "Min-SE: 900"), 900)):
        _, _, ok, _, _ = call_for(1, *asked, "Supported: timer", settings=settings)
        assert ok.header("Session-Expires") == f"{agreed};refresher=uas"


def test_without_a_timer_nothing_is_sent_and_nothing_dropped():
    settings = SipSettings(session_expires_s=0, max_call_s=10**6)
    _, _, ok, alive, methods = call_for(7200, settings=settings)
    assert ok.header("Session-Expires") == ""
    assert (alive, methods) == (True, [])


def test_a_peer_that_refreshes_keeps_its_call():
    async def refresh(phone, ok):
        for number in range(10):
            await asyncio.sleep(300)
            update = phone.request(
                "UPDATE",
                branch=f"z9hG4bK-u{number}",
                cseq=2 + number,
                to_tag=ok.to_tag,
                headers=("Session-Expires: 600;refresher=uac", "Supported: timer"),
            )
            assert (await phone.one(update)).header("Session-Expires") == "600;refresher=uac"

    _, _, ok, alive, methods = call_for(0, "Session-Expires: 600;refresher=uac", "Supported: timer", talk=refresh)
    assert ok.header("Session-Expires") == "600;refresher=uac"
    assert (alive, methods) == (True, [])


def test_a_peer_that_promised_to_refresh_and_does_not_is_hung_up():
    _, handler, _, alive, methods = call_for(600, "Session-Expires: 600;refresher=uac", "Supported: timer")
    assert not alive
    assert handler.reasons() == ["session expired"]
    assert methods == ["BYE"]  # at 600 - 32 s


@pytest.mark.parametrize("status", ["481 Gone", "408 Timeout"])
def test_a_refresh_that_finds_no_call_ends_it(status):
    refusals = {"UPDATE": status}
    _, handler, _, alive, methods = call_for(320, "Session-Expires: 600", "Allow: UPDATE", refusals=refusals)
    assert not alive
    assert handler.reasons() == ["session expired"]
    assert methods == ["UPDATE", "BYE"]


def test_a_peer_that_does_not_know_update_after_all_gets_a_reinvite():
    refusals = {"UPDATE": "405 No"}
    _, _, _, alive, methods = call_for(320, "Session-Expires: 600", "Allow: UPDATE", refusals=refusals)
    assert alive
    assert methods == ["UPDATE", "INVITE", "ACK"]


def test_a_peer_that_wants_a_longer_interval_gets_it():
    refusals = {"UPDATE": "422 Too Small|Min-SE: 1200"}
    phone, _, _, _, _ = call_for(301, "Session-Expires: 600", "Allow: UPDATE", refusals=refusals)
    asked = [m.header("Session-Expires") for m in phone.received if m.method == "UPDATE"]
    assert asked[:2] == ["600;refresher=uac", "1200;refresher=uac"]


def test_a_refresh_that_fails_for_a_while_is_tried_again_before_the_call_ends():
    refusals = {"UPDATE": "500 Busy"}
    _, handler, _, alive, methods = call_for(600, "Session-Expires: 600", "Allow: UPDATE", refusals=refusals)
    assert not alive
    assert methods.count("UPDATE") >= 3
    assert handler.reasons() == ["session expired"]
