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

from benchmarks.peers.debian import PeerMissing, Tree, debian

SOURCE = Path(__file__).with_name("receiver.c")


@functools.cache
def program() -> tuple[str, ...]:
    """The command that runs it; what is compiled lives in a temporary folder of this process."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise PeerMissing("no C compiler for spandsp's wrapper: `apt-get install gcc libc6-dev` brings it")
    made = Path(tempfile.mkdtemp(prefix="spandsp-")) / "receiver"
    if compiles(compiler, made):
        return (str(made),)
    # Not installed: unpacked, and run by the loader and the libraries that came with it.
    tree = Tree("spandsp", debian(), ("libspandsp-dev",))
    headers = (tree.root / "usr" / "include", tree.root / "usr" / "include" / f"{platform.machine()}-linux-gnu")
    where = [word for folder in headers for word in ("-idirafter", str(folder))]
    linked = ("-L", str(tree.libraries), f"-Wl,-rpath-link,{tree.libraries}")
    if not compiles(compiler, made, *where, *linked):
        raise PeerMissing("spandsp's wrapper cannot be compiled: `apt-get install libspandsp-dev` brings what it lacks")
    return tuple(tree.command(str(made)))


def compiles(compiler: str, made: Path, *where: str) -> bool:
    command = [compiler, "-O2", str(SOURCE), "-o", str(made), *where, "-lspandsp", "-lm"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def decode_many(signals: Sequence[npt.NDArray[np.int16]]) -> list[str]:
    """The keys in each 8 kHz signal, each heard by a receiver of its own."""
    pieces = [np.ascontiguousarray(signal, "<i2") for signal in signals]
    lines = b"".join(np.uint32(len(piece)).tobytes() + piece.tobytes() for piece in pieces)
    heard = subprocess.run([*program(), "decode"], input=lines, stdout=subprocess.PIPE, check=True).stdout
    return heard.decode().split("\n")[: len(pieces)]


def channels_a_core(pool: npt.NDArray[np.int16], channels: int, seconds: int) -> float:
    """How many channels one core hears in real time; each goes through the pool from another place."""
    command = [*program(), "speed", str(channels), str(seconds)]
    shown = subprocess.run(
        command, input=np.ascontiguousarray(pool, "<i2").tobytes(), stdout=subprocess.PIPE, check=True
    )
    return float(shown.stdout)
