"""Offer and answer, as tables of SDP."""

import base64

import pytest

from ivr.errors import PeerError
from ivr.phone.sip import Answer, Codec, LocalSession, MediaRules, Reject, parse_session
from tests.phone.sip.odd_peers import case

KEY = base64.b64encode(bytes(range(30))).decode()


def sdp(*media, session=()):
    head = ["v=0", "o=- 7 7 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", *session]
    return "".join(f"{line}\r\n" for line in [*head, *media]).encode()


AUDIO = ("m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000")


def answer(body, *, tls=False, **local):
    offer = parse_session(body, secure_transport=tls)
    return LocalSession("192.0.2.1", 20000, **local).answer(offer) if offer else None


@pytest.mark.parametrize(
    ("media", "codec", "event"),
    [
        (["m=audio 4000 RTP/AVP 0 8"], Codec(0, "PCMU"), None),
        (["m=audio 4000 RTP/AVP 8 0"], Codec(8, "PCMA"), None),
        (["m=audio 4000 RTP/AVP 18 8", "a=rtpmap:18 G729/8000"], Codec(8, "PCMA"), None),
        (["m=audio 4000 RTP/AVP 97 96", "a=rtpmap:97 pcma/8000", "a=rtpmap:96 telephone-event/8000"], Codec(97, "PCMA"), 96),
        (["m=audio 4000 RTP/AVP 0 127", "a=rtpmap:127 TELEPHONE-EVENT/8000"], Codec(0, "PCMU"), 127),
        (
            ["m=audio 4000 RTP/AVP 111 0 110 126", "a=rtpmap:111 opus/48000/2", "a=rtpmap:110 telephone-event/48000",
             "a=rtpmap:126 telephone-event/8000"],
            Codec(0, "PCMU"), 126,
        ),
        (["m=audio 4000 RTP/AVP 96 0", "a=rtpmap:96 PCMU/16000"], Codec(0, "PCMU"), None),
    ],
)  # fmt: skip
def test_the_answer_takes_the_offerers_first_codec_and_its_payload_types(media, codec, event):
    found = answer(sdp(*media))
    assert (found.codec, found.telephone_event) == (codec, event)
    formats = [codec.payload_type] + ([event] if event is not None else [])
    assert f"m=audio 20000 RTP/AVP {' '.join(map(str, formats))}\r\n" in found.sdp
    assert "a=ptime:20" in found.sdp
    if event is not None:
        assert f"a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15" in found.sdp


def test_our_own_preference_overrules_the_offerers():
    assert answer(sdp(*AUDIO), preference=("PCMA",)).codec == Codec(8, "PCMA")
    assert answer(sdp("m=audio 4000 RTP/AVP 0"), preference=("PCMA",)).codec == Codec(0, "PCMU")


@pytest.mark.parametrize(
    ("offered", "answered"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_hold_turns_the_direction_round(offered, answered):
    for body in (sdp(*AUDIO, f"a={offered}"), sdp(*AUDIO, session=(f"a={offered}",))):
        found = answer(body)
        assert found.direction == answered
        assert f"a={answered}\r\n" in found.sdp


def test_an_address_of_zeros_is_the_old_hold():
    body = sdp(*AUDIO).replace(b"c=IN IP4 192.0.2.9", b"c=IN IP4 0.0.0.0")
    assert answer(body).direction == "inactive"


def test_refused_streams_keep_their_place_with_port_zero():
    body = sdp("m=video 5000 RTP/AVP 31", *AUDIO, "m=audio 6000 RTP/AVP 0", "m=image 7000 udptl t38")
    lines = [line for line in answer(body).sdp.splitlines() if line.startswith("m=")]
    assert lines == [
        "m=video 0 RTP/AVP 31",
        "m=audio 20000 RTP/AVP 0 101",
        "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "a=fmtp:* x=1",
        "a=fmtp:*",
        "a=rtpmap:* PCMU/8000",
        "a=rtpmap:0",
        "a=rtpmap:0 PCMU/8000/stereo",
        "a=rtpmap:0 PCMU/eight",
        "a=rtpmap:/",
        "a=fmtp:x 0-15",
        "a=ptime:20.5",
        "a=crypto:*",
    ],
)
def test_an_attribute_that_nobody_can_read_is_left_out_and_the_rest_holds(line: str):
    offer = parse_session(sdp(*AUDIO, line))
    assert offer is not None
    assert (offer.codecs[0], offer.telephone_event, offer.ptime_ms) == (Codec(0, "PCMU"), 101, 20)


@pytest.mark.parametrize("written", ["telephone-event/8000/", "telephone-event/8000 /", "telephone-event/8000/1"])
def test_a_channel_count_that_is_left_empty_means_one(written: str):
    offer = parse_session(sdp("m=audio 4000 RTP/AVP 0 96", f"a=rtpmap:96 {written}"))
    assert offer is not None
    assert offer.telephone_event == 96


@pytest.mark.parametrize(
    "media",
    [
        ["m=audio 4000 RTP/AVP 18"],
        ["m=audio 0 RTP/AVP 0"],
        ["m=video 4000 RTP/AVP 0"],
        ["m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"],
        ["m=audio 4000 UDP/TLS/RTP/SAVPF 0"],
        ["m=audio 4000 RTP/SAVP 0"],
        ["m=audio 4000 RTP/AVP 0", "c=IN IP4 224.2.1.1"],
        ["m=audio 4000 RTP/AVP 0", "c=IN IP4 pbx.example"],
    ],
)
def test_nothing_that_fits_is_told_apart_from_nothing_readable(media):
    assert parse_session(sdp(*media), secure_transport=True) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"v=0\r\n" * 600,
        sdp("m=audio port RTP/AVP 0"),
        sdp("m=audio 70000 RTP/AVP 0"),
        sdp("m=audio 4000"),
        sdp(*AUDIO).replace(b"o=", b"x="),
    ],
)
def test_a_body_that_is_no_sdp_is_an_error_without_its_text(body):
    with pytest.raises(PeerError, match=r"^SDP: ") as error:
        parse_session(body)
    assert error.value.__cause__ is None


