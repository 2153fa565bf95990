"""Calls as a phone sees them, message by message, over a network in memory."""

import asyncio

import pytest

from ivr.phone.sip import CallerHandler, LocalSession, Reject, SipCaller, SipEndpoint, SipSettings, SourceLimits
from tests.phone.sip.network import MemoryNetwork, MemoryTransport, run_virtually
from tests.phone.sip.phones import ENDPOINT, SDP, FakeCallHandler, Phone, open_endpoint


def with_phone(test):
    """Runs a test that takes a phone, an endpoint and a handler, in virtual time."""

    def run():
        async def body():
            network = MemoryNetwork()
            endpoint, handler = await open_endpoint(network)
            await test(Phone(network), endpoint, handler)
            await endpoint.stop()

        run_virtually(body())

    run.__name__ = test.__name__
    return run


@with_phone
async def test_a_call_is_answered_and_ended_by_the_caller(phone, endpoint, handler):
    ok = await phone.call()
    assert "m=audio 20000 RTP/AVP 0 101" in ok.body
    assert len(handler.invitations) == 1
    assert (handler.invitations[0].ani, handler.invitations[0].dnis) == ("+15550100", "pay")
    assert ok.to_tag == handler.invitations[0].call
    bye = await phone.one(phone.request("BYE", branch="z9hG4bK-2", cseq=2, to_tag=ok.to_tag))
    assert bye.status == 200
    assert handler.reasons() == ["caller hung up"]
    assert endpoint.calls == ()


@with_phone
async def test_a_retransmitted_invite_makes_no_second_dialog(phone, endpoint, handler):
    for _ in range(5):
        phone.send(phone.invite())
    await asyncio.sleep(0.3)
    assert len(handler.invitations) == 1
    assert {message.to_tag for message in phone.received if message.status == 200} == {handler.invitations[0].call}
    assert endpoint.counters["retransmissions_absorbed"] == 4


@with_phone
async def test_the_200_is_repeated_until_its_ack_and_no_longer(phone, endpoint, handler):
    answers = await phone.ask(phone.invite(), wait_s=4)
    assert [message.status for message in answers] == [200] * 4  # at 0, 0.5, 1.5 and 3.5 s
    phone.send(phone.request("ACK", branch="z9hG4bK-a", to_tag=answers[0].to_tag))
    await asyncio.sleep(0.2)
    before = len(phone.received)
    await asyncio.sleep(40)
    assert len(phone.received) == before
    assert handler.count("answered") == 1


@with_phone
async def test_a_call_whose_ack_never_comes_is_hung_up(phone, endpoint, handler):
    answers = await phone.ask(phone.invite(), wait_s=80)
    assert handler.reasons() == ["not acknowledged"]
    assert any(message.method == "BYE" for message in answers)
    assert handler.count("answered") == 0
    assert len(endpoint.exchange.legs) == 0


@with_phone
async def test_an_ack_with_the_branch_of_its_invite_is_taken(phone, endpoint, handler):
    """RFC 2543 phones, and some since, do so."""
    ok = (await phone.ask(phone.invite()))[-1]
    phone.send(phone.request("ACK", branch="z9hG4bK-1", to_tag=ok.to_tag))
    await asyncio.sleep(0.1)
    assert handler.count("answered") == 1


@with_phone
async def test_a_refusal_is_repeated_until_its_ack(phone, endpoint, handler):
    handler.refusal = Reject(486, "Busy Here")
    answers = await phone.ask(phone.invite(), wait_s=2)
    assert [message.status for message in answers] == [486] * 3
    phone.send(phone.request("ACK", to_tag=answers[0].to_tag))
    await asyncio.sleep(0.1)
    before = len(phone.received)
    await asyncio.sleep(60)
    assert len(phone.received) == before
    assert handler.reasons() == []
    assert len(endpoint.exchange.transactions) == 0


@with_phone
async def test_cancel_ends_a_call_that_is_not_answered_yet(phone, endpoint, handler):
    handler.thinks_s = 5
    phone.send(phone.invite())
    await asyncio.sleep(1)
    answers = await phone.ask(phone.request("CANCEL"), wait_s=0.2)
    assert sorted((message.status, message.header("CSeq")) for message in answers) == [
        (200, "1 CANCEL"),
        (487, "1 INVITE"),
    ]
    assert handler.reasons() == ["cancelled"]
    assert endpoint.calls == ()


@with_phone
async def test_cancel_after_the_answer_changes_nothing(phone, endpoint, handler):
    await phone.call()
    assert (await phone.one(phone.request("CANCEL"))).status == 200
    assert handler.reasons() == []
    assert len(endpoint.calls) == 1


