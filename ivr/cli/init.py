"""`init`: a merchant's own project in a new folder, copied from what ships; afterwards nothing of ours is in it."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path

import click

import ivr
from ivr.cli.flow_choice import SAMPLE
from ivr.errors import ConfigError
from ivr.places import COMMAND, IS_CLONE, PROJECT_FILE, SHIPPED
from ivr.settings import DEFAULTS

PLUGIN = "ivr.testing.plugin"  # as pyproject.toml names it for pytest
TEMPLATE = SHIPPED / "config" / "project"
FLOWS = SHIPPED / "flows"
SAMPLES = (
    "flows/prompts",
    "config/accounts.csv",
    "config/banks.yaml",
    "config/flow.schema.json",
    "config/part.schema.json",
)
# A new repository may hold these already.
MAY_BE_THERE = frozenset({".git", ".venv"})
PLACEHOLDERS = {"README.md", "requirements.txt"}  # files in which our version and the project's name are filled in


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--flow", "also", metavar="NAME", multiple=True, help="This sample flow too, beside pay-a-bill.")
def init(folder: Path, also: tuple[str, ...] = ()) -> None:
    """Make a project in FOLDER, which must be new or empty: everything in it is yours to change.

    \b
    tonetill.yaml         settings, each beside its meaning
    flows/                the flow pay-a-bill, and the words of all samples in English and Spanish
    config/               accounts, banks, and the schemas by which editors complete flows
    calls/                whole calls, written out; `pytest` plays them (pytest.ini)
    .github/workflows/    checks the flow and places a call at every push
    """
    flows = sample_flows(also)
    require_empty(folder)
    try:
        made = list(write_project(folder, flows))
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder}: {error.strerror}: choose a folder that can be written"
        ) from None
    click.echo(f"made {len(made)} files in {folder}/; next:\n")
    next_steps = (f"cd {folder}", f"{from_there()} simulate", f"{from_there()} up", tests_there(), "see README.md")
    for line in next_steps:
        click.echo(f"    {line}")


def sample_flows(also: Sequence[str]) -> Sequence[Path]:
    """The files to copy: each flow once, and the parts and calendars that they use. ConfigError names the samples that there are."""
    samples = {file.stem: file for file in sorted(FLOWS.glob("*.yaml"))}
    for name in also:
        if name not in samples:
            raise ConfigError(f"--flow {name}: there is no such sample; there are {', '.join(samples)}")
    flows = [samples[name] for name in dict.fromkeys((Path(SAMPLE).stem, *also))]
    words = {word for file in flows for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}
    return [*flows, *(file for file in sorted((FLOWS / "parts").glob("*.yaml")) if file.stem in words)]


def require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file: choose another name for the project")
    found = sorted({file.name for file in folder.iterdir()} - MAY_BE_THERE) if folder.is_dir() else []
    if found:
        raise ConfigError(f"{folder} is not empty ({', '.join(found[:3])}): choose a new folder; nothing was changed")


def write_project(folder: Path, flows: Sequence[Path]) -> Iterator[Path]:
    """The files that were made."""
    for file in flows:
        yield from copy(file, folder / file.relative_to(SHIPPED))
    for name in SAMPLES:
        yield from copy(SHIPPED / name, folder / name)
    for source in sorted(TEMPLATE.iterdir()):
        yield from copy(source, folder / source.name)
    for name in PLACEHOLDERS:
        file = folder / name
        text = file.read_text(encoding="utf-8").replace("{name}", folder.resolve().name)
        file.write_text(text.replace("{version}", ivr.__version__), encoding="utf-8")
    with (folder / PROJECT_FILE).open("a", encoding="utf-8") as settings:
        settings.writelines(commented_defaults())


def commented_defaults() -> Iterator[str]:
    """Every setting, switched off: the new file changes nothing until its owner does."""
    lines = iter(DEFAULTS.read_text(encoding="utf-8").splitlines(keepends=True))
    # Down to the first empty line it speaks of the file that ships.
    for line in dropwhile(str.strip, lines):
        yield f"# {line}" if line.strip() else ""


def copy(source: Path, target: Path) -> Iterator[Path]:
    if source.is_dir():
        for inner in sorted(source.iterdir()):
            yield from copy(inner, target / inner.name)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    yield target


def from_there() -> str:
    """How our command is called in the new folder: a clone's modules are found from the clone alone."""
    return COMMAND if _is_installed() else f"{_python_there()} -m ivr"


def tests_there() -> str:
    """How the calls of calls/ are played in the new folder: only an installed package brings its plugin with it."""
    return "pytest" if _is_installed() else f"{_python_there()} -m pytest -p {PLUGIN}"


def _is_installed() -> bool:
    return COMMAND == "tonetill" or not IS_CLONE


def _python_there() -> str:
    return f"PYTHONPATH={shlex.quote(str(SHIPPED))} {shlex.quote(sys.executable)}"
