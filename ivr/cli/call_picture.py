"""A picture of one call for `ring --plot`: both directions' spectrograms, with prompts, keys and states; it makes no call.

A spectrogram of tones is card data: whatever follows the first entry that may be a card number is masked (`dsp.mask`)
before anything is drawn, and its keys are dots from the moment they are pressed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT

from dsp import g711
from dsp.mask import mask
from dsp.recording import written_whole
from dsp.tones import HIGH_GROUP_HZ, LOW_GROUP_HZ
from ivr.errors import ConfigError
from ivr.phone.rtp import CallerStream, HeardPacket

RATE: Final = 8000
FRAME: Final = 160
HEADER_BYTES: Final = 12
SHORTEST_PAN: Final = 12  # digits, ISO/IEC 7812; what is keyed after one is expiry, CVV2 and the like
BEFORE_S: Final = 0.1  # masked before a card's first key too
LOUD: Final = 200.0  # RMS at 16-bit scale
BETWEEN_PROMPTS_S: Final = 0.35
HELD_UP_S: Final = 0.1  # later than this, audio did not come in one piece

Samples = npt.NDArray[np.int16]


class SensitiveEntries:
    """A caller is not told what it is asked for; it knows a card number when it keys one, and trusts nothing after it."""

    def __init__(self) -> None:
        self._card = False

    def note(self, entry: str) -> bool:
        self._card = self._card or sum(key.isdigit() for key in entry) >= SHORTEST_PAN
        return self._card


@dataclass(frozen=True)
class KeyMark:
    start_s: float
    label: str


@dataclass(frozen=True)
class Stretch:
    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True)
class CallPicture:
    """Seconds count from the answer. `heard` and `sent` may be kept: their card keys are masked."""

    title: str
    heard: Samples = field(repr=False)
    sent: Samples = field(repr=False)
    keys: Sequence[KeyMark]
    prompts: Sequence[Stretch]
    states: Sequence[Stretch]

    @property
    def seconds(self) -> float:
        return max(len(self.heard), len(self.sent)) / RATE

    def with_states(self, changes: Sequence[tuple[float, str]]) -> "CallPicture":
        """For whoever knows where the call was: (second, name) of each change."""
        ends = [at for at, _ in changes[1:]] + [self.seconds]
        return replace(self, states=[Stretch(at, end, name) for (at, name), end in zip(changes, ends, strict=True)])


class CallTape(CallerStream):
    """A caller's stream that remembers what it sent, in memory, until `picture` has masked it."""

    def __init__(self, law: g711.Law, telephone_event: int | None) -> None:
        super().__init__(law, telephone_event=telephone_event)
        self._codes = bytearray()
        self._keys: list[KeyMark] = []
        self._states: list[tuple[float, str]] = [(0.0, "listens")]
        self._card_from_s: float | None = None

    @property
    def now_s(self) -> float:
        return len(self._codes) / RATE

    def tick(self) -> list[bytes]:
        packets = super().tick()
        audio = [packet for packet in packets if packet[1] & 0x7F == self.payload_type]
        self._codes += audio[-1][HEADER_BYTES:] if audio else bytes([g711.SILENCE[self.law]]) * FRAME
        return packets

    def note_keys(self, entry: str, spacing_s: float, *, sensitive: bool) -> None:
        """Called when the first of them is about to go out."""
        if sensitive and self._card_from_s is None:
            self._card_from_s = max(0.0, self.now_s - BEFORE_S)
        labels = "•" * len(entry) if sensitive else entry
        self._keys += [KeyMark(self.now_s + spacing_s * n, label) for n, label in enumerate(labels)]

    def note_state(self, name: str) -> None:
        self._states.append((self.now_s, name))

    def picture(self, title: str, heard: Sequence[HeardPacket], began: float) -> CallPicture:
        """Masks, and forgets what it was made of."""
        sent = self._masked(g711.decode(np.frombuffer(bytes(self._codes), np.uint8), self.law))
        theirs = self._masked(timeline(heard, began))
        self._codes[:] = bytes(len(self._codes))
        drawn = CallPicture(title, theirs, sent, self._keys, loud_stretches(theirs), [])
        return drawn.with_states(self._states)

    def _masked(self, samples: Samples) -> Samples:
        if self._card_from_s is None or len(samples) <= (at := round(self._card_from_s * RATE)):
            return samples
        # What the far end sends back may hold our tones as an echo.
        return np.concatenate([samples[:at], mask(samples[at:], RATE).samples]).astype(np.int16)