@with_phone
async def test_cancel_of_nothing_is_481(phone, endpoint, handler):
    assert (await phone.one(phone.request("CANCEL", branch="z9hG4bK-none"))).status == 481


@with_phone
async def test_bye_before_the_answer_ends_the_invitation(phone, endpoint, handler):
    handler.thinks_s = 5
    phone.send(phone.invite())
    await asyncio.sleep(0.5)
    call = handler.invitations[0].call
    answers = await phone.ask(phone.request("BYE", branch="z9hG4bK-b", cseq=2, to_tag=call))
    assert sorted(message.status for message in answers) == [200, 487]
    assert handler.count("ended") == 1


@with_phone
async def test_we_hang_up_with_a_bye_that_is_repeated_until_answered(phone, endpoint, handler):
    ok = await phone.call()
    hanging_up = asyncio.ensure_future(endpoint.hang_up(ok.to_tag))
    await asyncio.sleep(4)
    byes = [message for message in phone.received if message.method == "BYE"]
    assert len(byes) == 4
    assert len({bye.header("Via") for bye in byes}) == 1
    assert byes[0].text.startswith("BYE sip:anna@192.0.2.9 SIP/2.0")
    assert handler.reasons() == ["we hung up"]
    phone.send(answer_to(byes[0], "200 OK"))
    await hanging_up
    before = len(phone.received)
    await asyncio.sleep(40)
    assert len(phone.received) == before


@with_phone
async def test_two_byes_that_cross_are_both_answered(phone, endpoint, handler):
    ok = await phone.call()
    hanging_up = asyncio.ensure_future(endpoint.hang_up(ok.to_tag))
    await asyncio.sleep(0.001)
    answers = await phone.ask(phone.request("BYE", branch="z9hG4bK-b", cseq=2, to_tag=ok.to_tag))
    assert 200 in [message.status for message in answers]
    assert handler.reasons() == ["we hung up"]
    hanging_up.cancel()


@with_phone
async def test_keys_come_by_info_in_order_and_once(phone, endpoint, handler):
    ok = await phone.call()
    for number, key in enumerate("41*#"):
        request = phone.request(
            "INFO",
            branch=f"z9hG4bK-i{number}",
            cseq=2 + number,
            to_tag=ok.to_tag,
            body=f"Signal={key}\r\nDuration=250\r\n",
            kind="application/dtmf-relay",
        )
        phone.send(request)
        answers = await phone.ask(request)
        assert {message.status for message in answers} == {200}
    assert handler.keys[ok.to_tag] == "41*#"
    assert handler.heard[-1] == (ok.to_tag, "key", "#", "250")


@with_phone
async def test_an_info_of_another_kind_is_415_and_an_empty_one_200(phone, endpoint, handler):
    ok = await phone.call()
    strange = phone.request("INFO", branch="z9hG4bK-i", cseq=2, to_tag=ok.to_tag, body="x", kind="text/plain")
    refused = await phone.one(strange)
    assert refused.status == 415
    assert "application/dtmf-relay" in refused.header("Accept")
    assert (await phone.one(phone.request("INFO", branch="z9hG4bK-j", cseq=3, to_tag=ok.to_tag))).status == 200
    assert handler.count("key") == 0


@with_phone
async def test_an_old_request_out_of_order_is_refused(phone, endpoint, handler):
    ok = await phone.call(cseq=10)
    stale = phone.request("INFO", branch="z9hG4bK-i", cseq=9, to_tag=ok.to_tag)
    assert (await phone.one(stale)).status == 500


@with_phone
async def test_hold_and_resume_are_answered_with_the_direction_turned_round(phone, endpoint, handler):
    ok = await phone.call()
    hold = phone.invite(branch="z9hG4bK-h", cseq=2, to_tag=ok.to_tag, body=SDP.replace("sendrecv", "sendonly"))
    held = await phone.one(hold)
    assert "a=recvonly" in held.body
    assert handler.heard[-1] == (ok.to_tag, "media", "sendonly")
    phone.send(phone.request("ACK", branch="z9hG4bK-ha", cseq=2, to_tag=ok.to_tag))
    await asyncio.sleep(0.1)
    resumed = await phone.one(phone.invite(branch="z9hG4bK-r", cseq=3, to_tag=ok.to_tag))
    assert "a=sendrecv" in resumed.body
    assert [version(message) for message in (ok, held, resumed)] == [1, 2, 3]
    assert handler.count("answered") == 1


