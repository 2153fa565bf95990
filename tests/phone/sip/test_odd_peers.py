"""Messages of odd peers, as a table: the answer each gets, what is understood of it, and that the call after it works."""

import asyncio
import itertools

import pytest

from ivr.phone.sip import LocalSession, MediaRules, SipEndpoint, SipSettings
from ivr.phone.sip.info_keys import KEY_TYPES
from tests.phone.sip.network import MemoryNetwork, MemoryTransport, run_virtually
from tests.phone.sip.odd_peers import CASES, OddPeer, case
from tests.phone.sip.phones import FakeCallHandler, Phone

ENDPOINT, PEER = ("127.0.0.1", 5500), ("127.0.0.1", 5070)
NUMBER = "+15551234567"
BASE = "pass/base.sip"
CONTACT = "Contact: <sip:c@127.0.0.1:@PORT@>"
RTPMAP = "a=rtpmap:101 telephone-event/8000"
FMTP = "a=fmtp:101 0-16"


class Ipv4Handler(FakeCallHandler):
    """At an IPv4 address, as the trunk is by default."""

    async def invited(self, invitation):
        self.invitations.append(invitation)
        session = self.sessions[invitation.call] = LocalSession("127.0.0.1", 20000)
        return session.answer(invitation.offer) if invitation.offer else session.offer()


def rung(text, scene, **settings):
    """Rings an endpoint with the message and plays the scene with the peer, its phone and the call handler."""

    async def body():
        network = MemoryNetwork()
        handler = Ipv4Handler()
        endpoint = SipEndpoint(SipSettings(**settings), handler, MemoryTransport(network, ENDPOINT))
        await endpoint.start()
        phone = Phone(network, PEER, ENDPOINT)
        peer = OddPeer(text, PEER[1], "odd")
        answers = [m for m in await phone.ask(peer.invite) if m.status >= 180]
        outcome = await scene(peer, phone, handler, endpoint, answers[0])
        await endpoint.stop()
        assert endpoint.counters["failures"] == 0
        return outcome

    return run_virtually(body())


def status_of(text, **settings):
    async def scene(peer, phone, handler, endpoint, answer):
        return answer.status

    return rung(text, scene, **settings)


async def answered(peer, phone, answer):
    assert answer.status == 200, answer.text
    peer.to_tag = answer.to_tag
    phone.send(peer.ack())
    await asyncio.sleep(0.1)


def call_with_a_key(text, target="sip:c@127.0.0.1:5070", **settings):
    """The INVITE, an ACK, a key by INFO; then we hang up, to `target`. Gives the invitation and our answer."""

    async def scene(peer, phone, handler, endpoint, answer):
        await answered(peer, phone, answer)
        assert handler.count("answered") == 1
        info = peer.request("INFO", "Signal=5\r\nDuration=160\r\n", "application/dtmf-relay")
        assert (await phone.one(info)).status == 200
        assert handler.keys == {answer.to_tag: "5"}
        before = len(phone.received)
        endpoint.exchange.spawn(endpoint.hang_up(answer.to_tag))
        await asyncio.sleep(0.2)
        bye = phone.received[before]
        assert bye.text.startswith(f"BYE {target} SIP/2.0\r\n"), bye.text
        return handler.invitations[0], answer

    return rung(text, scene, **settings)


def changed(*pairs, of=BASE):
    text = case(of)
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


# --- attributes of SDP ------------------------------------------------------------------------------------------------

