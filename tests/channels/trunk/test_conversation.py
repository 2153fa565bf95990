"""One call's conversation in virtual time: keys, two timers, type-ahead, barge-in, hang-ups, and what is left of a card."""

import asyncio
import gc
from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.channels.line import MOST_KEYS, EntryBuffer, KeyPressed
from ivr.core.actions import Collect
from ivr.core.entry import EntryRules
from tests.benches import Bench
from tests.channels.trunk.audio_ports import ANI, Caller, keys_a_card, ring

CANARY = "4000001234567899"


def ended(bench: Bench) -> str:
    stored = bench.workbench.store.load_call("SIPtest")
    assert stored is not None
    return str(stored.call.outcome)


def payments(bench: Bench) -> list[str]:
    return [payment.status for payment in bench.workbench.store.payments_of("SIPtest")]


# ---- whole calls


def test_a_whole_call_is_paid_once(bench: Bench):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.press("1")
        await caller.answers("repeat_offer", "#")

    caller = ring(bench, scene)
    assert caller.prompts[-2:] == ["sms_offer", "goodbye"]
    assert caller.audio_port.log[-2] == "(hung up)"  # and wiped once more after it
    assert (ended(bench), payments(bench)) == ("paid", ["approved"])
    assert [money.minor for money in bench.bank.charged.values()] == [4250]
    assert ANI not in repr(caller.conversation.tell)


