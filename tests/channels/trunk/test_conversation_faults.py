"""Faults of ours in the middle of a call on our own line: the caller hears the truth in whatever can still be played."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.calls import session as session_module
from ivr.calls.sweeping import sweeper
from ivr.channels.line import Services
from ivr.core.actions import Phrase
from ivr.store import Store
from tests.benches import Bench
from tests.channels.trunk.audio_ports import Caller, keys_a_card, ring, services_of


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PAUSES_S", (0, 0))


def broken(*_arguments: object, **_named: object) -> object:
    raise OSError("a fault of ours")


def services_without(bench: Bench, is_broken: Callable[[Phrase], bool], tones: bool = True) -> Services:
    """Clips of some phrases cannot be made: the synthesizer has died, the disk is full."""

    def clips(phrase: Phrase) -> Sequence[Path]:
        return [Path(phrase.name)] if not is_broken(phrase) else broken()  # type: ignore[return-value]

    def tone(phrase: Phrase) -> Sequence[Path]:
        return [Path(f"tone of {phrase.name}")] if tones else broken()  # type: ignore[return-value]

    return replace(services_of(bench), clips=clips, tones=tone)


def on_record(bench: Bench) -> tuple[str | None, list[str]]:
    stored = bench.workbench.store.load_call("SIPtest")
    assert stored is not None
    return stored.call.outcome, [payment.status for payment in bench.workbench.store.payments_of("SIPtest")]


async def pays(caller: Caller) -> None:
    await keys_a_card(caller)
    await caller.press("1")


def test_a_number_that_cannot_be_spoken_is_followed_by_what_can(bench: Bench):
    caller = ring(bench, pays, services=services_without(bench, lambda phrase: phrase.name == "confirmation_number"))
    assert caller.prompts[-3:] == ["apology", "you_were_charged", "goodbye"]
    assert caller.audio_port.log[-2] == "(hung up)"
    assert on_record(bench) == ("paid", ["approved"])


def test_an_amount_that_cannot_be_spoken_is_told_by_its_tone(bench: Bench):
    speaks_amounts = ("confirmation_number", "you_were_charged")
    caller = ring(bench, pays, services=services_without(bench, lambda phrase: phrase.name in speaks_amounts))
    assert caller.prompts[-3:] == ["apology", "tone of you_were_charged", "goodbye"]
    assert on_record(bench) == ("paid", ["approved"])


def test_with_no_voice_left_there_are_tones(bench: Bench):
    failing: list[bool] = []
    services = services_without(bench, lambda _phrase: bool(failing))

    async def scene(caller: Caller) -> None:
        await pays(caller)
        await caller.hears("hold_while_charging")
        failing.append(True)

    caller = ring(bench, scene, services=services)
    assert caller.prompts[-3:] == ["tone of apology", "tone of you_were_charged", "tone of goodbye"]
    assert on_record(bench) == ("paid", ["approved"])


def test_with_nothing_left_to_play_the_line_is_hung_up(bench: Bench):
    failing: list[bool] = []
    services = services_without(bench, lambda _phrase: bool(failing), tones=False)

    async def scene(caller: Caller) -> None:
        await caller.hears("choose_language")
        failing.append(True)
        await caller.press("1")

    assert ring(bench, scene, services=services).audio_port.log[-2] == "(hung up)"
    assert on_record(bench) == ("unpaid", [])


@pytest.mark.parametrize(
    ("broken_methods", "told"),
    [
        (["save_call"], "you_were_charged"),  # what can be read is told
        (["save_call", "payments_of"], "charge_not_known"),
    ],
)
def test_a_database_that_goes_away_after_the_charge_leaves_nobody_with_an_untruth(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, broken_methods: list[str], told: str
):
    async def scene(caller: Caller) -> None:
        await pays(caller)
        await caller.hears("hold_while_charging")
        for name in broken_methods:
            monkeypatch.setattr(Store, name, broken)

    assert ring(bench, scene).prompts[-3:] == ["apology", told, "goodbye"]


def test_a_database_that_is_away_for_a_moment_is_not_heard(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    save, failures = Store.save_call, [1, 1]

    def save_later(*arguments: object, **named: object) -> object:
        return broken() if failures and failures.pop() else save(*arguments, **named)  # type: ignore[arg-type]

    async def scene(caller: Caller) -> None:
        await pays(caller)
        monkeypatch.setattr(Store, "save_call", save_later)
        await caller.answers("repeat_offer", "#")

    assert "apology" not in ring(bench, scene).prompts
    assert on_record(bench) == ("paid", ["approved"])
    assert not failures


def test_a_call_that_never_got_to_the_database_is_not_charged(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Store, "save_call", broken)

    async def scene(caller: Caller) -> None:
        await caller.hears("goodbye")

    assert ring(bench, scene).prompts == ["apology", "you_were_not_charged", "goodbye"]


def test_a_line_that_cannot_play_at_all_ends_the_call_on_record(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    async def scene(caller: Caller) -> None:
        await caller.hears("choose_language")
        monkeypatch.setattr(caller.audio_port, "play", broken)
        await caller.press("1")

    with pytest.raises(OSError, match="a fault of ours"):
        ring(bench, scene)
    assert on_record(bench) == ("unpaid", [])


def test_a_hang_up_while_the_database_is_away_ends_the_conversation_and_later_the_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    async def scene(caller: Caller) -> None:
        await pays(caller)
        await caller.hears("hold_while_charging")
        with monkeypatch.context() as away:
            away.setattr(Store, "load_call", broken)
            await caller.hangs_up()

    ring(bench, scene)
    workbench = bench.workbench
    assert on_record(bench) == (None, ["approved"])
    workbench.clock.advance(timedelta(hours=1).total_seconds())
    sweep = sweeper(workbench.store, {workbench.flow.name: workbench.flow}, workbench.prompts, 30)
    assert replace(sweep, service=replace(sweep.service, now=workbench.clock))() == 1
    workbench.work()
    assert on_record(bench) == ("paid", ["approved"])
    assert [text.id for text in workbench.store.texts_of("SIPtest")] == ["SIPtest-1-result"]


def test_a_call_that_was_swept_up_while_its_caller_was_there_ends_with_what_is_true(bench: Bench):
    async def scene(caller: Caller) -> None:
        await keys_a_card(caller)
        assert services_of(bench).service.session("SIPtest").hang_up()
        await caller.press("1")

    assert ring(bench, scene).prompts[-3:] == ["apology", "you_were_not_charged", "goodbye"]
    assert on_record(bench) == ("unpaid", [])
    assert bench.bank.requests == {}