ATTRIBUTES = {
    "sdp-rtpmap-space": case("sdp-rtpmap-space.sip"),
    "sdp-fmtp-space": case("sdp-fmtp-space.sip"),
    "sdp-rtpmap-2space": case("sdp-rtpmap-2space.sip"),
    "sdp-asterisk-testsuite-rtpmap-tail": case("sdp-asterisk-testsuite-rtpmap-tail.sip"),
    "no clock": case("pass/sdp-rtpmap-noclock.sip"),
    "blanks everywhere": changed((RTPMAP, "a=rtpmap : 101 telephone-event / 8000 "), (FMTP, "a=fmtp : 101  0-16")),
    "a tab": changed((RTPMAP, "a=rtpmap:101\ttelephone-event/8000"), (FMTP, "a=fmtp:101\t0-16")),
    "no blank": changed((RTPMAP, "a=rtpmap:101telephone-event/8000")),
    "words behind": changed((RTPMAP, RTPMAP + " foo=1")),
    "capitals": changed((RTPMAP, "a=RTPMAP:101 Telephone-Event/8000")),
    "a type that is no number": changed((RTPMAP, RTPMAP + "\na=rtpmap:x y/z")),
    "a clock that is no number": changed((RTPMAP, "a=rtpmap:8 PCMA/fast\n" + RTPMAP)),
    "an empty rtpmap": changed((RTPMAP, RTPMAP + "\na=rtpmap:")),
    "an endless number": changed((RTPMAP, RTPMAP + "\na=rtpmap:99999999999999999999 x/8000")),
    "an empty fmtp": changed((FMTP, "a=fmtp:101")),
    "only the list of events": changed((RTPMAP + "\n", "")),
    "nothing but the number": changed((RTPMAP + "\n" + FMTP, "a=ptime:20")),
    "static types alone": changed((RTPMAP, "a=rtpmap:0\na=rtpmap:8\n" + RTPMAP)),
}


@pytest.mark.parametrize("text", ATTRIBUTES.values(), ids=ATTRIBUTES.keys())
def test_an_attribute_that_is_written_oddly_costs_neither_the_call_nor_its_keys(text):
    invitation, answer = call_with_a_key(text)
    assert invitation.offer.telephone_event == 101
    assert "a=rtpmap:101 telephone-event/8000\r\n" in answer.body


def test_events_are_recognised_under_another_number_by_their_list():
    text = changed(("0 8 101", "0 8 98"), (RTPMAP + "\n", ""), (FMTP, "a=fmtp:98 0-11"))
    assert call_with_a_key(text)[0].offer.telephone_event == 98


@pytest.mark.parametrize("fmtp", ["a=fmtp:98 mode=20", "a=fmtp:98 annexb=no", "a=ptime:20"])
def test_a_number_that_says_nothing_of_itself_is_no_telephone_event(fmtp):
    text = changed(("0 8 101", "0 8 98"), (RTPMAP + "\n", ""), (FMTP, fmtp))
    assert call_with_a_key(text)[0].offer.telephone_event is None


# --- addresses --------------------------------------------------------------------------------------------------------

IPV4 = MediaRules(ip_version=4)
UNREACHABLE = {
    "sdp-ip6": case("sdp-ip6.sip"),
    "at the stream": changed((RTPMAP, "c=IN IP6 2001:db8::10\n" + RTPMAP)),
    "loopback": changed(("c=IN IP4 127.0.0.1", "c=IN IP6 ::1")),
    "under the wrong name": changed(("c=IN IP4 127.0.0.1", "c=IN IP4 2001:db8::10")),
    "held, the old way": changed(("c=IN IP4 127.0.0.1", "c=IN IP6 ::")),
}


@pytest.mark.parametrize("text", UNREACHABLE.values(), ids=UNREACHABLE.keys())
@pytest.mark.parametrize("settings", [{}, {"media": IPV4}])
def test_an_ipv6_offer_to_an_ipv4_handler_is_488(text, settings):
    assert status_of(text, **settings) == 488


@pytest.mark.parametrize("text", UNREACHABLE.values(), ids=UNREACHABLE.keys())
@pytest.mark.parametrize("settings", [{}, {"media": IPV4}])
def test_an_ipv6_offer_within_a_call_is_488_and_the_call_goes_on(text, settings):
    async def scene(peer, phone, handler, endpoint, answer):
        await answered(peer, phone, answer)
        sdp = text.partition("\n\n")[2].replace("\n", "\r\n")
        refused = await phone.one(peer.request("INVITE", sdp, "application/sdp"))
        assert refused.status == 488
        phone.send(peer.ack())
        info = peer.request("INFO", "Signal=7", "application/dtmf-relay")
        assert (await phone.one(info)).status == 200
        assert (await phone.one(peer.request("BYE"))).status == 200
        assert handler.keys == {answer.to_tag: "7"}
        assert handler.reasons() == ["caller hung up"]

    rung(case(BASE), scene, **settings)


