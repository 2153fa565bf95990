"""Every refusal an endpoint owes, by message: the status, and what the RFC wants beside it."""

import asyncio

import pytest

from ivr.phone.sip import Peer, SipSettings, SourceLimits
from tests.phone.sip.network import MemoryNetwork, run_virtually
from tests.phone.sip.phones import PHONE, SDP, Phone, open_endpoint


def answer_to(text, settings=None):
    """The one final answer to a message; None when there is none. `text` may be a function of the phone."""

    async def body():
        network = MemoryNetwork()
        endpoint, _ = await open_endpoint(network, settings=settings)
        phone = Phone(network)
        answers = await phone.ask(text(phone) if callable(text) else text, wait_s=0.2)
        await endpoint.stop()
        return answers[0] if answers else None

    return run_virtually(body())


def replaced(old, new, method="INVITE"):
    def make(phone):
        text = phone.invite() if method == "INVITE" else phone.request(method)
        assert old in text
        return text.replace(old, new)

    return make


BAD = {
    "a negative Max-Forwards": ("Max-Forwards: 70", "Max-Forwards: -1"),
    "a huge Max-Forwards": ("Max-Forwards: 70", "Max-Forwards: 70000"),
    "a CSeq of another method": ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
    "a CSeq over 2^31": ("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE"),
    "no Call-ID": ("Call-ID: one@phone\r\n", ""),
    "two Call-IDs": ("Call-ID: one@phone\r\n", "Call-ID: one@phone\r\ni: two@phone\r\n"),
    "a From that is no address": ("From: <sip:+15550100@192.0.2.9>", "From: nobody"),
    "a Via that is none": ("Max-Forwards", "Via: SIP/2.0/UDP a b c\r\nMax-Forwards"),
    "a Content-Length that is too long": ("Content-Length: ", "Content-Length: 9"),
    "a Content-Length that is no number": ("Content-Length: ", "Content-Length: x"),
    "a space in the request line": ("INVITE sip", "INVITE  sip"),
    "SDP that is none": ("v=0", "w=0"),
    "SDP with a port that is no number": ("audio 4000", "audio port"),
    "a Contact that is no SIP address": ("<sip:anna@192.0.2.9>\r\n", "<mailto:anna@192.0.2.9>\r\n"),
}


