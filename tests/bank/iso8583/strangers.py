"""Foreign hosts as processes, each with messages written in another way, and specs that say so; skips where iso8583sim is not."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ivr.bank.iso8583.spec import SHIPPED_SPEC
from ivr.places import SHIPPED as ROOT
from tests.bank.iso8583.running import RunningHost
from tests.bank_process import BankKeys

TPDU = "6000010002"
needs_stranger = pytest.mark.skipif(
    importlib.util.find_spec("iso8583sim") is None,
    reason="needs iso8583sim: .venv/bin/python -m pip install --require-hashes -r requirements/dev.txt",
)


@dataclass(frozen=True)
class Stranger(RunningHost):
    def seen(self, stan: str = "") -> list[dict[str, str]]:
        """What it has read, by its own library; of one trace number, or all."""
        file = self.folder / "seen.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        found = [json.loads(line) for line in lines]
        return [one for one in found if one["11"] == stan] if stan else found


@contextmanager
def stranger(keys: BankKeys, folder: Path, form: str, tpdu: str = "") -> Iterator[Stranger]:
    for name in ("server.crt", "server.key"):
        shutil.copy(keys.bank / name, folder / name)
    line = [sys.executable, "-m", "tests.bank.iso8583.foreign", str(folder), form, tpdu]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            yield Stranger(f"tls://127.0.0.1:{port}", folder, keys)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def foreign(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    with stranger(bank_keys, tmp_path_factory.mktemp("foreign"), "ascii-binary") as one:
        yield one


def spec_with(folder: Path, *changes: tuple[str, str]) -> Path:
    """The one that ships, with some of it written otherwise."""
    text = SHIPPED_SPEC.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    return file


BCD = (
    ("digits: ascii", "digits: bcd"),
    ("lengths: ascii", "lengths: bcd"),
    ('"39": {is: text', '"39": {is: digits'),  # iso8583sim packs it, where the standard has two letters or digits
)
EBCDIC = (
    ("digits: ascii", "digits: ebcdic"),
    ("text: ascii", "text: ebcdic"),
    ("lengths: ascii", "lengths: ebcdic"),
)
HEX = (("bitmaps: binary", "bitmaps: hex"),)
FORMATS = {"ascii-binary": (), "bcd": BCD, "ebcdic": EBCDIC, "ascii-hex": HEX}