def timeline(heard: Sequence[HeardPacket], began: float) -> Samples:
    """Packets one after another, as they were sent; where none came, silence."""
    pieces: list[Samples] = []
    length = 0
    for packet in heard:
        due = round((packet.at_s - began) * RATE)
        if due - length > HELD_UP_S * RATE:
            pieces.append(np.zeros(due - length, np.int16))
            length = due
        pieces.append(g711.decode(np.frombuffer(packet.codes, np.uint8), packet.law).astype(np.int16))
        length += len(pieces[-1])
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def loud_stretches(samples: Samples) -> list[Stretch]:
    """Where somebody speaks: prompts, by number."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    at = np.flatnonzero(np.sqrt(np.mean(frames**2, axis=1)) > LOUD) * FRAME / RATE
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > BETWEEN_PROMPTS_S) + 1
    groups = np.split(at, breaks)
    return [Stretch(float(g[0]), float(g[-1]) + FRAME / RATE, f"prompt {n}") for n, g in enumerate(groups, 1)]


# ---- drawing

WINDOW_S: Final = 0.032
HOP_S: Final = 0.008
RANGE_DB: Final = 60.0
FULL_SCALE: Final = 32768.0
INCHES_A_SECOND: Final = 0.55
LEAST_WIDTH, MOST_WIDTH = 11.0, 26.0
DOTS_AN_INCH: Final = 80
HEARD_TOP_HZ: Final = 3400
SENT_TOP_HZ: Final = 1800
STATE_COLOURS: Final = ("#4c72b0", "#55a868", "#c48a3f", "#8172b3", "#937860", "#64b5cd", "#b55d60")
FORMATS: Final = (".png", ".svg", ".pdf")


def require_plotting(out: Path) -> None:
    """ConfigError before a call is made, not after it."""
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--plot {out.name}: a picture is written as {', '.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401  # an optional extra
    except ImportError:
        raise ConfigError("--plot needs matplotlib: pip install 'tonetill[plot]'") from None


def draw(picture: CallPicture, out: Path) -> None:
    require_plotting(out)
    from matplotlib.figure import Figure

    width = float(np.clip(picture.seconds * INCHES_A_SECOND, LEAST_WIDTH, MOST_WIDTH))
    figure = Figure(figsize=(width, 6.2), layout="constrained")
    heard, states, sent = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1.0, 0.34, 1.0]})
    figure.suptitle(picture.title, fontsize=11, x=0.01, ha="left")
    _spectrogram(heard, picture.heard, HEARD_TOP_HZ)
    _spectrogram(sent, picture.sent, SENT_TOP_HZ)
    _draw_prompts(heard, picture.prompts)
    _draw_states(states, picture.states, width / max(picture.seconds, 1.0))
    _draw_keys(sent, picture.keys)
    heard.set_ylabel("the caller hears\nHz")
    sent.set_ylabel("the caller keys\nHz")
    sent.set(xlim=(0, picture.seconds), xlabel="seconds after the answer", yticks=(*LOW_GROUP_HZ, *HIGH_GROUP_HZ[:3]))
    sent.tick_params(axis="y", labelsize=7)
    with written_whole(out) as part:
        figure.savefig(part, dpi=DOTS_AN_INCH, format=out.suffix[1:].lower())


def _spectrogram(axes: Any, samples: Samples, top_hz: int) -> None:
    axes.set_facecolor("black")
    axes.set_ylim(0, top_hz)
    window = np.hanning(round(WINDOW_S * RATE))
    hop = round(HOP_S * RATE)
    transform = ShortTimeFFT(window, hop, RATE, mfft=2 * len(window), scale_to="magnitude")
    padded = np.pad(samples / FULL_SCALE, (0, max(len(window) - len(samples), 0)))
    columns = max(len(samples) // hop, 1)
    level = 20 * np.log10(np.abs(transform.stft(padded, p0=0, p1=columns)) + 1e-6)
    axes.imshow(
        level, origin="lower", aspect="auto", cmap="magma", vmin=-20 - RANGE_DB, vmax=-20, interpolation="nearest",
        extent=(0, columns * hop / RATE, 0, RATE / 2),
    )  # fmt: skip


def _draw_prompts(axes: Any, prompts: Sequence[Stretch]) -> None:
    above = axes.get_xaxis_transform()  # seconds across, fractions of the axes upwards
    for number, prompt in enumerate(prompts, 1):
        axes.plot([prompt.start_s, prompt.end_s], [1.025, 1.025], transform=above, color="#4c72b0", lw=4, clip_on=False)
        axes.text((prompt.start_s + prompt.end_s) / 2, 1.045, number, transform=above, ha="center", fontsize=8)
    axes.text(0, 1.045, "prompts ", transform=axes.transAxes, ha="right", fontsize=8)


def _draw_states(axes: Any, states: Sequence[Stretch], inches_a_second: float) -> None:
    axes.set(ylim=(0, 1), yticks=[])
    axes.set_ylabel("state", rotation=0, ha="right", va="center")
    colours = dict(zip(dict.fromkeys(state.name for state in states), STATE_COLOURS * len(states), strict=False))
    for state in states:
        length = state.end_s - state.start_s
        axes.barh(0.5, length, left=state.start_s, height=1.0, color=colours[state.name], edgecolor="white", lw=0.8)
        letters = len(state.name) * 0.085  # inches at this size
        upright = letters > length * inches_a_second
        axes.text(
            state.start_s + length / 2, 0.5, state.name, ha="center", va="center", color="white",
            fontsize=7 if upright else 8.5,
            rotation=90 if upright else 0, clip_on=True,
        )  # fmt: skip


def _draw_keys(axes: Any, keys: Sequence[KeyMark]) -> None:
    above = axes.get_xaxis_transform()
    for hz in (*LOW_GROUP_HZ, *HIGH_GROUP_HZ[:3]):
        axes.axhline(hz, color="white", linewidth=0.4, alpha=0.35)
    for key in keys:
        axes.axvline(key.start_s, color="cyan", linewidth=0.6, alpha=0.55)
        axes.text(key.start_s, 1.02, key.label, transform=above, ha="left", va="bottom", fontsize=9, fontweight="bold")
    axes.text(0, 1.03, "keys ", transform=axes.transAxes, ha="right", fontsize=8)
