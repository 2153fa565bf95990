"""A call on record becomes a call file that passes and has nobody's digits; what cannot be gone through alone is refused."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.calls.number_keys import write_number_keys
from ivr.channels.simulator import CallerLine, play, read_script
from ivr.cli.save import save
from ivr.conversation.history import began
from ivr.core.stray_cards import is_card_number
from ivr.core.two_key import answer_of, keys_of, some_answer
from ivr.errors import RecordError
from ivr.store import open_store
from ivr.testing.cards import TEST_CARDS, is_published
from ivr.testing.replay import ended_as, replay
from ivr.testing.saved_call import Saver
from ivr.testing.stand_ins import account_keys, card_field_keys, card_number_keys
from ivr.vault.card import CardRules, problem_of
from tests.benches import ROOT, SAMPLE, Bench, load_flow, make_bench
from tests.merchants import bench_of, files_by_flow
from tests.store.databases import NUMBER_KEY, NUMBERS, make_empty

ACCOUNTS = ROOT / "config" / "accounts.csv"
CALLS = sorted((ROOT / "tests" / "calls").glob("*.txt"))
PAN, CODE, EXPIRY, ZIP = "4539578763621486", "739", "0731", "10017"


def saver_of(bench: Bench, file: Path = SAMPLE) -> Saver:
    flow, prompts = load_flow(file)
    return Saver({flow.name: flow}, prompts, ACCOUNTS, bench.workbench.store)


def call(bench: Bench, keys: str) -> str:
    """Its id. `-` is silence, and `h` a hang-up."""
    line = bench.dial("pay-a-bill", "+12125550123")
    reply = line.begin()
    for entry in keys.split():
        while reply.state == "waiting":
            reply = line.wait()
        if entry == "h":
            line.hang_up()
        else:
            reply = line.stay_silent() if entry == "-" else line.press(entry)
    assert bench.line is not None
    return bench.line.call_id


KEPT_BEFORE = "kept by the bank before it"
REMEMBERED = "what was remembered of its caller is of an earlier call"
# What cannot be gone through alone: by file and place of the call in it, as it was dialled.
REFUSED = {
    **{
        (f"card-on-file-{one}", 2): KEPT_BEFORE
        for one in ("another-card", "cancelled", "expired", "forgotten", "kept-and-used")
    },
    **{
        (f"split-{one}", 1): "what its bill owed was changed meanwhile"
        for one in ("less-due-than-is-paid", "less-due-than-was", "no-more-due-than-is-paid", "nothing-due-any-more")
    },
    **{(f"returning-{one}", 2): REMEMBERED for one in ("forgotten", "remembered", "somebody-else", "wrong-pin")},
    **{("returning-unpaid", place): REMEMBERED for place in (2, 3, 4)},
    ("split-somebody-else-rings", 2): "being paid by another call: save that one",
    ("utility-all-in-one-sum-pending", 2): "being paid by another call: save that one",
    ("utility-card-in-parts", 1): "whose digits it was is kept nowhere",
}


@pytest.mark.parametrize("script", CALLS, ids=lambda path: path.stem)
def test_every_call_file_of_ours_once_played_is_saved_as_one_that_ends_the_same(script: Path, sealing_key: Path):
    text = script.read_text(encoding="utf-8")
    name = read_script(text)[0].rest.partition(" from ")[0]
    bench = bench_of(sealing_key, name)
    play(text, bench.world())
    calls = list(bench.workbench.store.ended_calls(name, 10))
    assert calls
    for place, ended in enumerate(sorted(calls, key=lambda one: began(one.history)), 1):
        if reason := REFUSED.get((script.stem, place)):
            with pytest.raises(RecordError, match=reason):
                saver_of(bench, files_by_flow()[name]).call_file(ended.id)
            continue
        saved = saver_of(bench, files_by_flow()[name]).call_file(ended.id)
        assert f"\n  ends   {ended.outcome}\n" in saved
        play(saved, bench_of(sealing_key, name).world())


@pytest.mark.parametrize(
    "keys",
    [
        f"1 12345678# 1 {PAN}# {EXPIRY} {CODE} {ZIP} 1 h",
        f"1 12345678# 1 {PAN[:9]}*{PAN}# 1199 1331 {EXPIRY} {CODE} {ZIP} h",
        f"1 {PAN}# 12345678# h",
        f"1 {PAN}{EXPIRY}{CODE}# 12345678# h",
        f"1 12345678# 2 {PAN}# 2000# 1 h",
        f"1 12345678# 2 {PAN[:7]}# {PAN[7:14]}# {PAN[14:]}#",
        f"1 12345678# 1 {PAN[:-1]}5# {PAN} {EXPIRY} {CODE[:2]}# {CODE} {ZIP[:3]}# h",
    ],
)
def test_nobodys_digits_are_in_the_file(bench: Bench, keys: str):
    saved = saver_of(bench).call_file(call(bench, keys))
    digits = "".join(filter(str.isdigit, saved))
    assert PAN not in digits
    assert not re.search(rf"\b({CODE}|{CODE[:2]}|{EXPIRY}|{ZIP}|12345678|12125550123|1199|1331)\b", saved)
    assert f"{PAN[:-1]}5" not in digits
    for number in re.findall(r"\d{12,}", saved):
        assert is_published(number) or not is_card_number(number.encode()), "of somebody"


def test_a_call_that_goes_on_is_saved_as_far_as_it_has_gone(bench: Bench, sealing_key: Path):
    saved = saver_of(bench).call_file(call(bench, f"1 12345678# 1 {PAN}#"))
    assert saved.endswith("  hears  enter_expiry\n  ends   open\n  payment none\n  texts  none\n")
    play(saved, make_bench(sealing_key).world())


def test_a_call_in_the_middle_of_a_charge_is_saved_too(bench: Bench, sealing_key: Path):
    saved = saver_of(bench).call_file(call(bench, f"1 12345678# 1 {PAN}# {EXPIRY} {CODE} {ZIP} 1"))
    assert "  ends   open\n" in saved
    assert "  payment accepted 42.50 USD\n" in saved
    play(saved, make_bench(sealing_key).world())


def test_what_was_owed_then_is_in_the_file(bench: Bench, sealing_key: Path):
    bench.billing.owes("12345678", "7.25 USD", "1.00 USD")
    saved = saver_of(bench).call_file(call(bench, "1 12345678# h"))
    assert "  owes   10000000 7.25 USD, at least 1.00 USD\n" in saved
    play(saved, make_bench(sealing_key).world())


def test_the_bills_of_a_customer_are_in_the_file_and_whose_they_were_is_not(sealing_key: Path):
    file = files_by_flow()["utility"]
    bench = bench_of(sealing_key, "utility")
    line = bench.dial("utility", "+12125550123")
    line.begin()
    for keys in ("1", "20000001", "2468", "2"):
        line.press(keys)
    line.hang_up()
    assert bench.line is not None
    saved = saver_of(bench, file).call_file(bench.line.call_id)
    assert "  owes   700001 64.20 USD, at least 10.00 USD, of 10000000, key.pin 1000, bill.issued 2000-01-01\n" in saved
    assert saved.count("  owes ") == 3
    assert not re.search(r"20000001|2468|70010\d|12125550123", saved)


def test_what_is_due_by_now_stands_where_it_was_noticed(sealing_key: Path):
    """Between what was keyed in, so that the file's caller hears of it at the same moment."""
    bench = bench_of(sealing_key, "utility")
    line = bench.dial("utility", "+12125550123")
    line.begin()
    for keys in ("1", "20000001", "2468", "2", "1", f"{PAN}#", EXPIRY, CODE, ZIP):
        line.press(keys)
    bench.billing.owes("700102", "60.00 USD")
    line.press("1")
    line.hang_up()
    assert bench.line is not None
    saved = saver_of(bench, files_by_flow()["utility"]).call_file(bench.line.call_id)
    assert "  owes   700002 60.00 USD, at least 10.00 USD\n  keys   1\n  hears  due_changed\n" in saved


