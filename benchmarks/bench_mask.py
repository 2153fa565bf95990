"""What gets past the masker: tone samples, what spandsp reads, what a matched filter guesses, and speech lost to it.

    python benchmarks/bench_mask.py [--digits 10000] [--seed 2024] [--quick]

Every digit is one live channel: mu-law or A-law frames through `Masker`, tick by tick. Where the tone lies is known,
because it was put there. The matched filter is told where, how long and at which frequencies; only the key is left to
guess. The informed one also knows how a veil works and where it lies. Speech is real (Debian's Asterisk prompts); S/N is white noise against the two tones' power.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.signal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress import Progress

from benchmarks import dtmf_peer
from benchmarks.peers import spandsp
from dsp import g711, tones
from dsp.g711 import Law
from dsp.mask import Masker, mask
from dsp.mask.veil import Veil

FRAME = 160
LEAD, TAIL = 1600, 960  # samples of line before and after a tone, the lead at least
BATCH = 250  # channels at a time
IDLE_DBM0 = -65.0
VEIL = Veil()
Samples = npt.NDArray[np.int16]
Codes = npt.NDArray[np.uint8]
Range = tuple[float, float]


@dataclass(frozen=True)
class Condition:
    """Ranges to draw from, uniformly. speech_db: the tone above the speech that lies over it, by their power."""

    name: str
    share: float  # of all digits
    tone_ms: Range = (23, 110)
    level_dbm0: Range = (-36, 0)
    high_group_db: Range = (-8, 4)  # relative to the low group
    offset: float = 0.018
    snr_db: Range | None = (12, 40)
    speech_db: Range | None = None
    expected: bool = False  # the masker has been told that keys are awaited


# The first six are what must not leak; the others show where it ends.
CONDITIONS = (
    Condition("quiet line", 0.2, snr_db=None),
    Condition("S/N 0 to 30 dB", 0.2, snr_db=(0, 30)),
    Condition("offset 3.5 %, twist 12 dB", 0.15, offset=0.035, high_group_db=(-12, 12)),
    Condition("speech 6 to 20 dB under", 0.2, level_dbm0=(-25, 0), speech_db=(6, 20)),
    Condition("speech 0 to 6 dB under", 0.1, level_dbm0=(-25, 0), speech_db=(0, 6)),
    Condition("speech 0 to 6 dB over", 0.15, level_dbm0=(-25, 0), speech_db=(-6, 0)),
)
HARDER = (
    Condition("10 to 23 ms", 0.1, tone_ms=(10, 23), snr_db=None),
    Condition("5 to 10 ms", 0.1, tone_ms=(5, 10), snr_db=None),
    Condition("10 to 23 ms, speech 0 to 6 dB over", 0.1, tone_ms=(10, 23), level_dbm0=(-25, 0), speech_db=(-6, 0)),
    Condition("S/N -3 to 0 dB", 0.1, snr_db=(-3, 0)),
    Condition("speech 6 to 12 dB over", 0.1, level_dbm0=(-25, 0), speech_db=(-12, -6)),
    Condition("0 to 6 dB over, keys expected", 0.1, level_dbm0=(-25, 0), speech_db=(-6, 0), expected=True),
)


@dataclass(frozen=True)
class Digit:
    """One channel: what went in, where the tone is in it, and what a matched filter is told of it."""

    codes: npt.NDArray[np.uint8]
    law: Law
    key: str
    start: int
    stop: int
    row_offset: float
    col_offset: float


@dataclass
class Outcome:
    """Sums over the digits of a condition. Bare is a sample of a tone that is neither beep nor veiled."""

    digits: int = 0
    leaking: int = 0
    leaking_recorded: int = 0
    tone_samples: int = 0
    bare_samples: int = 0
    veiled_samples: int = 0
    read_before: int = 0
    read_after: int = 0
    guessed_before: int = 0
    guessed_after: int = 0
    guessed_informed: int = 0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--digits", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=2024)
    options.add_argument("--quick", action="store_true", help="a tenth of the digits, a tenth of the speech")
    chosen = options.parse_args()
    digits = chosen.digits // 10 if chosen.quick else chosen.digits
    print(f"seed {chosen.seed}, {digits} digits (and as many again, nearly, under harder conditions)")
    names, signals = dtmf_peer.recordings()
    voices = voices_by_folder(names, signals)
    speech = np.concatenate([voice for name, voice in voices.items() if name != "music on hold"])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(
            "digits", total=round(digits * sum(condition.share for condition in CONDITIONS + HARDER))
        )
        for title, conditions in (("what must not leak", CONDITIONS), ("harder", HARDER)):
            outcomes = {}
            for number, condition in enumerate(conditions):
                rng = np.random.default_rng([chosen.seed, number, len(title)])
                outcomes[condition.name] = run(condition, round(digits * condition.share), rng, speech, progress, task)
            print_outcomes(title, outcomes)
    print_speech({name: voice[: len(voice) // (10 if chosen.quick else 1)] for name, voice in voices.items()})
    print_speed(np.random.default_rng(chosen.seed), speech)


def run(
    condition: Condition,
    count: int,
    rng: np.random.Generator,
    speech: Samples,
    progress: Progress | None = None,
    task: int = 0,
) -> Outcome:
    outcome = Outcome()
    for at in range(0, count, BATCH):
        some = [draw(condition, rng, speech) for _ in range(min(BATCH, count - at))]
        for law in ("ulaw", "alaw"):
            measure([digit for digit in some if digit.law == law], law, outcome, condition.expected)
        if progress:
            progress.update(task, advance=len(some))
    return outcome


def draw(condition: Condition, rng: np.random.Generator, speech: Samples) -> Digit:
    key, law = tones.KEYPAD[rng.integers(16)], ("ulaw", "alaw")[rng.integers(2)]
    twist, offsets = -rng.uniform(*condition.high_group_db), rng.uniform(-condition.offset, condition.offset, 2)
    level = rng.uniform(*condition.level_dbm0)
    tone = tones.dtmf(
        key, tone_ms=rng.uniform(*condition.tone_ms), gap_ms=0, level_dbm0=level, twist_db=twist,
        row_offset=offsets[0], col_offset=offsets[1], rng=rng,
    ).astype(float)  # fmt: skip
    start = LEAD + int(rng.integers(FRAME))
    length = -(-(start + len(tone) + TAIL) // FRAME) * FRAME
    power = float(np.mean(tone**2))
    line = rng.normal(0, tones.amplitude(IDLE_DBM0) / np.sqrt(2), length)
    where = slice(start, start + len(tone))
    line[where] += tone
    if condition.speech_db:
        line += spoken(rng, speech, length, where) * np.sqrt(power * 10 ** (-rng.uniform(*condition.speech_db) / 10))
    elif condition.snr_db:
        line += rng.normal(0, np.sqrt(power * 10 ** (-rng.uniform(*condition.snr_db) / 10)), length)
    return Digit(g711.encode(tones.to_int16(line), law), law, key, where.start, where.stop, *offsets)


def spoken(rng: np.random.Generator, speech: Samples, length: int, where: slice) -> npt.NDArray[np.float64]:
    """A passage in which somebody really speaks during the tone, at unit power there."""
    loud = 0.2 * float(np.sqrt(np.mean(speech[:800_000].astype(float) ** 2)))
    for _ in range(1000):
        at = int(rng.integers(len(speech) - length))
        passage = speech[at : at + length].astype(float)
        power = float(np.sqrt(np.mean(passage[where] ** 2)))
        if power > loud:
            return passage / power
    raise SystemExit("the recordings hold no speech")


def measure(digits: list[Digit], law: Law, outcome: Outcome, expected: bool = False) -> None:
    if not digits:
        return
    frames = padded([digit.codes for digit in digits], g711.SILENCE[law])
    masked, veiled = streamed(frames, law, expected)
    beep = masked == g711.encode(tones.monotone(FRAME, frames.shape[1]), law)
    before, after = g711.decode(frames, law), g711.decode(masked, law)
    whiten = whitening(after[:, LEAD:-TAIL])
    heard = zip(spandsp.decode_many(list(before)), spandsp.decode_many(list(after)), strict=True)
    for row, (digit, (was, now)) in enumerate(zip(digits, heard, strict=True)):
        where = slice(digit.start, digit.stop)
        bare = int((~beep[row, where] & ~veiled[row, where]).sum())
        outcome.digits += 1
        outcome.leaking += bare > 0
        outcome.leaking_recorded += bare_in_file(before[row], where, expected)
        outcome.tone_samples += digit.stop - digit.start
        outcome.bare_samples += bare
        outcome.veiled_samples += int((veiled[row, where] & ~beep[row, where]).sum())
        outcome.read_before += digit.key in was
        outcome.read_after += now != ""
        outcome.guessed_before += matched_filter(before[row, where], digit) == digit.key
        outcome.guessed_after += matched_filter(after[row, where], digit) == digit.key
        near = slice(digit.start - VEIL.reach, digit.stop + VEIL.reach)
        seen = np.where(beep[row, near], 0, after[row, near])
        outcome.guessed_informed += (
            informed_filter(seen, beep[row, near], veiled[row, near], digit, whiten) == digit.key
        )


def streamed(frames: Codes, law: Law, expected: bool) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """What a live masker makes of these channels, without its delay, and which samples it veiled."""
    masker, ticks, veiling = Masker(len(frames), law), [], []
    if expected:
        masker.expect_keys(range(len(frames)))
    for at in range(0, frames.shape[1], FRAME):
        ticks.append(masker(frames[:, at : at + FRAME]))
        veiling.append(masker.veiling)
    masked = np.concatenate([*ticks[1:], masker.flush()], axis=1)
    veiling = [*veiling[1:], np.zeros(len(frames), bool)]
    return masked, np.repeat(np.stack(veiling, axis=1), FRAME, axis=1)


def bare_in_file(samples: Samples, where: slice, expected: bool) -> bool:
    done = mask(samples, thorough=expected)
    covered = done.samples == tones.monotone(0, len(samples))
    for start, stop in done.veiled_s:
        covered[round(start * 8000) : round(stop * 8000)] = True
    return not covered[where].all()


def padded(codes: list[npt.NDArray[np.uint8]], silence: int) -> npt.NDArray[np.uint8]:
    frames = np.full((len(codes), max(map(len, codes))), silence, np.uint8)
    for row, one in zip(frames, codes, strict=True):
        row[: len(one)] = one
    return frames


def matched_filter(samples: Samples, digit: Digit) -> str:
    """The key whose two sinusoids, of any phase and level, explain most of these samples by least squares."""
    time = 2 * np.pi / 8000 * np.arange(len(samples))
    turns = [
        np.outer(time, hz)
        for hz in tones.frequencies(tones.KEYPAD) * (1 + np.array([digit.row_offset, digit.col_offset]))
    ]
    bases = np.stack([np.concatenate([np.cos(turn), np.sin(turn)], axis=1) for turn in turns])
    seen = samples.astype(float) @ bases
    weights = np.linalg.solve(bases.transpose(0, 2, 1) @ bases, seen[:, :, None])[:, :, 0]
    return tones.KEYPAD[int((weights * seen).sum(axis=1).argmax())]


def whitening(audio: Samples) -> npt.NDArray[np.float64]:
    """[FIR taps] that flatten the average spectrum of these channels: speech, and the veils' noise."""
    hz, power = scipy.signal.welch(audio.astype(float), 8000, nperseg=256, axis=1)
    return scipy.signal.firwin2(129, hz, 1 / np.sqrt(power.mean(axis=0) + 1), fs=8000)