@with_phone
async def test_a_reinvite_with_unchanged_media_gets_the_same_session_again(phone, endpoint, handler):
    ok = await phone.call()
    again = await phone.one(phone.invite(branch="z9hG4bK-h", cseq=2, to_tag=ok.to_tag))
    assert again.body == ok.body
    assert handler.count("media") == 0


@with_phone
async def test_a_reinvite_that_cannot_be_met_leaves_the_call_as_it_was(phone, endpoint, handler):
    ok = await phone.call()
    only_video = SDP.replace("m=audio 4000 RTP/AVP 0 8 101", "m=audio 4000 RTP/AVP 18")
    refused = await phone.one(phone.invite(branch="z9hG4bK-h", cseq=2, to_tag=ok.to_tag, body=only_video))
    assert refused.status == 488
    assert len(endpoint.calls) == 1


@with_phone
async def test_a_second_reinvite_before_the_ack_of_the_first_is_told_to_wait(phone, endpoint, handler):
    ok = await phone.call()
    phone.send(phone.invite(branch="z9hG4bK-h", cseq=2, to_tag=ok.to_tag, body=SDP.replace("4000", "4002")))
    await asyncio.sleep(0.1)
    second = phone.invite(branch="z9hG4bK-g", cseq=3, to_tag=ok.to_tag, body=SDP.replace("4000", "4004"))
    refused = await phone.one(second, wait_s=0.2)
    assert refused.status == 500
    assert 0 <= int(refused.header("Retry-After")) <= 10


@with_phone
async def test_a_reinvite_that_meets_ours_is_491(phone, endpoint, handler):
    ok = await phone.call()
    leg = endpoint.exchange.legs[ok.to_tag]
    ours = asyncio.ensure_future(leg.requests.reinvite(leg.local_sdp))
    await asyncio.sleep(0.1)
    theirs = await phone.ask(phone.invite(branch="z9hG4bK-g", cseq=3, to_tag=ok.to_tag), wait_s=0.2)
    assert [message.status for message in theirs if message.status] == [491]
    ours.cancel()


@with_phone
async def test_update_changes_media_without_an_ack(phone, endpoint, handler):
    ok = await phone.call()
    body = SDP.replace("m=audio 4000", "m=audio 4002").replace("sendrecv", "inactive")
    updated = await phone.one(phone.request("UPDATE", branch="z9hG4bK-u", cseq=2, to_tag=ok.to_tag, body=body))
    assert updated.status == 200
    assert "a=inactive" in updated.body
    bare = await phone.one(phone.request("UPDATE", branch="z9hG4bK-v", cseq=3, to_tag=ok.to_tag), wait_s=1)
    assert (bare.status, bare.body) == (200, "")


@with_phone
async def test_a_late_offer_is_met_with_ours_and_answered_in_the_ack(phone, endpoint, handler):
    offer = (await phone.ask(phone.invite(body="")))[-1]
    assert handler.invitations[0].offer is None
    assert "m=audio 20000 RTP/AVP 0 8 101" in offer.body
    answer = SDP.replace("RTP/AVP 0 8 101", "RTP/AVP 8 101")
    phone.send(phone.request("ACK", branch="z9hG4bK-a", to_tag=offer.to_tag, body=answer))
    await asyncio.sleep(0.1)
    assert [codec.name for codec in handler.remotes[offer.to_tag].codecs] == ["PCMA"]


@with_phone
async def test_a_late_offer_without_an_answer_in_the_ack_is_hung_up(phone, endpoint, handler):
    offer = (await phone.ask(phone.invite(body="")))[-1]
    phone.send(phone.request("ACK", branch="z9hG4bK-a", to_tag=offer.to_tag))
    await asyncio.sleep(0.1)
    assert handler.reasons() == ["no common media"]
    assert phone.received[-1].method == "BYE"


@with_phone
async def test_a_reinvite_without_sdp_is_offered_the_session_as_it_stands(phone, endpoint, handler):
    ok = await phone.call()
    again = await phone.one(phone.invite(branch="z9hG4bK-h", cseq=2, to_tag=ok.to_tag, body=""))
    assert again.body == ok.body
    moved = SDP.replace("m=audio 4000", "m=audio 4444")
    phone.send(phone.request("ACK", branch="z9hG4bK-x", cseq=2, to_tag=ok.to_tag, body=moved))
    await asyncio.sleep(0.1)
    assert handler.moved[ok.to_tag].port == 4444
    assert handler.count("answered") == 1


