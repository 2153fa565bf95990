"""sipp rings the till and pays: its keys by INFO, and as the events (RFC 4733) that its play_dtmf makes."""

import asyncio
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.channels.trunk.callers import play
from tests.tills import account, card, free_port, open_till

SCENARIOS = Path(__file__).parent / "scenarios"
SIPP = shutil.which("sipp")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(SIPP is None, reason="sipp is not installed; `apt-get install sip-tester` brings it"),
]
NUMBER = 7
PAUSE_MS = 500
# Entries, each after a pause in which the till gets to its next question; the last ends the call after its receipt.
ENTRIES = [
    "1",
    f"{account(NUMBER)}#",
    "1",
    f"{card(NUMBER).pan}#",
    card(NUMBER).expiry,
    card(NUMBER).cvv2,
    "94105",
    "1",
]
RECEIPT_MS = 6000


def by_info() -> str:
    template, parts, cseq = (SCENARIOS / "info.xml").read_text(), [], 1
    for entry in ENTRIES:
        parts.append(pause(PAUSE_MS))
        for key in entry:
            cseq += 1
            parts.append(template % {"cseq": cseq, "key": key})
    return "".join([*parts, pause(RECEIPT_MS), template % {"cseq": cseq + 1, "key": "#"}])


def by_events() -> str:
    # play_dtmf takes 400 ms a key, and the scenario does not wait for it.
    pressed = [pause(PAUSE_MS) + play_dtmf(entry) + pause(410 * len(entry)) for entry in ENTRIES]
    return "".join([*pressed, pause(RECEIPT_MS), play_dtmf("#")])


def pause(milliseconds: int) -> str:
    return f'  <pause milliseconds="{milliseconds}"/>\n'


def play_dtmf(keys: str) -> str:
    return f'  <nop><action><exec play_dtmf="{keys}"/></action></nop>\n'


@pytest.mark.parametrize("method", ["info", pytest.param("events", marks=pytest.mark.long)])
def test_a_whole_payment_by_sipp(tmp_path, method: str):
    if method == "events" and os.geteuid() != 0:
        pytest.skip("sipp sends media through raw sockets: only root may")
    keys = by_info() if method == "info" else by_events()
    parts = [(SCENARIOS / "head.xml").read_text(), keys, (SCENARIOS / "tail.xml").read_text()]
    scenario = tmp_path / "scenario.xml"
    scenario.write_text(f'<?xml version="1.0"?>\n<scenario name="pays">\n{"".join(parts)}</scenario>\n')

    async def scene():
        async with open_till(tmp_path) as till:
            code, errors = await sipp(tmp_path, till.port, scenario)
            assert code == 0, errors
            assert till.keyed() == [card(NUMBER)]
            assert till.progress.ended() == ["paid"]

    play(scene)


async def sipp(folder: Path, port: int, scenario: Path) -> tuple[int, str]:
    local = str(free_port(socket.SOCK_DGRAM))
    media = str(36000 + 2 * (os.getpid() % 1000))
    command = [str(SIPP), f"127.0.0.1:{port}", "-sf", str(scenario), "-i", "127.0.0.1", "-p", local, "-m", "1"]
    command += ["-mi", "127.0.0.1", "-mp", media, "-nostdin", "-timeout", "50s", "-timeout_error"]
    command += ["-trace_err", "-error_file", str(folder / "errors")]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        code = await asyncio.wait_for(process.wait(), 55)
    finally:
        if process.returncode is None:
            process.kill()
    errors = folder / "errors"
    return code, errors.read_text(errors="replace")[-2000:] if errors.exists() else ""