def informed_filter(
    seen: Samples,
    beep: npt.NDArray[np.bool_],
    veiled: npt.NDArray[np.bool_],
    digit: Digit,
    whiten: npt.NDArray[np.float64],
) -> str:
    """The matched filter of somebody who also knows where the masker beeped and veiled, how a veil filters, and what
    speech and noise look like on average. Only the veil's secret is not known."""
    time = 2 * np.pi / 8000 * (np.arange(len(seen)) - VEIL.reach)
    sounding = (time >= 0) & (time < 2 * np.pi / 8000 * (digit.stop - digit.start))
    offsets = 1 + np.array([digit.row_offset, digit.col_offset])
    angles = np.array(tones.frequencies(tones.KEYPAD))[:, :, None] * offsets[:, None] * time
    templates = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * sounding
    through = scipy.signal.oaconvolve(templates, VEIL.taps[None, None], mode="same", axes=2)
    shown = np.where(veiled, through, templates) * ~beep
    flat = scipy.signal.oaconvolve(shown, whiten[None, None], mode="full", axes=2)
    orthogonal, _ = np.linalg.qr(flat.transpose(0, 2, 1))
    explained = np.square(np.convolve(seen, whiten) @ orthogonal).sum(axis=1)
    return tones.KEYPAD[int(explained.argmax())]


