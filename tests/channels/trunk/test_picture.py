"""One paid call, kept as transcript and picture in var/test-output; and what must not be in a picture."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from dsp import g711
from dsp.dtmf import decode
from ivr.cli.call_picture import (
    BEFORE_S,
    RATE,
    CallTape,
    SensitiveEntries,
    draw,
    loud_stretches,
    require_plotting,
    timeline,
)
from ivr.cli.ring import Plan, Transcript, ring_up
from ivr.core.call import Call
from ivr.errors import ConfigError
from ivr.phone.rtp import HeardPacket
from ivr.places import SHIPPED as ROOT
from tests.channels.trunk.callers import play
from tests.patience import PATIENCE_S
from tests.tills import Till, account, card, open_till

KEPT = ROOT / "var" / "test-output"
NUMBER = 7
PLAIN = ["1", f"{account(NUMBER)}#", "1"]
CARD = [f"{card(NUMBER).pan}#", card(NUMBER).expiry, card(NUMBER).cvv2, "94105"]
FIELDS = ("card number", "expiry", "security code", "postal code")


# ---- the whole call


# Spoken prompts, as in the picture that is kept, take most of the time: they are heard to their end.
@pytest.mark.parametrize("voice", ["tones", pytest.param("auto", marks=pytest.mark.long)])
def test_a_paid_call_is_kept_as_transcript_and_picture_without_its_card(tmp_path, voice):
    pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")
    steps: list[tuple[float, str]] = []
    transcripts: list[Transcript] = []

    async def scene():
        async with open_till(tmp_path, trunk_voice=voice) as till:
            following = asyncio.create_task(follow(till, steps))
            plan = Plan([*PLAIN, *CARD, "1", "-", ",", ",", "#"], "inband", "PCMU", barge_in=True, taped=True)
            transcripts.append(await ring_up(till.uri, "127.0.0.1", plan))
            following.cancel()
            assert till.progress.ended() == ["paid"]
            assert till.keyed() == [card(NUMBER)]

    play(scene, most_s=2 * PATIENCE_S)
    transcript = transcripts[0]
    picture = transcript.picture
    assert picture is not None
    states = [(at - transcript.began, name) for at, name in steps]
    keep(transcript, picture.with_states(states))

    assert [name for _, name in states if name in FIELDS] == list(FIELDS)
    assert "".join(key.key for key in decode(picture.sent, RATE)) == "".join(PLAIN)
    assert not [key for key in decode(picture.heard, RATE) if key.start_s > states[-1][0]]
    assert "".join(mark.label for mark in picture.keys).strip("•") == "".join(PLAIN)
    written = (KEPT / "paid-call.txt").read_text(encoding="utf-8")
    assert account(NUMBER) in written
    assert not [entry for entry in CARD if entry.strip("#") in written]


async def follow(till: Till, steps: list[tuple[float, str]]) -> None:
    """Notes when the till came to each step."""
    seen = till.progress.history
    while True:
        await till.progress.until(lambda: len(seen) > len(steps), 120)
        steps.extend((time.monotonic(), state_of(call)) for call in seen[len(steps) :])


def state_of(call: Call) -> str:
    if call.phase == "over":
        return f"over: {call.outcome}"
    if call.phase in ("language", "confirm"):
        return call.phase
    return FIELDS[call.field_index] if call.step == "card" else call.step


def keep(transcript: Transcript, picture) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    draw(picture, KEPT / "paid-call.png")
    steps = [f"{state.start_s:6.1f} s  state {state.name}" for state in picture.states]
    lines = sorted([*transcript.lines, *steps], key=lambda line: float(line.split()[0]))
    (KEPT / "paid-call.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert (KEPT / "paid-call.png").read_bytes().startswith(b"\x89PNG")
    print(f"kept: {KEPT / 'paid-call.png'} and paid-call.txt beside it")


# ---- what must not be in a picture


def taped(entries: list[str], *, law: g711.Law = "ulaw", inband: bool = True) -> CallTape:
    """A caller who keys one entry a second, tick by tick and without a network."""
    tape, cards = CallTape(law, 101), SensitiveEntries()
    for entry in entries:
        run(tape, 50)
        tape.note_keys(entry, 0.18, sensitive=cards.note(entry))
        tape.press(entry, inband=inband, tone_ms=100, gap_ms=80)
        while not tape.idle:
            tape.tick()
    run(tape, 50)
    return tape


def run(tape: CallTape, ticks: int) -> None:
    for _ in range(ticks):
        tape.tick()


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_from_the_card_number_on_every_tone_is_a_beep(law):
    picture = taped([*PLAIN, *CARD, "1"], law=law).picture("", [], 0.0)
    assert "".join(key.key for key in decode(picture.sent, RATE)) == "".join(PLAIN)
    card_from = picture.keys[len("".join(PLAIN))].start_s
    assert np.abs(picture.sent[round((card_from + 0.02) * RATE) :][:640]).max() > 1000  # a beep, no silence


def test_what_comes_before_a_card_is_drawn_as_it_was():
    whole = taped(PLAIN).picture("", [], 0.0)
    with_card = taped([*PLAIN, *CARD]).picture("", [], 0.0)
    same = round((with_card.keys[len("".join(PLAIN))].start_s - BEFORE_S) * RATE)
    assert np.array_equal(with_card.sent[:same], whole.sent[:same])


def test_a_key_that_comes_back_as_an_echo_is_masked_too():
    tape = taped(CARD)
    echo = [
        HeardPacket(n * 0.02, "ulaw", bytes(tape._codes[at : at + 160]))
        for n, at in enumerate(range(0, len(tape._codes), 160))
    ]
    assert decode(tape.picture("", echo, 0.0).heard, RATE) == []


def test_the_tape_forgets_its_tones_once_they_are_masked():
    tape = taped(CARD)
    assert set(tape._codes) != {0}
    tape.picture("", [], 0.0)
    assert set(tape._codes) == {0}


def test_no_key_of_a_card_stands_in_a_mark_or_a_repr():
    tape = taped([*PLAIN, *CARD], inband=False)
    picture = tape.picture("", [], 0.0)
    assert "".join(mark.label for mark in picture.keys) == "".join(PLAIN) + "•" * len("".join(CARD))
    assert card(NUMBER).pan[7:] not in repr(picture) + repr(vars(tape))


@pytest.mark.parametrize(
    ("entries", "plain"),
    [
        (["1", "12345678#", "1"], ["1", "12345678#", "1"]),
        (["4111111111111111", "1230", "123", "1"], []),
        (["1", "411111111111#", "1"], ["1"]),
        (["12345678901#", "4" * 19], ["12345678901#"]),
    ],
)
def test_nothing_is_shown_from_a_number_of_twelve_digits_on(entries, plain):
    cards = SensitiveEntries()
    assert [entry for entry in entries if not cards.note(entry)] == plain


# ---- what is in it


def test_packets_lie_one_after_another_and_a_pause_is_silence():
    tone = g711.encode(np.full(160, 8000, np.int16), "ulaw").tobytes()
    heard = [HeardPacket(10 + at, "ulaw", tone) for at in (0.0, 0.021, 0.055, 1.0)]
    samples = timeline(heard, 10.0)
    assert np.flatnonzero(samples == 0).tolist() == list(range(480, 8000))
    assert [round(stretch.start_s, 2) for stretch in loud_stretches(samples)] == [0.0, 1.0]


def test_a_picture_that_cannot_be_written_is_refused_before_the_call():
    with pytest.raises(ConfigError, match=r"call\.jpeg: a picture is written as \.png"):
        require_plotting(Path("call.jpeg"))
