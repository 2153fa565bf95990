"""REFER, as a phone sees it: what each NOTIFY and refusal means, told once."""

import asyncio

from tests.phone.sip.phones import Phone
from tests.phone.sip.test_calls import with_phone

NUMBER = "+15550123456"


class Referred:
    """A call whose peer has been asked to connect its caller."""

    def __init__(self, phone: Phone, endpoint, tag: str) -> None:
        self.phone, self.endpoint, self.tag, self.cseq = phone, endpoint, tag, 1
        self.told: list[bool] = []

    async def refer(self):
        before = len(self.phone.received)
        self.endpoint.refer(self.endpoint.calls[0], NUMBER, self.told.append)
        await asyncio.sleep(0.2)
        [self.request] = [one for one in self.phone.received[before:] if one.method == "REFER"]
        return self.request

    def answer(self, status: int) -> None:
        head = [f"{name}: {self.request.header(name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        self.phone.send("\r\n".join([f"SIP/2.0 {status} So", *head, "Content-Length: 0", "", ""]))

    async def notify(self, status: int, state: str = "active", event: str = "refer") -> int:
        self.cseq += 1
        request = self.phone.request(
            *("NOTIFY",),
            branch=f"z9hG4bK-n{self.cseq}",
            cseq=self.cseq,
            to_tag=self.tag,
            body=f"SIP/2.0 {status} So\r\n" if status else "",
            kind="message/sipfrag;version=2.0" if status else "",
            headers=(f"Event: {event}", f"Subscription-State: {state}"),
        )
        return (await self.phone.one(request)).status

    async def bye(self) -> int:
        self.cseq += 1
        return (
            await self.phone.one(self.phone.request("BYE", branch="z9hG4bK-b", cseq=self.cseq, to_tag=self.tag))
        ).status


async def referred(phone, endpoint, answer: int = 202) -> Referred:
    ok = await phone.call()
    call = Referred(phone, endpoint, ok.to_tag)
    await call.refer()
    if answer:
        call.answer(answer)
        await asyncio.sleep(0.2)
    return call


@with_phone
async def test_the_number_is_asked_for_at_the_peer(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    assert call.request.header("Refer-To") == f"<sip:{NUMBER}@192.0.2.9>"
    assert call.request.header("Contact")
    assert call.request.header("Referred-By")
    assert call.told == []


@with_phone
async def test_a_person_who_answers_is_told_once_however_often_it_is_said(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    assert [await call.notify(100), await call.notify(100), await call.notify(180)] == [200, 200, 200]
    assert call.told == []
    assert [await call.notify(200, "terminated;reason=noresource"), await call.notify(200), await call.notify(486)] == [
        *(200, 200, 200)
    ]
    assert call.told == [True]
    assert await call.bye() == 200
    assert handler.reasons() == ["caller hung up"]


@with_phone
async def test_a_busy_person_is_nobody_reached_and_the_call_goes_on(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    assert await call.notify(486, "terminated") == 200
    assert call.told == [False]
    assert len(endpoint.calls) == 1


@with_phone
async def test_a_refused_refer_is_nobody_reached(phone, endpoint, handler):
    call = await referred(phone, endpoint, 603)
    assert call.told == [False]


@with_phone
async def test_a_refer_that_nobody_answers_is_nobody_reached(phone, endpoint, handler):
    call = await referred(phone, endpoint, 0)
    await asyncio.sleep(40)
    assert call.told == [False]


@with_phone
async def test_a_peer_that_says_no_more_is_waited_for_a_minute(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    await call.notify(180)
    await asyncio.sleep(58)
    assert call.told == []
    await asyncio.sleep(3)
    assert call.told == [False]
    assert await call.notify(200) == 200
    assert call.told == [False]


@with_phone
async def test_a_notify_may_come_before_the_202(phone, endpoint, handler):
    call = await referred(phone, endpoint, 0)
    await call.notify(200)
    call.answer(202)
    await asyncio.sleep(100)
    assert call.told == [True]


@with_phone
async def test_a_subscription_that_ends_without_a_result_is_nobody_reached(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    assert await call.notify(0, "terminated;reason=timeout") == 200
    assert call.told == [False]


@with_phone
async def test_a_caller_who_hangs_up_meanwhile_is_nobody_s_answer(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    assert await call.bye() == 200
    await asyncio.sleep(100)
    assert call.told == []
    assert handler.reasons() == ["caller hung up"]


@with_phone
async def test_a_person_may_be_reported_after_the_bye_and_the_call_is_ended_without_one_of_ours(
    phone, endpoint, handler
):
    call = await referred(phone, endpoint)
    assert [await call.notify(100), await call.bye(), await call.bye()] == [200, 200, 200]
    assert (await phone.one(phone.request("INFO", branch="z9hG4bK-i", cseq=9, to_tag=call.tag))).status == 481
    call.cseq = 9
    await asyncio.sleep(20)
    assert (call.told, handler.reasons()) == ([], [])
    assert await call.notify(200, "terminated;reason=noresource") == 200
    assert call.told == [True]
    await endpoint.hang_up(endpoint.calls[0])
    await asyncio.sleep(1)
    assert handler.reasons() == ["caller hung up"]
    assert endpoint.calls == ()
    assert "BYE" not in [one.method for one in phone.received]


@with_phone
async def test_a_referral_that_fails_after_the_bye_is_a_hang_up(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    assert [await call.bye(), await call.notify(487, "terminated")] == [200, 200]
    await asyncio.sleep(1)
    assert (call.told, handler.reasons(), endpoint.calls) == ([], ["caller hung up"], ())


@with_phone
async def test_a_bye_before_the_202_is_a_hang_up_at_once(phone, endpoint, handler):
    call = await referred(phone, endpoint, 0)
    assert await call.bye() == 200
    await asyncio.sleep(1)
    assert (handler.reasons(), endpoint.calls) == (["caller hung up"], ())


@with_phone
async def test_what_an_earlier_refer_came_to_says_nothing_of_a_later_one(phone, endpoint, handler):
    call = await referred(phone, endpoint)
    first = call.request.header("CSeq").split()[0]
    await call.notify(486, "terminated")
    await call.refer()
    call.answer(202)
    assert await call.notify(200, event=f"refer;id={first}") == 200
    assert call.told == [False]


@with_phone
async def test_what_is_no_news_of_a_refer_is_refused(phone, endpoint, handler):
    ok = await phone.call()
    call = Referred(phone, endpoint, ok.to_tag)
    assert await call.notify(200) == 405
    await call.refer()
    assert await call.notify(200, event="presence") == 489
    assert call.told == []