def wilson(hits: int, of: int) -> Range:
    """95 % confidence interval of a share."""
    z, p = 1.96, hits / of
    middle, spread = p + z * z / (2 * of), z * np.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return float((middle - spread) / (1 + z * z / of)), float((middle + spread) / (1 + z * z / of))


def print_outcomes(title: str, outcomes: dict[str, Outcome]) -> None:
    columns = ("digits", "bare live", "in a file", "bare samples", "veiled", "spandsp", "after", "filter", "after")
    rows = [(name, *cells(outcome)) for name, outcome in outcomes.items()]
    total = Outcome(*(sum(getattr(o, name) for o in outcomes.values()) for name in Outcome.__dataclass_fields__))
    dtmf_peer.print_table(
        f"Masking: {title} (chance for the filters: 6.2 %)",
        ("", *columns, "informed (95 %)"),
        [*rows, ("all", *cells(total))],
    )


def cells(o: Outcome) -> Iterator[str]:
    yield f"{o.digits}"
    yield f"{o.leaking} ({100 * o.leaking / o.digits:.2f} %)"
    yield f"{o.leaking_recorded}"
    yield f"{o.bare_samples} of {o.tone_samples}"
    yield f"{100 * o.veiled_samples / o.tone_samples:.1f} %"
    yield f"{100 * o.read_before / o.digits:.1f} %"
    yield f"{o.read_after}"
    yield f"{100 * o.guessed_before / o.digits:.1f} %"
    yield f"{100 * o.guessed_after / o.digits:.1f} %"
    low, high = wilson(o.guessed_informed, o.digits)
    yield f"{100 * o.guessed_informed / o.digits:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def voices_by_folder(names: list[str], signals: list[Samples]) -> dict[str, Samples]:
    """Recordings joined by voice; GSM prompts too where sox can read them."""
    grouped: dict[str, list[Samples]] = {}
    for name, signal in zip(names, signals, strict=True):
        parts = Path(name).relative_to(dtmf_peer.sounds().resolve()).parts
        grouped.setdefault("music on hold" if parts[0] == "moh" else parts[1], []).append(signal)
    voices = {name: np.concatenate(parts) for name, parts in grouped.items()}
    for folder in sorted((dtmf_peer.sounds() / "sounds").iterdir()) if shutil.which("sox") else ():
        if not folder.is_symlink() and (prompts := sorted(folder.rglob("*.gsm"))):
            voices[f"{folder.name} (GSM prompts)"] = from_gsm(prompts)
    return voices