@pytest.mark.parametrize(("old", "new"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_400(old, new):
    assert answer_to(replaced(old, new)).status == 400


def test_a_method_known_elsewhere_is_405_with_what_we_allow():
    answer = answer_to(lambda phone: phone.request("SUBSCRIBE"))
    assert answer.status == 405
    assert answer.header("Allow") == "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK"


def test_a_method_nobody_knows_is_501():
    assert answer_to(lambda phone: phone.request("DANCE")).status == 501


def test_an_old_or_new_version_is_505():
    assert answer_to(replaced(" SIP/2.0\r\nVia", " SIP/3.0\r\nVia")).status == 505


def test_an_unknown_scheme_is_416():
    assert answer_to(lambda phone: phone.invite(uri="http://192.0.2.1/")).status == 416


def test_a_tel_number_is_rung():
    assert answer_to(lambda phone: phone.invite(uri="tel:+15550199")).status == 200


def test_an_endless_uri_is_414():
    assert answer_to(lambda phone: phone.invite(uri="sip:" + "a" * 2000 + "@192.0.2.1")).status == 414


def test_an_unknown_extension_is_420_and_named():
    answer = answer_to(lambda phone: phone.invite(headers=("Require: timer, levitation",)))
    assert (answer.status, answer.header("Unsupported")) == (420, "levitation")


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK", "CANCEL"])
def test_a_request_for_a_call_that_is_not_there_is_481(method):
    assert answer_to(lambda phone: phone.request(method)).status == 481
    assert answer_to(lambda phone: phone.request(method, to_tag="nothing")).status == 481


def test_an_ack_is_never_answered():
    assert answer_to(lambda phone: phone.request("ACK", to_tag="nothing")) is None
    assert answer_to(replaced("Max-Forwards: 70", "Max-Forwards: x", method="ACK")) is None


def test_a_body_of_another_kind_is_415_with_what_we_take():
    answer = answer_to(lambda phone: phone.invite(body="hello", kind="text/plain"))
    assert (answer.status, answer.header("Accept")) == (415, "application/sdp")


def test_a_packed_body_is_415():
    answer = answer_to(lambda phone: phone.invite(headers=("Content-Encoding: gzip",)))
    assert (answer.status, answer.header("Accept-Encoding")) == (415, "identity")


def test_a_body_too_large_is_413():
    assert answer_to(lambda phone: phone.invite(body=SDP + "a=x\r\n" * 4000)).status == 413


def test_a_caller_that_takes_no_sdp_is_406():
    assert answer_to(lambda phone: phone.invite(headers=("Accept: text/plain",))).status == 406


def test_an_optional_body_of_another_kind_is_passed_over():
    headers = ("Content-Disposition: render;handling=optional",)
    assert answer_to(lambda phone: phone.invite(body="hello", kind="text/plain", headers=headers)).status == 200


def test_sdp_among_other_parts_is_found():
    parts = f"--xx\r\nContent-Type: application/isup\r\n\r\n01\r\n--xx\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--xx--\r\n"
    answer = answer_to(lambda phone: phone.invite(body=parts, kind='multipart/mixed;boundary="xx"'))
    assert answer.status == 200
    assert "m=audio 20000 RTP/AVP 0 101" in answer.body


def test_media_we_do_not_speak_are_488():
    body = SDP.replace("RTP/AVP 0 8 101", "RTP/AVP 18 4")
    assert answer_to(lambda phone: phone.invite(body=body)).status == 488


def test_a_session_interval_too_small_is_422_with_ours():
    answer = answer_to(lambda phone: phone.invite(headers=("Session-Expires: 60", "Supported: timer")))
    assert (answer.status, answer.header("Min-SE")) == (422, "90")


def test_options_is_200_and_says_what_we_can():
    answer = answer_to(lambda phone: phone.request("OPTIONS"))
    assert answer.status == 200
    assert answer.header("Accept") == "application/sdp"
    assert answer.header("Supported") == "100rel, timer"


def test_options_with_no_forwards_left_is_answered_as_the_final_hop_does():
    """RFC 4475, zeromf: only a proxy refuses Max-Forwards 0; an endpoint is where the request was going."""
    assert answer_to(replaced("Max-Forwards: 70", "Max-Forwards: 0", method="OPTIONS")).status == 200


def test_a_request_that_came_over_two_paths_is_482_on_the_second():
    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network)
        phone = Phone(network)
        phone.send(phone.invite(branch="z9hG4bK-left"))
        await asyncio.sleep(0.05)
        merged = await phone.ask(phone.invite(branch="z9hG4bK-right"), wait_s=0.2)
        assert 482 in [message.status for message in merged]
        assert len(handler.invitations) == 1
        await endpoint.stop()

    run_virtually(body())


def test_compact_and_folded_headers_are_read():
    def make(phone):
        text = phone.invite()
        for long, short in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Contact", "m")):
            text = text.replace(f"\r\n{long}: ", f"\r\n{short} : ")
        return (
            text.replace("Content-Length", "l").replace("Content-Type", "C").replace("CSeq: 1", "cseq:\r\n 1\r\n\t")
        ).replace("Max-Forwards", "x: 1800;refresher=uac\r\nk: timer\r\nMax-Forwards")

    answer = answer_to(make)
    assert answer.status == 200
    assert answer.header("Session-Expires") == "1800;refresher=uac"


# --- where answers go -----------------------------------------------------------------------------------------------


def test_an_answer_goes_where_the_request_came_from_when_it_says_rport():
    answer = answer_to(replaced("192.0.2.9:5060;branch", "10.0.0.7:9999;branch"))
    assert answer.header("Via") == "SIP/2.0/UDP 10.0.0.7:9999;branch=z9hG4bK-1;rport=5060;received=192.0.2.9"


def test_without_rport_an_answer_goes_to_the_port_in_via():
    async def body():
        network = MemoryNetwork()
        endpoint, _ = await open_endpoint(network)
        phone, door = Phone(network, PHONE), Phone(network, (PHONE[0], 7777))
        phone.send(phone.request("OPTIONS").replace(":5060;branch", ":7777;branch").replace(";rport", ""))
        await asyncio.sleep(0.2)
        assert [message.status for message in door.received] == [200]
        assert phone.received == []
        await endpoint.stop()

    run_virtually(body())


def test_every_via_and_record_route_comes_back_in_order():
    headers = (
        "Via: SIP/2.0/UDP 198.51.100.7:5080;branch=z9hG4bK-far, SIP/2.0/TCP a.example;branch=z9hG4bK-farther",
        "Record-Route: <sip:198.51.100.1;lr>, <sip:198.51.100.2;lr;x=1>",
    )
    answer = answer_to(lambda phone: phone.invite(headers=headers))
    assert [via.partition("branch=")[2].partition(";")[0] for via in answer.headers("Via")] == [
        "z9hG4bK-1",
        "z9hG4bK-far",
        "z9hG4bK-farther",
    ]
    assert answer.headers("Record-Route") == ["<sip:198.51.100.1;lr>", "<sip:198.51.100.2;lr;x=1>"]


@pytest.mark.parametrize(("suffix", "loose"), [(";lr", True), ("", False)])
def test_a_bye_of_ours_follows_the_route(suffix, loose):
    """RFC 3261 12.1.1: the callee keeps the order of Record-Route; 12.2.1.1: a strict router goes into the line."""

    async def body():
        network = MemoryNetwork()
        endpoint, _ = await open_endpoint(network)
        phone, proxy = Phone(network), Phone(network, ("192.0.2.50", 5070))
        route = f"<sip:192.0.2.50:5070{suffix}>"
        ok = await phone.call(headers=(f"Record-Route: {route}, <sip:198.51.100.2;lr>",))
        hanging_up = asyncio.ensure_future(endpoint.hang_up(ok.to_tag))
        await asyncio.sleep(0.1)
        bye = proxy.received[0]
        if loose:
            assert bye.text.startswith("BYE sip:anna@192.0.2.9 SIP")
            assert bye.headers("Route") == [route, "<sip:198.51.100.2;lr>"]
        else:
            assert bye.text.startswith("BYE sip:192.0.2.50:5070 SIP")
            assert bye.headers("Route") == ["<sip:198.51.100.2;lr>", "<sip:anna@192.0.2.9>"]
        hanging_up.cancel()
        await endpoint.stop()

    run_virtually(body())


def test_a_caller_without_branches_is_recognised_too():
    """RFC 2543: copies, CANCEL and the ACK of a refusal are told by their other headers (RFC 3261 17.2.3)."""

    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network)
        handler.thinks_s = 1
        phone = Phone(network)

        def old(text):
            return text.replace(";branch=z9hG4bK-1", "")

        for _ in range(3):
            phone.send(old(phone.invite()))
        await asyncio.sleep(0.2)
        assert len(handler.invitations) == 1
        answers = await phone.ask(old(phone.request("CANCEL")), wait_s=0.2)
        assert sorted(message.status for message in answers) == [200, 487]
        phone.send(old(phone.request("ACK", to_tag=handler.invitations[0].call)))
        await asyncio.sleep(0.1)
        before = len(phone.received)
        await asyncio.sleep(40)
        assert len(phone.received) == before
        await endpoint.stop()

    run_virtually(body())


