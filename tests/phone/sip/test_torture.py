"""The messages of RFC 4475: each is answered as the RFC asks of an endpoint, or dropped, and the next call works."""

import asyncio
from pathlib import Path

import pytest

from tests.phone.sip.network import MemoryNetwork, run_virtually
from tests.phone.sip.phones import ENDPOINT, Message, Phone, open_endpoint

FOLDER = Path(__file__).parent / "rfc4475"  # the RFC's own messages, one datagram a file

# The first answer on the wire after 100 Trying; None: no answer.
EXPECTED = {
    "badaspec": 200,  # lenient: the To is readable
    "badbranch": 200,  # a branch of nothing but the cookie: matched as RFC 2543's were
    "baddate": 200,  # a Date is not needed to answer
    "baddn": 200,
    "badinv01": 400,
    "badvers": 505,
    "bcast": None,
    "bext01": 420,
    "bigcode": None,
    "clerr": 400,
    "cparam01": 405,
    "cparam02": 405,
    "dblreq": 405,
    "esc01": 200,
    "esc02": 501,  # RE%47IST%45R is not REGISTER
    "escnull": 405,
    "escruri": 200,
    "insuf": 400,
    "intmeth": 501,
    "inv2543": 200,
    "invut": 415,
    "longreq": 200,
    "ltgtruri": 400,
    "lwsdisp": 200,
    "lwsruri": 400,
    "lwsstart": 400,
    "mcl01": 400,
    "mismatch01": 400,
    "mismatch02": 400,
    "mpart01": 405,
    "multi01": 400,
    "ncl": 400,
    "noreason": None,
    "novelsc": 416,
    "quotbal": 400,
    "regaut01": 405,
    "regbadct": 405,
    "regescrt": 405,
    "scalar02": 400,
    "scalarlg": None,
    "sdp01": 406,
    "semiuri": 200,
    "transports": 200,
    "trws": 400,
    "unkscm": 416,
    "unksm2": 405,
    "unreason": None,
    "wsinv": 481,  # it has a To tag, and is in no dialog of ours
    "zeromf": 200,  # RFC 4475, RFC 3261 16.3: only a proxy has to refuse Max-Forwards 0
}


def messages():
    return sorted(FOLDER.glob("*.dat"))


def test_every_message_has_its_expected_answer():
    assert {path.stem for path in messages()} == set(EXPECTED)


@pytest.mark.parametrize("path", messages(), ids=lambda path: path.stem)
def test_a_torture_message_gets_its_answer_and_harms_nothing(path):
    async def body():
        network = MemoryNetwork()
        sent = []
        carry = network.carry
        network.carry = lambda data, source, target: (
            sent.append(Message(data.decode())) if source == ENDPOINT else None,
            carry(data, source, target),
        )
        endpoint, _ = await open_endpoint(network)
        phone = Phone(network)
        before = await phone.call(call_id="before@phone", branch="z9hG4bK-before")
        sent.clear()
        phone.send(path.read_bytes())
        await asyncio.sleep(0.3)
        finals = [message.status for message in sent if message.status != 100]
        assert finals[:1] == ([EXPECTED[path.stem]] if EXPECTED[path.stem] else [])
        assert endpoint.counters["failures"] == 0
        assert before.to_tag in endpoint.calls
        await phone.call(call_id="after@phone", branch="z9hG4bK-after")
        await endpoint.stop()

    run_virtually(body())