def from_gsm(prompts: list[Path]) -> Samples:
    with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        subprocess.run(
            ["sox", *map(str, prompts), "-e", "signed", "-b", "16", raw.name], check=True, capture_output=True
        )
        return np.fromfile(raw.name, "<i2")


def print_speech(voices: dict[str, Samples]) -> None:
    rows = []
    for name, voice in voices.items():
        whole = voice[: len(voice) // FRAME * FRAME]
        seconds = len(whole) / 8000
        done, hard = mask(whole), mask(whole, thorough=True)
        spans = (done.spans_s, done.veiled_s, hard.spans_s, hard.veiled_s)
        shares = [*live_shares(whole), *(sum(stop - start for start, stop in some) / seconds for some in spans)]
        rows.append((name, f"{seconds / 60:.0f} min", *(f"{100 * share:.2f} %" for share in shares)))
    columns = ("live", "veiled", "in a file", "veiled", "thorough", "veiled")
    dtmf_peer.print_table("Audio without keys lost to beeps, and veiled", ("", "length", *columns), rows)


def live_shares(whole: Samples) -> Range:
    """Frames that a live masker beeps over, and veils."""
    out = Masker(1)(whole[None])[0, FRAME:].reshape(-1, FRAME)
    beep = (out == tones.monotone(FRAME, out.size).reshape(-1, FRAME)).all(axis=1)
    veiled = (out != whole[:-FRAME].reshape(-1, FRAME)).any(axis=1) & ~beep
    return float(beep.mean()), float(veiled.mean())


def print_speed(rng: np.random.Generator, speech: Samples, channels: int = 500, ticks: int = 50) -> None:
    """CPU time of one thread; half the channels of the mix are idle, four in ten speak, one in ten is in a tone."""
    idle = tones.to_int16(rng.normal(0, tones.amplitude(-60), (channels, ticks * FRAME)))
    starts = rng.integers(len(speech) - ticks * FRAME, size=channels)
    talk = np.stack([speech[at : at + ticks * FRAME] for at in starts])
    tone = np.stack([tones.dtmf("5", tone_ms=20 * ticks, gap_ms=0, rng=rng)] * channels)
    cut = np.split(np.arange(channels), [channels // 2, channels * 9 // 10])
    mix = np.concatenate([part[rows] for part, rows in zip((idle, talk, tone), cut, strict=True)])
    rows = []
    for name, line in (("idle", idle), ("mix", mix), ("speech", talk), ("tone", tone)):
        codes = g711.encode(line, "ulaw")
        masker, begun = Masker(channels, "ulaw"), time.process_time()
        for at in range(0, codes.shape[1], FRAME):
            masker(codes[:, at : at + FRAME])
        rows.append((name, f"{channels * ticks * 0.02 / (time.process_time() - begun):.0f}"))
    dtmf_peer.print_table("Masker: live channels a core", ("", "channels"), rows)


if __name__ == "__main__":
    main()
