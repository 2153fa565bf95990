"""Reads `config/banks.yaml`: every bank by the settings of its protocol, and every problem at once, with its line."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ivr.bank.protocols import DEFAULT, protocol_called, protocol_names
from ivr.bank.settings import BankSettings
from ivr.errors import ConfigError
from ivr.reading.problems import did_you_mean
from ivr.reading.wrong_shapes import said_plainly
from ivr.reading.yaml_source import Source, read_yaml

# What is wrong with settings together, by the one that it is told at.
WHOLE = {"longer_than_the_lease": ("read_timeout",), "reversed_too_early": ("read_timeout",)}


def load_banks(file: Path, var: Path) -> dict[str, BankSettings]:
    """By name, with the files' paths below `var`. ConfigError tells every problem, with its line."""
    source = read_yaml(str(file), read_text(file))
    banks: dict[str, BankSettings] = {}
    problems = [str(problem) for problem in source.problems]
    for name, written in sections(source, problems).items():
        try:
            banks[name] = settings_for(source, name, written).model_validate(written).below(var)
        except NoSuchProtocol as error:
            problems.append(str(error))
        except ValidationError as error:
            problems += explain(source, name, error)
    if problems:
        raise ConfigError("\n".join(problems))
    return banks


def sections(source: Source, problems: list[str]) -> dict[str, Any]:
    tree = source.tree if isinstance(source.tree, dict) else {}
    banks = tree.get("banks")
    problems += [source.line((key,), f"unknown key '{key}'", "known: banks") for key in tree if key != "banks"]
    if isinstance(banks, dict) and banks:
        return banks
    if not problems:
        problems.append(source.line(("banks",), "no bank is named", "see config/banks.yaml in the repository"))
    return {}


def settings_for(source: Source, name: str, written: object) -> type[BankSettings]:
    """Those of the protocol that is named."""
    protocol = str(written.get("protocol", DEFAULT)) if isinstance(written, dict) else DEFAULT
    try:
        return protocol_called(protocol).settings
    except KeyError:
        known = protocol_names()
        cure = did_you_mean(protocol, known) or f"known: {', '.join(known)}"
        message = f"{name}: protocol: there is no protocol '{protocol}'"
        raise NoSuchProtocol(source.line(("banks", name, "protocol"), message, cure)) from None


def line_of_bank(file: Path, name: str, message: str, cure: str, setting: str = "") -> str:
    """What is wrong with a bank, or with a setting such as `sealing_keys.1.file`, at its place in a file that could be read."""
    source = read_yaml(str(file), read_text(file))
    within = [int(part) if part.isdecimal() else part for part in setting.split(".") if part]
    return source.line(("banks", name, *within), f"{name}: {message}", cure)


class NoSuchProtocol(Exception):
    """The line that says so."""


def explain(source: Source, name: str, error: ValidationError) -> list[str]:
    lines = []
    known = settings_for(source, name, source.tree["banks"][name]).model_fields
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        place = found["loc"] or WHOLE.get(found["type"], ())
        key = ".".join(map(str, place))
        message, cure = f"{name}: {f'{key}: ' if key else ''}{said_plainly(found['type'], found['msg'])}", ""
        if found["type"] == "extra_forbidden":
            cure = did_you_mean(str(place[0]), known) if len(place) == 1 else ""
            message = f"{name}: unknown key '{key}'"
        elif found["type"] == "missing":
            message = f"{name}: '{key}' is missing"
        lines.append(source.line(("banks", name, *place), message, cure))
    return lines


def read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; set BANKS to the file that names your banks") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8 text; set BANKS to the file that names your banks") from None
