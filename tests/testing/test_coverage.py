"""Coverage of steps and outcomes: what no call went through is named, drawn, and the same with several processes."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ivr.runner.assembly import load_flow
from ivr.testing.coverage import Coverage, counted
from tests.benches import ROOT, SAMPLE
from tests.testing.projects import make_project, run_pytest

PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")
HUNG_UP = "call pay-a-bill\n  hangs up\n  ends unpaid\n"
LINES = (
    "pay-a-bill: 5 of 10 steps (50 %), 4 of 16 outcomes (25 %)",
    "steps never reached: other_amount, resolve, send_link, goodbye_unpaid, goodbye_pending",
)


@pytest.mark.parametrize("processes", [(), ("-p", "xdist", "-n", "2")], ids=["one process", "xdist"])
def test_what_no_call_went_through_is_said_and_drawn(tmp_path: Path, processes: tuple[str, ...]):
    folder = make_project(tmp_path / "line", paid=PAID, hung_up=HUNG_UP)
    seen = run_pytest(folder, "-q", "--flow-drawing", "drawn", *processes)
    for line in LINES:
        assert line in seen
    drawing = ET.fromstring((folder / "drawn" / "pay-a-bill.svg").read_text(encoding="utf-8"))
    faint = [element for element in drawing.iter() if "unseen" in element.get("class", "").split()]
    steps = [element for element in faint if element.tag.endswith("}g")]
    assert len(steps) == 5
    assert len(faint) > len(steps), "ways too"


def test_a_flow_that_nobody_called_is_uncovered_and_one_gone_through_is_whole():
    flow = counted(load_flow(SAMPLE)[0])
    assert next(Coverage(flow).lines()).startswith("pay-a-bill: 0 of 10 steps (0 %), 0 of 16 outcomes (0 %)")
    for step, outcome in Coverage(flow).ways:
        flow.follow(step, outcome)
    whole = Coverage(flow, flow.taken, flow.reached)
    assert [*whole.lines()] == ["pay-a-bill: 10 of 10 steps (100 %), 16 of 16 outcomes (100 %)"]
    assert "unseen" not in whole.drawing().partition("</style>")[2]