def test_of_two_streams_the_one_that_can_be_reached_is_taken():
    stream = "m=audio 37000 RTP/AVP 8 101\nc=IN IP6 2001:db8::10\n"
    text = changed(("m=audio 36000", stream + "m=audio 36000"))
    invitation, answer = call_with_a_key(text, media=IPV4)
    assert invitation.offer.port == 36000
    assert "m=audio 0 RTP/AVP 8 101\r\nm=audio 20000 RTP/AVP 0 101" in answer.body


# --- called and calling numbers ---------------------------------------------------------------------------------------

REQUEST_URI = "INVITE sip:pay@127.0.0.1:5500"
NUMBERS = {
    "uri-percent-plus": case("uri-percent-plus.sip"),
    "uri-tel-separators": case("uri-tel-separators.sip"),
    "uri-sip-separators": case("uri-sip-separators.sip"),
    "uri-plus": case("pass/uri-plus.sip"),
    "uri-tel": case("pass/uri-tel.sip"),
    "uri-userparams": case("pass/uri-userparams.sip"),
    "dots": changed((REQUEST_URI, "INVITE tel:+1.555.123.4567")),
    "brackets": changed((REQUEST_URI, "INVITE tel:+1(555)123-4567")),
    "escaped separators": changed((REQUEST_URI, "INVITE sip:%2B1%2d555%2D123.4567@127.0.0.1:5500")),
    "escaped digits": changed((REQUEST_URI, "INVITE sip:+%31555123456%37@127.0.0.1:5500")),
    "an escaped blank": changed((REQUEST_URI, "INVITE sip:+1%20555%20123%204567@127.0.0.1:5500;user=phone")),
    "tel with a context": changed((REQUEST_URI, "INVITE tel:+1-555-123-4567;phone-context=example.com")),
    "a password": changed((REQUEST_URI, "INVITE sip:+1-555-123-4567:secret@127.0.0.1:5500")),
    "sips": changed((REQUEST_URI, "INVITE sips:%2B15551234567@127.0.0.1:5500")),
}


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS.keys())
def test_a_called_number_is_one_number_however_it_is_written(text):
    assert call_with_a_key(text)[0].dnis == NUMBER


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("pay-desk", "pay-desk"),
        ("p%61y", "pay"),
        ("anna.smith", "anna.smith"),
        ("%0d%0aBcc", "%0d%0aBcc"),
        ("%00", "%00"),
        ("%ff", "%ff"),
        ("*99#", "*99#"),
        ("1-800-PAY", "1-800-PAY"),
    ],
)
def test_a_name_stays_a_name_and_no_control_character_gets_in(written, understood):
    text = changed((REQUEST_URI, f"INVITE sip:{written}@127.0.0.1:5500"))
    assert call_with_a_key(text)[0].dnis == understood


def test_the_number_of_a_caller_is_one_number_too():
    for written in ("sip:%2B1-555-0123@127.0.0.1", "tel:+1.555.0123", "sip:+15550123@127.0.0.1;user=phone"):
        assert call_with_a_key(changed(("sip:+15550123@127.0.0.1", written)))[0].ani == "+15550123"


@pytest.mark.parametrize("number", [NUMBER, "%2B15551234567", "+1-555-123-4567"])
def test_the_called_number_may_stand_in_to(number):
    text = case("did-only-in-to.sip").replace(NUMBER, number)
    assert call_with_a_key(text, dnis_from="to")[0].dnis == NUMBER
    assert call_with_a_key(text)[0].dnis == "trunk7"


# --- contacts ---------------------------------------------------------------------------------------------------------

