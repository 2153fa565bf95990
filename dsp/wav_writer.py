"""A WAV file that grows while a call lasts and takes its name when it is whole; what is in it is up to the writer.

Until then it has a name that ends in `.part`, and a header that leaves its size open, which `dsp.recording.read` and
most players take: a recorder that is killed leaves a file that can be heard up to its last second.
"""

from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.errors import DspError
from dsp.recording import SIZE_UNKNOWN, Format, header

Bytes = npt.NDArray[np.uint8]

BUFFERED: Final = 16_000  # bytes: a second of two channels of G.711
LONGEST: Final = SIZE_UNKNOWN - 64


class WavWriter:
    """Frames of G.711, `[samples, channels]`, in; one that ends up empty leaves nothing."""

    def __init__(self, path: Path, form: Format) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._form = form
        self._size = 0
        # Nobody else's to read, whatever the umask: it is somebody's voice.
        self._part.touch(mode=0o600, exist_ok=False)
        self._file = self._part.open("r+b", buffering=BUFFERED)
        self._file.write(header(form, None))

    def append(self, codes: Bytes) -> None:
        if codes.ndim != 2 or codes.shape[1] != self._form.channels or codes.dtype != np.uint8:
            raise DspError(f"codes are {codes.dtype} {codes.shape}; expected uint8 [samples, {self._form.channels}]")
        if self._size + codes.size > LONGEST:
            raise DspError(f"{self._part}: is 4 GB, as much as a WAV file can hold")
        self._file.write(np.ascontiguousarray(codes).data)
        self._size += codes.size

    def close(self) -> None:
        """Writes the true size and gives the file its name."""
        with self._file as file:
            file.write(b"\0" * (self._size % 2))
            file.seek(0)
            file.write(header(self._form, self._size))
        if self._size:
            self._part.replace(self.path)
        else:
            self._part.unlink()

    def __enter__(self) -> "WavWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
