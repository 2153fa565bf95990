"""What is wrong with a flow is told with its place and a cure, everything at once."""

from pathlib import Path

import pytest
from transitions import MachineError

from ivr.core.money import Money
from ivr.flow.compiler import MOST_STEPS, NOTHING_AROUND, Around, compile_flow
from ivr.reading.scalars import Rate
from tests.conversation.talk import SAMPLE, sample
from tests.flow.prompt_texts import around

# A flow of its own: the places in it are what these tests are about.
TEXT = (Path(__file__).parent / "flows" / "checked.yaml").read_text(encoding="utf-8")


def problems(*changes: tuple[str, str], world: Around = NOTHING_AROUND) -> list[str]:
    """Of the flow with words replaced, each as `line:column: message (suggestion)`."""
    text = TEXT
    for old, new in changes:
        assert old in text, f"{old!r} is not in the flow"
        text = text.replace(old, new, 1)
    flow, found = compile_flow("f", text, world)
    assert (flow is None) == bool(found)
    return [str(problem).removeprefix("f:") for problem in found]


def line_of(words: str) -> int:
    return TEXT[: TEXT.index(words)].count("\n") + 1


def test_the_shipped_flow_has_no_problems():
    assert compile_flow("f", SAMPLE.read_bytes())[1] == []
    assert problems() == []


class Cursor:
    """A model for the machine."""

    def __init__(self, state: str) -> None:
        self.state = state


def test_an_outcome_leads_where_the_machine_itself_would_go():
    flow = sample()
    for step in flow.machine.states:
        for outcome, event in flow.machine.events.items():
            cursor = Cursor(step)
            if flow.leads_on(step, outcome):
                event.trigger(cursor)
                assert flow.follow(step, outcome) == cursor.state
            else:
                with pytest.raises(MachineError):
                    event.trigger(cursor)
                with pytest.raises(KeyError):
                    flow.follow(step, outcome)


