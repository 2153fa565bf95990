"""Debian packages unpacked into a folder, not installed: any suite's, without root, run through their own loader.

apt is given folders, a source list and a status file of its own, so it resolves everything a package needs from nothing,
and the machine's packages stay as they are.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("TONETILL_PEERS", ROOT / "var" / "peers"))
KEYRINGS = Path("/usr/share/keyrings")
UNPACK_S = 300


class PeerMissing(Exception):
    """Why a peer cannot be run here, and what would bring it."""


class Tree:
    """A package and all that it needs, below `root`; `name` is the folder of the cache it is kept in."""

    def __init__(self, name: str, suite: str, packages: Sequence[str]) -> None:
        self.root = CACHE / name / "root"
        with one_at_a_time(CACHE / name):
            unpack(CACHE / name, suite, packages)
        triplet = f"{platform.machine()}-linux-gnu"
        self.libraries = self.root / "usr" / "lib" / triplet
        folders = [f"usr/lib/{triplet}", f"lib/{triplet}", "usr/lib", f"usr/lib/{triplet}/{name}"]
        self._paths = ":".join(str(self.root / folder) for folder in folders)
        places = ("usr/lib64", f"usr/lib/{triplet}", "lib64", f"lib/{triplet}")
        loaders = [loader for place in places for loader in self.root.glob(f"{place}/ld-linux*.so.*")]
        if not loaders:
            raise PeerMissing(f"{name}: the packages came without a loader (libc6)")
        self._loader = loaders[0]

    def command(self, program: str, *words: str) -> list[str]:
        """`program` as below the root, such as usr/sbin/asterisk."""
        return [str(self._loader), "--library-path", self._paths, str(self.root / program), *words]


def unpack(folder: Path, suite: str, packages: Sequence[str]) -> None:
    """Into `folder`/root, once for each suite and list of packages."""
    wanted = hashlib.sha256(" ".join((suite, *packages)).encode()).hexdigest()[:16]
    stamp = folder / f".unpacked-{wanted}"
    if stamp.exists():
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PeerMissing(f"{packages[0]} is unpacked with apt-get and dpkg-deb, which are not here")
    apt = folder / f"apt-{suite}"
    options = prepare_apt(apt, suite)
    run("apt-get", *options, "-qq", "update")
    run("apt-get", *options, "-qq", "-y", "--no-install-recommends", "--download-only", "install", *packages)
    (folder / "root").mkdir(exist_ok=True)
    for package in sorted((apt / "archives").glob("*.deb")):
        extract(package, folder / "root")
    shutil.rmtree(apt)
    stamp.touch()


def prepare_apt(folder: Path, suite: str) -> list[str]:
    """Options that keep apt within `folder`."""
    for part in ("lists/partial", "archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for empty in ("status", "preferences"):
        (folder / empty).touch()
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={keyring()}] {mirror()} {suite} main\n")
    places = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": folder / "preferences",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::State::extended_states": folder / "extended",
        "Dir::Cache::archives": folder / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
    }
    return [word for name, value in places.items() for word in ("-o", f"{name}={value}")]


def mirror() -> str:
    """Where this machine's own apt gets Debian from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)"]
    shown = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found = [words[0] for line in shown.splitlines() if (words := line.split())[1:] == ["Debian", "Debian"]]
    if not found:
        raise PeerMissing("apt knows no Debian archive: `apt-get update` first, on a Debian machine")
    return found[0]


def keyring() -> Path:
    found = sorted(KEYRINGS.glob("debian-archive-keyring.*"))
    if not found:
        raise PeerMissing("no Debian keys: `apt-get install debian-archive-keyring` brings them")
    return found[0]


def extract(package: Path, root: Path) -> None:
    """Links of one package may point into another: a folder that is a link stays one."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as archive:
        tar = ["tar", "-x", "--no-same-owner", "--keep-directory-symlink", "-C", str(root), "-f", "-"]
        subprocess.run(tar, stdin=archive.stdout, stderr=subprocess.DEVNULL, check=False)
    if archive.returncode:
        raise PeerMissing(f"{package.name} cannot be unpacked")


def run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=UNPACK_S, check=False)
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"{command[0]} took more than {UNPACK_S} s: is there a Debian mirror?") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PeerMissing(f"{command[0]} failed: {reason[:200]}")


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Tests run in parallel, and each may be the first to want a peer."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def debian() -> str:
    """The suite of this machine, for peers that any suite has."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "bookworm")


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program with its output in `log`, stopped when the block is left."""
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