def test_unchanged_media_keep_the_version_and_changed_ones_raise_it():
    session = LocalSession("192.0.2.1", 20000)
    offer = parse_session(sdp(*AUDIO))
    first, again = session.answer(offer), session.answer(offer)
    held = session.answer(parse_session(sdp(*AUDIO, "a=sendonly")))
    assert first == again
    versions = [line.split()[1:3] for text in (first.sdp, held.sdp) for line in text.splitlines() if line[:2] == "o="]
    assert versions[0][0] == versions[1][0]
    assert [int(version) for _, version in versions] == [1, 2]


def test_ipv6_is_answered_in_ipv6():
    body = sdp(*AUDIO).replace(b"IP4 192.0.2.9", b"IP6 2001:db8::9")
    offer = parse_session(body)
    assert offer.address == "2001:db8::9"
    assert "c=IN IP6 2001:db8::1\r\n" in LocalSession("2001:db8::1", 20000).answer(offer).sdp


# --- SRTP by SDES -----------------------------------------------------------------------------------------------------

SECURE = ("m=audio 4000 RTP/SAVP 0", f"a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31")


def test_keys_are_taken_over_tls_and_answered_with_our_own_under_their_tag():
    found = answer(sdp(*SECURE), tls=True)
    assert found.remote_crypto.key_and_salt == bytes(range(30))
    assert found.remote_crypto.tag == found.local_crypto.tag == 3
    ours = base64.b64encode(found.local_crypto.key_and_salt).decode()
    assert f"a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{ours}\r\n" in found.sdp
    assert found.local_crypto.key_and_salt != found.remote_crypto.key_and_salt


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "aes_cm_128_hmac_sha1_80", "Aes_Cm_128_Hmac_Sha1_80"])
@pytest.mark.parametrize("method", ["inline:", "INLINE:", "Inline:"])
def test_suite_and_key_method_are_the_same_in_any_case(suite, method):
    found = answer(sdp(SECURE[0], f"a=crypto:3 {suite} {method}{KEY}|2^31"), tls=True)
    assert found.remote_crypto.key_and_salt == bytes(range(30))
    assert "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" in found.sdp


def test_keys_over_a_connection_anyone_can_read_are_refused():
    assert answer(sdp(*SECURE), tls=False) is None


def test_a_plain_stream_beside_a_secure_one_is_taken_where_keys_are_not():
    body = sdp(*SECURE, "m=audio 4002 RTP/AVP 0")
    assert "m=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 0" in answer(body, tls=False).sdp
    assert "m=audio 20000 RTP/SAVP 0" in answer(body, tls=True).sdp


@pytest.mark.parametrize(
    "line",
    [
        f"1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}",
        "1 AES_CM_128_HMAC_SHA1_80 inline:short",
        "1 AES_CM_128_HMAC_SHA1_80 inline:!!!!",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31|1:4",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP",
        f"x AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
    ],
)
def test_a_key_line_we_cannot_keep_to_is_passed_over(line):
    assert parse_session(sdp("m=audio 4000 RTP/SAVP 0", f"a=crypto:{line}"), secure_transport=True) is None


def test_no_key_is_shown():
    found = answer(sdp(*SECURE), tls=True)
    offer = parse_session(sdp(*SECURE), secure_transport=True)
    assert KEY not in repr(found) + repr(offer)
    assert "inline" not in repr(found) + repr(offer)
    assert repr(bytes(range(30))) not in repr(offer)


