"""Recordings on disk, one or a folder: which hold keys and where, and masked copies; prints nothing.

A key in a recording is card data. What is found is kept as times; the keys themselves only where a caller asks.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from dsp import dtmf
from dsp.errors import DspError
from dsp.mask import mask
from dsp.recording import Recording, at_telephone_rate, read, write, written_whole

Heard: TypeAlias = Callable[[int], None]

SUFFIXES: Final = frozenset({".wav", ".rf64", ".bw64", ".w64"})
COLUMNS: Final = ("file", "seconds", "channels", "keys", "at_s", "masked_s", "veiled_s", "problem")


@dataclass(frozen=True)
class ScannedRecording:
    """What one recording holds; `problem` says why it could not be read, and then the rest is empty."""

    path: Path
    seconds: float = 0.0
    channels: int = 0
    keys: tuple[dtmf.Key, ...] = ()
    masked_s: float = 0.0
    veiled_s: float = 0.0
    problem: str = field(default="", kw_only=True)

    @property
    def at_s(self) -> str:
        """Start of each key in seconds, as people look it up in a player."""
        return " ".join(f"{key.start_s:.2f}" for key in self.keys)


def recordings(folder: Path) -> list[Path]:
    """Every WAV file below a folder, in order, whatever the case of its ending, and those of its longer kinds."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise DspError(f"{folder}: holds no WAV files")
    return found


def keys_in(recording: Recording) -> tuple[dtmf.Key, ...]:
    """Keys of all channels by time. One key heard on both sides of a call, as echo does, is one."""
    sides = [dtmf.decode(at_telephone_rate(side, recording.rate)) for side in recording.samples]
    together = sorted((key for side in sides for key in side), key=lambda key: key.start_s)
    kept: list[dtmf.Key] = []
    for key in together:
        if not any(key.key == other.key and key.start_s < other.start_s + other.duration_s for other in kept[-4:]):
            kept.append(key)
    return tuple(kept)


def inspect(path: Path) -> ScannedRecording:
    recording = read(path)
    return ScannedRecording(path, recording.seconds, len(recording.samples), keys_in(recording))


def mask_file(
    source: Path,
    target: Path,
    heard: Heard | None = None,
    *,
    recording: Recording | None = None,
    thorough: bool = False,
    veil: bool = True,
) -> ScannedRecording:
    """Writes the masked copy and tells what was found in the source; refuses to write one that a decoder can read.

    `recording`: what `source` holds, where it has been read already: a pipe can be read only once.
    """
    if target.exists() and target.samefile(source):
        raise DspError(f"would be overwritten by {target}, and masking cannot be undone; name another file")
    recording = recording or read(source)
    masked = mask(recording.samples, recording.rate, heard, thorough=thorough, veil=veil)
    copy = Recording(masked.samples, recording.format)
    if left := keys_in(copy):
        raise DspError(f"still holds {len(left)} keys after masking; no copy is written")
    write(target, copy)
    lengths = (sum(stop - start for start, stop in spans) for spans in (masked.spans_s, masked.veiled_s))
    return ScannedRecording(source, recording.seconds, len(recording.samples), keys_in(recording), *lengths)


def inspect_folder(folder: Path, heard: Heard | None = None) -> Iterator[ScannedRecording]:
    """One after the other; a file that cannot be read is told of and does not stop the rest."""
    for path in recordings(folder):
        yield _or_problem(path, inspect)
        _tell(path, heard)


def mask_folder(
    folder: Path, out: Path, heard: Heard | None = None, *, thorough: bool = False, veil: bool = True
) -> Iterator[ScannedRecording]:
    """Masked copies under `out`, at the same places as below `folder`."""
    if out.resolve().is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(out.resolve()):
        raise DspError(f"{out}: lies in or around {folder}; masked copies need a folder of their own")
    if out.exists() and not out.is_dir():
        raise DspError(f"{out}: is a file; masked copies of a folder need a folder")
    for path in recordings(folder):
        yield _or_problem(path, lambda path: _mask_below(folder, out, path, thorough, veil))
        _tell(path, heard)


def write_report(path: Path, found: Sequence[ScannedRecording], show_keys: bool = False) -> None:
    """As CSV; the keys themselves only with `show_keys`."""
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow((*COLUMNS, "which") if show_keys else COLUMNS)
        for one in found:
            row = (
                one.path,
                f"{one.seconds:.2f}",
                one.channels,
                len(one.keys),
                one.at_s,
                f"{one.masked_s:.2f}",
                f"{one.veiled_s:.2f}",
                one.problem,
            )
            table.writerow((*row, "".join(key.key for key in one.keys)) if show_keys else row)


def _mask_below(folder: Path, out: Path, path: Path, thorough: bool, veil: bool) -> ScannedRecording:
    target = out / path.relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    return mask_file(path, target, thorough=thorough, veil=veil)


def _or_problem(path: Path, work: Callable[[Path], ScannedRecording]) -> ScannedRecording:
    try:
        return work(path)
    except DspError as error:
        return ScannedRecording(path, problem=str(error))
    except OSError as error:
        return ScannedRecording(path, problem=error.strerror or str(error))


def _tell(path: Path, heard: Heard | None) -> None:
    if heard:
        heard(path.stat().st_size)
