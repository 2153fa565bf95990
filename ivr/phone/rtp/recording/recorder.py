"""Recordings of calls, masked before a sample of them is kept: what `recordings` tells becomes WAV files; no sockets.

A process of its own, so that neither masking nor a slow disk holds a tick up. It reads its messages from standard
input and ends, with every recording whole, when that does. The left channel is the caller, beeped and veiled by
`dsp.mask` as it is where keys are expected all the time; the right one is what the caller heard, which holds no keys.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from dsp.errors import DspError
from dsp.mask import Masker
from dsp.recording import ULAW, Format
from dsp.wav_writer import WavWriter
from ivr.phone.rtp.memory_protection import protect_memory
from ivr.phone.rtp.packets import FRAME, RATE, Bytes, Mask, Rows
from ivr.phone.rtp.recording.recordings import BEGIN, END, HEAD, ROW, ROW_BYTES, TICK, silent

STEREO: Final = Format(ULAW, 8, 2, RATE)
# Masked and written together: a second of a thousand calls is then two thousand writes, not fifty thousand.
BATCH: Final = 25  # ticks
MOST_MISSING: Final = 50 * 60  # ticks that are made up for by silence: a minute
READ_BYTES: Final = 1 << 20


@dataclass
class Tape:
    """A call's file, and which samples of the batch are its."""

    row: int
    file: WavWriter
    start: int = 0
    stop: int | None = None


class Recorder:
    """A file that cannot be written ends with what it has, is told of by `complain`, and ends no other."""

    def __init__(self, folder: Path, capacity: int, complain: Callable[[str], object] = sys.stderr.write) -> None:
        self._folder, self._complain = folder, complain
        self._masker = Masker(capacity, "ulaw")
        self._heard, self._said = silent(capacity, BATCH * FRAME), silent(capacity, BATCH * FRAME)
        self._seams = np.zeros((capacity, BATCH), bool)
        # The masker gives back what it is given a frame later: these wait for it.
        self._said_before = silent(capacity, FRAME)
        self._hidden_before = np.zeros(capacity, bool)
        self._tapes: dict[int, Tape] = {}
        self._ending: list[Tape] = []
        self._ticks = 0  # in the batch
        self._number: int | None = None

    def begin(self, row: int, name: str) -> None:
        if any(tape.row == row for tape in self._ending):
            self._finish_batch()
        if not self._tapes:
            self._number = None  # nobody has missed what came before
        try:
            file = WavWriter(self._folder / f"{name}.wav", STEREO)
        except OSError as error:
            self._complain(f"recorder: {name} is not recorded: {error.strerror}\n")
            return
        self._tapes[row] = Tape(row, file, self._ticks * FRAME)
        self._seams[row, self._ticks] = True

    def end(self, row: int) -> None:
        """When nobody is recorded any more no tick follows, so that nothing may wait for one."""
        if tape := self._tapes.pop(row, None):
            tape.stop = self._ticks * FRAME
            self._ending.append(tape)
        if not self._tapes:
            self._finish_batch()

    def tick(self, number: int, rows: Rows, seams: Mask, heard: Bytes, said: Bytes) -> None:
        """number: ticks that the recorder was not told of are silent; seams: [rows]; heard, said: [rows, 160] of mu-law."""
        missing = 0 if self._number is None else number - self._number - 1
        for _ in range(min(missing, MOST_MISSING)):
            self._seams[:, self._ticks] = True
            self._next_tick()
        self._number = number
        place = slice(self._ticks * FRAME, (self._ticks + 1) * FRAME)
        self._heard[rows, place] = heard
        self._said[rows, place] = said
        self._seams[rows, self._ticks] |= seams | (missing > 0)
        self._next_tick()

    def close(self) -> None:
        for row in list(self._tapes):
            self.end(row)

    def _next_tick(self) -> None:
        self._ticks += 1
        if self._ticks == BATCH:
            self._finish_batch()

    def _finish_batch(self) -> None:
        if self._ticks:
            self._write()
        over = [tape.row for tape in self._ending]
        for tape in self._ending:
            self._attempt(tape, tape.file.close)
        self._masker.wipe(over)
        self._said_before[over] = silent(1, 1)
        self._ending, self._ticks = [], 0

    def _write(self) -> None:
        count = self._ticks * FRAME
        recorded = [*self._tapes.values(), *self._ending]
        self._masker.expect_keys([tape.row for tape in recorded])
        masked = self._masker(self._heard[:, :count])
        masked.reshape(len(masked), -1, FRAME)[self._hidden()] = silent(1, 1)
        said = np.concatenate([self._said_before, self._said[:, :count]], axis=1)
        self._said_before = said[:, count:]
        for tape in recorded:
            own = slice(tape.start, count if tape.stop is None else tape.stop)
            both = np.stack([masked[tape.row, own], said[tape.row, own]], axis=1)
            self._attempt(tape, partial(tape.file.append, both))
            tape.start = 0
        self._heard[:] = self._said[:] = silent(1, 1)
        self._seams[:] = False

    def _hidden(self) -> Mask:
        """[rows, ticks] of the masker's frames on either side of a seam.

        Where audio is missing, a key may be cut to a stub of 1 to 4 ms, too short to be masked and long enough to be read.
        """
        hidden = np.zeros((len(self._seams), self._ticks + 1), bool)
        hidden[:, :-1] = self._seams[:, : self._ticks]
        hidden[:, 1:] |= self._seams[:, : self._ticks]
        hidden[:, 0] |= self._hidden_before
        self._hidden_before = hidden[:, -1]
        return hidden[:, :-1]

    def _attempt(self, tape: Tape, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, DspError) as error:
            self._complain(f"recorder: {tape.file.path.name} ends early: {error}\n")
            self._tapes.pop(tape.row, None)


class Messages:
    """Cuts what comes through the pipe into messages and carries them out; what waits for more is overwritten after."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._rest = bytearray()

    def feed(self, piece: bytes) -> None:
        self._rest += piece
        done = 0
        while (length := self._length_at(done)) is not None and done + length <= len(self._rest):
            self._carry_out(bytes(self._rest[done : done + length]))
            done += length
        self._rest[:done] = bytes(done)
        del self._rest[:done]

    def _length_at(self, at: int) -> int | None:
        if at + HEAD.size > len(self._rest):
            return None
        kind, _, count = HEAD.unpack_from(self._rest, at)
        return HEAD.size + int(count) * (1 if kind == BEGIN else ROW_BYTES)

    def _carry_out(self, message: bytes) -> None:
        kind, number, count = HEAD.unpack_from(message)
        body = np.frombuffer(message, np.uint8, offset=HEAD.size)
        if kind == BEGIN:
            self._recorder.begin(number, body.tobytes().decode())
        elif kind == END:
            self._recorder.end(number)
        elif kind == TICK:
            rows, seams, audio = np.split(body, [count * ROW.itemsize, count * (ROW.itemsize + 1)])
            heard, said = audio.reshape(2, count, FRAME)
            self._recorder.tick(number, rows.view(ROW).astype(np.intp), seams.view(bool), heard, said)


def main(folder: str, capacity: str) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # calls that are draining are recorded to their end
    protect_memory()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a file a call
    recorder = Recorder(Path(folder), int(capacity))
    messages = Messages(recorder)
    while piece := os.read(sys.stdin.fileno(), READ_BYTES):
        messages.feed(piece)
    recorder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