UTILITY_CARD, OTHER_CARD = (f"{PAN}#", EXPIRY, CODE, ZIP), ("5555555555554444", "1230", "123", "94105")


def list_of(bench: Bench, ani: str, *keys: str) -> CallerLine:
    """A caller who has heard the list of their open bills, and then pressed these."""
    line = bench.dial("utility", ani)
    line.begin()
    press(line, "1", "20000001", "2468", *keys)
    return line


def press(line: CallerLine, *keys: str) -> None:
    for entry in keys:
        reply = line.press(entry)
        while reply.state == "waiting":
            reply = line.wait()


@pytest.mark.parametrize(
    ("paid", "first", "then"),
    [
        ("2", (), ("1", "1", *UTILITY_CARD, "1")),
        ("2", ("2", "1", *UTILITY_CARD), ("1",)),
        ("1", ("2", "1", *UTILITY_CARD), ("1",)),
    ],
    ids=[
        "another bill while a card is awaited",
        "the bill itself before the consent",
        "another bill before the consent",
    ],
)
def test_a_list_of_which_somebody_else_has_paid_a_bill_meanwhile_is_saved(
    sealing_key: Path, paid: str, first: tuple[str, ...], then: tuple[str, ...]
):
    bench = bench_of(sealing_key, "utility")
    line = list_of(bench, "+12125550123", *first)
    made = bench.line.call_id  # type: ignore[union-attr]
    list_of(bench, "+12125550199", paid, "1", *OTHER_CARD, "1").hang_up()
    press(line, *then)
    line.hang_up()
    saved = saver_of(bench, files_by_flow()["utility"]).call_file(made)
    assert f"  owes   70000{paid} 0.00 USD" in saved
    play(saved, bench_of(sealing_key, "utility").world())