def test_the_shipped_flow_is_typed():
    flow = sample()
    assert flow.head.limits.max_amount == Money(50000)
    assert flow.head.limits.attempts_per_card == Rate(3, 24 * 3600)
    assert (flow.head.patience.first_key, flow.head.patience.slow_mode) == (10, True)
    assert flow.steps["account"].length == (8, 10)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("patience:", "patiense:", "7:1: unknown key 'patiense' (did you mean 'patience'?)"),
        ("first_key", "frist_key", "7:12: unknown key 'frist_key' (did you mean 'first_key'?)"),
        ("brands:", "brand:", "27:5: unknown key 'brand' (did you mean 'brands'?)"),
        ("{say: pay_full", "{sya: x, say: pay_full", "18:11: unknown key 'sya' (did you mean 'say'?)"),
        ("schema: 1", "schema: 2", "4:1: 'schema': expected 1 (write it so, or leave the key out)"),
        ("flow: pay-a-bill", "flow: Pay", "3:1: 'flow': this is not a flow's name (small letters, digits and -)"),
        ("es-MX", "Spanish", "5:20: 'languages': this is not a language (write it like en-US or es-MX)"),
        ("es-MX", "en-US", "5:1: 'languages': 'en-US' is there twice (remove one)"),
        ("clear: star", "clear: '*'", "6:8: 'clear': expected star or pound (write one of these words)"),
        ("clear: star", "clear: pund", "6:8: 'clear': expected star or pound (did you mean 'pound'?)"),
        (
            "clear: star",
            "clear: pound",
            "6:1: 'keys': clear and done must be different keys (such as clear: star, done: pound)",
        ),
        ("10s", "10", "7:12: 'first_key': expected a time such as 10s, 5m or 1h"),
        ("10s", "0s", "7:12: 'first_key': expected a time such as 10s, 5m or 1h"),
        ("10s", "3m", "7:12: 'first_key': nobody waits that long on the telephone: at most 120s"),
        ("10s", "[10s]", "7:12: 'first_key': expected a time such as 10s, 5m or 1h"),
        ("tries: 3", "tries: 0", "7:46: 'tries': expected a whole number from 1 to 20"),
        ("slow_mode: true", "slow_mode: yes", "7:56: 'slow_mode': expected true or false"),
        ("5/1h", "5 per hour", "8:10: 'attempts_per_caller': expected a count and a time such as 5/1h"),
        ("500.00 USD", "500", "8:63: 'max_amount': expected an amount and a currency, such as '500.00 USD'"),
        ("500.00 USD", "500.001 USD", "8:63: 'max_amount': USD has 2 decimal places"),
        ("500.00 USD", "0.00 USD", "8:63: 'max_amount': expected an amount from 0.01 USD to 99999.99 USD"),
        ("500.00 USD", "100000 USD", "8:63: 'max_amount': expected an amount from 0.01 USD to 99999.99 USD"),
        ("500.00 USD", "5.00 USX", "8:63: 'max_amount': 'USX' is not a currency (did you mean 'USD'?)"),
        ("8..10", "10..8", "13:5: 'length': expected a length such as 8 or 8..10, from 1 to 32"),
        ("8..10", "99", "13:5: 'length': expected a length such as 8 or 8..10, from 1 to 32"),
        (
            "    length: 8..10\n",
            "",
            "12:5: 'ask': digits need a length, such as 8..10",
        ),
        (
            "[bill.min, bill.due]",
            "[bill.min]",
            "22:5: 'between' must be a list of two (write it as [bill.min, bill.due])",
        ),
        (
            "[bill.min, bill.due]",
            "bill.min",
            "22:5: 'between' must be a list of two (write it as [bill.min, bill.due])",
        ),
        (
            "      1: {say",
            "      star: {say",
            "18:7: 'star' is not a key of a menu (the digits 0 to 9; star and pound have their own meaning)",
        ),
        ("visa,", "vsa,", "27:14: 'brands': no such brand (did you mean 'visa'?)"),
        ("visa,", "mastercard,", "27:5: 'brands': 'mastercard' is there twice (remove one)"),
        (
            "[card_number, expiry",
            "[expiry, card_number",
            "26:5: 'collect': card_number comes first, because what follows depends on its brand (move it to the front)",
        ),
        (
            "expiry,",
            "exipry,",
            "26:28: 'collect': expected card_number or expiry or security_code or postal_code or start_date or issue_number (did you mean 'expiry'?)",
        ),
        ("confirm: always", "confirm: never", "23:5: 'confirm': expected always (write it so, or leave the key out)"),
        ("repeat: 2", "repeat: twice", "36:39: 'repeat': expected a whole number from 1 to 20"),
        (
            "end: paid",
            "end: payed",
            "36:62: 'end': expected paid or reserved or unpaid or pending or as_recorded (did you mean 'paid'?)",
        ),
        (
            "limits: {",
            "limits: [",
            "8:85: not YAML: expected ',' or ']', but got '}' (a bracket or brace is not closed; # begins a comment, so the pound key is written pound)",
        ),
    ],
)
def test_a_wrong_word_is_told_with_its_place_and_a_cure(old: str, new: str, expected: str):
    assert expected in problems((old, new))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("limits", "5", "'limits' must have keys of its own"),
        ("patience", "[1, 2]", "'patience' must have keys of its own"),
        ("keys", "star", "'keys' must have keys of its own"),
        ("languages", "en-US", "'languages' must be a list"),
        ("languages", "{en-US: x}", "'languages' must be a list"),
        ("languages", "[]", "'languages' must not be empty"),
        ("languages", "[[en-US]]", "'languages' must be a single word or number"),
        ("start", "[account]", "'start' must be a single word or number"),
        ("start", "{a: b}", "'start' must be a single word or number"),
        ("flow", "", "'flow': this is not a flow's name"),
        ("voice", "loud", "'voice': expected words or tones"),
    ],
)
def test_wrong_types_at_the_top_are_told(key: str, value: str, expected: str):
    lines = [line for line in TEXT.split("\n") if not line.startswith(f"{key}:")]
    flow, found = compile_flow("f", "\n".join([f"{key}: {value}", *lines]))
    assert flow is None
    assert any(str(problem).startswith("f:1:") and expected in str(problem) for problem in found), found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "step 'card' does not say what it does"),
        ("5", "step 'card' does not say what it does"),
        ("[a]", "step 'card' does not say what it does"),
        ("{}", "step 'card' does not say what it does"),
        ("{colect: [card_number]}", "did you mean 'collect'?"),
        ("{collect: card_number, then: {}}", "'collect' must be a list"),
        ("{collect: [], then: {}}", "'collect' must not be empty"),
        ("{collect: [card_number, card_number], then: {}}", "'card_number' is there twice"),
        ("{collect: [card_number], then: charge}", "'then' must have keys of its own"),
        ("{collect: [card_number], then: {ok: [charge]}}", "'ok' must be a single word or number"),
        ("{collect: [card_number]}", "key 'then' is missing"),
        ("{collect: [card_number], say: x, then: {}}", "a step does one thing: this one is 'collect'"),
        ("{menu: {}, then: {}}", "'menu' must not be empty"),
        ("{menu: {12: {say: x, then: charge}}}", "'12' is not a key of a menu"),
        ("{menu: {1: charge}}", "'1' must have keys of its own"),
        ("{menu: {1: {say: x}}}", "key 'then' is missing"),
        ("{menu: {1: {say: Hello there, then: charge}}}", "'say': this is not a name"),
        ("{say: hello}", "say where it goes: either 'then: <step>' or 'end: paid | unpaid | pending | as_recorded'"),
        ("{say: hello, then: charge, end: paid}", "say where it goes: either"),
        ("{ask: money, length: 4, then: {}}", "an amount has no length and no lookup"),
        ("{ask: door_number, then: {}}", "digits need a length, such as 8..10"),
        ("{ask: security_code, length: 3, then: {}}", "card data is only taken by a 'collect' step"),
        ("{ask: pan, length: 16, then: {}}", "card data is only taken by a 'collect' step"),
        ("{ask: amount, length: 3, then: {}}", "'amount' already means something in prompts"),
        ("{say: " + "x" * 61 + ", end: paid}", "'say' must not be longer than 60 characters"),
    ],
)
def test_a_step_of_the_wrong_shape_is_told(body: str, expected: str):
    start, end = TEXT.index("  card:\n"), TEXT.index("  charge:\n")
    flow, found = compile_flow("f", f"{TEXT[:start]}  card: {body}\n{TEXT[end:]}")
    assert flow is None
    line = line_of("  card:\n")
    assert any(problem.line == line and expected in str(problem) for problem in found), found


