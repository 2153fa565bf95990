"""Where the DTMF benchmarks get their peer (Debian's libspandsp), the Q.24 matrix and real recordings; times nothing."""

import importlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

SHARED = Path(os.environ.get("TONETILL_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
# Debian's asterisk-core-sounds-{en,es,fr}-wav, -moh-opsound-wav, -prompt-fr-armelle, -prompt-es-co unpack here.
SOUNDS = Path(os.environ.get("TONETILL_SOUNDS", "/usr/share/asterisk"))


def shared_module(name: str) -> ModuleType:
    """A module of the shared folder, or an exit that says how to get it."""
    folder = SHARED / "dsp"
    if not folder.is_dir():
        raise SystemExit(
            f"no {folder}: set TONETILL_SHARED to the folder that holds dsp/q24_matrix.py and spandsp_ref/"
        )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def spandsp() -> ModuleType:
    """The peer's wrapper, its program compiled into a temporary folder (needs gcc and libspandsp-dev)."""
    if "SPANDSP_REF_BIN" not in os.environ:
        os.environ["SPANDSP_REF_BIN"] = str(Path(tempfile.mkdtemp(prefix="spandsp")) / "spandsp_ref")
    return shared_module("spandsp_ref")


def recordings(
    folders: Sequence[Path] = (SOUNDS,), law: str = "ulaw", level: float | None = None
) -> tuple[list[str], list[npt.NDArray[np.int16]]]:
    """Names and 8 kHz signals of every WAV file under these folders, through G.711; level in dBm0, None: as it is."""
    for folder in folders:
        if not folder.is_dir():
            raise SystemExit(f"no {folder}: install Asterisk's sound packages or name a folder of WAV files")
    names, signals = shared_module("talkoff").corpus(folders, level=level, codec=law)
    return names, signals


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=150).print(table)