# --- who may send ---------------------------------------------------------------------------------------------------


def test_a_stranger_gets_no_answer():
    settings = SipSettings(peers=(Peer("pbx", ("198.51.100.0/24",)),))
    assert answer_to(lambda phone: phone.invite(), settings) is None
    assert answer_to(lambda phone: phone.request("OPTIONS"), settings) is None


def test_a_listed_network_gets_in():
    settings = SipSettings(peers=(Peer("pbx", ("198.51.100.0/24",)), Peer("office", ("192.0.2.9",))))
    assert answer_to(lambda phone: phone.invite(), settings).status == 200


def test_a_source_that_rings_too_fast_is_dropped_in_silence_and_others_are_not():
    async def body():
        network = MemoryNetwork()
        limits = SourceLimits(invites_per_s=1, invites_burst=3)
        endpoint, handler = await open_endpoint(network, settings=SipSettings(limits=limits))
        loud, quiet = Phone(network), Phone(network, ("192.0.2.10", 5060))
        for number in range(20):
            loud.send(loud.invite(branch=f"z9hG4bK-{number}", call_id=f"{number}@loud"))
        await asyncio.sleep(0.2)
        assert len(handler.invitations) == 3
        assert {message.status for message in loud.received} == {100, 200}
        assert endpoint.counters["rate_limited"] == 17
        await quiet.call()
        await asyncio.sleep(1)
        await loud.call(branch="z9hG4bK-later", call_id="later@loud")
        await endpoint.stop()

    run_virtually(body())


def test_a_flood_of_any_kind_is_dropped_before_it_is_read():
    async def body():
        network = MemoryNetwork()
        limits = SourceLimits(messages_per_s=10, messages_burst=10)
        endpoint, _ = await open_endpoint(network, settings=SipSettings(limits=limits))
        phone = Phone(network)
        for number in range(100):
            phone.send(phone.request("OPTIONS", branch=f"z9hG4bK-{number}", call_id=f"{number}@loud"))
        await asyncio.sleep(0.3)
        assert 10 <= len(phone.received) <= 13
        assert endpoint.counters["rate_limited"] == 100 - len(phone.received)
        await endpoint.stop()

    run_virtually(body())


@pytest.mark.parametrize(
    ("header", "number"),
    [
        ("P-Asserted-Identity: <tel:+15550111>", "+15550111"),
        ('P-Asserted-Identity: "A, B" <sip:+15550111;x=y@carrier.example>, <tel:+15550112>', "+15550111"),
        ("P-Asserted-Identity: sip:+15550111@carrier.example", "+15550111"),
        ("P-Asserted-Identity: rubbish", "+15550100"),
        ("Subject: none", "+15550100"),
    ],
)
def test_the_network_says_who_calls_before_the_caller_does(header, number):
    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network)
        phone = Phone(network)
        await phone.call(headers=(header,))
        assert handler.invitations[0].ani == number
        await endpoint.stop()

    run_virtually(body())
