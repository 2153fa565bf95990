"""The wheel of this repository, built here and installed into environments of its own, as a stranger would have it."""

import fcntl
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
PRESENT = Path(sysconfig.get_paths()["purelib"])
# What only an extra of pyproject.toml brings: a plain installation has none of it.
OF_EXTRAS = (
    "aiosipua",
    "pylibsrtp",
    "scipy",
    "matplotlib",
    "mpl_toolkits",
    "espeakng_loader",
    "argon2",
    "pyotp",
    "segno",
    "webauthn",
)
PAID = "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"


@dataclass(frozen=True)
class Installed:
    venv: Path

    def environment(self, **settings: str) -> dict[str, str]:
        """Nothing of the test run's own: no clone on the path, no setting."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{self.venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": path, "COLUMNS": "200", **settings}

    def tonetill(self, folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return self.run(folder, str(self.venv / "bin" / "tonetill"), *arguments, **settings)

    def run(self, folder: Path, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=folder, env=self.environment(**settings), capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )  # fmt: skip


def build(target: str, source: Path, folder: Path) -> Path:
    """`target`: wheel or sdist."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=source, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if "No module named hatchling" in done.stderr:
        pytest.skip("hatchling is not installed: make test installs it (requirements/dev.txt)")
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl" if target == "wheel" else "*.tar.gz"))


def install_beside_present_packages(wheel: Path, venv: Path, without: tuple[str, ...] = ()) -> Installed:
    """Without a network: the packages that the tests run with are linked in, all but those named."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=PATIENCE_S)
    packages = next((venv / "lib").glob("python*")) / "site-packages"
    for entry in PRESENT.iterdir():
        if entry.name.split("-")[0].split(".")[0] not in without and not (packages / entry.name).exists():
            (packages / entry.name).symlink_to(entry)
    command = [*pip(venv), "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    return Installed(venv)


def pip(venv: Path) -> list[str]:
    """This environment's pip, working on another."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(venv / "bin" / "python")]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that all of xdist's workers share; the first to want it fills it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder
