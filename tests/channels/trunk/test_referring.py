"""sipp rings the till and asks for a person: it is sent a REFER, says what became of it, and the call is on record so."""

import shutil
from pathlib import Path

import pytest

from tests.channels.trunk.callers import play
from tests.channels.trunk.test_sipp import SCENARIOS, pause, sipp
from tests.helplines import write_helpline
from tests.patience import PATIENCE_S
from tests.tills import open_till

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(
        shutil.which("sipp") is None, reason="sipp is not installed; `apt-get install sip-tester` brings it"
    ),
]
ANI = "+15550177"


def scenario_of(folder: Path, *statuses: int) -> Path:
    """Rings, keys 2, takes the REFER, and reports these statuses."""
    head = (SCENARIOS / "head.xml").read_text() % {"ani": ANI, "payload": 0, "codec": "PCMU"}
    key = (SCENARIOS / "info.xml").read_text() % {"ani": ANI, "cseq": 2, "key": "2"}
    notify = (SCENARIOS / "notify.xml").read_text()
    last = len(statuses) - 1
    states = ["terminated;reason=noresource" if at == last else "active" for at in range(len(statuses))]
    notified = [
        notify % {"ani": ANI, "cseq": 3 + at, "status": status, "state": states[at]}
        for at, status in enumerate(statuses)
    ]
    parts = [
        head,
        pause(500),
        key,
        (SCENARIOS / "refer.xml").read_text(),
        *notified,
        (SCENARIOS / "tail.xml").read_text(),
    ]
    scenario = folder / "scenario.xml"
    scenario.write_text(f'<?xml version="1.0"?>\n<scenario name="asks">\n{"".join(parts)}</scenario>\n')
    return scenario


@pytest.mark.parametrize(("statuses", "number"), [((100, 200), "+15550123456"), ((100, 486), "")])
def test_a_caller_of_sipp_is_connected_or_hears_that_nobody_was_reached(tmp_path, statuses, number):
    async def scene():
        async with open_till(tmp_path, write_helpline(tmp_path / "flows"), trunk_flows="pay=helpline") as till:
            said = await sipp(tmp_path, till.port, scenario_of(tmp_path, *statuses))
            assert said.startswith("sipp ended with 0"), said
            await till.progress.until(till.progress.ended, PATIENCE_S)
            [call] = till.progress.calls.values()
            outcome = "transferred" if number else "not_available"
            assert f"person {outcome}" in call.moves
            assert (call.transferred_to, call.hung_up) == (number, False)

    play(scene, most_s=2 * PATIENCE_S)