@pytest.mark.parametrize(
    ("counts", "valid", "wrong"),
    [({5}, "94105", "941"), ({2, 3}, "941", "9410"), ({2, 3, 5}, "94105", "9410"), ({8}, "94105111", "941")],
)
def test_a_postal_code_stands_in_with_as_many_digits_as_its_countries_have(counts: set[int], valid: str, wrong: str):
    keyed = [card_field_keys("postal_code", verdict, "visa", True, counts) for verdict in ("ok", "!length")]
    assert keyed == [valid, wrong]


def test_letters_stand_in_as_letters_and_each_time_as_others():
    patterns = ("LLDD", "XX")
    answers = [some_answer(6, patterns, number) for number in (0, 1, 12)]
    assert answers == ["MM11", "MM12", "MM23"]
    assert [answer_of(keys_of(one, patterns), patterns) for one in answers] == answers
    assert some_answer(5, patterns) == ""


def test_a_withheld_number_stays_withheld(bench: Bench):
    line = bench.dial("pay-a-bill", "anonymous")
    line.begin()
    line.hang_up()
    assert bench.line is not None
    assert "call pay-a-bill from anonymous\n" in saver_of(bench).call_file(bench.line.call_id)


# ---- what cannot be


def test_a_call_that_others_had_used_up_the_limit_of_is_refused(bench: Bench):
    bench.bank.behaviour = "declines 05"
    paying = f"1 12345678# 1 {PAN}# {EXPIRY} {CODE} {ZIP} 1"
    calls = [call(bench, f"{paying} h") for _ in range(6)]
    for one in calls:
        bench.tell_bank("declines 05")
        assert one
    bench.workbench.clock.advance(1)
    turned_away = call(bench, f"{paying} h")
    stored = bench.workbench.store.load_call(turned_away)
    assert stored is not None
    assert any(" limit " in entry for entry in stored.call.history), stored.call.history
    with pytest.raises(RecordError, match="a limit on attempts was reached in it, which other calls count towards"):
        saver_of(bench).call_file(turned_away)


def test_a_caller_who_hung_up_before_the_banks_answer_was_told_is_replayed_and_not_saved(bench: Bench):
    line = bench.dial("pay-a-bill", "+12125550123")
    line.begin()
    for entry in ("1", "12345678#", "1", f"{PAN}#", EXPIRY, CODE, ZIP, "1"):
        reply = line.press(entry)
    assert reply.state == "waiting"
    bench.workbench.work()
    line.hang_up()
    assert bench.line is not None
    stored = bench.workbench.store.load_call(bench.line.call_id)
    assert stored is not None
    assert stored.call.outcome == "paid"
    assert ended_as(replay(load_flow(SAMPLE)[0], stored.call)) == ended_as(stored.call)
    with pytest.raises(RecordError, match="hung up on hold after the bank had answered"):
        saver_of(bench).call_file(bench.line.call_id)


