"""Peers that log in: both algorithms, old nonces, replays, wrong passwords; and no password anywhere it can be read."""

import asyncio

import pytest
import structlog
from aiosipua import SipRequest, SipResponse

from ivr.errors import ConfigError
from ivr.phone.sip import CallRefusedError, Credentials, LocalSession, Peer, SipCaller, SipEndpoint, SipSettings
from ivr.phone.sip.caller import CallerHandler
from ivr.phone.sip.challenge import answer_challenge
from ivr.phone.sip.digest import DigestGuard
from ivr.phone.sip.wire import read_message
from tests.phone.sip.network import MemoryNetwork, MemoryTransport, run_virtually
from tests.phone.sip.phones import ENDPOINT, Phone, open_endpoint

PEERS = (Peer("carrier", username="anna", password="s3cret"), Peer("other", username="bert", password="pass"))
SETTINGS = SipSettings(peers=PEERS)


def logged_in(test):
    def run():
        async def body():
            network = MemoryNetwork()
            endpoint, handler = await open_endpoint(network, settings=SETTINGS)
            await test(Phone(network), endpoint, handler)
            await endpoint.stop()

        run_virtually(body())

    run.__name__ = test.__name__
    return run


async def challenge(phone, number=1, **more):
    """A 401 to an INVITE, acknowledged."""
    refused = await phone.one(phone.invite(branch=f"z9hG4bK-c{number}", cseq=number, **more))
    phone.send(phone.request("ACK", branch=f"z9hG4bK-c{number}", cseq=number, to_tag=refused.to_tag))
    assert refused.status == 401
    return refused


def login(refused, username="anna", password="s3cret", algorithm=None, uri="sip:pay@192.0.2.1"):
    response = read_message(refused.text.encode())
    if algorithm:
        kept = [value for value in response.headers.get("www-authenticate") if f"algorithm={algorithm}," in value]
        response.headers.set_single("WWW-Authenticate", kept[0])
    return ": ".join(answer_challenge(Credentials(username, password), response, "INVITE", uri))


@logged_in
async def test_a_stranger_is_challenged_with_the_better_algorithm_first(phone, endpoint, handler):
    offered = (await challenge(phone)).headers("WWW-Authenticate")
    assert ["algorithm=SHA-256" in offered[0], "algorithm=MD5" in offered[1]] == [True, True]
    assert handler.invitations == []


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
@pytest.mark.parametrize(("username", "password"), [("anna", "s3cret"), ("bert", "pass")])
def test_a_peer_that_knows_its_password_gets_in(algorithm, username, password):
    @logged_in
    async def run(phone, endpoint, handler):
        line = login(await challenge(phone), username, password, algorithm)
        await phone.call(branch="z9hG4bK-2", cseq=2, headers=(line,))
        assert len(handler.invitations) == 1

    run()


@pytest.mark.parametrize(("username", "password"), [("anna", "wrong"), ("nobody", "s3cret"), ("bert", "s3cret")])
def test_a_wrong_name_or_password_is_challenged_again(username, password):
    @logged_in
    async def run(phone, endpoint, handler):
        line = login(await challenge(phone), username, password)
        refused = await phone.one(phone.invite(branch="z9hG4bK-2", cseq=2, headers=(line,)))
        assert refused.status == 401
        assert "stale" not in refused.text
        assert endpoint.counters["failed_logins"] == 1

    run()


@logged_in
async def test_a_login_heard_on_the_line_cannot_be_used_again(phone, endpoint, handler):
    line = login(await challenge(phone))
    await phone.call(branch="z9hG4bK-2", cseq=2, headers=(line,))
    replay = await phone.one(phone.invite(branch="z9hG4bK-3", cseq=3, call_id="replay@phone", headers=(line,)))
    assert replay.status == 401
    assert "stale=true" in replay.text
    assert len(handler.invitations) == 1


