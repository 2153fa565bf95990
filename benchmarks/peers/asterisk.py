"""Asterisk, unpacked and run from a folder of its own with the configuration that its user writes."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.debian import ROOT, PeerMissing, Tree, running

SUITE, PACKAGES = "sid", ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-wav")
START_S = 60
# Modules that want hardware, a database or a port that is not ours to take.
NOT_LOADED = (
    *("chan_iax2", "chan_skinny", "chan_unistim", "chan_mgcp", "chan_dahdi", "pbx_dundi", "res_phoneprov"),
    *("app_voicemail", "app_voicemail_imap", "app_voicemail_odbc", "cdr_csv", "cel_custom"),
    *("res_hep", "res_geolocation", "res_stir_shaken"),
)
# Files that Asterisk complains of where they are missing; nothing is wanted of them.
EMPTY = (
    *("features", "indications", "ccss", "udptl", "acl", "stasis", "sorcery", "extconfig", "cli", "codecs", "dsp"),
    *("musiconhold", "http", "ari"),
)


class Asterisk:
    """`mains`: the files of its etc folder that decide what it does, such as pjsip.conf and extensions.conf.

    deploy/asterisk lies beside them as `tonetill/`, to be included as it stands.
    """

    def __init__(self, folder: Path, tree: Tree, mains: Mapping[str, str]) -> None:
        self.folder, self._tree = folder / "asterisk", tree
        self.etc = self.folder / "etc"
        self.pid = 0
        shutil.copytree(ROOT / "deploy" / "asterisk", self.etc / "tonetill")
        self._lay_out()
        for name, text in {**self._standard(), **mains}.items():
            (self.etc / name).write_text(text)

    @contextmanager
    def started(self) -> Iterator["Asterisk"]:
        """Once it takes calls; its process's number is `pid` then."""
        command = self._tree.command("usr/sbin/asterisk", "-C", str(self.etc / "asterisk.conf"), "-f")
        with running(command, self.folder / "stdout") as process:
            self.pid = process.pid
            due = time.monotonic() + START_S
            while "fully booted" not in self.cli("core waitfullybooted"):
                if time.monotonic() > due:
                    raise PeerMissing(f"Asterisk did not start: {(self.folder / 'stdout').read_text()[-2000:]}")
                time.sleep(0.3)  # a real program: nothing tells when it has opened its console
            yield self
            self.cli("core stop now")

    def cli(self, line: str) -> str:
        command = self._tree.command("usr/sbin/asterisk", "-C", str(self.etc / "asterisk.conf"), "-rx", line)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, errors="replace")
        return done.stdout + done.stderr

    def log(self) -> str:
        return (self.folder / "log" / "full.log").read_text(errors="replace")

    def _lay_out(self) -> None:
        for name in ("run", "log", "spool", "lib", "cache", "data/sounds"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        share = self._tree.root / "usr" / "share" / "asterisk"
        for entry in share.iterdir():
            if entry.name != "sounds":
                (self.folder / "data" / entry.name).symlink_to(entry)
        # `en` is what is played by default; the package has it under a longer name, found by a sound that it has.
        spoken = next((sound.parent for sound in share.rglob("vm-password.*")), share)
        (self.folder / "data" / "sounds" / "en").symlink_to(spoken)
        (self.folder / "lib" / "documentation").symlink_to(share / "documentation")

    def _standard(self) -> dict[str, str]:
        modules = next(self._tree.root.glob("usr/lib/**/chan_pjsip.so")).parent
        places = {"etc": self.etc, "mod": modules, "varlib": self.folder / "lib", "db": self.folder / "lib"}
        places |= dict.fromkeys(("key", "agi"), self.folder / "lib")
        places |= {name: self.folder / name for name in ("data", "spool", "run", "log", "cache")}
        lines = "\n".join(f"ast{name}dir => {place}" for name, place in places.items())
        return {
            **{f"{name}.conf": "" for name in EMPTY},
            "asterisk.conf": f"[directories]\n{lines}\n[options]\nverbose = 1\nmaxfiles = 20000\n",
            "modules.conf": "[modules]\nautoload = yes\n" + "".join(f"noload = {name}.so\n" for name in NOT_LOADED),
            "logger.conf": "[general]\n[logfiles]\nconsole => warning,error\nfull.log => notice,warning,error,verbose\n",
            "cdr.conf": "[general]\nenable = no\n",
            "manager.conf": "[general]\nenabled = no\n",
        }
