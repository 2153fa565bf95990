"""A flow drawn: complete, well formed, without anything to load or run; boxes that do not overlap."""

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around, compile_flow
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.layout import Edge, lay_out
from ivr.flow.drawing.look import edges
from ivr.flow.drawing.mermaid import mermaid
from ivr.flow.part_files import read_parts
from tests.conversation.talk import sample

NS = "{http://www.w3.org/2000/svg}"


def drawn(flow: Flow) -> ElementTree.Element:
    return ElementTree.fromstring(svg(flow))


def flow_of(steps: str, start: str = "a") -> Flow:
    head = f"flow: t\nlanguages: [en-US]\nlimits: {{max_amount: 5.00 USD}}\nstart: {start}\nsteps:\n"
    flow, problems = compile_flow("f", head + steps)
    assert flow is not None, problems
    return flow


def test_mermaid_has_every_step_and_every_way():
    flow = sample()
    lines = mermaid(flow).splitlines()
    assert lines[0] == "flowchart TD"
    assert '  call(["pay-a-bill"]) --> step_account' in lines
    assert '  step_charge -- "unknown" --> step_resolve' in lines
    assert '  step_account -- "not found" --> step_account' in lines
    assert '  step_amount -- "key 2" --> step_other_amount' in lines
    assert sum(" -- " in line for line in lines) == len(edges(flow)) == 16
    assert all(any(line.startswith(f'  step_{name}["') for line in lines) for name in flow.steps)


def test_a_step_called_end_does_not_end_mermaid():
    assert "step_end[" in mermaid(flow_of("  a: {say: hello, then: end}\n  end: {end: unpaid}\n"))


def test_outcomes_that_lead_to_the_same_step_share_a_line():
    flow = sample(("cancelled: goodbye_unpaid, gave_up: send_link", "cancelled: send_link, gave_up: send_link"))
    assert Edge("card", "send_link", "cancelled, gave up") in edges(flow)


def test_the_drawing_is_well_formed_and_has_every_box_line_and_label():
    flow = sample()
    root = drawn(flow)
    names = [node.text for node in root.iter(f"{NS}text") if node.get("class") == "name"]
    assert sorted(names) == sorted(name.replace("_", " ") for name in flow.steps)
    paths = list(root.iter(f"{NS}path"))
    assert sum(node.get("class") != "head" for node in paths) == len(edges(flow))
    assert sum(node.get("class") == "head" for node in paths) == len(edges(flow))
    labels = [node.text for node in root.iter(f"{NS}text") if node.get("class") == "label"]
    assert sorted(labels) == sorted(edge.label for edge in edges(flow))


def test_the_way_back_is_drawn_apart():
    climbing = [node for node in drawn(sample()).iter(f"{NS}path") if node.get("class") == "climbs"]
    assert len(climbing) == 2, "declined -> card, and not found -> account"


def test_endings_have_the_colour_of_their_outcome():
    flow = sample()
    assert {
        name: flow.steps[name].drawn().colour for name in ("receipt", "send_link", "goodbye_unpaid", "goodbye_pending")
    } == {
        "receipt": "paid",
        "send_link": "unpaid",
        "goodbye_unpaid": "unpaid",
        "goodbye_pending": "pending",
    }
    assert (
        flow.steps["card"].drawn().colour,
        flow.steps["charge"].drawn().colour,
        flow.steps["account"].drawn().colour,
    ) == (
        "card",
        "bank",
        "talk",
    )


def test_nothing_in_it_runs_or_is_loaded():
    text = svg(sample())
    assert not re.search(r"<script|\bon\w+=|href|url\(|@import| style=", text)


def test_it_names_itself_for_those_who_do_not_see_it():
    root = drawn(sample())
    assert root.get("role") == "img"
    assert root.get("aria-label") == "The flow pay-a-bill, from account to its endings"


def test_it_is_readable_in_the_dark():
    assert "prefers-color-scheme:dark" in svg(sample())


def test_a_pages_nonce_is_on_its_styles():
    assert '<style nonce="abc&quot;">' in svg(sample(), nonce='abc"')
    assert "<style>" in svg(sample())


def test_the_same_flow_is_drawn_the_same():
    assert svg(sample()) == svg(sample())


def boxes(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    return [
        tuple(float(node.get(key, "0")) for key in ("x", "y", "width", "height")) for node in root.iter(f"{NS}rect")
    ]  # type: ignore[misc]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(abs(2 * (one[i] - other[i]) + one[i + 2] - other[i + 2]) < one[i + 2] + other[i + 2] for i in (0, 1))


def assert_tidy(root: ElementTree.Element) -> None:
    left, top, width, height = (float(part) for part in root.get("viewBox", "").split())
    found = boxes(root)
    assert not any(overlap(one, other) for i, one in enumerate(found) for other in found[:i])
    assert all(left <= x and x + w <= left + width and top <= y and y + h <= top + height for x, y, w, h in found)


def test_boxes_do_not_overlap_and_lie_within_the_picture():
    assert_tidy(drawn(sample()))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, float], list[Edge]]:
    names = [f"s{n}" for n in range(draw(st.integers(1, 12)))]
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=25, unique=True))
    return dict.fromkeys(names, 120.0), [Edge(a, b, "x") for a, b in pairs]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_any_graph_is_laid_out_with_room_for_each_box(graph: tuple[dict[str, float], list[Edge]]):
    widths, ways = graph
    layout = lay_out("s0", widths, ways)
    assert set(layout.x) >= set(widths)
    for layer in layout.layers:
        placed = [layout.x[name] for name in layer if name in widths]
        assert all(right - left >= 120 for left, right in itertools.pairwise(placed))
    for route in layout.routes:
        ranks = [layout.rank[joint] for joint in route.joints]
        assert ranks == sorted(ranks, reverse=route.climbs)
        assert len(set(ranks)) == len(ranks)
        assert (route.joints[0], route.joints[-1]) == (route.edge.source, route.edge.target)


@pytest.mark.parametrize("steps", [1, 2, 40, 190])
def test_long_flows_are_drawn_too(steps: int):
    chain = "".join(f"  s{n}: {{say: hello, then: s{n + 1}}}\n" for n in range(steps))
    assert_tidy(drawn(flow_of(f"{chain}  s{steps}: {{end: unpaid}}\n", "s0")))


def test_a_wide_menu_is_drawn_without_overlap():
    menu = ", ".join(f"{n}: {{say: choice, then: e{n}}}" for n in range(10))
    ends = "".join(f"  e{n}: {{end: unpaid}}\n" for n in range(10))
    assert_tidy(drawn(flow_of(f"  a: {{menu: {{{menu}}}}}\n{ends}")))


def test_every_shipped_flow_can_be_drawn():
    folder = Path(__file__).parents[3] / "flows"
    parts = read_parts((file.name, file.read_bytes()) for file in folder.glob("parts/*.yaml"))
    for file in folder.glob("*.yaml"):
        flow, problems = compile_flow(str(file), file.read_bytes(), Around(parts=parts))
        assert flow is not None, problems
        assert_tidy(drawn(flow))
