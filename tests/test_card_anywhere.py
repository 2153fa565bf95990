"""A card number keyed in at the wrong question, on every channel: nothing of it is looked up, stored, logged or said."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from ivr.calls.billing import Bills
from ivr.core.actions import LookUp
from ivr.core.events import Event, LookedUp
from ivr.logs import set_up_logging
from ivr.store import open_store
from ivr.testing.twilio import TwilioCall
from tests.benches import Bench, make_bench
from tests.channels.trunk.audio_ports import Caller, ring
from tests.leaks import leaks_in, leaks_in_files
from tests.store.databases import make_empty
from tests.webs import Web, make_web

PAN = "4012888888881881"
TOLD = "Please do not enter a card number here"


@dataclass
class Watched:
    """A bench on disk; `looked_up` is every key that went to the billing system."""

    bench: Bench
    folder: Path
    looked_up: list[str] = field(default_factory=list)

    def nothing_is_left(self, capfd: pytest.CaptureFixture[str], said: str = "") -> bool:
        logged = "".join(capfd.readouterr())
        assert not leaks_in(f"{logged}{said}".encode(), [PAN])
        assert not leaks_in_files(self.folder, [PAN])
        return not any(len(key) > 10 for key in self.looked_up)


@pytest.fixture
def watched(sealing_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    make_empty(f"sqlite:///{tmp_path}/calls.db")
    set_up_logging("debug", "json")
    watched = Watched(make_bench(sealing_key, store=open_store(f"sqlite:///{tmp_path}/calls.db")), tmp_path)
    look_up = Bills.look_up

    def keep(bills: Bills, asked: LookUp, event: Event, asker: str = "") -> LookedUp:
        watched.looked_up += [asked.key, *dict(asked.others).values()]
        return look_up(bills, asked, event, asker)

    monkeypatch.setattr(Bills, "look_up", keep)
    return watched


@pytest.mark.parametrize("keys", [PAN, f"{PAN}#", f"12*{PAN}#", f"{PAN}1230123#"])
def test_in_the_simulator(watched: Watched, capfd: pytest.CaptureFixture[str], keys: str):
    line = watched.bench.dial("pay-a-bill", "+15550100")
    line.begin()
    line.press("1")
    reply = line.press(keys)
    said = " ".join(heard.words for heard in reply.heard)
    assert TOLD in said
    assert watched.looked_up == []
    assert line.press("12345678#").state == "keys"
    line.hang_up()
    assert watched.nothing_is_left(capfd, said)


def test_typed_ahead_in_the_simulator(watched: Watched, capfd: pytest.CaptureFixture[str]):
    line = watched.bench.dial("pay-a-bill", "+15550100")
    line.begin()
    reply = line.press(f"1{PAN}#")
    assert TOLD in " ".join(heard.words for heard in reply.heard)
    assert watched.looked_up == []
    assert watched.nothing_is_left(capfd)


# ---- Twilio


def answer(web: Web, line: TwilioCall, fields: dict[str, str]) -> str:
    """To fields that no telephone sends, as well."""
    action = urlsplit(line.action)
    return web.post(
        f"{action.path}?{action.query}", {"CallSid": line.call_id, "CallStatus": "in-progress"} | fields
    ).text


@pytest.mark.parametrize(
    "fields",
    [
        {"Digits": PAN},
        {"Digits": PAN, "FinishedOnKey": "#"},
        {"Digits": f"12*{PAN}"},
        {"Digits": "", "SpeechResult": PAN, "Confidence": "0.9"},
        {"Digits": "", "SpeechResult": " ".join(PAN)},
        {"Digits": "", "UnstableSpeechResult": quote(PAN)},
    ],
    ids=str,
)
def test_over_twilio(watched: Watched, capfd: pytest.CaptureFixture[str], fields: dict[str, str]):
    web = make_web(watched.bench)
    line = web.line()
    line.begin()
    line.press("1")
    body = answer(web, line, fields)
    assert (TOLD in body) == bool(fields["Digits"])
    assert watched.looked_up == []
    assert watched.nothing_is_left(capfd, body)


def test_over_twilio_in_two_gathers(watched: Watched, capfd: pytest.CaptureFixture[str]):
    """`numDigits` ends the first in the middle of the number; what is keyed on comes with the next."""
    web = make_web(watched.bench)
    line = web.line()
    line.begin()
    line.press("1")
    line.press(PAN[:10])
    body = answer(web, line, {"Digits": PAN[10:]})
    assert TOLD in body
    assert watched.looked_up == [PAN[:10]]
    assert watched.nothing_is_left(capfd, body)


# ---- our own trunk, key by key


def test_over_the_trunk_key_by_key(watched: Watched, capfd: pytest.CaptureFixture[str]):
    async def scene(caller: Caller) -> None:
        await caller.answers("choose_language", "1")
        await caller.hears_out("enter_account_number")
        await caller.press(PAN, gap_s=0.2)
        await caller.hears("card_asked_later", within_s=20)
        await caller.hangs_up()

    ring(watched.bench, scene)
    assert watched.looked_up == [PAN[:10]]
    assert watched.nothing_is_left(capfd)


def test_over_the_trunk_at_the_question_for_an_amount(watched: Watched, capfd: pytest.CaptureFixture[str]):
    async def scene(caller: Caller) -> None:
        await caller.answers("choose_language", "1")
        await caller.answers("enter_account_number", "12345678#")
        await caller.answers("pay_another_amount", "2")
        await caller.hears_out("enter_money")
        await caller.press(f"{PAN}#", gap_s=0.2)
        await caller.hears("card_asked_later", within_s=20)
        await caller.hangs_up()

    ring(watched.bench, scene)
    assert watched.nothing_is_left(capfd)


def test_over_the_trunk_typed_ahead_of_the_question(watched: Watched, capfd: pytest.CaptureFixture[str]):
    async def scene(caller: Caller) -> None:
        await caller.hears("choose_language")
        await caller.press(f"1{PAN}#", gap_s=0)
        await caller.hears("card_asked_later", within_s=20)
        await caller.hangs_up()

    ring(watched.bench, scene)
    assert watched.nothing_is_left(capfd)


def test_the_search_would_find_a_number_that_was_kept(watched: Watched, capfd: pytest.CaptureFixture[str]):
    workbench = watched.bench.workbench
    workbench.store.queue_sms("x", "+15550100", f"your account {PAN}", workbench.clock.now)
    with pytest.raises(AssertionError):
        watched.nothing_is_left(capfd)