def test_a_billing_system_that_was_away_is_refused(bench: Bench):
    bench.billing.behaviour = "is away"
    with pytest.raises(RecordError, match="the billing system was not there for it"):
        saver_of(bench).call_file(call(bench, "1 12345678#"))


def test_keys_behind_a_clear_key_are_saved_as_such(bench: Bench):
    made = call(bench, "1 1*2 12345678# 1 h")
    assert "  keys   0*1\n" in saver_of(bench).call_file(made)


def test_a_caller_who_hung_up_while_a_bill_was_looked_up_is_told_so(bench: Bench):
    bench.billing.behaviour = "is slow"
    line = bench.dial("pay-a-bill", "+12125550123")
    line.begin()
    line.press("1")
    assert line.press("12345678#").state == "waiting"
    line.hang_up()
    assert bench.line is not None
    reason = _why_not(bench, bench.line.call_id)
    assert not reason or "its caller hung up" in reason


def test_a_caller_who_hung_up_while_the_bank_was_unreachable_is_told_so(bench: Bench):
    bench.bank.behaviour = "is unreachable"
    made = call(bench, f"1 12345678# 1 {PAN}# {EXPIRY} {CODE} {ZIP} 1 h")
    for _ in range(3):
        bench.workbench.work()
        bench.workbench.clock.advance(600)
    reason = _why_not(bench, made)
    assert not reason or "its caller hung up" in reason


def _why_not(bench: Bench, made: str) -> str:
    """Nothing, where the call can be saved."""
    try:
        saver_of(bench).call_file(made)
    except RecordError as error:
        return str(error)
    return ""


def test_a_call_of_a_flow_that_was_changed_is_refused(bench: Bench, tmp_path: Path):
    made = call(bench, "1 12345678# 1 h")
    (tmp_path / "prompts").mkdir()
    for file in (SAMPLE.parent / "prompts").glob("*.yaml"):
        (tmp_path / "prompts" / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    changed = SAMPLE.read_text(encoding="utf-8").replace("set: bill.due, then: card", "then: other_amount")
    (tmp_path / "pay-a-bill.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(RecordError, match=r"the flow was changed since.*on record it"):
        saver_of(bench, tmp_path / "pay-a-bill.yaml").call_file(made)


def test_what_there_is_not_is_told(bench: Bench):
    store, saver = bench.workbench.store, saver_of(bench)
    with pytest.raises(RecordError, match="there is no call CA404"):
        saver.call_file("CA404")
    known = store.load_call(call(bench, "1 h"))
    assert known is not None
    store.save_call(replace(known.call, id="CA1", history=()), 0, bench.workbench.clock())
    with pytest.raises(RecordError, match="what happened in it is not on record"):
        saver.call_file("CA1")
    store.save_call(replace(known.call, id="CA2", flow="gone"), 0, bench.workbench.clock() + timedelta(seconds=1))
    with pytest.raises(RecordError, match="its flow gone is not among the flows any more"):
        saver.call_file("CA2")


def call_that_waits_for_what_is_due(bench: Bench, then: str) -> str:
    """Up to the first pause after the consent, and then as the billing system and the caller do."""
    bench.billing.behaviour = "is slow"
    line = bench.dial("pay-a-bill", "+12125550123")
    line.begin()
    for keys in ("1", "12345678#"):
        reply = line.press(keys)
    while reply.state == "waiting":
        reply = line.wait()
    for keys in ("1", f"{PAN}#", EXPIRY, CODE, ZIP, "1"):
        reply = line.press(keys)
    assert [heard.name for heard in reply.heard] == ["one_moment"]
    if then == "hangs up":
        line.hang_up()
    else:
        bench.billing.behaviour = "is slow" if then == "answers" else "is away"
        while reply.state == "waiting":
            reply = line.wait()
        if reply.state != "over":
            line.press("#")
    assert bench.line is not None
    return bench.line.call_id


def test_a_paid_call_whose_consent_waited_is_saved_as_one_that_did_not(bench: Bench, sealing_key: Path):
    saved = saver_of(bench).call_file(call_that_waits_for_what_is_due(bench, "answers"))
    assert "  payment approved 42.50 USD\n" in saved
    play(saved, make_bench(sealing_key).world())


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("is away", "the billing system did not say what is due, which a call file cannot say"),
        ("hangs up", "its caller hung up while the billing system was asked what is due"),
    ],
)
def test_a_consent_that_never_came_to_a_charge_is_refused_with_the_reason(bench: Bench, then: str, reason: str):
    made = call_that_waits_for_what_is_due(bench, then)
    with pytest.raises(RecordError, match=reason):
        saver_of(bench).call_file(made)


