"""A library that nobody here wrote reads each of our messages and answers it, in every way of writing: it reads what we meant."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.bank.iso8583.messages import read_trace
from tests.bank.iso8583.running import PAN, as_said, traced
from tests.bank.iso8583.strangers import FORMATS, TPDU, needs_stranger, spec_with, stranger
from tests.bank_process import BankKeys

pytestmark = needs_stranger


@pytest.mark.parametrize(("form", "tpdu"), [*((form, "") for form in FORMATS), ("bcd", TPDU)])
def test_each_message_is_read_as_it_was_meant(form: str, tpdu: str, bank_keys: BankKeys, tmp_path: Path):
    changes = [*FORMATS[form], *([('tpdu: ""', f'tpdu: "{tpdu}"')] if tpdu else [])]
    spec = str(spec_with(tmp_path, *changes))
    with (
        stranger(bank_keys, tmp_path, form, tpdu) as host,
        host.client(spec=spec, zone="America/New_York", acquirer="4001234") as bank,
    ):
        request = traced(bank, host.request())
        answer = bank.authorize(request)
        assert (answer.outcome, answer.authorization_code, answer.amounts) == (
            "approved",
            "482913",
            (as_said(request.amount),),
        )
        assert bank.undo(request, again=False).outcome == "reversed"
        assert bank.undo(request, again=True).outcome == "reversed"
        sign_on, *seen = host.seen()
    trace = read_trace(request.trace)
    local = trace.at.astimezone(bank._settings.local_zone)
    meant = {
        "2": PAN, "3": "000000", "4": "000000004250", "7": f"{trace.at:%m%d%H%M%S}", "11": trace.stan,
        "12": f"{local:%H%M%S}", "13": f"{local:%m%d}", "14": "3012", "18": "4900", "22": "012", "25": "08",
        "32": "4001234", "37": trace.retrieval, "41": "TILL0001", "42": "ACME000000001", "49": "840",
    }  # fmt: skip
    named = f"0200{trace.stan}{trace.at:%m%d%H%M%S}" + "00004001234" + "00000000000"
    purchase, reversal, repeat = (plain(one) for one in seen)
    place = {"43": "ACME WATER WORKS SPRINGFIELD IL US", "48": "9203123"}
    assert purchase == plain({"0": "0200", **meant, **place})
    for one, kind in ((reversal, "0420"), (repeat, "0421")):
        sent = one.pop("7")
        assert one == plain({"0": kind, **meant, "90": named}, but="7")
        assert (
            abs(
                datetime.strptime(f"{trace.at.year}{sent.zfill(10)}", "%Y%m%d%H%M%S").replace(tzinfo=UTC) - trace.at
            ).days
            < 1
        )
    assert plain(sign_on) == plain({"0": "0800", "7": sign_on["7"], "11": sign_on["11"], "70": "001"})


def plain(fields: dict[str, str], but: str = "") -> dict[str, str]:
    """Without the fill of fixed lengths, which the library takes away."""
    return {name: value.strip().lstrip("0") for name, value in fields.items() if name != but}
