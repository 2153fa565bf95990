"""Asterisk 22 with the files of deploy/asterisk: its callers pay by events, by tones, by INFO and over AudioSocket."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.channels.trunk.callers import play
from tests.patience import PATIENCE_S
from tests.peers import ASTERISK, Asterisk, Tree, needs_peers
from tests.ports import free_port
from tests.tills import Till, account, card, open_till

pytestmark = needs_peers
ATTEMPTS = 3
WAYS = ("tonetill", "tonetill-info", "tonetill-inband", "tonetill-alaw")
PJSIP = """
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}
#include tonetill/pjsip.conf
; In-band through A-law, as it is offered outside of America.
[tonetill-alaw](tonetill-endpoint)
dtmf_mode=inband
disallow=all
allow=alaw
"""
# A phone behind the PBX dials PAY; the robot is the person at it. `w` is half a second.
EXTENSIONS = """
[globals]
TONETILL_AUDIOSOCKET=127.0.0.1:{audiosocket}
#include tonetill/extensions.conf
[phones]
{phones}
exten => _728.,1,Goto(tonetill,728,1)
[robot]
exten => _keys.,1,Answer()
 same => n,SendDTMF(${{EXTEN:4}},100,100)
 same => n,Wait(30)
"""
PHONE = """
exten => _{digit}.,1,Set(CALLERID(num)=${{EXTEN}})
 same => n,Set(TONETILL_TRUNK={way})
 same => n,Goto(tonetill,729,1)
"""


@asynccontextmanager
async def pbx_and_till(folder):
    port, audiosocket = free_port(), free_port()
    phones = "".join(PHONE.format(digit=digit, way=way) for digit, way in enumerate(WAYS, 1))
    async with open_till(folder, audiosocket_port=str(audiosocket)) as till:
        pbx = Asterisk(
            folder,
            Tree("asterisk", "sid", ASTERISK),
            {
                "pjsip.conf": PJSIP.format(port=port),
                "extensions.conf": EXTENSIONS.format(audiosocket=audiosocket, phones=phones),
                "rtp.conf": f"[general]\nrtpstart={RTP[0]}\nrtpend={RTP[1]}\n",
                "tonetill/address.conf": f"[tonetill-address](!)\ncontact=sip:127.0.0.1:{till.port}\n",
            },
        )
        started = pbx.started()
        await asyncio.to_thread(started.__enter__)
        try:
            yield pbx, till
        finally:
            await asyncio.to_thread(started.__exit__, None, None, None)


RTP = (36000, 38000)


def keys_of(number: int) -> str:
    its = card(number)
    return f"ww1ww{account(number)}#ww1www{its.pan}#www{its.expiry}ww{its.cvv2}ww94105wwww1wwwwwwwwwwww#"


async def rings(pbx: Asterisk, extension: str, number: int) -> None:
    answer = await asyncio.to_thread(
        pbx.cli, f"channel originate Local/{extension}@phones/n extension keys{keys_of(number)}@robot"
    )
    assert "rror" not in answer, answer


@pytest.mark.parametrize(
    "ways",
    # Tones and AudioSocket, and events, INFO and A-law beside them: each is a call, with its own audio both ways.
    [(2, len(WAYS)), pytest.param(range(len(WAYS) + 1), marks=pytest.mark.long)],
    ids=["some", "all"],
)
def test_callers_of_a_pbx_pay_whatever_their_keys_travel_by(tmp_path, ways):
    async def scene():
        async with pbx_and_till(tmp_path) as (pbx, till):
            numbers = await asyncio.gather(*(pay(pbx, till, way) for way in ways))
            # The bank was sent exactly these cards, and no other, not even by a call that went wrong.
            assert sorted(map(str, till.keyed())) == sorted(str(card(number)) for number in numbers)
            assert not any(card(number).pan in pbx.log() for number in numbers)

    play(scene, most_s=2 * PATIENCE_S)


async def pay(pbx: Asterisk, till: Till, way: int) -> int:
    """The number of the card that was paid with. A PBX on a busy machine garbles tones now and then: ring again."""
    for attempt in range(ATTEMPTS):
        number = 10 * attempt + way
        await rings(pbx, f"{way + 1}555{attempt}" if way < len(WAYS) else "7280", number)
        await till.progress.until(lambda made=attempt + 1: len(outcomes(till, way)) == made, 60)
        if outcomes(till, way)[-1] == "paid":
            return number
    raise AssertionError(f"nobody could pay by {(*WAYS, 'AudioSocket')[way]}: {outcomes(till, way)}")


def outcomes(till: Till, way: int) -> list[str | None]:
    """Of the calls made this way, as far as they are over."""
    calls = [call for call in till.progress.calls.values() if call.phase == "over"]
    if way == len(WAYS):
        return [call.outcome for call in calls if call.channel == "audiosocket"]
    return [call.outcome for call in calls if call.ani.startswith(f"{way + 1}555")]
