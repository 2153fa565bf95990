"""A canary card goes to an ISO 8583 host every way there is; afterwards it is in no file, log line, answer, error or frame."""

from pathlib import Path

import pytest

from ivr.bank.clear_card import ClearCard
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.codec import ClearDigits, decode, encode
from ivr.bank.iso8583.spec import SHIPPED_SPEC, load_spec
from ivr.bank.simulator import BY_NAME
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.logs import set_up_logging
from tests.bank.iso8583.running import RunningHost, running, traced
from tests.bank.iso8583.strangers import FORMATS, spec_with
from tests.bank_process import BankKeys
from tests.leaks import leaks_in, leaks_in_files, leaks_in_object

CANARY = "5105105105105100"
FAULTS = ("insufficient_funds", "error_after", "closed_before", "closed_after", "garbled_after", "duplicate")


def every_way(host: RunningHost) -> list[object]:
    seen: list[object] = [host.settings()]
    with host.client() as bank, host.client(url="tls://127.0.0.1:1", connect_timeout="50ms") as nobody:
        for amount in (4250, *(BY_NAME[name].amount_minor for name in FAULTS)):
            request = traced(bank, host.request(CANARY, amount))
            seen += [request, bank.authorize(request), bank.undo(request, again=False), nobody.authorize(request)]
        seen += [bank, bank.link]
    return seen


def test_the_canary_leaves_no_trace(own_keys: BankKeys, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    set_up_logging("debug", "json")
    with running(own_keys, tmp_path / "host", SimulatorWays(0.01)) as host:
        seen = every_way(host)
    printed = capfd.readouterr()
    assert "iso8583" in printed.out + printed.err
    assert leaks_in((printed.out + printed.err).encode(), [CANARY]) == []
    assert leaks_in_files(tmp_path, [CANARY]) + leaks_in_files(own_keys.var, [CANARY]) == []
    assert [leak for one in seen for leak in leaks_in_object(one, [CANARY])] == []


class Watching(Iso8583Bank):
    """Keeps the buffers themselves, to look at them afterwards."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.frames: list[bytearray] = []
        self.as_sent: list[bytes] = []

    def _purchase(self, request, trace):
        message, frame = super()._purchase(request, trace)
        self.frames.append(frame)
        self.as_sent.append(bytes(frame))
        assert leaks_in(repr(message).encode(), [CANARY]) == []
        return message, frame


@pytest.mark.parametrize("url", ["", "tls://127.0.0.1:1"], ids=["sent", "not sent"])
def test_the_frame_and_the_opened_fields_are_overwritten(url: str, host: RunningHost):
    opened: list[ClearCard] = []

    def opener(request) -> ClearCard:
        opened.append(host.opener()(request))
        return opened[-1]

    with Watching(host.settings(connect_timeout="5s", **({"url": url} if url else {})), opener) as bank:
        bank.authorize(traced(bank, host.request(CANARY)))
    assert leaks_in(bank.as_sent[0], [CANARY])
    assert [set(frame) for frame in bank.frames] == [{0}]
    assert set(opened[0]["card_number"]) == set(opened[0]["security_code"]) == {0}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("pan", [CANARY, "4222222222222", "371449635398431"])
def test_the_number_that_an_answer_repeats_is_overwritten_before_it_is_read(pan: str, form: str, tmp_path: Path):
    spec = load_spec(spec_with(tmp_path, *FORMATS[form]))
    said = {"t": "0210", "2": "0" * len(pan), "4": "000000004250", "11": "000001", "39": "00", "90": "0" * 42}
    frame = encode(spec, said, [ClearDigits("2", bytearray(pan, "ascii"))])
    message = frame[2:]
    read = decode(spec, message)
    assert read == {name: value for name, value in said.items() if name != "2"}
    assert leaks_in(message, [pan]) == leaks_in(repr(read).encode(), [pan]) == []


def test_an_error_of_the_codec_quotes_nothing():
    spec = load_spec(SHIPPED_SPEC)
    frame = encode(
        spec, {"t": "0210", "2": "0" * 16, "4": "000000004250"}, [ClearDigits("2", bytearray(CANARY, "ascii"))]
    )
    for cut in range(3, len(frame) - 2):
        with pytest.raises(Exception) as raised:
            decode(spec, frame[2 : 2 + cut])
        assert leaks_in(f"{raised.value!r} {raised.value.__context__!r}".encode(), [CANARY]) == []