@with_phone
async def test_a_peer_that_requires_100rel_is_rung_reliably(phone, endpoint, handler):
    answers = await phone.ask(phone.invite(headers=("Require: 100rel",)), wait_s=2)
    assert [message.status for message in answers] == [180] * 3
    rseq = answers[0].header("RSeq")
    wrong = phone.request(
        "PRACK", branch="z9hG4bK-p", cseq=2, to_tag=answers[0].to_tag, headers=(f"RAck: {int(rseq) + 1} 1 INVITE",)
    )
    assert (await phone.one(wrong, wait_s=0.1)).status == 481
    right = phone.request(
        "PRACK", branch="z9hG4bK-q", cseq=3, to_tag=answers[0].to_tag, headers=(f"RAck: {rseq} 1 INVITE",)
    )
    assert [message.header("CSeq") for message in await phone.ask(right)] == ["3 PRACK", "1 INVITE"]
    assert phone.received[-1].status == 200


@with_phone
async def test_a_reliable_ringing_nobody_acknowledges_ends_the_call(phone, endpoint, handler):
    answers = await phone.ask(phone.invite(headers=("Require: 100rel",)), wait_s=60)
    assert answers[-1].status == 504
    assert handler.reasons() == ["cancelled"]


@with_phone
async def test_a_handler_that_fails_gives_500_and_the_next_call_works(phone, endpoint, handler):
    handler.fails = True
    failed = await phone.one(phone.invite())
    assert failed.status == 500
    phone.send(phone.request("ACK", to_tag=failed.to_tag))
    handler.fails = False
    await phone.call(call_id="two@phone", branch="z9hG4bK-two")
    assert endpoint.counters["failures"] == 1


@with_phone
async def test_a_handler_that_does_not_answer_in_time_gives_408(phone, endpoint, handler):
    handler.thinks_s = 100
    assert (await phone.one(phone.invite(), wait_s=20.2)).status == 408
    assert handler.reasons() == ["cancelled"]


@with_phone
async def test_an_invitation_expires_when_its_caller_says_so(phone, endpoint, handler):
    handler.thinks_s = 100
    assert (await phone.one(phone.invite(headers=("Expires: 3",)), wait_s=3.3)).status == 487


@with_phone
async def test_draining_refuses_new_calls_and_waits_for_the_old_ones(phone, endpoint, handler):
    ok = await phone.call()
    draining = asyncio.ensure_future(endpoint.drain())
    await asyncio.sleep(0.1)
    options = await phone.one(phone.request("OPTIONS", branch="z9hG4bK-o", call_id="o@phone"))
    invite = await phone.one(phone.invite(branch="z9hG4bK-n", call_id="n@phone"), wait_s=0.2)
    assert (options.status, invite.status) == (503, 503)
    assert int(invite.header("Retry-After")) > 0
    assert not draining.done()
    await phone.ask(phone.request("BYE", branch="z9hG4bK-b", cseq=2, to_tag=ok.to_tag))
    await asyncio.wait_for(draining, 1)


@with_phone
async def test_draining_with_a_limit_hangs_up_what_is_left(phone, endpoint, handler):
    await phone.call()
    await endpoint.drain(timeout_s=30)
    assert handler.reasons() == ["we hung up"]


def test_a_call_ends_when_it_has_lasted_too_long():
    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network, settings=SipSettings(max_call_s=60, session_expires_s=0))
        phone = Phone(network)
        await phone.call()
        await asyncio.sleep(61)
        assert handler.reasons() == ["too long"]
        assert phone.received[-1].method == "BYE"
        await endpoint.stop()

    run_virtually(body())


def test_two_calls_with_one_call_id_are_two_calls():
    async def body():
        network = MemoryNetwork()
        endpoint, _ = await open_endpoint(network)
        phone = Phone(network)
        first = await phone.call(from_tag="a")
        second = await phone.call(from_tag="b", branch="z9hG4bK-b", cseq=1)
        assert first.to_tag != second.to_tag
        bye = phone.request("BYE", branch="z9hG4bK-e", cseq=2, to_tag=first.to_tag, from_tag="a")
        assert (await phone.one(bye)).status == 200
        assert endpoint.calls == (second.to_tag,)
        await endpoint.stop()

    run_virtually(body())


@pytest.mark.parametrize("wrong", ["from", "to"])
def test_a_bye_with_a_wrong_tag_is_481_and_ends_nothing(wrong):
    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network)
        phone = Phone(network)
        ok = await phone.call()
        tags = {"to_tag": ok.to_tag, "from_tag": "anna1"}
        tags[f"{wrong}_tag"] = "guess"
        assert (await phone.one(phone.request("BYE", branch="z9hG4bK-b", cseq=2, **tags))).status == 481
        assert handler.reasons() == []
        await endpoint.stop()

    run_virtually(body())