@logged_in
async def test_a_login_of_another_source_is_not_taken(phone, endpoint, handler):
    line = login(await challenge(phone))
    thief = Phone(phone.transport.network, ("192.0.2.66", 5060))
    refused = await thief.one(thief.invite(branch="z9hG4bK-2", cseq=2, headers=(line,)))
    assert refused.status == 401


@logged_in
async def test_an_old_nonce_is_stale_and_a_new_one_works(phone, endpoint, handler):
    line = login(await challenge(phone))
    await asyncio.sleep(61)
    stale = await challenge(phone, 2, headers=(line,))
    assert "stale=true" in stale.text
    await phone.call(branch="z9hG4bK-3", cseq=3, headers=(login(stale),))


@logged_in
async def test_guessing_passwords_is_soon_met_with_silence(phone, endpoint, handler):
    line = login(await challenge(phone), "anna", "guess")
    refused = set()
    for number in range(2, 22):
        invite = phone.invite(branch=f"z9hG4bK-{number}", cseq=number, call_id=f"{number}@phone", headers=(line,))
        refused |= {message.header("CSeq") for message in await phone.ask(invite, wait_s=0.1) if message.status == 401}
    assert len(refused) <= 12
    assert endpoint.counters["rate_limited"] >= 8


FORGED = {
    "an invented nonce": 'nonce="1f.00.x"',
    "no nonce": 'opaque="x"',
    "an unknown algorithm": 'nonce="1f.00.x", algorithm=SHA-512',
    "no qop": 'nonce="1f.00.x", qop=none',
}


@pytest.mark.parametrize("nonce", FORGED.values(), ids=FORGED.keys())
def test_a_forged_login_uses_up_nobodys_attempts(nonce):
    """Anyone can write a PBX's address into a datagram; only the PBX has seen a nonce that we sent there."""

    @logged_in
    async def run(phone, endpoint, handler):
        line = f'Authorization: Digest username="anna", realm="tonetill", uri="sip:a", qop=auth, {nonce}, '
        line += f'nc=00000001, cnonce="c", response="{"0" * 64}"'
        for number in range(30):
            await phone.ask(phone.invite(branch=f"z9hG4bK-f{number}", call_id=f"f{number}@x", headers=(line,)), 0.01)
        await asyncio.sleep(40)  # nobody acknowledges a 401 to a forged INVITE: it is repeated for 32 s
        assert endpoint.counters["failed_logins"] == endpoint.counters["rate_limited"] == 0
        await phone.call(branch="z9hG4bK-101", cseq=101, headers=(login(await challenge(phone, 100)),))
        assert len(handler.invitations) == 1

    run()


@logged_in
async def test_a_nonce_that_was_sent_elsewhere_uses_up_nobodys_attempts(phone, endpoint, handler):
    forger = Phone(phone.transport.network, ("192.0.2.66", 5060))
    line = login(await challenge(forger), password="guess")
    for number in range(30):
        await phone.ask(phone.invite(branch=f"z9hG4bK-f{number}", call_id=f"f{number}@x", headers=(line,)), 0.01)
    await asyncio.sleep(40)
    assert endpoint.counters["failed_logins"] == 0
    await phone.call(branch="z9hG4bK-101", cseq=101, headers=(login(await challenge(phone, 100)),))


@pytest.mark.parametrize(
    ("username", "password", "missing"),
    [("anna", "", "password"), ("anna", "  ", "password"), ("", "s3cret", "username")],
)
def test_a_login_with_an_empty_half_is_refused_at_the_start(username, password, missing):
    with pytest.raises(ConfigError, match=f"peer carrier: .* the {missing} is empty"):
        SipEndpoint(SipSettings(peers=(Peer("carrier", username=username, password=password),)), CallerHandler())


