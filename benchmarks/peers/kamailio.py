"""Kamailio with deploy/kamailio as it stands."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.debian import ROOT, Tree, running

PACKAGES = ("kamailio", "kamailio-tls-modules")


class Kamailio:
    """`site` replaces its four files of addresses and keys."""

    def __init__(self, folder: Path, tree: Tree, site: Mapping[str, str]) -> None:
        self.folder, self._tree = folder / "kamailio", tree
        shutil.copytree(ROOT / "deploy" / "kamailio", self.folder)
        for name, text in site.items():
            (self.folder / name).write_text(text)

    @contextmanager
    def started(self) -> Iterator["Kamailio"]:
        modules = self._tree.libraries / "kamailio" / "modules"
        command = self._tree.command(
            *("usr/sbin/kamailio", "-DD", "-E", "-f", str(self.folder / "kamailio.cfg"), "-L", str(modules)),
            *("-m", "64", "-M", "8", "-Y", str(self.folder), "-w", str(self.folder)),
        )
        with running(command, self.folder / "log") as process:
            yield self
            assert process.poll() is None, self.log()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]
