"""The patches of this folder, and how one comes into a copy of the tree and out again. Git puts them in, as it does elsewhere."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benches import ROOT

FOLDER = Path(__file__).parent
# What a finder needs of the tree; `var`, the environment and what was built stay behind.
COPIED = (
    "app.py",
    "alembic.ini",
    "conftest.py",
    "pyproject.toml",
    "Makefile",
    "Procfile",
    "README.md",
    "ARCHITECTURE.md",
)
COPIED_FOLDERS = (
    "benchmarks",
    "config",
    "deploy",
    "docs",
    "dsp",
    "flows",
    "ivr",
    "migrations",
    "requirements",
    "tests",
)


class PatchFailed(Exception):
    """A patch that does not apply to the tree any more, or leaves something that is no Python."""


@dataclass(frozen=True)
class Mutant:
    """`files`: those that it changes, from the top of the tree. `finder`: what has found it before. `unit`: ordinary tests of that
    code, for pytest."""

    name: str
    reason: str
    finder: str
    unit: tuple[str, ...]
    files: tuple[str, ...]
    patch: Path


def read_mutants(folder: Path = FOLDER) -> list[Mutant]:
    """By name."""
    return [read_mutant(file) for file in sorted(folder.glob("*.patch"))]


def read_mutant(file: Path) -> Mutant:
    lines = file.read_text().splitlines()
    head = lines[: next((number for number, line in enumerate(lines) if line.startswith("--- ")), len(lines))]
    said = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    files = [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ b/")]
    unit = said.get("Unit", "").split()
    return Mutant(file.stem, head[0] if head else "", said.get("Finder", ""), tuple(unit), tuple(files), file)


def copy_tree(to: Path) -> None:
    for name in COPIED:
        shutil.copy2(ROOT / name, to / name)
    for name in COPIED_FOLDERS:
        ignored = shutil.ignore_patterns("*.pyc", "*.patch")
        shutil.copytree(ROOT / name, to / name, ignore=ignored, symlinks=True, dirs_exist_ok=True)


@contextmanager
def applied(mutant: Mutant, tree: Path) -> Iterator[None]:
    """PatchFailed names the patch. Afterwards the tree is as it was."""
    before = {name: (tree / name).read_bytes() for name in mutant.files if (tree / name).is_file()}
    try:
        put_in(mutant, tree)
        require_python(mutant, tree)
        yield
    finally:
        for name, content in before.items():
            write(tree / name, content)


def put_in(mutant: Mutant, tree: Path) -> None:
    """Lines may have moved, and those around may have changed: what a patch takes out must be there."""
    command = ["git", "apply", "-C0", "--unidiff-zero", "--whitespace=nowarn", str(mutant.patch.resolve())]
    # The copy may lie inside a repository, of which it is no part.
    around = os.environ | {
        "GIT_CEILING_DIRECTORIES": str(tree.resolve().parent),
        "GIT_DIR": str(tree / "no-repository"),
    }
    done = subprocess.run(command, cwd=tree, env=around, capture_output=True, text=True)
    if done.returncode:
        raise PatchFailed(
            f"{mutant.patch.name} does not apply: {done.stderr.strip()}; write it anew for the code as it is"
        )
    for name in mutant.files:
        write(tree / name, (tree / name).read_bytes())


def require_python(mutant: Mutant, tree: Path) -> None:
    for name in mutant.files:
        try:
            compile((tree / name).read_bytes(), name, "exec")
        except SyntaxError as error:
            raise PatchFailed(f"{mutant.patch.name} leaves no Python: {name}:{error.lineno}: {error.msg}") from None


def write(file: Path, content: bytes) -> None:
    """What was compiled of it before is gone: two versions may have one length and be of one second."""
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink()
    file.write_bytes(content)


def named(mutants: Sequence[Mutant], wanted: Sequence[str]) -> list[Mutant]:
    """Those whose name has one of the words; all where there is none. PatchFailed for a word that no name has."""
    for word in wanted:
        if not any(word in one.name for one in mutants):
            raise PatchFailed(f"no patch has '{word}' in its name; --list shows all")
    return [one for one in mutants if not wanted or any(word in one.name for word in wanted)]
