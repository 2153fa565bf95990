"""Parts that flows share: their steps stand in the place of the step that uses them, and are as good as the flow's own."""

from collections.abc import Mapping

from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around, compile_flow
from ivr.flow.content import Content, compiled
from ivr.flow.difference import differences
from ivr.flow.drawing.mermaid import mermaid
from ivr.flow.part_files import read_parts
from ivr.reading.problems import Problem

HEAD = """
flow: shares
languages: [en-US]
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
start: sign_in
steps:
"""
FLOW = f"""{HEAD}
  sign_in: {{use: authenticate, with: {{length: 8}}, then: {{known: bye, not_known: bye}}}}
  bye: {{end: unpaid}}
"""
AUTHENTICATE = """
part: authenticate
takes: {length: , lookup: billing.find_bill}
gives: {known: [bill.due]}
outcomes: [known, not_known]
start: account
steps:
  account:
    ask: account_number
    length: $length
    lookup: $lookup
    then: {found: known, not_found: retry, gave_up: not_known}
"""
TWICE = """
part: twice
takes: {length: }
gives: {known: [bill.due]}
outcomes: [known, not_known]
start: first
steps:
  first: {use: authenticate, with: {length: $length}, then: {known: known, not_known: sorry}}
  sorry: {say: one_moment, then: second}
  second: {use: authenticate, with: {length: $length}, then: {known: known, not_known: not_known}}
"""
PARTS = {"authenticate": AUTHENTICATE, "twice": TWICE}


def compile_with(flow: str, parts: Mapping[str, str] = PARTS) -> tuple[Flow | None, list[Problem]]:
    read = read_parts((f"parts/{name}.yaml", text) for name, text in parts.items())
    return compile_flow("shares.yaml", flow, Around(parts=read))


def test_the_steps_of_a_part_are_named_through_the_step_that_uses_it():
    flow, problems = compile_with(FLOW)
    assert (list(flow.steps) if flow else problems) == ["sign_in/account", "bye"]
    assert flow is not None
    assert flow.head.start == "sign_in/account"
    assert flow.follow("sign_in/account", "found") == "bye"
    assert flow.follow("sign_in/account", "not_found") == "sign_in/account"
    assert flow.steps["sign_in/account"].length == (8, 8)  # type: ignore[attr-defined]


def test_a_part_may_use_another_one_twice():
    flow, problems = compile_with(FLOW.replace("use: authenticate", "use: twice"))
    assert flow is not None, problems
    assert list(flow.steps) == ["sign_in/first/account", "sign_in/sorry", "sign_in/second/account", "bye"]
    assert flow.follow("sign_in/first/account", "gave_up") == "sign_in/sorry"
    assert flow.follow("sign_in/second/account", "gave_up") == "bye"


def test_a_value_handed_through_two_parts_is_wrong_where_it_was_written():
    _, problems = compile_with(FLOW.replace("use: authenticate", "use: twice").replace("length: 8", "length: 80"))
    assert [str(one).partition(": ")[0] for one in problems] == ["shares.yaml:8:32"]


def test_a_promise_is_held_on_the_way_through_another_part_too():
    broken = AUTHENTICATE.replace("    lookup: $lookup\n", "").replace("found: known, not_found: retry", "ok: known")
    _, problems = compile_with(FLOW.replace("use: authenticate", "use: twice"), PARTS | {"authenticate": broken})
    assert {one.rule.name for one in problems} == {"part-does-not-give"}
    assert {one.file for one in problems} == {"parts/authenticate.yaml", "parts/twice.yaml"}


def test_parts_that_use_one_another_many_times_are_too_many_steps_and_no_endless_work():
    parts = {"p0": AUTHENTICATE.replace("part: authenticate", "part: p0").replace("length: ,", "length: 8,")}
    for number in range(1, 12):
        once = f"{{use: p{number - 1}, then: {{known: known, not_known: not_known}}}}"
        steps = "".join(f"  s{one}: {once}\n" for one in range(4))
        head = f"part: p{number}\noutcomes: [known, not_known]\nstart: s0\nsteps:\n"
        parts[f"p{number}"] = head + steps
    _, problems = compile_with(FLOW.replace("use: authenticate, with: {length: 8}", "use: p11"), parts)
    assert [one.rule.name for one in problems] == ["too-many-steps"]


def test_a_drawing_has_its_steps():
    flow, _ = compile_with(FLOW)
    assert flow is not None
    assert 'step_sign_in-account["sign_in/account<br/>' in mermaid(flow)


def content(**parts: str) -> Content:
    return Content("shares", FLOW, {"en-US": {}}, parts)


def test_a_change_of_a_part_is_another_version_of_the_flow():
    before, after = (
        content(authenticate=AUTHENTICATE),
        content(authenticate=AUTHENTICATE.replace("retry", "not_known")),
    )
    assert before.digest != after.digest
    assert differences(before, after) == [
        "  ~ step sign_in/account",
        "      ~ then.not_found: retry -> bye",
    ]


def test_a_version_is_compiled_with_the_part_that_it_was_published_with():
    flow, _ = compiled(content(authenticate=AUTHENTICATE))
    assert "sign_in/account" in flow.steps
