"""baresip, a softphone, pays: its keys by SIP INFO, as tones in both laws, and as events (RFC 4733)."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from tests.channels.trunk.callers import STEP_S, Codec, ani_of, call_of, entries, pays_in_the_end, place_of, play
from tests.channels.trunk.softphone import PACKAGES, SUITE, Method, Softphone
from tests.peers import Tree, needs_peers
from tests.tills import Till, card, open_till

pytestmark = needs_peers


@pytest.mark.long  # in the bounded form sipp's callers pay in the same ways: test_sipp.py
def test_callers_with_a_softphone_pay_by_info_and_by_tones(tmp_path):
    pay(tmp_path, [("info", "PCMU"), ("tones", "PCMA")], {"info", "inband"})


@pytest.mark.long  # the other law too; and baresip takes 0.2 s a key for events
def test_callers_with_a_softphone_pay_by_events_and_by_tones_of_the_other_law(tmp_path):
    pay(tmp_path, [("rtpevent", "PCMU"), ("tones", "PCMU")], {"telephone_event", "inband"})


def pay(folder: Path, ways: list[tuple[Method, Codec]], heard: set[str]) -> None:
    """All at once; `heard`: what the trunk took the keys from."""
    tree = Tree("baresip", SUITE, PACKAGES)

    async def scene():
        async with open_till(folder) as till:
            calls = (partial(ring, till, tree, *way) for way in ways)
            numbers = await asyncio.gather(*(pays_in_the_end(till, way, call) for way, call in enumerate(calls)))
            assert sorted(map(str, till.keyed())) == sorted(str(card(number)) for number in numbers)
            assert set(+till.trunk.handler.keys) == heard

    play(scene, most_s=150)


async def ring(till: Till, tree: Tree, method: Method, codec: Codec, number: int) -> str:
    ani = ani_of(number)
    async with Softphone(till.folder / f"{number}", tree, ani, method, codec).started() as phone:
        phone.send("dial", till.uri)
        try:
            for place, keys in [*entries(number), ("confirm", "1"), ("repeat", "#"), ("over", "")]:
                await till.progress.until(lambda here=place: place_of(call_of(till, ani)) == here, STEP_S)
                await phone.press(keys)
        except TimeoutError:
            return f"not at {place} within {STEP_S} s: {phone.log()}"
    return ""