def test_a_caller_who_says_nothing_hears_it_three_times_and_is_let_go(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")

    caller = ring(bench, scene)
    assert caller.prompts.count("no_input") == 2
    assert caller.prompts[-2:] == ["you_were_not_charged", "goodbye"]
    assert ended(bench) == "unpaid"


# ---- timers


def test_the_first_key_timer_begins_when_the_prompt_is_over(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.hears_out("enter_account_number")
        with pytest.raises(TimeoutError):
            await caller.hears("no_input", within_s=9.8)
        await caller.hears("no_input", within_s=0.4)
        await caller.hangs_up()

    ring(bench, scene)


def test_each_key_gives_the_inter_digit_timer_its_whole_time_again(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.hears_out("enter_account_number")
        await caller.press("12345678", gap_s=5.8)  # 46 s in all: no total timer
        await caller.hears("pay_full_balance", within_s=1)
        await caller.hangs_up()

    ring(bench, scene)


def test_a_half_typed_entry_ends_by_the_inter_digit_timer_and_not_by_the_first_key_timer(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.hears_out("enter_account_number")
        await caller.press("123", gap_s=0)
        with pytest.raises(TimeoutError):
            await caller.hears("no_match_account_number", within_s=5.8)
        await caller.hears("no_match_account_number", within_s=0.5)
        await caller.hangs_up()

    ring(bench, scene)


def test_an_entry_begun_ahead_of_its_prompt_still_has_a_timer(bench: Bench):
    async def scene(caller: Caller):
        await caller.hears("choose_language")
        await caller.press("1123", gap_s=0)
        await caller.hears_out("enter_account_number")
        await caller.hears("no_match_account_number", within_s=6.5)
        await caller.hangs_up()

    ring(bench, scene)


# ---- keys before they are asked for


def test_who_knows_the_way_types_on_and_hears_no_prompt_out(bench: Bench):
    async def scene(caller: Caller):
        await caller.hears("choose_language")
        await caller.press("112345678#1", gap_s=0)
        await caller.hears("enter_card_number", within_s=0.5)
        await caller.hangs_up()

    ring(bench, scene)


def test_what_is_typed_before_the_card_number_is_asked_for_is_dropped(bench: Bench):
    async def scene(caller: Caller):
        await caller.hears("choose_language")
        await caller.press("112345678#1411111", gap_s=0)
        await caller.answers("enter_card_number", "4111111111111111#")
        await caller.hears("enter_expiry", within_s=1)
        await caller.hangs_up()

    caller = ring(bench, scene)
    assert "card_number_not_valid" not in caller.prompts


def test_a_confirmation_typed_ahead_confirms_nothing(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.answers("enter_account_number", "12345678#")
        await caller.answers("pay_another_amount", "1")
        await caller.answers("enter_card_number", "4111111111111111#")
        await caller.answers("enter_expiry", "1230")
        await caller.hears("enter_security_code")
        await caller.press("123941051", gap_s=0)
        await caller.hears_out("confirm_card")
        await caller.hangs_up()

    ring(bench, scene)
    assert payments(bench) == []


def test_a_key_stops_the_prompt_and_is_kept(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.hears("enter_account_number")
        assert caller.audio_port.playing is not None
        await caller.press("1")
        assert caller.audio_port.playing is None
        await caller.press("2345678#")
        await caller.hears("pay_full_balance", within_s=0.5)
        await caller.hangs_up()

    ring(bench, scene)


def test_no_key_stops_what_must_be_heard(bench: Bench):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.press("1")
        await caller.hears("hold_while_charging")
        await caller.press("9999")
        assert caller.audio_port.playing is not None
        await caller.hears("confirmation_number")  # and impatience has not skipped it
        await caller.answers("repeat_offer", "#")

    ring(bench, scene)
    assert ended(bench) == "paid"


def test_a_done_key_out_of_habit_costs_no_try_and_the_question_is_heard(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1#")
        await caller.answers("enter_account_number", "4567890123#")
        await caller.answers("pay_another_amount", "1#")
        await caller.answers("enter_card_number", "5555555555554444#")
        await caller.answers("enter_expiry", "1230#")
        await caller.answers("enter_security_code", "123#")
        await caller.answers("enter_postal_code", "94105#")
        await caller.hears_out("confirm_card")
        assert caller.conversation.call.mistakes == 0
        await caller.hangs_up()

    caller = ring(bench, scene)
    assert not {"nothing_entered", "no_match"} & set(caller.prompts)


@pytest.mark.parametrize("gap_s", [0.0, 1.0, 4.0])
def test_it_may_come_at_once_or_while_the_next_question_is_being_said(bench: Bench, gap_s: float):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.answers("enter_account_number", "12345678#")
        await caller.answers("pay_another_amount", "1")
        await caller.hears("enter_card_number")
        await caller.press("5555555555554444", gap_s=0)
        await asyncio.sleep(gap_s)
        await caller.press("#", gap_s=0)
        await caller.hears_out("enter_expiry")
        assert caller.conversation.call.mistakes == 0
        await caller.hangs_up()

    assert "nothing_entered" not in ring(bench, scene).prompts


# ---- on hold


@pytest.mark.parametrize("answers_after_s", [0.0, 2.5, 5.3, 9.1])
def test_a_hold_ends_when_the_bank_has_answered(bench: Bench, answers_after_s: float):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.press("1", gap_s=0)
        await caller.hears("hold_while_charging")
        await asyncio.sleep(answers_after_s)
        bench.workbench.work()
        # Two seconds of words are heard out whatever the bank does; beyond them nobody waits.
        await caller.hears("confirmation_number", within_s=max(0.0, 2.0 - answers_after_s) + 0.4)
        await caller.answers("repeat_offer", "#")

    ring(bench, scene, forwards=False)
    assert ended(bench) == "paid"


@pytest.mark.parametrize("leap_s", [-7200, 7200])
def test_a_wall_clock_that_is_set_during_a_call_ends_no_wait(bench: Bench, leap_s: int):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.press("1", gap_s=0)
        await caller.hears("hold_while_charging")
        services = caller.conversation._services
        leapt = replace(services, now=lambda: services.now() + timedelta(seconds=leap_s))
        caller.conversation._services = leapt
        await caller.hears("still_working", within_s=13)
        await asyncio.sleep(15)
        assert caller.conversation.call.step == "charge"
        bench.workbench.work()
        await caller.answers("repeat_offer", "#")

    caller = ring(bench, scene, forwards=False)
    assert ended(bench) == "paid"
    assert caller.prompts.count("still_working") == 2


# ---- hang-ups


def test_a_hang_up_between_card_number_and_expiry_leaves_nothing(bench: Bench):
    async def scene(caller: Caller):
        await caller.answers("choose_language", "1")
        await caller.answers("enter_account_number", "12345678#")
        await caller.answers("pay_another_amount", "1")
        await caller.answers("enter_card_number", "4111111111111111#")
        await caller.answers("enter_expiry", "12")
        await caller.hangs_up()

    caller = ring(bench, scene)
    assert (ended(bench), payments(bench)) == ("unpaid", [])
    assert caller.audio_port.wiped >= 2


def test_a_hang_up_while_the_bank_works_leaves_one_outcome(bench: Bench):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.press("1", gap_s=0)
        await caller.hears("hold_while_charging")
        await caller.hangs_up()

    ring(bench, scene)
    assert (ended(bench), payments(bench)) == ("pending", ["approved"])
    assert [money.minor for money in bench.bank.charged.values()] == [4250]


@pytest.mark.parametrize("after", ["choose_language", "enter_card_number", "confirm_card", "goodbye"])
def test_a_hang_up_anywhere_ends_the_conversation(bench: Bench, after: str):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.press("1")
        await caller.answers("repeat_offer", "#")

    async def cut_off(caller: Caller):
        rest = asyncio.create_task(scene(caller))
        caller_heard = Caller(bench, caller.audio_port, caller.conversation)
        await caller_heard.hears(after)
        rest.cancel()
        await caller.hangs_up()

    ring(bench, cut_off)
    assert ended(bench) in ("paid", "unpaid")


# ---- what is left of a card


def test_the_line_is_wiped_when_each_card_field_completes(bench: Bench):
    async def scene(caller: Caller):
        await keys_a_card(caller)
        await caller.hangs_up()

    log = ring(bench, scene).audio_port.log
    for prompt in ("enter_expiry", "enter_security_code", "enter_postal_code", "confirm_card"):
        assert log[log.index(prompt) - 1] == "(wiped)", prompt


def test_no_digit_of_a_card_is_left_in_any_buffer_or_repr(bench: Bench):
    async def scene(caller: Caller):
        await keys_a_card(caller, CANARY + "#")
        await caller.press("1")
        await caller.answers("repeat_offer", "4000001234567899")

    caller = ring(bench, scene)
    assert ended(bench) == "paid"
    conversation = caller.conversation
    assert bytes(conversation._keys._keys) == b""
    assert CANARY not in repr(vars(conversation))
    assert conversation._heard.empty() or "***" in repr(conversation._heard)
    assert not [held for held in buffers() if CANARY.encode() in held or CANARY[:8].encode() in held]


def buffers() -> list[bytes]:
    """Every bytearray that something still holds. By `type`: `isinstance` asks a weak reference that may be gone."""
    holders = gc.get_objects()
    found = [ref for holder in holders for ref in gc.get_referents(holder) if type(ref) is bytearray]
    return [bytes(buffer) for buffer in found]


def test_a_key_is_hidden_in_repr():
    assert repr(KeyPressed("7")) == "KeyPressed(***)"
    buffer = EntryBuffer()
    buffer.add("7")
    assert "7" not in repr(buffer)


# ---- the buffer of keys

ENTRY = Collect("account_number", EntryRules(8, 10), 10, 6)
TWO = Collect("menu", EntryRules(1, 1), 10, 6)


@pytest.mark.parametrize(
    ("keys", "entry", "rest"),
    [
        ("1234567", None, "1234567"),
        ("12345678", None, "12345678"),  # two more may come
        ("12345678#", "12345678#", ""),
        ("1234567890", "1234567890", ""),
        ("12345678#1", "12345678#", "1"),
        ("123*", None, "123*"),
        ("123*12345678#9", "123*12345678#", "9"),
        ("*", "*", ""),
        ("#", "#", ""),
        ("##", "#", "#"),
    ],
)
def test_an_entry_is_taken_whole_and_the_rest_is_kept(keys: str, entry: str | None, rest: str):
    buffer = EntryBuffer()
    for key in keys:
        buffer.add(key)
    taken = buffer.take_entry(ENTRY)
    assert (taken.text() if taken else None) == entry
    assert buffer.take_all().text() == rest
    assert not buffer


def test_what_is_taken_is_overwritten_where_it_was():
    buffer = EntryBuffer()
    held = buffer._keys
    for key in "12345678#1":
        buffer.add(key)
    buffer.take_entry(ENTRY)
    assert bytes(held) == b"1"
    buffer.wipe()
    assert bytes(held) == b""


def test_somebody_leaning_on_the_keypad_fills_no_memory():
    buffer = EntryBuffer()
    for _ in range(10_000):
        buffer.add("5")
    assert len(buffer.take_all()) == MOST_KEYS