def test_an_empty_password_never_logs_in():
    """Not even where a peer with one got past every check before."""
    guard = DigestGuard("tonetill", 60)
    challenged = SipResponse(status_code=401, reason_phrase="Unauthorized")
    for name, value in guard.challenges("192.0.2.9", 0):
        challenged.headers.append(name, value)
    name, value = answer_challenge(Credentials("anna", ""), challenged, "INVITE", "sip:pay@192.0.2.1")
    request = SipRequest(method="INVITE", uri="sip:pay@192.0.2.1")
    request.headers.append(name, value)
    peers = [Peer("carrier", username="anna", password=password) for password in ("", "s3cret")]
    assert [guard.check(request, (peer,), "192.0.2.9", 0) for peer in peers] == ["wrong", "wrong"]


@logged_in
async def test_requests_within_a_call_need_no_login(phone, endpoint, handler):
    ok = await phone.call(branch="z9hG4bK-2", cseq=2, headers=(login(await challenge(phone)),))
    assert (await phone.one(phone.request("BYE", branch="z9hG4bK-3", cseq=3, to_tag=ok.to_tag))).status == 200


@logged_in
async def test_garbage_in_authorization_is_only_a_challenge(phone, endpoint, handler):
    lines = ("Digest", 'Digest realm="tonetill"', "Basic YTpi", 'Digest realm="tonetill", nonce="x.y", nc=zz, qop=auth,'
             ' uri="sip:a", response="\u00e9"')  # fmt: skip
    for number, line in enumerate(lines, 1):
        await challenge(phone, number, headers=(f"Authorization: {line}",), call_id=f"{number}@phone")


def test_a_listed_network_without_a_name_needs_no_login():
    async def body():
        network = MemoryNetwork()
        settings = SipSettings(peers=(*PEERS, Peer("pbx", ("192.0.2.9",))))
        endpoint, _ = await open_endpoint(network, settings=settings)
        await Phone(network).call()
        await endpoint.stop()

    run_virtually(body())


def test_our_own_caller_answers_a_challenge_and_a_wrong_password_is_told():
    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network, settings=SETTINGS)
        phones = SipEndpoint(SipSettings(), CallerHandler(), MemoryTransport(network, ("192.0.2.9", 5060)))
        await phones.start()
        target = f"sip:pay@{ENDPOINT[0]}"
        call = await SipCaller(phones, credentials=Credentials("anna", "s3cret")).call(
            target, LocalSession("192.0.2.9", 4)
        )
        assert call.answer.codec.name == "PCMU"
        await call.hang_up()
        with pytest.raises(CallRefusedError) as refused:
            await SipCaller(phones, credentials=Credentials("anna", "no")).call(target, LocalSession("192.0.2.9", 4))
        assert refused.value.status == 401
        assert len(handler.invitations) == 1
        await phones.stop()
        await endpoint.stop()

    run_virtually(body())


def test_no_password_is_shown():
    assert "s3cret" not in repr(SETTINGS) + repr(Credentials("anna", "s3cret"))


def test_no_key_pressed_reaches_the_log():
    """INFO bodies carry card digits; the log has method, status, call and source only."""

    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network)
        phone = Phone(network)
        ok = await phone.call()
        for number, key in enumerate("4111222233334444"):
            body = f"Signal={key}\r\nDuration=987\r\n"
            info = phone.request(
                "INFO",
                branch=f"z9hG4bK-{number}k",
                cseq=2 + number,
                to_tag=ok.to_tag,
                body=body,
                kind="application/dtmf-relay",
            )
            await phone.ask(info)
            await phone.ask(info.replace("INFO sip", "INFO  sip"))
        assert handler.keys[ok.to_tag] == "4111222233334444"
        await endpoint.stop()

    with structlog.testing.capture_logs() as events:
        run_virtually(body())
    assert {event["event"] for event in events} >= {"sip_invited", "sip_malformed", "sip_call_ended"}
    assert "987" not in repr([{k: v for k, v in event.items() if k not in ("call", "source")} for event in events])
    assert "Signal" not in repr(events)
