"""Starts the recorder beside a media worker and hands it what there is to record; never waits for it."""

import fcntl
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from ivr.errors import ConfigError
from ivr.phone.rtp.recording.recordings import ROW_BYTES

MOST_PIPE_BYTES: Final = 1 << 20  # as much as an unprivileged process may have
PIPE_TICKS: Final = 4  # what has left us and has not been read lies there
STOP_S: Final = 10.0


class RecorderProcess:
    """A recorder that is lost ends the recordings, not the calls."""

    def __init__(self, folder: str, capacity: int) -> None:
        place = Path(folder)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"recordings: {folder}: {error.strerror}") from None
        if not os.access(place, os.W_OK | os.X_OK):
            raise ConfigError(f"recordings: {folder}: this user may not write there")
        command = [sys.executable, "-m", "ivr.phone.rtp.recording.recorder", str(place.resolve()), str(capacity)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._pipe = self._process.stdin.fileno()
        os.set_blocking(self._pipe, False)
        with suppress(OSError):  # a user's pipes may hold so much together; smaller ones do, with more turns
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, min(MOST_PIPE_BYTES, PIPE_TICKS * capacity * ROW_BYTES))
        self.lost = False

    def hand_over(self, outbox: bytearray) -> None:
        """As much as the pipe takes; it is overwritten and taken out of the box."""
        if not outbox:
            return
        try:
            sent = len(outbox) if self.lost else os.write(self._pipe, outbox)
        except BlockingIOError:
            return
        except OSError:
            self.lost, sent = True, len(outbox)
        outbox[:sent] = bytes(sent)
        del outbox[:sent]

    def stop(self) -> None:
        """Lets it finish what it was told."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
