"""spandsp's DTMF receiver as the decoders' peer: a small program over Debian's libspandsp, compiled when first wanted."""

import functools
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.peers.debian import CACHE, PeerMissing, debian, one_at_a_time, unpack

SOURCE = Path(__file__).with_name("receiver.c")


@functools.cache
def program() -> str:
    """The compiled program's path; it lives as long as the temporary folder of this process."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise PeerMissing("no C compiler for spandsp's wrapper: `apt-get install gcc libc6-dev` brings it")
    made = Path(tempfile.mkdtemp(prefix="spandsp-")) / "receiver"
    if not _compiles(compiler, made, ()) and not _compiles(compiler, made, _unpacked()):
        raise PeerMissing(
            "spandsp's wrapper cannot be compiled: `apt-get install libspandsp-dev` may bring what it lacks"
        )
    return str(made)


def _compiles(compiler: str, made: Path, where: Sequence[str]) -> bool:
    command = [compiler, "-O2", str(SOURCE), "-o", str(made), *where, "-lspandsp", "-lm"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unpacked() -> Sequence[str]:
    """Options that find the library where it was unpacked without being installed."""
    folder = CACHE / "spandsp"
    with one_at_a_time(folder):
        unpack(folder, debian(), ("libspandsp-dev",))
    usr = folder / "root" / "usr"
    libraries = usr / "lib" / f"{platform.machine()}-linux-gnu"
    linked = [f"-Wl,{option},{libraries}" for option in ("-rpath", "-rpath-link")]
    return ("-I", str(usr / "include"), "-L", str(libraries), "-Wl,--disable-new-dtags", *linked)


def decode_many(signals: Sequence[npt.NDArray[np.int16]]) -> list[str]:
    """The keys in each 8 kHz signal, each heard by a receiver of its own."""
    pieces = [np.ascontiguousarray(signal, "<i2") for signal in signals]
    lines = b"".join(np.uint32(len(piece)).tobytes() + piece.tobytes() for piece in pieces)
    heard = subprocess.run([program(), "decode"], input=lines, stdout=subprocess.PIPE, check=True).stdout
    return heard.decode().split("\n")[: len(pieces)]


def channels_a_core(pool: npt.NDArray[np.int16], channels: int, seconds: int) -> float:
    """How many channels one core hears in real time; each goes through the pool from another place."""
    command = [program(), "speed", str(channels), str(seconds)]
    shown = subprocess.run(
        command, input=np.ascontiguousarray(pool, "<i2").tobytes(), stdout=subprocess.PIPE, check=True
    )
    return float(shown.stdout)