def test_our_suite_is_found_however_many_others_stand_before_it():
    """A softphone offers ten lines, ours as the ninth."""
    phone = case("zoiper-ten-crypto-lines.sdp").replace("\n", "\r\n").encode()
    assert answer(phone, tls=True).remote_crypto.tag == 1
    assert answer(phone, tls=False) is None
    others = [f"a=crypto:{n} AES_CM_256_HMAC_SHA1_80 inline:{KEY}" for n in range(2, 42)]
    found = answer(sdp(SECURE[0], *others, f"a=crypto: 41  AES_CM_128_HMAC_SHA1_80  inline:{KEY}"), tls=True)
    assert found.remote_crypto.tag == 41


PLAIN = ("m=audio 4002 RTP/AVP 0",)


@pytest.mark.parametrize(
    ("srtp", "tls", "media", "port"),
    [
        ("required", True, SECURE, 4000),
        ("required", True, PLAIN, None),
        ("required", False, PLAIN, None),
        ("required", False, SECURE, None),
        ("required", True, PLAIN + SECURE, 4000),
        ("optional", True, PLAIN + SECURE, 4002),
        ("optional", True, SECURE + PLAIN, 4000),
        ("off", True, SECURE, None),
        ("off", True, SECURE + PLAIN, 4002),
    ],
)
def test_what_is_taken_of_secure_and_plain_streams_is_a_setting(srtp, tls, media, port):
    offer = parse_session(sdp(*media), secure_transport=tls, rules=MediaRules(srtp=srtp))
    assert (offer.port if offer else None) == port


# --- our own offer ------------------------------------------------------------------------------------------------------


def test_our_offer_is_one_we_would_take_ourselves():
    offered = LocalSession("192.0.2.1", 20000).offer()
    offer = parse_session(offered.sdp.encode())
    assert [codec.name for codec in offer.codecs] == ["PCMU", "PCMA"]
    assert (offer.port, offer.telephone_event, offer.ptime_ms) == (20000, 101, 20)


def test_our_offer_is_settled_by_the_answer_with_the_peers_payload_types():
    ours, theirs = LocalSession("192.0.2.1", 20000), LocalSession("192.0.2.9", 4000, preference=("PCMA", "PCMU"))
    offered = ours.offer(secure=True)
    answered = theirs.answer(parse_session(offered.sdp.encode(), secure_transport=True))
    settled = ours.settle(offered, parse_session(answered.sdp.encode(), secure_transport=True))
    assert isinstance(settled, Answer)
    assert settled.codec == Codec(8, "PCMA")
    assert settled.remote_crypto == answered.local_crypto
    assert settled.local_crypto == answered.remote_crypto


def test_an_answer_without_the_keys_we_asked_for_is_refused():
    ours = LocalSession("192.0.2.1", 20000)
    assert isinstance(ours.settle(ours.offer(secure=True), parse_session(sdp(*AUDIO))), Reject)


# --- the payload types that keys come on ------------------------------------------------------------------------------


def late_answer(text=None):
    """Our offer without an offer of the peer's, settled by the answer in its ACK."""
    session = LocalSession("192.0.2.1", 20000)
    offered = session.offer()
    text = text or case("late-offer-answer.sdp")
    return session, session.settle(offered, parse_session(text.replace("\n", "\r\n").encode()))


def test_after_a_late_offer_keys_are_heard_on_our_number_and_on_the_peers():
    """RFC 3264 6.1: the peer sends with the number of our offer, 101; one that sends with its own, 96, is heard too."""
    _, settled = late_answer()
    assert sorted(settled.telephone_events) == [96, 101]
    assert settled.telephone_event == 96


def test_an_answer_without_keys_has_none_and_one_with_our_number_only_that():
    answered = case("late-offer-answer.sdp")
    assert late_answer(answered.replace("96", "101"))[1].telephone_events == (101,)
    assert late_answer(answered.partition("m=")[0] + "m=audio 36000 RTP/AVP 0\n")[1].telephone_events == ()


def test_a_number_of_ours_stays_good_when_the_session_is_changed():
    session, _ = late_answer()
    again = parse_session(sdp("m=audio 4004 RTP/AVP 0 97", "a=rtpmap:97 telephone-event/8000"))
    assert sorted(session.answer(again).telephone_events) == [97, 101]
    third = parse_session(
        sdp("m=audio 4004 RTP/AVP 101 98", "a=rtpmap:101 PCMA/8000", "a=rtpmap:98 telephone-event/8000")
    )
    assert sorted(session.answer(third).telephone_events) == [97, 98]


def test_the_number_of_an_offer_is_the_only_one_at_first():
    assert answer(sdp("m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000")).telephone_events == (96,)
