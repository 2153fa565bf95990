"""The text of `merchants.yaml` with one merchant more or less; comments and the order of the others stay."""

import json
import re

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
    lines = text.splitlines(keepends=True)
    first = next((at for at, line in enumerate(lines) if re.match(rf"  {re.escape(name)}:\s*(#.*)?$", line)), None)
    if first is not None:
        after = next((at for at in range(first + 1, len(lines)) if re.match(r" {0,2}\S", lines[at])), len(lines))
        left = "".join(lines[:first] + lines[after:])
        wanted = dict(read_yaml(file, text).tree["merchants"])
        del wanted[name]
        tree = read_yaml(file, left).tree
        if (tree.get("merchants") or {}) == wanted:
            return left
    raise ConfigError(f"{file}: {name} cannot be taken out by a program, as it is written: remove its lines by hand")