@pytest.mark.parametrize("then", ["answers", "is away", "hangs up"])
def test_a_call_whose_consent_waited_ends_the_same_in_a_replay(bench: Bench, then: str):
    stored = bench.workbench.store.load_call(call_that_waits_for_what_is_due(bench, then))
    assert stored is not None
    assert ended_as(replay(bench.workbench.flow, stored.call)) == ended_as(stored.call)


# ---- stand-ins


@pytest.mark.parametrize("verdict", ["length", "luhn", "brand_refused"])
def test_a_card_number_that_was_refused_is_refused_again(verdict: str, bench: Bench):
    keys = card_number_keys(f"!{verdict}", ["visa"], 0, False)
    rules = CardRules(frozenset({"visa"}))
    assert problem_of("card_number", keys.rstrip("#").encode(), rules, bench.workbench.clock().date()) == verdict


@pytest.mark.parametrize("brand", TEST_CARDS)
def test_each_attempt_has_a_published_card_of_its_brand(brand: str, bench: Bench):
    rules, today = CardRules(frozenset(TEST_CARDS)), bench.workbench.clock().date()
    for attempt in range(4):
        number = card_number_keys(brand, [brand], attempt, True)
        assert is_published(number)
        assert problem_of("card_number", number.encode(), rules, today) is None


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        *(("expiry", verdict) for verdict in ("", "length", "not_a_month", "expired", "expiry_far")),
        *(("postal_code", verdict) for verdict in ("", "length")),
        *(("security_code", verdict) for verdict in ("", "length")),
    ],
)
def test_each_other_field_is_as_right_or_wrong_as_it_was(field: str, verdict: str, bench: Bench):
    keys = card_field_keys(field, f"!{verdict}" if verdict else "ok", "visa", False).rstrip("#")
    rules = CardRules(frozenset({"visa"}), "visa")
    assert (problem_of(field, keys.encode(), rules, bench.workbench.clock().date()) or "") == verdict


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        *(("8#", "10000007#"), ("10", "1000000007"), ("1#", "1#"), ("0*", "*"), ("3*", "107*")),
        *(("0*1", "0*1"), ("0*8#", "0*10000007#"), ("0*0#", "0*#")),
    ],
)
def test_an_account_has_as_many_digits_and_ends_as_it_did(written: str, keys: str):
    assert account_keys(written, 7)[1] == keys


# ---- the command


def test_the_command_writes_the_file_or_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sealing_key: Path):
    url = f"sqlite:///{tmp_path}/calls.db"
    make_empty(url)
    store = open_store(url, numbers=NUMBERS)
    bench = make_bench(sealing_key, store=store)
    made = call(bench, "1 12345678# h")
    monkeypatch.setenv("VAR", str(tmp_path))
    write_number_keys(tmp_path / "keys", [NUMBER_KEY])
    (tmp_path / "keys" / "fingerprint.key").write_bytes(bytes(32))
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("FLOWS", str(ROOT / "flows"))
    file = tmp_path / "saved.txt"
    assert CliRunner().invoke(save, [made, "--to", str(file)], catch_exceptions=False).exit_code == 0
    shown = CliRunner().invoke(save, [made], catch_exceptions=False)
    assert shown.output == file.read_text(encoding="utf-8")
    with pytest.raises(RecordError, match="is there already: choose another name"):
        CliRunner().invoke(save, [made, "--to", str(file)], catch_exceptions=False)
    play(file.read_text(encoding="utf-8"), make_bench(sealing_key).world())
    store.close()
