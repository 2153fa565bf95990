"""WAV files in and out, as call recorders write them (G.711 included); decides nothing about what they hold.

The standard library's `wave` refuses mu-law and A-law, the commonest formats in archives of calls, so the few chunks
that matter are read here. Other chunks are not carried over: markers and comments may say what the audio no longer does.
"""

import mmap
import os
import secrets
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from dsp import g711
from dsp.errors import DspError

Samples: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]

TELEPHONE_RATE: Final = 8000
SLOWEST_RATE: Final = 4000

PCM: Final = 1
FLOAT: Final = 3
ALAW: Final = 6
ULAW: Final = 7
EXTENSIBLE: Final = 0xFFFE  # the real tag is in the first two bytes of the sub-format
READABLE: Final = {(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64), (ALAW, 8), (ULAW, 8)}
# RF64 and its older name BW64 (EBU Tech 3306): RIFF with its sizes in 64 bits, in a chunk of their own.
HEADERS: Final = {b"RIFF", b"RF64", b"BW64"}
OTHER_HEADERS: Final = {b"riff": "a Sony Wave64 (W64)", b"RIFX": "a big-endian WAV (RIFX)", b"FORM": "an AIFF"}
FOREIGN: Final = {2: "Microsoft ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x55: "MP3"}
SIZE_UNKNOWN: Final = 0xFFFFFFFF  # left by recorders that stream, or that were cut off
LONG_SIZE_UNKNOWN: Final = 0xFFFFFFFFFFFFFFFF
MOST_PIPED: Final = 1 << 30  # bytes: a pipe has to be kept in memory, a file has not
# Who writes into a pipe cannot go back to fill the size in, and promises the most there may be: all ones (ffmpeg), or
# some 2 GB, signed or unsigned (sox: 7FFFF000 and more). Others leave a 0.
LEAST_PROMISE: Final = 0x7FF00000


@dataclass(frozen=True)
class Format:
    """What a sample is in the file: a WAVE format tag, bits, channels, samples a second."""

    tag: int
    bits: int
    channels: int
    rate: int


@dataclass(frozen=True)
class Recording:
    """samples: [channels, samples], int16, or float32 within +-1.0 where the file holds more than 16 bits."""

    samples: Samples
    format: Format

    @property
    def rate(self) -> int:
        return self.format.rate

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / self.format.rate)


def read(path: Path) -> Recording:
    """Raises DspError that names what is wrong with the file; OSError where it cannot be opened."""
    fmt, body = _chunks(_mapped(path))
    step = fmt.channels * fmt.bits // 8
    count = len(body) // step
    if not count:
        raise DspError("holds no audio: its data chunk is empty")
    flat = _linear(np.frombuffer(body, np.uint8, count * step), fmt)
    samples: Samples = flat.reshape(count, fmt.channels).T.copy()
    return Recording(samples, fmt)


def at_telephone_rate(samples: Samples, rate: int) -> Samples:
    """One channel at 8 kHz, resampled piece by piece: an hour at 48 kHz is never held as floats."""
    if rate == TELEPHONE_RATE:
        return samples
    if rate < SLOWEST_RATE:
        raise DspError(f"has {rate} samples/s; below {SLOWEST_RATE} a key's tones are not in a recording")
    kind = "int16" if samples.dtype == np.int16 else "float32"
    stream = soxr.ResampleStream(rate, TELEPHONE_RATE, 1, dtype=kind)
    step = 60 * rate
    pieces = [
        stream.resample_chunk(samples[at : at + step], last=at + step >= len(samples))
        for at in range(0, len(samples), step)
    ]
    resampled: Samples = np.concatenate(pieces)
    return resampled


