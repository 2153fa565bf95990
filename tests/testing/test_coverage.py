"""Coverage of steps and outcomes: what no call went through is named, drawn, and the same with several processes."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ivr.flow.drawing.coverage import FAINT, Coverage, counted
from tests.benches import ROOT, SAMPLE, load_flow
from tests.testing.projects import make_project, run_pytest

PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")
HUNG_UP = "call pay-a-bill\n  hangs up\n  ends unpaid\n"
LINES = (
    "pay-a-bill: 5 of 10 steps (50 %), 4 of 16 outcomes (25 %)",
    "steps never reached: other_amount, resolve, send_link, goodbye_unpaid, goodbye_pending",
)


@pytest.mark.parametrize(
    "processes", [(), pytest.param(("-p", "xdist", "-n", "2"), marks=pytest.mark.long)], ids=["one process", "xdist"]
)
def test_what_no_call_went_through_is_said_and_drawn(tmp_path: Path, processes: tuple[str, ...]):
    folder = make_project(tmp_path / "line", paid=PAID, hung_up=HUNG_UP)
    seen = run_pytest(folder, "-q", "--flow-drawing", "drawn", *processes)
    for line in LINES:
        assert line in seen
    drawing = (folder / "drawn" / "pay-a-bill.svg").read_text(encoding="utf-8")
    ET.fromstring(drawing)
    faint = drawing.partition("</style>")[0]
    for name in ("other_amount", "resolve", "send_link", "goodbye_unpaid", "goodbye_pending"):
        assert f'.flow [data-step="{name}"]' in faint
        assert f'data-step="{name}"' in drawing.partition("</style>")[2]
    assert '[data-from="charge"][data-to="resolve"]' in faint
    assert '[data-from="charge"][data-to="receipt"]' not in faint


def test_a_flow_that_nobody_called_is_uncovered_and_one_gone_through_is_whole():
    flow = counted(load_flow(SAMPLE)[0])
    assert next(Coverage(flow).lines()).startswith("pay-a-bill: 0 of 10 steps (0 %), 0 of 16 outcomes (0 %)")
    for step, outcome in Coverage(flow).ways:
        flow.follow(step, outcome)
    whole = Coverage(flow, flow.taken, flow.reached)
    assert [*whole.lines()] == ["pay-a-bill: 10 of 10 steps (100 %), 16 of 16 outcomes (100 %)"]
    assert FAINT not in whole.drawing()
    assert FAINT in Coverage(flow).drawing()