def test_calls_over_the_limit_are_sent_elsewhere():
    async def body():
        network = MemoryNetwork()
        endpoint, _ = await open_endpoint(network, settings=SipSettings(limits=SourceLimits(calls=1)))
        phone = Phone(network)
        await phone.call()
        refused = await phone.one(phone.invite(branch="z9hG4bK-n", call_id="n@phone"))
        assert refused.status == 503
        assert refused.header("Retry-After")
        await endpoint.stop()

    run_virtually(body())


def answer_to(request, status):
    lines = [f"{name}: {value}" for name in ("Via", "From", "To", "Call-ID", "CSeq") for value in request.headers(name)]
    return "\r\n".join([f"SIP/2.0 {status}", *lines, "Content-Length: 0", "", ""])


def version(message):
    return int(next(line for line in message.body.splitlines() if line.startswith("o=")).split()[2])


def test_the_handler_is_told_nothing_of_a_call_it_refused():
    async def body():
        network = MemoryNetwork()
        endpoint, handler = await open_endpoint(network, FakeCallHandler(refusal=Reject(404)))
        phone = Phone(network)
        assert (await phone.one(phone.invite())).status == 404
        assert handler.heard == []
        await endpoint.stop()

    run_virtually(body())


@with_phone
async def test_a_handler_that_fails_within_a_call_ends_it(phone, endpoint, handler):
    ok = await phone.call()
    handler.sessions.clear()  # the handler has lost its papers: media_changed raises
    moved = phone.invite(branch="z9hG4bK-h", cseq=2, to_tag=ok.to_tag, body=SDP.replace("4000", "4002"))
    answers = await phone.ask(moved)
    assert {message.status for message in answers if message.status} == {500}
    assert any(message.method == "BYE" for message in answers)
    assert handler.reasons() == ["handler failed"]


@with_phone
async def test_an_answer_that_is_none_is_a_500_and_leaves_no_call_behind(phone, endpoint, handler):
    handler.invited = lambda invitation: asyncio.sleep(0, result="not an Answer")
    assert (await phone.one(phone.invite())).status == 500
    assert endpoint.calls == ()


@with_phone
async def test_a_call_can_be_hung_up_before_it_is_answered(phone, endpoint, handler):
    handler.thinks_s = 5
    phone.send(phone.invite())
    await asyncio.sleep(0.5)
    await endpoint.hang_up(handler.invitations[0].call)
    await asyncio.sleep(0.1)
    assert phone.received[-1].status == 480
    assert handler.reasons() == ["we hung up"]
    assert endpoint.calls == ()


@with_phone
async def test_stopping_tells_those_who_are_waiting_and_hangs_up_the_others(phone, endpoint, handler):
    await phone.call()
    handler.thinks_s = 5
    phone.send(phone.invite(branch="z9hG4bK-w", call_id="waiting@phone"))
    await asyncio.sleep(0.2)
    await endpoint.stop()
    assert {message.status for message in phone.received if message.header("Call-ID") == "waiting@phone"} == {100, 503}
    assert any(message.method == "BYE" for message in phone.received)
    assert handler.reasons() == ["we hung up", "we hung up"]
    before = len(phone.received)
    await asyncio.sleep(60)
    assert len(phone.received) == before


@with_phone
async def test_hanging_up_what_is_over_is_no_error(phone, endpoint, handler):
    ok = await phone.call()
    await phone.ask(phone.request("BYE", branch="z9hG4bK-b", cseq=2, to_tag=ok.to_tag))
    await endpoint.hang_up(ok.to_tag)
    await endpoint.hang_up("nothing")
    assert handler.reasons() == ["caller hung up"]


@pytest.mark.parametrize(("thinks_s", "reason"), [(10, "cancelled"), (0, "caller hung up")])
def test_a_call_of_ours_that_nobody_waits_for_any_more_is_taken_back(thinks_s: float, reason: str):
    """While it rings by CANCEL; where the 200 crosses that, by BYE."""

    async def body():
        network = MemoryNetwork(delay_s=0.1)
        endpoint, handler = await open_endpoint(network, FakeCallHandler(thinks_s=thinks_s))
        phones = SipEndpoint(SipSettings(), CallerHandler(), MemoryTransport(network, ("192.0.2.9", 5060)))
        await phones.start()
        ringing = asyncio.create_task(SipCaller(phones).call(f"sip:pay@{ENDPOINT[0]}", LocalSession("192.0.2.9", 4000)))
        while not handler.invitations:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3 if thinks_s else 0)
        ringing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ringing
        await asyncio.sleep(2)
        assert handler.reasons() == [reason]
        assert (endpoint.calls, phones.calls) == ((), ())
        await phones.stop()
        await endpoint.stop()

    run_virtually(body())