SIP_CONTACT = "<sip:c@127.0.0.1:@PORT@>"
CONTACTS = {
    "tel first": f"Contact: <tel:+15550123>, {SIP_CONTACT}",
    "tel last": f"Contact: {SIP_CONTACT}, <tel:+15550123>",
    "two lines": f"Contact: <tel:+15550123>\nContact: {SIP_CONTACT}",
    "compact": f"m: <tel:+15550123>,{SIP_CONTACT}",
    "with names and parameters": f'Contact: "Gateway, 1" <tel:+15550123>;q=0.2, "A" {SIP_CONTACT};q=1',
    "mail": f"Contact: <mailto:a@b.example>, {SIP_CONTACT}",
    "an unreadable one": f"Contact: <sip: 127.0.0.1: 5060>, {SIP_CONTACT}",
    "three": f"Contact: <tel:+15550123>, <mailto:a@b.example>, {SIP_CONTACT}",
}


@pytest.mark.parametrize("line", CONTACTS.values(), ids=CONTACTS.keys())
def test_of_several_contacts_the_one_that_is_sip_is_used(line):
    call_with_a_key(changed((CONTACT, line)))


def test_a_contact_beside_the_sip_one_may_come_within_the_call():
    async def scene(peer, phone, handler, endpoint, answer):
        await answered(peer, phone, answer)
        again = peer.request("INVITE", case(BASE).partition("\n\n")[2].replace("\n", "\r\n"), "application/sdp")
        line = b"Contact: <tel:+15550123>, <sip:moved@127.0.0.1:5070>\r\nContent-Length"
        await phone.ask(again.replace(b"Content-Length", line))
        phone.send(peer.ack())
        await asyncio.sleep(0.1)
        before = len(phone.received)
        endpoint.exchange.spawn(endpoint.hang_up(answer.to_tag))
        await asyncio.sleep(0.2)
        assert phone.received[before].text.startswith("BYE sip:moved@127.0.0.1:5070 SIP/2.0")

    rung(case(BASE), scene)


# --- keys by INFO -----------------------------------------------------------------------------------------------------

RELAY, PLAIN, EVENT, NORTEL = KEY_TYPES
TAKEN = [
    (RELAY, "Signal=1\r\nDuration=160", "1"),
    (RELAY, "Signal: 1\r\nDuration: 160", "1"),
    (RELAY, "signal : *\nduration : 90\n", "*"),
    (RELAY, "Duration: 160\r\nSignal:11", "#"),
    (PLAIN, "1", "1"),
    (PLAIN, "Signal: 4", "4"),
    (EVENT, "1", "1"),
    (EVENT, "11\r\n", "#"),
    (EVENT, "Signal=9\r\n", "9"),
    (EVENT, "\x05\x0a\x03\x20", "5"),
    (EVENT, "\x0a\x0a\x03\x20", "*"),
    (NORTEL, "p=Digit-Collection\r\ny=Digits\r\n\r\nd=1", "1"),
    (NORTEL, "p=Digit-Collection\r\ny=Digits\r\n\r\nd=1\r\n", "1"),
    (NORTEL, "p=Digit-Collection\ny=Digits\n\nd=#\n", "#"),
    (NORTEL, "p=Digit-Collection\r\ny=Digits\r\n\r\nd=1230", "1230"),
    (NORTEL, "p=Digit-Collection\r\ny=Digits\r\n\r\nd=1\r\nd=2\r\n", "12"),
]


def info_answer(kind, body):
    async def scene(peer, phone, handler, endpoint, answer):
        await answered(peer, phone, answer)
        status = (await phone.one(peer.request("INFO", body, kind))).status
        return status, handler.keys.get(answer.to_tag, "")

    return rung(case(BASE), scene)


@pytest.mark.parametrize(("kind", "body", "keys"), TAKEN)
def test_a_key_by_info_is_heard_however_it_is_written(kind, body, keys):
    assert info_answer(kind, body) == (200, keys)
    assert info_answer(f"{kind.upper()};charset=utf-8", body) == (200, keys)