def write(path: Path, recording: Recording) -> None:
    """In the recording's own format. The file appears whole or not at all."""
    body = _packed(recording.samples.T.ravel(), recording.format)
    if body.nbytes > SIZE_UNKNOWN - 64:
        raise DspError("is over 4 GB, more than a WAV file can hold; cut it into parts first")
    with written_whole(path) as part, part.open("xb") as file:
        file.write(header(recording.format, body.nbytes))
        file.write(body.data)
        file.write(b"\0" * (body.nbytes % 2))


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place to write to beside `path` that takes its name at the end; whatever goes wrong before leaves nothing."""
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _mapped(path: Path) -> memoryview:
    """The file's bytes, read as they are needed; recordings of a day are long. A pipe's are read at once, and only once."""
    with path.open("rb") as file:
        known = os.fstat(file.fileno())
        if not stat.S_ISREG(known.st_mode):
            piped = file.read(MOST_PIPED + 1)
            if len(piped) > MOST_PIPED:
                raise DspError(f"is a pipe with more than {MOST_PIPED >> 30} GB; write it into a file first")
            return memoryview(piped)
        size = known.st_size
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")


def _chunks(data: memoryview) -> tuple[Format, memoryview]:
    _require_wave(data)
    fmt, long_size, at = None, 0, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        begin, at = at + 8, at + 8 + size + size % 2
        if name == b"fmt " and begin + size <= len(data):
            fmt = _format(bytes(data[begin : begin + size]))
        elif name == b"ds64" and size >= 16 and begin + size <= len(data):
            (long_size,) = struct.unpack_from("<Q", data, begin + 8)
        elif name == b"data":
            if fmt is None:
                raise DspError("has its data before its format; the file is damaged")
            is_long = size == SIZE_UNKNOWN and long_size not in (0, LONG_SIZE_UNKNOWN)
            return fmt, _whole(data, begin, long_size) if is_long else _body(data, begin, size)
    raise DspError("is cut off: it ends before its audio begins")


def _require_wave(data: memoryview) -> None:
    kind, form = bytes(data[:4]), bytes(data[8:12])
    if kind in OTHER_HEADERS:
        raise DspError(f"is {OTHER_HEADERS[kind]} file, which is not read here; convert it: sox IN OUT.wav")
    if kind not in HEADERS or form != b"WAVE":
        raise DspError("is not a WAV file (no RIFF/WAVE header)")


def _body(data: memoryview, begin: int, size: int) -> memoryview:
    there = len(data) - begin
    if size == 0 and not _are_chunks(data, begin):
        size = there
    return data[begin:] if there < size >= LEAST_PROMISE else _whole(data, begin, size)


def _whole(data: memoryview, begin: int, size: int) -> memoryview:
    if (there := len(data) - begin) < size:
        raise DspError(f"is cut off: its header promises {size} bytes of audio, {there} are there")
    return data[begin : begin + size]


def _are_chunks(data: memoryview, at: int) -> bool:
    """Whether named chunks, one after the other, fill the file from here: then what stands before them is empty."""
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if not all(0x20 <= letter < 0x7F for letter in name):
            return False
        at += 8 + size + size % 2
    return len(data) <= at <= len(data) + 1


def _format(chunk: bytes) -> Format:
    if len(chunk) < 16:
        raise DspError("is damaged: its format chunk is too short")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if (tag, bits) not in READABLE:
        what = FOREIGN.get(tag, f"format tag {tag}")
        raise DspError(f"holds {what}, {bits} bits, which is not read here; convert it: sox IN.wav -e mu-law OUT.wav")
    if not channels or not rate:
        raise DspError(f"is damaged: it claims {channels} channels at {rate} samples/s")
    return Format(tag, bits, channels, rate)


def _linear(raw: npt.NDArray[np.uint8], fmt: Format) -> Samples:
    if fmt.tag in (ULAW, ALAW):
        return g711.decode(raw, "ulaw" if fmt.tag == ULAW else "alaw")
    if fmt.tag == FLOAT:
        return _finite(raw.view(f"<f{fmt.bits // 8}").astype(np.float32))
    if fmt.bits == 8:  # the only unsigned one
        return (raw.astype(np.int16) - 128) << 8
    if fmt.bits == 16:
        return np.asarray(raw.view("<i2"), np.int16)
    if fmt.bits == 24:
        return np.asarray(_signed_24(raw) / np.float32(1 << 23), np.float32)
    return np.asarray(raw.view("<i4") / np.float32(1 << 31), np.float32)


def _finite(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if not np.isfinite(samples).all():
        raise DspError("is damaged: it holds samples that are no numbers (NaN or infinity)")
    return samples


def _signed_24(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    wide = np.zeros((len(raw) // 3, 4), np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return wide.view("<i4")[:, 0] >> 8


def _packed(flat: Samples, fmt: Format) -> npt.NDArray[np.generic]:
    """The reverse of `_linear`; what was read comes out as it was (of 32-bit samples, the upper 24 bits)."""
    if fmt.tag in (ULAW, ALAW):
        return g711.encode(flat.astype(np.int16, copy=False), "ulaw" if fmt.tag == ULAW else "alaw")
    if fmt.tag == FLOAT:
        return np.asarray(flat, f"<f{fmt.bits // 8}")
    if fmt.bits == 8:
        return ((flat.astype(np.int16, copy=False) >> 8) + 128).astype(np.uint8)
    if fmt.bits == 16:
        return np.asarray(flat, "<i2")
    scaled = np.rint(flat.astype(np.float64) * (1 << fmt.bits - 1))
    whole = np.clip(scaled, -(1 << fmt.bits - 1), (1 << fmt.bits - 1) - 1).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : fmt.bits // 8].copy()


def header(fmt: Format, size: int | None) -> bytes:
    """All that stands before `size` bytes of audio; None: how many there will be is not known."""
    step = fmt.channels * fmt.bits // 8
    chunk = struct.pack("<HHIIHH", fmt.tag, fmt.channels, fmt.rate, fmt.rate * step, step, fmt.bits)
    if fmt.tag != PCM:
        # All formats but PCM need an extension size and a fact chunk (samples a channel).
        chunk += struct.pack("<H", 0)
    chunks = struct.pack("<4sI", b"fmt ", len(chunk)) + chunk
    if fmt.tag != PCM:
        chunks += struct.pack("<4sII", b"fact", 4, 0 if size is None else size // step)
    chunks += struct.pack("<4sI", b"data", SIZE_UNKNOWN if size is None else size)
    whole = SIZE_UNKNOWN if size is None else 4 + len(chunks) + size + size % 2
    return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + chunks
