"""The moves of a call, and what many of them come to: who reached which step, which way they went, where they were lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ivr.core.events import Fault, LimitReached
from ivr.core.money import Money
from ivr.core.moves import LONGEST_WAY, MOST_MOVES, is_way, left, way_of
from ivr.flow.compiled import Flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.traffic import Traffic, traffic_of
from ivr.flow.drawing.traffic_look import TrafficLook, per_cent, size_of
from tests.conversation.talk import START, Talk, sample

NOTHING = {"bill.due": Money(0), "bill.min": Money(0)}
PAID = "- began account found amount key_1 card ok charge approved receipt end"


def gives_up(talk: Talk) -> Talk:
    return talk.silence().silence().silence()


CALLS: dict[str, tuple[Callable[[Talk], Talk], str]] = {
    "paid": (lambda talk: talk.at_receipt().keys("#"), PAID),
    "hung up before the first step": (lambda talk: talk.start().hang_up(), "- hung_up"),
    "hung up in the card": (
        lambda talk: talk.at_card().hang_up(),
        "- began account found amount key_1 card hung_up",
    ),
    "asked again, then hung up": (
        lambda talk: talk.at_account().keys("12345678").not_found().hang_up(),
        "- began account not_found account hung_up",
    ),
    "gave up": (lambda talk: gives_up(talk.at_account()), "- began account gave_up goodbye_unpaid end"),
    "gave up where the flow leads nowhere": (
        lambda talk: gives_up(talk.at_amount()),
        "- began account found amount gave_up amount end",
    ),
    "cancelled": (
        lambda talk: talk.at_card().keys("*").keys("1"),
        "- began account found amount key_1 card cancelled goodbye_unpaid end",
    ),
    "turned away": (
        lambda talk: talk.at_bank().hear(LimitReached(START, "attempts_per_card")),
        "- began account found amount key_1 card ok charge limit charge end",
    ),
    "an error of ours": (
        lambda talk: talk.at_card().hear(Fault(START)),
        "- began account found amount key_1 card error card end",
    ),
    "declined, then paid": (
        lambda talk: (
            talk.at_bank()
            .bank("declined")
            .keys("4111111111111111")
            .keys("1230")
            .keys("123")
            .keys("94105")
            .keys("1")
            .bank("approved")
            .keys("#")
        ),
        PAID.replace("card ok", "card ok charge declined card ok"),
    ),
    "no billing system": (
        lambda talk: talk.at_account().keys("12345678").no_bill("not_reached"),
        "- began account error account end",
    ),
    "no bank": (
        lambda talk: talk.at_bank().bank("not_sent"),
        "- began account found amount key_1 card ok charge not_sent charge end",
    ),
    "nothing due": (
        lambda talk: talk.at_account().keys("12345678").found(**NOTHING),
        "- began account end",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_over_says_each_step_it_left_and_how(name: str):
    play, way = CALLS[name]
    call = play(Talk()).call
    assert call.phase == "over"
    assert way_of(call) == way


def test_no_key_of_the_caller_is_in_a_way():
    way = way_of(Talk().at_bank().hang_up().call) or ""
    assert set(way) <= set("abcdefghijklmnopqrstuvwxyz_- 1"), way
    assert "12345678" not in way


def test_a_call_that_began_before_moves_were_noted_has_no_way():
    assert way_of(replace(Talk().at_receipt().keys("#").call, moves=())) is None
    assert way_of(replace(Talk().at_card().call, moves=("card ok",), hung_up=True)) is None


def test_a_way_without_end_is_kept_in_bounds_with_its_end():
    call = Talk().at_account().call
    for _ in range(1000):
        call = replace(call, moves=left(call, "not_found"))
    assert len(call.moves) == MOST_MOVES
    long = replace(call, step="a" * 60, moves=(*call.moves[:1], *["b" * 60 + " " + "c" * 60] * 50), hung_up=True)
    way = way_of(long) or ""
    assert len(way) <= LONGEST_WAY
    assert way.startswith("- began ")
    assert way.endswith(" " + "a" * 60 + " hung_up")


def test_a_step_with_a_name_out_of_all_bounds_has_no_way():
    call = replace(Talk().at_account().call, step="9" * 5000, hung_up=True)
    assert way_of(call) is None


@pytest.mark.parametrize("text", ["", "x", "-", "- began account", "began account", "account found"])
def test_what_is_no_way_is_not_taken_for_one(text: str):
    assert not is_way(text)


# ---- many calls


def traffic(*counts: tuple[str, int], flow: Flow | None = None) -> Traffic:
    return traffic_of(flow or sample(), [(CALLS[name][1], count) for name, count in counts])


def test_a_call_counts_once_for_each_step_and_each_arrow():
    found = traffic(("declined, then paid", 3), ("paid", 5))
    assert (found.calls, found.reached["card"], found.reached["charge"]) == (8, 8, 8)
    assert found.taken["card", "charge"] == 8
    assert found.taken["charge", "card"] == 3
    assert found.strange_ways == 0


@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("paid", None),
        ("nothing due", None),
        ("declined, then paid", None),
        ("hung up before the first step", ("-", "hung_up")),
        ("hung up in the card", ("card", "hung_up")),
        ("asked again, then hung up", ("account", "hung_up")),
        ("gave up", ("account", "gave_up")),
        ("gave up where the flow leads nowhere", ("amount", "gave_up")),
        ("cancelled", ("card", "cancelled")),
        ("turned away", ("charge", "limit")),
        ("an error of ours", ("card", "error")),
        ("no billing system", ("account", "error")),
        ("no bank", ("charge", "error")),
    ],
)
def test_a_caller_is_lost_where_they_stopped_not_where_they_were_said_goodbye_to(name: str, stop: tuple | None):
    assert dict(traffic((name, 1)).stopped) == ({stop: 1} if stop else {})


def test_of_those_who_came_so_many_were_lost():
    found = traffic(("paid", 6), ("hung up in the card", 3), ("cancelled", 1), ("gave up", 10))
    assert (found.reached["card"], found.lost_at("card"), found.share_lost("card")) == (10, 4, 0.4)
    assert found.lost_at("account") == 10
    assert found.share_lost("resolve") == 0.0


def test_whoever_came_to_a_step_went_on_or_ended_there():
    """Nobody is lost from the numbers: arrows out of a step, and ends in it, are at least its callers."""
    found = traffic(*[(name, number) for number, name in enumerate(CALLS, 1)])
    for step in found.flow.steps if found.flow else ():
        out = sum(count for (source, _), count in found.taken.items() if source == step)
        ended = sum(number for number, name in enumerate(CALLS, 1) if CALLS[name][1].split(" ")[-2] == step)
        assert out + ended >= found.reached[step], step


def test_steps_and_arrows_of_the_past_are_told():
    found = traffic_of(sample(), [("- began old_step ok account hung_up", 4), (PAID, 2)])
    assert found.steps[-1] == "old_step"
    assert not found.is_known("old_step")
    assert found.strange_ways == 4
    assert traffic_of(None, [(PAID, 2)]).steps == ["account", "amount", "card", "charge", "receipt"]


# ---- drawn


def drawn(found: Traffic) -> str:
    assert found.flow is not None
    return svg(found.flow, look=TrafficLook(found))


def test_an_arrow_is_as_wide_as_it_is_taken_often():
    html = drawn(traffic(("paid", 97), ("gave up", 3)))
    assert 'class="falls t5" data-from="account" data-to="amount"' in html
    assert 'class="falls t0" data-from="account" data-to="goodbye_unpaid"' in html
    assert 'class="falls never" data-from="charge" data-to="resolve"' in html
    assert ">found · 97<" in html


def test_a_box_says_who_came_and_who_was_lost():
    html = drawn(traffic(("paid", 1500), ("hung up in the card", 500)))
    assert ">2,000 calls, 500 lost (25 %)<" in html
    assert ">1,500 calls<" in html
    assert html.count('class="share"') == 1
    assert 'class="bank never" data-step="resolve"' in html


def test_of_one_call_it_says_one_call():
    assert ">1 call<" in drawn(traffic(("paid", 1)))


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 9, "0 %"), (0, 0, "0 %"), (1, 1000, "< 1 %"), (1, 3, "33 %"), (999, 1000, "> 99 %"), (7, 7, "100 %")],
)
def test_a_little_is_not_called_nothing_and_nearly_all_not_all(part: int, whole: int, words: str):
    assert per_cent(part, whole) == words


def test_sizes_go_from_the_first_to_the_last():
    assert [size_of(count, 100) for count in (1, 50, 100)] == [0, 2, 5]
    assert size_of(0, 0) == 0


def test_a_line_that_ended_while_a_person_was_rung_is_told_from_other_hang_ups():
    ways = [
        ("- began card gave_up person connecting person hung_up", 2),
        ("- began card gave_up person connecting person transferred", 3),
        ("- began card gave_up person connecting person not_available goodbye hung_up", 1),
    ]
    found = traffic_of(sample(), ways)
    assert found.stopped == {("person", "connecting"): 2, ("goodbye", "hung_up"): 1}
    assert found.transferred == {"person": 3}
    assert ("person", "person") not in found.taken


def test_whoever_was_connected_to_a_person_is_not_lost():
    found = traffic_of(sample(), [("- began card gave_up person transferred", 3), ("- began card hung_up", 1)])
    assert found.transferred == {"person": 3}
    assert sum(found.stopped.values()) == 1
