"""Where things are: what ships with the product, and the project whose line is being run.

In a clone of the repository both are the repository. In an installed package, what ships lies in `ivr/shipped` (the
build puts it there, see pyproject.toml), and the project is the merchant's own folder, known by its `tonetill.yaml`.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ivr.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent
_BUNDLE = _PACKAGE / "shipped"
IS_CLONE = not _BUNDLE.is_dir()
SHIPPED = _PACKAGE.parent if IS_CLONE else _BUNDLE
PROJECT_FILE = "tonetill.yaml"
MERCHANTS_FILE = "merchants.yaml"  # of an installation of several merchants, each a project of its own
VARIABLE = "TONETILL_PROJECT"
MERCHANT_VARIABLE = "TONETILL_MERCHANT"
# How a person types our commands, for messages and help.
COMMAND = "tonetill" if not IS_CLONE or Path(sys.argv[0]).name == "tonetill" else "python -m ivr"


def project_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder that settings are relative to. ConfigError says how to get one where there is none."""
    found = find_project(environ)
    if found is None:
        raise ConfigError(
            f"no {PROJECT_FILE} in {_here()} or above it: `{COMMAND} init my-line` makes a project; "
            f"or go into one, or name its folder in {VARIABLE}"
        )
    return found


def find_project(environ: Mapping[str, str] | None = None) -> Path | None:
    """TONETILL_PROJECT, or the nearest folder from here upwards that has a `tonetill.yaml` or a `merchants.yaml`, or the clone."""
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if named:
        return _named_project(Path(named))
    here = _here()
    nearest = next((folder for folder in (here, *here.parents) if _is_project(folder)), None)
    return nearest or (SHIPPED if IS_CLONE else None)


def _is_project(folder: Path) -> bool:
    return (folder / PROJECT_FILE).is_file() or (folder / MERCHANTS_FILE).is_file()


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise ConfigError("the folder that this was started in has been removed: go into another") from None


def _named_project(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    if _is_project(folder) or (IS_CLONE and folder.resolve() == SHIPPED):
        return folder
    raise ConfigError(f"{VARIABLE}={folder}: there is no {PROJECT_FILE} in that folder")


def for_children(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables by which `python -m ivr...` is found from any folder, and a file there cannot take a module's place."""
    clone = [str(SHIPPED)] if IS_CLONE else []
    search = os.pathsep.join(filter(None, [*clone, environ.get("PYTHONPATH", "")]))
    return {**environ, "PYTHONSAFEPATH": "1", **({"PYTHONPATH": search} if search else {})}


def shown(file: Path) -> str:
    """As a person in this folder would name the file."""
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