# ---- how steps fit together


def test_a_target_that_does_not_exist_is_told_with_the_nearest():
    assert problems(("ok: charge", "ok: chrage")) == ["29:12: no step is called 'chrage' (did you mean 'charge'?)"]


def test_a_start_that_does_not_exist_is_told_with_the_nearest():
    assert problems(("start: account", "start: acount")) == [
        "9:1: no step is called 'acount' (did you mean 'account'?)"
    ]


def test_a_target_like_nothing_lists_what_there_is_and_blames_no_other_step():
    found = problems(("ok: charge", "ok: xyz"))
    assert len(found) == 1
    assert "no step is called 'xyz' (known: account, amount, card," in found[0]


def test_a_missing_outcome_is_told():
    found = problems(("declined: card, ", ""))
    assert found == ["32:5: step 'charge' does not say where outcome 'declined' goes (add 'declined: <step>')"]


def test_an_unknown_outcome_is_told():
    found = problems(("approved: receipt, declined", "aproved: receipt, declined"))
    assert "32:5: step 'charge' does not say where outcome 'approved' goes (add 'approved: <step>')" in found
    assert "32:12: step 'charge' has no outcome 'aproved' (did you mean 'approved'?)" in found


def test_retry_is_only_for_a_look_up():
    found = problems(("declined: card", "declined: retry"))
    assert "32:31: 'declined' cannot be tried again ('retry' is for not_found)" in found


def test_an_unreachable_step_is_told():
    found = problems(("  send_link:", "  forgotten: {end: unpaid}\n  send_link:"))
    assert found == ["37:3: step 'forgotten' cannot be reached (lead to it from another, or remove it)"]


def test_a_duplicate_step_is_told_with_the_first_place():
    assert problems(("  send_link:", "  receipt: {end: paid}\n  send_link:")) == [
        "37:3: 'receipt' is there twice (it is first on line 36)"
    ]


def test_a_duplicate_key_of_a_menu_is_told():
    assert "19:7: '1' is there twice (it is first on line 18)" in problems(("      2: {", "      1: {"))


@pytest.mark.parametrize("name", ["Card", "card-step", "1card", "_card", "retry", "é", "''", "x" * 61])
def test_what_is_no_name_of_a_step_is_told(name: str):
    found = problems(("  send_link:", f"  {name}: {{end: unpaid}}\n  send_link:"))
    assert any(f"'{name.strip(chr(39))}' is not a step's name" in problem for problem in found)


