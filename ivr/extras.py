"""Parts of the product that a plain installation leaves out, and how to bring them: `pip install 'tonetill[trunk]'`."""

import importlib.util

from ivr.errors import ConfigError
from ivr.places import COMMAND

# Module that is missing -> the extra of pyproject.toml that brings it.
EXTRA_OF = {
    **dict.fromkeys(("aiosipua", "pylibsrtp"), "trunk"),
    "scipy": "voice",
    "espeakng_loader": "voice",
    "matplotlib": "plot",
    "iso8583": "iso8583",
    **dict.fromkeys(("argon2", "pyotp", "segno", "webauthn"), "portal"),
}
# scipy comes with two extras: these commands need one of them whole, whichever module is missed first.
EXTRA_OF_COMMAND = {"trunk": "trunk", "ring": "trunk"}
# Process of the Procfile -> modules that only it needs.
NEEDED_BY = {
    "trunk": ("aiosipua", "pylibsrtp", "scipy"),
    "portal": ("argon2", "pyotp", "segno", "webauthn"),
}


def what_is_missing(process: str) -> str | None:
    """How to bring what the process needs; None where it can run."""
    needed = NEEDED_BY.get(process, ())
    return None if all(map(importlib.util.find_spec, needed)) else f"{cure(process)} brings it"


def require_extra(process: str, wanted_by: str) -> None:
    """ConfigError where the process cannot run here; `wanted_by` is what was typed, such as `--call-channel sip`."""
    if missing := what_is_missing(process):
        raise ConfigError(f"{wanted_by} needs more than is installed: {missing}")


def needs_extra(error: ModuleNotFoundError, command: str) -> ConfigError | None:
    """A clear error for a module that an extra brings; None for a module that must always be there."""
    extra = EXTRA_OF.get((error.name or "").partition(".")[0])
    if extra is None:
        return None
    wanted = EXTRA_OF_COMMAND.get(command, extra)
    return ConfigError(f"`{COMMAND} {command}` needs more than is installed: {cure(wanted)}")


def cure(extra: str) -> str:
    return f"pip install 'tonetill[{extra}]'"
