"""sipp rings the till and pays: its keys by INFO, as tones in both laws, and as the events (RFC 4733) of its play_dtmf."""

import asyncio
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from dsp import g711, tones
from tests.channels.trunk.callers import GAP_MS, TONE_MS, ani_of, entries, pays_in_the_end, play
from tests.patience import PATIENCE_S
from tests.ports import free_even_port, free_port
from tests.tills import Till, card, open_till

SCENARIOS = Path(__file__).parent / "scenarios"
SIPP = shutil.which("sipp")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(SIPP is None, reason="sipp is not installed; `apt-get install sip-tester` brings it"),
]
PAUSE_MS = 500
EVENT_MS = 410  # play_dtmf takes 400 ms a key
RECEIPT_MS = (
    5000  # the bank is asked and two prompts are played; `#` then ends the call, ten seconds of silence would too
)
# Payload type and name of a law in SDP (RFC 3551 table 4).
CODECS: dict[g711.Law, tuple[int, str]] = {"ulaw": (0, "PCMU"), "alaw": (8, "PCMA")}
Keys = Callable[[int, g711.Law, Path], str]  # of a card, to the part of a scenario that keys; a folder for its sounds


def keyed(number: int) -> list[tuple[int, str]]:
    """How long the till takes to get to each question, and what is keyed then."""
    asked = [*(keys for _, keys in entries(number)), "1"]
    return [*((PAUSE_MS, keys) for keys in asked), (RECEIPT_MS, "#")]


def by_info(number: int, _law: g711.Law, _folder: Path) -> str:
    template, parts, cseq = (SCENARIOS / "info.xml").read_text(), [], 1
    for wait_ms, keys in keyed(number):
        parts.append(pause(wait_ms))
        for key in keys:
            cseq += 1
            parts.append(template % {"ani": ani_of(number), "cseq": cseq, "key": key})
    return "".join(parts)


def by_tones(number: int, law: g711.Law, folder: Path) -> str:
    """sipp's rtp_stream sends a file of G.711 as RTP, a packet each 20 ms, and nothing after its end."""
    payload, codec = CODECS[law]
    parts = []
    for place, (wait_ms, keys) in enumerate(keyed(number)):
        file = folder / f"{place}.raw"
        file.write_bytes(g711.encode(tones.dtmf(keys, tone_ms=TONE_MS, gap_ms=GAP_MS), law).tobytes())
        parts += [pause(wait_ms), execute(f'rtp_stream="{file},1,{payload},{codec}/8000"')]
        parts.append(pause((TONE_MS + GAP_MS) * len(keys)))
    return "".join(parts)


def by_events(number: int, _law: g711.Law, _folder: Path) -> str:
    parts = []
    for wait_ms, keys in keyed(number):
        parts += [pause(wait_ms), execute(f'play_dtmf="{keys}"')]
        parts.append(pause(EVENT_MS * len(keys)))  # the scenario does not wait for it
    return "".join(parts)


def execute(what: str) -> str:
    return f"  <nop><action><exec {what}/></action></nop>\n"


def pause(milliseconds: int) -> str:
    return f'  <pause milliseconds="{milliseconds}"/>\n'


def test_callers_of_sipp_pay_by_info_and_by_tones_in_both_laws(tmp_path):
    ways: list[tuple[Keys, g711.Law]] = [(by_info, "ulaw"), (by_tones, "ulaw"), (by_tones, "alaw")]
    pay(tmp_path, ways, {"info", "inband"})


@pytest.mark.long  # 29 s
@pytest.mark.skipif(os.geteuid() != 0, reason="play_dtmf sends through raw sockets: only root may")
def test_a_caller_of_sipp_pays_by_events(tmp_path):
    pay(tmp_path, [(by_events, "ulaw")], {"telephone_event"})


def pay(folder: Path, ways: list[tuple[Keys, g711.Law]], heard: set[str]) -> None:
    """All at once; `heard`: what the trunk took the keys from."""

    async def scene():
        async with open_till(folder) as till:
            calls = (partial(ring, till, folder, *way) for way in ways)
            numbers = await asyncio.gather(*(pays_in_the_end(till, way, call) for way, call in enumerate(calls)))
            assert sorted(map(str, till.keyed())) == sorted(str(card(number)) for number in numbers)
            assert set(+till.trunk.handler.keys) == heard

    play(scene, most_s=2 * PATIENCE_S)


async def ring(till: Till, folder: Path, keys: Keys, law: g711.Law, number: int) -> str:
    own = folder / f"{number}"
    own.mkdir()
    return await sipp(own, till.port, write_scenario(own, number, law, keys(number, law, own)))


def write_scenario(folder: Path, number: int, law: g711.Law, keys: str) -> Path:
    payload, codec = CODECS[law]
    head = (SCENARIOS / "head.xml").read_text() % {"ani": ani_of(number), "payload": payload, "codec": codec}
    parts = [head, keys, (SCENARIOS / "tail.xml").read_text()]
    scenario = folder / "scenario.xml"
    scenario.write_text(f'<?xml version="1.0"?>\n<scenario name="pays">\n{"".join(parts)}</scenario>\n')
    return scenario


async def sipp(folder: Path, port: int, scenario: Path) -> str:
    """What it complained of."""
    errors = folder / "errors"
    local, media = str(free_port()), str(free_even_port())
    command = [str(SIPP), f"127.0.0.1:{port}", "-sf", str(scenario), "-i", "127.0.0.1", "-p", local, "-m", "1"]
    command += ["-cp", str(free_port())]
    command += ["-mi", "127.0.0.1", "-mp", media, "-nostdin", "-timeout", "50s", "-timeout_error"]
    command += ["-trace_err", "-error_file", str(errors)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        code = await asyncio.wait_for(process.wait(), 55)
    finally:
        if process.returncode is None:
            process.kill()
    return f"sipp ended with {code}: {errors.read_text(errors='replace')[-2000:] if errors.exists() else ''}"
