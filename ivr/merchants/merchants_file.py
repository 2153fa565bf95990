"""`merchants.yaml`: the merchants of an installation, each with a folder of its own and the numbers that are called for it.

    merchants:
      acme-water:
        folder: merchants/acme-water    # a project as `init` makes it: settings, .env, flows, banks, keys, database
        numbers: ["+15550100"]          # who dials one of these is answered by it, and by nobody else

Which settings each has, and that none shares a database with another, is for `ivr.installation`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ivr.errors import ConfigError
from ivr.places import COMMAND, MERCHANT_VARIABLE, MERCHANTS_FILE, PROJECT_FILE, shown
from ivr.reading.problems import did_you_mean
from ivr.reading.yaml_source import Source, read_yaml

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
NAME_MEANS = "small letters, digits and hyphens, at most 40: acme-water"
MOUNT = "/m"  # the first part of the path of everything that is a merchant's
KNOWN = ("folder", "numbers")
MOST_MERCHANTS = 500
_SEPARATORS = re.compile(r"[-.() ]")
_NUMBER = re.compile(r"[A-Za-z0-9*#+_.-]{1,40}")
_DIALLED = re.compile(r"\+?[0-9*#]+")  # as the trunk takes a number (`ivr.phone.sip.numbers`)
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)


@dataclass(frozen=True)
class Merchant:
    """`numbers` as they were written."""

    name: str
    folder: Path
    numbers: tuple[str, ...] = ()

    @property
    def mount(self) -> str:
        return f"{MOUNT}/{self.name}"


@dataclass(frozen=True)
class Installation:
    """`source` has the place of everything in the file, for problems."""

    folder: Path
    merchants: Mapping[str, Merchant]
    source: Source = field(repr=False)

    def called(self, name: str) -> Merchant:
        if name not in self.merchants:
            cure = did_you_mean(name, self.merchants) or f"there are {', '.join(self.merchants) or 'none yet'}"
            raise ConfigError(f"{self.source.file}: there is no merchant '{name}': {cure}")
        return self.merchants[name]

    def others_numbers(self, name: str) -> frozenset[str]:
        """As `called_number` writes them."""
        others = (one for one in self.merchants.values() if one.name != name)
        return frozenset(called_number(number) for one in others for number in one.numbers)

    def line(self, path: tuple[str | int, ...], message: str, cure: str = "") -> str:
        return self.source.line(("merchants", *path), message, cure)


def called_number(written: str) -> str:
    """One spelling for comparing: `+1 (555) 0100`, `15550100`, `sip:+15550100@host` and `tel:%2B15550100` are the same number."""
    user = unquote(_SCHEME.sub("", written.strip()).partition("@")[0].partition(";")[0])
    bare = _SEPARATORS.sub("", user)
    return bare.removeprefix("+") if _DIALLED.fullmatch(bare) else user.lower()


def is_called_number(written: str) -> bool:
    """Of a telephone, or a name that is called over SIP."""
    return bool(_NUMBER.fullmatch(_SEPARATORS.sub("", written))) and "*" not in written


def is_installation(folder: Path) -> bool:
    return (folder / MERCHANTS_FILE).is_file()


def read_installation(folder: Path) -> Installation:
    """ConfigError tells every problem, with its line."""
    file = folder / MERCHANTS_FILE
    try:
        source = read_yaml(shown(file), file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{shown(file)}: {error.strerror}") from None
    problems = [str(problem) for problem in source.problems]
    merchants = {} if problems else _merchants(folder, source, problems)
    found = Installation(folder, merchants, source)
    problems += _shared(found)
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def chosen_merchant(folder: Path, environ: Mapping[str, str]) -> tuple[Installation, Merchant] | None:
    """Whose settings are meant by a command in this folder: TONETILL_MERCHANT's, or the folder's own. None for a line that
    belongs to no installation; ConfigError where nobody can say which merchant is meant."""
    name = environ.get(MERCHANT_VARIABLE, "")
    if is_installation(folder):
        installation = read_installation(folder)
        if not name:
            there = ", ".join(installation.merchants) or f"none yet: `{COMMAND} merchant add NAME` makes one"
            raise ConfigError(f"which merchant? say --merchant NAME before or after the command; there are: {there}")
        return installation, installation.called(name)
    above = next((one for one in folder.parents if is_installation(one)), None)
    if above is not None:
        installation = read_installation(above)
        mine = next((one for one in installation.merchants.values() if one.folder == folder.resolve()), None)
        if name or mine:
            return installation, installation.called(name) if name or mine is None else mine
    if name:
        raise ConfigError(f"--merchant {name}: there is no {MERCHANTS_FILE} in {shown(folder)} or above it")
    return None


# ---- the file


def _merchants(folder: Path, source: Source, problems: list[str]) -> dict[str, Merchant]:
    if source.tree and not isinstance(source.tree, dict):
        problems.append(source.line((), "expected merchants, each by its name", "merchants:"))
    tree = source.tree if isinstance(source.tree, dict) else {}
    problems += [source.line((key,), f"unknown key '{key}'", "known: merchants") for key in tree if key != "merchants"]
    written = tree.get("merchants") or {}
    if not isinstance(written, dict):
        problems.append(source.line(("merchants",), "expected merchants, each by its name", "acme-water:"))
        return {}
    if len(written) > MOST_MERCHANTS:
        problems.append(
            source.line(("merchants",), f"more than {MOST_MERCHANTS} merchants", "use another installation")
        )
    found = {}
    for name, one in written.items():
        before = len(problems)
        problems += _problems_of(folder, source, name, one)
        if len(problems) == before:
            found[name] = Merchant(name, (folder / one["folder"]).resolve(), tuple(one.get("numbers") or ()))
    return found


def _problems_of(folder: Path, source: Source, name: str, one: Any) -> Iterator[str]:
    at = ("merchants", name)
    if not NAME.fullmatch(name):
        yield source.line(at, f"'{name}' cannot be a merchant's name", NAME_MEANS)
    if not isinstance(one, dict) or not isinstance(one.get("folder"), str) or not one["folder"]:
        yield source.line(at, f"{name}: 'folder' is missing", f"folder: merchants/{name}")
        return
    for key in one:
        if key not in KNOWN:
            yield source.line(
                (*at, key), f"{name}: unknown key '{key}'", did_you_mean(key, KNOWN) or "known: folder, numbers"
            )
    if not (folder / one["folder"] / PROJECT_FILE).is_file():
        place = shown(folder / one["folder"])
        yield source.line(
            (*at, "folder"), f"{name}: there is no {PROJECT_FILE} in {place}", f"`{COMMAND} merchant add` makes one"
        )
    if (folder / one["folder"]).resolve() == folder.resolve():
        told = f"{name}: this is the installation's own folder"
        yield source.line((*at, "folder"), told, f"a folder of its own: merchants/{name}")
    numbers = one.get("numbers") or []
    if not isinstance(numbers, list):
        yield source.line((*at, "numbers"), f"{name}: expected a list of called numbers", 'numbers: ["+15550100"]')
        return
    for index, number in enumerate(numbers):
        if not isinstance(number, str) or not is_called_number(number):
            yield source.line(
                (*at, "numbers", index), f"{name}: this is no called number", "such as +15550100, or pay-acme"
            )


def _shared(found: Installation) -> Iterator[str]:
    """Numbers and folders that two merchants have."""
    numbers: dict[str, str] = {}
    folders: dict[Path, str] = {}
    for one in found.merchants.values():
        for place, number in enumerate(one.numbers):
            first = numbers.setdefault(called_number(number), one.name)
            if first != one.name or numbers_before(one, place, number):
                told = f"{one.name}: the number {number} is {first}'s already"
                yield found.line((one.name, "numbers", place), told, "one called number leads to one merchant")
        owner = folders.setdefault(one.folder, one.name)
        if owner != one.name:
            told = f"{one.name}: the folder {shown(one.folder)} is {owner}'s already"
            yield found.line((one.name, "folder"), told, "each merchant has settings, keys and a database of its own")
        for folder, other in folders.items():
            if other != one.name and (folder in one.folder.parents or one.folder in folder.parents):
                told = f"{one.name}: one of its folder and {other}'s lies within the other"
                yield found.line((one.name, "folder"), told, "put them beside each other")


def numbers_before(one: Merchant, place: int, number: str) -> bool:
    """Whether the same merchant has it twice."""
    return called_number(number) in map(called_number, one.numbers[:place])
