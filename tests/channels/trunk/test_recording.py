"""Calls that a merchant has recorded: paid by every method, and not one key in what is kept of them."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from dsp import g711, tones
from dsp.dtmf import decode
from dsp.recording import read
from ivr.errors import ConfigError
from ivr.phone.rtp import MediaClient, MediaSettings, MediaStats
from tests.channels.trunk.callers import play, telephone, until
from tests.tills import Till, card, open_till

WAYS = [("rfc4733", "PCMU"), ("inband", "PCMU"), ("inband", "PCMA"), ("both", "PCMU")]


def test_paid_calls_are_recorded_without_their_keys(tmp_path):
    async def scene():
        async with open_till(tmp_path, trunk_record=str(tmp_path / "recordings")) as till:
            await asyncio.gather(*(pay(till, number, *way) for number, way in enumerate(WAYS)))
            assert sorted(map(str, till.keyed())) == sorted(str(card(number)) for number in range(len(WAYS)))
            names.update({call.ani: call.id for call in till.progress.calls.values()})

    async def pay(till: Till, number: int, method, codec) -> None:
        async with telephone(till, f"+1555010{number}", method=method, codec=codec) as caller:
            await caller.pays(number)

    names: dict[str, str] = {}
    play(scene)
    recordings = tmp_path / "recordings"
    assert sorted(path.name for path in recordings.iterdir()) == sorted(f"{name}.wav" for name in names.values())
    assert recordings.stat().st_mode & 0o077 == 0
    for number, (method, _) in enumerate(WAYS):
        path = recordings / f"{names[f'+1555010{number}']}.wav"
        caller, heard = read(path).samples
        assert decode(caller) == []
        assert keys_in_short_windows(caller) == 0
        assert np.abs(heard).max() > 1000  # prompts, as tones
        assert beeps(caller) > 20 if method in ("inband", "both") else beeps(caller) == 0


def keys_in_short_windows(samples: np.ndarray) -> int:
    """Frames that are two DTMF tones and next to nothing else, however short the tone they are of."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    turns = 2j * np.pi / 8000 * np.outer(tones.LOW_GROUP_HZ + tones.HIGH_GROUP_HZ, np.arange(160))
    power = np.abs(frames @ np.exp(turns).T) ** 2 * 2 / 160
    pair = power[:, :4].max(axis=1), power[:, 4:].max(axis=1)
    energy = np.square(frames).sum(axis=1)
    return int(((np.minimum(*pair) > 0.15 * energy) & (energy > 160 * 50.0**2)).sum())


def beeps(samples: np.ndarray) -> int:
    """Frames that are the masker's beep."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    beep = g711.decode(g711.encode(tones.monotone(0, 8000), "ulaw"), "ulaw").reshape(-1, 160)
    return sum((frame == beep).all(axis=1).any() for frame in frames)


def test_without_the_setting_nothing_is_recorded(tmp_path):
    async def scene():
        async with open_till(tmp_path) as till, telephone(till, "+15550100") as caller:
            await caller.reaches("language")

    play(scene)
    assert not list(tmp_path.rglob("*.wav*"))


def test_a_recorder_that_is_killed_ends_recordings_and_no_call(tmp_path):
    async def scene():
        recorded = {"trunk_record": str(tmp_path / "recordings")}
        async with open_till(tmp_path, **recorded) as till, telephone(till, "+15550100") as caller:
            await caller.reaches("language")
            (recorder,) = children(till.trunk.handler.media.pid)
            os.kill(recorder, signal.SIGKILL)
            await caller.press("1")
            await caller.reaches("account")
            await until(lambda: bool(till.trunk.stats and till.trunk.stats.unrecorded), 10)

    play(scene)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_folder_that_cannot_be_is_told_at_start(tmp_path):
    (tmp_path / "file").touch()
    heard: list[MediaStats] = []

    async def scene():
        settings = MediaSettings(ports=2, calls=4, record=str(tmp_path / "file" / "recordings"))
        with pytest.raises(ConfigError, match=r"recordings: .*/recordings: Not a directory"):
            await MediaClient(settings, heard.append).start()

    asyncio.run(scene())