def test_problems_of_every_sort_are_told_together():
    found = problems(
        ("first_key: 10s", "first_key: soon"),
        ("found: amount", "found: amuont"),
        ("    confirm: [brand, last4, amount]\n", ""),
        ("  send_link:", "  forgotten: {end: unpaid}\n  send_link:"),
        ("reversed: goodbye_unpaid, ", ""),
        ("repeat: 2", "repaet: 2"),
    )
    assert [problem.split(": ", 1)[1].split(" (")[0] for problem in found] == [
        "'first_key': expected a time such as 10s, 5m or 1h",
        "no step is called 'amuont'",
        "there is a path to the charge 'charge' without the caller's confirmation",
        "step 'resolve' does not say where outcome 'reversed' goes",
        "unknown key 'repaet'",
        "step 'forgotten' cannot be reached",
    ]


# ---- prompts

NAMES = {"welcome", "goodbye", "confirm_card"}


def test_a_prompt_missing_in_one_language_is_told_where_it_is_used():
    flow = sample()
    from ivr.words.slots import ENGINE_PROMPTS

    every = {*ENGINE_PROMPTS, *(name for step in flow.steps.values() for name in step.prompts())}
    words = {**dict.fromkeys(sorted(every), "words"), "pay_by_link_sms": "{link:text}"}
    without = {name: text for name, text in words.items() if name != "pay_by_link_sms"}
    assert problems(world=around({"en-US": words, "es-MX": words})) == []
    assert problems(world=around({"en-US": words, "es-MX": without})) == [
        "37:15: prompt 'pay_by_link_sms' is missing in es-MX (add it to prompts/es-MX.yaml)"
    ]
    assert problems(world=around({"en-US": words})) == ["5:20: there are no prompts in es-MX (add prompts/es-MX.yaml)"]


def test_prompts_are_checked_beside_other_problems():
    found = problems(
        ("first_key: 10s", "first_key: soon"), ("ok: charge", "ok: chrage"), world=around({"en-US": NAMES})
    )
    assert any("soon" not in problem and "first_key" in problem for problem in found)
    assert any("'chrage'" in problem for problem in found)
    assert any("prompt 'enter_card_number' is missing in en-US" in problem for problem in found)


# ---- files that are no flow


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f:1:1: there is no flow here (begin with 'flow: <name>')"),
        ("# only a comment\n", "f:1:1: there is no flow here (begin with 'flow: <name>')"),
        ("hello", "f:1:1: there is no flow here (begin with 'flow: <name>')"),
        ("- a\n- b\n", "f:1:1: there is no flow here (begin with 'flow: <name>')"),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", "f:1:9: not a text in UTF-8 (save it as UTF-8 text)"),
        ("flow: a\n\tsteps: b\n", "f:2:1: not YAML: found character '\\t' that cannot start any token"),
        ("flow: x", "f:1:1: a flow needs steps (below 'steps:', each with a name)"),
        ("x" * 100_001, "f:1:1: the file is larger than 100 kB (split it)"),
        ("[" * 100_000, "f:1:21: nested too deeply (a flow needs five levels at most)"),
    ],
)
def test_what_is_no_flow_is_told(text: str | bytes, expected: str):
    flow, found = compile_flow("f", text)
    assert flow is None
    assert any(str(problem).startswith(expected) for problem in found), found


def test_a_flow_of_very_many_steps_is_refused():
    steps = "".join(f"  s{n}: {{say: hello, then: s{n + 1}}}\n" for n in range(MOST_STEPS))
    text = f"{TEXT[: TEXT.index('start:')]}start: s0\nsteps:\n{steps}  s{MOST_STEPS}: {{end: unpaid}}\n"
    assert [str(problem) for problem in compile_flow("f", text)[1]] == [
        f"f:10:1: a flow has at most {MOST_STEPS} steps (make two flows of it)"
    ]


def test_nothing_of_a_wrong_value_is_quoted():
    """It may be a secret that was pasted into the wrong place."""
    found = problems(("10s", "sk-live-51H8"), ("visa,", "4111111111111111,"), ("8..10", "hunter2"))
    assert len(found) == 3
    assert not any(secret in problem for problem in found for secret in ("sk-live", "4111", "hunter2"))


def test_a_problem_is_one_printable_line_whatever_a_key_is():
    flow, found = compile_flow("f", '"a\\nb\\e[31m": 1\n"\\u202e": 2\n' + TEXT)
    assert flow is None
    assert all(str(problem).isprintable() for problem in found)
