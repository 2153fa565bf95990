"""Real telephone systems for tests: unpacked once with apt tools into a cache, run from a folder of their own on free ports."""

import fcntl
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ivr.settings import ROOT

SHARED = Path(os.environ.get("TONETILL_SHARED", ROOT.parent / "shared"))
UNPACK = SHARED / "peers" / "debtree.sh"
CACHE = Path(os.environ.get("TONETILL_PEERS", ROOT / "var" / "peers"))
DEPLOY = ROOT / "deploy"
UNPACK_S, START_S = 180, 30

needs_peers = [
    pytest.mark.peer,
    pytest.mark.skipif(not UNPACK.is_file(), reason=f"no {UNPACK}; set TONETILL_SHARED"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="peers are unpacked with apt, which is not here"),
]


class Tree:
    """Debian packages unpacked under a folder, not installed: programs run through the loader that came with them."""

    def __init__(self, name: str, suite: str, packages: Sequence[str]) -> None:
        self.root = CACHE / name / "root"
        self._unpack(name, suite, packages)
        triplet = f"{platform.machine()}-linux-gnu"
        folders = [f"usr/lib/{triplet}", f"lib/{triplet}", "usr/lib", f"usr/lib/{triplet}/{name}"]
        self._libraries = ":".join(str(self.root / folder) for folder in folders)
        found = [*self.root.glob("usr/lib64/ld-linux*.so.*"), *self.root.glob(f"usr/lib/{triplet}/ld-linux*.so.*")]
        found += [*self.root.glob("lib64/ld-linux*.so.*"), *self.root.glob(f"lib/{triplet}/ld-linux*.so.*")]
        self._loader = found[0]
        self.libraries = self.root / "usr" / "lib" / triplet

    def command(self, program: str, *words: str) -> list[str]:
        return [str(self._loader), "--library-path", self._libraries, str(self.root / program), *words]

    def _unpack(self, name: str, suite: str, packages: Sequence[str]) -> None:
        folder = CACHE / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command = ["sh", str(UNPACK), str(folder), suite, *packages]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=UNPACK_S, check=False)
            except subprocess.TimeoutExpired:
                pytest.skip(f"{name} could not be unpacked within {UNPACK_S} s: is there a Debian mirror?")
        if done.returncode or not self.root.is_dir():
            pytest.skip(f"{name} could not be unpacked: {done.stderr.strip()[-200:]}")


def debian() -> str:
    """The suite of this machine, for peers that any suite has."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "bookworm")


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


# ---- Asterisk

ASTERISK = ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-wav")
UNUSED = [
    "chan_iax2",
    "chan_skinny",
    "chan_unistim",
    "chan_mgcp",
    "pbx_dundi",
    "res_phoneprov",
    "app_voicemail_imap",
    "app_voicemail_odbc",
    "app_voicemail",
    "cdr_csv",
    "cel_custom",
    "res_hep",
    "res_geolocation",
    "chan_dahdi",
    "res_stir_shaken",
]


class Asterisk:
    """deploy/asterisk as it stands, included by the configuration of a PBX that a test writes."""

    def __init__(self, folder: Path, tree: Tree, mains: Mapping[str, str]) -> None:
        self.folder, self._tree = folder / "asterisk", tree
        self.etc = self.folder / "etc"
        shutil.copytree(DEPLOY / "asterisk", self.etc / "tonetill")
        self._configure()
        for name, text in mains.items():
            (self.etc / name).write_text(text)

    @contextmanager
    def started(self) -> Iterator["Asterisk"]:
        command = self._tree.command("usr/sbin/asterisk", "-C", str(self.etc / "asterisk.conf"), "-f")
        with running(command, self.folder / "stdout"):
            due = time.monotonic() + START_S
            while "fully booted" not in self.cli("core waitfullybooted"):
                assert time.monotonic() < due, (self.folder / "stdout").read_text()[-2000:]
                time.sleep(0.3)  # a real program: nothing tells when it has opened its console
            yield self
            self.cli("core stop now")

    def cli(self, line: str) -> str:
        command = self._tree.command("usr/sbin/asterisk", "-C", str(self.etc / "asterisk.conf"), "-rx", line)
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout + done.stderr

    def log(self) -> str:
        return (self.folder / "log" / "full.log").read_text(errors="replace")

    def _configure(self) -> None:
        root = self._tree.root
        for name in ("run", "log", "spool", "lib", "cache", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for entry in (root / "usr" / "share" / "asterisk").iterdir():
            (self.folder / "data" / entry.name).symlink_to(entry)
        (self.folder / "lib" / "documentation").symlink_to(root / "usr" / "share" / "asterisk" / "documentation")
        modules = next(root.glob("usr/lib/**/chan_pjsip.so")).parent
        places = {"etc": self.etc, "mod": modules, "varlib": self.folder / "lib", "db": self.folder / "lib"}
        places |= dict.fromkeys(("key", "agi"), self.folder / "lib")
        places |= {name: self.folder / name for name in ("data", "spool", "run", "log", "cache")}
        lines = [f"ast{name}dir => {place}" for name, place in places.items()]
        written = {
            "asterisk.conf": "[directories]\n" + "\n".join(lines) + "\n[options]\nverbose = 1\n",
            "modules.conf": "[modules]\nautoload = yes\n" + "".join(f"noload = {name}.so\n" for name in UNUSED),
            "logger.conf": "[general]\n[logfiles]\nconsole => warning,error\nfull.log => notice,warning,error,verbose\n",
            "cdr.conf": "[general]\nenable = no\n",
            "manager.conf": "[general]\nenabled = no\n",
        }
        empty = [
            "features",
            "indications",
            "ccss",
            "udptl",
            "acl",
            "stasis",
            "sorcery",
            "extconfig",
            "cli",
            "codecs",
            "dsp",
            "musiconhold",
            "http",
            "ari",
        ]
        for name, text in {**{f"{one}.conf": "" for one in empty}, **written}.items():
            (self.etc / name).write_text(text)


# ---- Kamailio

KAMAILIO = ("kamailio", "kamailio-tls-modules")


class Kamailio:
    """deploy/kamailio as it stands; `site` replaces its four files of addresses and keys."""

    def __init__(self, folder: Path, tree: Tree, site: Mapping[str, str]) -> None:
        self.folder, self._tree = folder / "kamailio", tree
        shutil.copytree(DEPLOY / "kamailio", self.folder)
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
