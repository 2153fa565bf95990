"""The text of `merchants.yaml` with one merchant more or less; comments and the order of the others stay."""

import json
import re
from typing import Any

from ivr.errors import ConfigError
from ivr.reading.yaml_source import read_yaml

HEAD = """\
# The merchants of this installation (docs/merchants.md). `tonetill merchant add NAME` adds one.
merchants:
"""


def with_merchant(text: str, name: str, folder: str, numbers: tuple[str, ...]) -> str:
    """After the last one."""
    base = text if text.strip() else HEAD
    added = [f"  {name}:", f"    folder: {json.dumps(folder)}"]
    added += [f"    numbers: [{', '.join(map(json.dumps, numbers))}]"] if numbers else []
    base = base if base.endswith("\n") else f"{base}\n"
    return "\n".join([f"{base}{added[0]}", *added[1:], ""])


def without_merchant(text: str, name: str, file: str) -> str:
    """ConfigError where the file is written in another way than ours: then a person has to."""
    wanted = merchants_in(text, file)
    if name not in wanted:
        raise ConfigError(f"{file}: there is no merchant '{name}': there are {', '.join(wanted) or 'none'}")
    del wanted[name]
    if (found := _block(text, name)) is not None:
        lines, first, after = found
        left = "".join(lines[:first] + lines[after:])
        if merchants_in(left, file) == wanted and not read_yaml(file, left).problems:
            return left
    raise ConfigError(f"{file}: {name} cannot be taken out by a program, as it is written: remove its lines by hand")


def with_numbers(text: str, name: str, numbers: tuple[str, ...], file: str) -> str:
    """The merchant's called numbers in place of those it had."""
    wanted = {one: dict(own) for one, own in merchants_in(text, file).items()}
    wanted[name].pop("numbers", None)
    if numbers:
        wanted[name]["numbers"] = list(numbers)
    if (found := _block(text, name)) is not None:
        lines, first, after = found
        kept = [line for line in lines[first:after] if not re.match(r"    numbers:", line)]
        kept[-1] = kept[-1] if kept[-1].endswith("\n") else f"{kept[-1]}\n"
        line = [f"    numbers: [{', '.join(map(json.dumps, numbers))}]\n"] if numbers else []
        changed = "".join([*lines[:first], kept[0], *line, *kept[1:], *lines[after:]])
        if merchants_in(changed, file) == wanted and not read_yaml(file, changed).problems:
            return changed
    raise ConfigError(
        f"{file}: the numbers of {name} cannot be changed by a program, as they are written: do it by hand"
    )


def says_nothing(text: str) -> bool:
    """Whether there is no merchant in it, and no word of anybody's but ours."""
    ours = {line.strip() for line in HEAD.splitlines()}
    return all(not line.strip() or line.strip() in ours for line in text.splitlines())


def merchants_in(text: str, file: str) -> dict[str, Any]:
    tree = read_yaml(file, text).tree
    found = tree.get("merchants") if isinstance(tree, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _block(text: str, name: str) -> tuple[list[str], int, int] | None:
    """All lines, and which of them are this merchant's: from the first to before the second."""
    lines = text.splitlines(keepends=True)
    first = next((at for at, line in enumerate(lines) if re.match(rf"  {re.escape(name)}:\s*(#.*)?$", line)), None)
    if first is None:
        return None
    return (
        lines,
        first,
        next((at for at in range(first + 1, len(lines)) if re.match(r" {0,2}\S", lines[at])), len(lines)),
    )