@pytest.mark.parametrize("kind", KEY_TYPES)
@pytest.mark.parametrize(
    "body", ["Signal=", "Signal=55", "Key=1", "hello", "Signal 1", "d=x", "\u00e9", " " * 300 + "1"]
)
def test_a_key_that_cannot_be_read_is_refused_and_never_answered_200(kind, body):
    assert info_answer(kind, body) == (400, "")


@pytest.mark.parametrize(("kind", "body"), [("text/plain", "1"), ("application/json", '{"key": 1}'), ("", "1")])
def test_a_body_of_a_kind_we_do_not_know_is_415(kind, body):
    assert info_answer(kind, body) == (415, "")


@pytest.mark.parametrize("body", ["", "\r\n", "Signal=16\r\nDuration=100", "Signal=!", "Signal=hf"])
def test_a_sign_of_life_and_a_hook_flash_are_no_keys_and_no_fault(body):
    assert info_answer(RELAY, body) == (200, "")


def test_keys_that_come_before_the_answer_is_acknowledged_are_heard_after_it():
    """A late offer is answered in its ACK: until then nobody listens, and 200 has been said to the keys."""
    head = case(BASE).partition("\n\n")[0].replace("Content-Type: application/sdp\n", "")

    async def scene(peer, phone, handler, endpoint, answer):
        peer.to_tag = answer.to_tag
        for key in "42":
            said = await phone.ask(peer.request("INFO", f"Signal={key}", RELAY))
            assert [message.status for message in said if "INFO" in message.header("CSeq")] == [200]
        assert handler.heard == []
        peer.cseq, later = 1, peer.cseq
        phone.send(peer.ack(case("late-offer-answer.sdp").replace("\n", "\r\n")))
        peer.cseq = later
        await asyncio.sleep(0.1)
        assert (await phone.one(peer.request("INFO", "Signal=1", RELAY))).status == 200
        told = [event[1:3] for event in handler.heard]
        assert told == [("answered",), ("key", "4"), ("key", "2"), ("key", "1")]

    rung(head + "\n\n", scene)


# --- what was answered rightly stays so -------------------------------------------------------------------------------

REFUSED = {
    "ct-missing": 415,
    "ct-multipart-preamble": 415,
    "hd-accept-isup": 406,
    "hd-contact-space": 400,
    "hd-contact-tel": 400,
    "hd-contact-two": 400,
    "hd-from-unbalanced": 400,
    "hd-minse-60": 422,
    "hd-require-precondition": 420,
    "hd-require-replaces": 420,
    "sdp-avpf": 488,
    "sdp-b-float": 400,
    "sdp-fqdn": 488,
    "sdp-g729-only": 488,
    "sdp-leading-newline": 400,
    "sdp-leading0-ip": 488,
    "sdp-port-count": 400,
    "sdp-udp-avp": 488,
}
RINGS_FIRST = {"hd-require-100rel": 180}
ELSEWHERE = {
    "cisco-one-contact": "sip:tester@127.0.0.1:5070",
}


@pytest.mark.parametrize("name", sorted(path.stem for path in (CASES / "pass").glob("*.sip")))
def test_what_was_answered_rightly_is_answered_so_again(name):
    text = case(f"pass/{name}.sip")
    expected = REFUSED.get(name) or RINGS_FIRST.get(name)
    if expected:
        assert status_of(text) == expected
    else:
        call_with_a_key(text, ELSEWHERE.get(name, "sip:c@127.0.0.1:5070"))


def test_every_case_is_in_a_table():
    named = {*REFUSED, *RINGS_FIRST, *ELSEWHERE}
    assert named <= {path.stem for path in (CASES / "pass").glob("*.sip")}
    files = {path.stem for path in CASES.glob("*.sip")}
    tables = itertools.chain(ATTRIBUTES, UNREACHABLE, NUMBERS, ["did-only-in-to", "uri-without-plus"])
    assert files <= set(tables)
