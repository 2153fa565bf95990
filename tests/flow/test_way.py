"""The way a call took: shortest between the steps at which it was seen."""

import pytest

from ivr.flow.drawing.diagram import svg
from ivr.flow.way import way_between
from tests.conversation.talk import sample


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ("", "account", ["account"]),
        ("card", "card", ["card"]),
        ("account", "amount", ["account", "amount"]),
        ("amount", "charge", ["amount", "card", "charge"]),
        ("charge", "card", ["charge", "card"]),
        ("receipt", "account", ["receipt", "account"]),
        ("account", "no_such_step", ["account", "no_such_step"]),
    ],
)
def test_a_way_goes_along_the_flows_edges(before: str, after: str, way: list[str]):
    assert list(way_between(sample(), before, after)) == way


def test_the_drawing_says_which_step_and_which_edge_each_part_is():
    drawn = svg(sample())
    assert drawn.count('data-step="card"') == 1
    assert 'data-from="amount" data-to="card"' in drawn
    assert 'data-from="account" data-to="account"' in drawn
