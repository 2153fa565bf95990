"""Writes one more sealing key into `banks.yaml`, whose comments and order stay as they are."""

from collections.abc import Mapping
from pathlib import Path

from ivr.bank import load_banks
from ivr.bank.dev_keys import one_at_a_time
from ivr.bank.settings import LISTS
from ivr.errors import ConfigError
from ivr.reading.yaml_source import Source, read_yaml

LIST = "sealing_keys"


def add_key(file: Path, var: Path, bank: str, before: Mapping[str, str], entry: Mapping[str, str]) -> None:
    """`before`: the entry that a key stands for that is written alone, or not at all. Whole or not at all; ConfigError,
    with the lines to write by hand, where the file cannot be changed or would be wrong. One at a time: none writes over another's."""
    draft = file.with_name(f".{file.name}.draft")
    try:
        with one_at_a_time(var):
            text = file.read_text(encoding="utf-8")
            draft.write_text(with_key(read_yaml(str(file), text), text, bank, before, entry), encoding="utf-8")
            draft.chmod(file.stat().st_mode)
            load_banks(draft, var)
            draft.replace(file)
    except (OSError, ConfigError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error).replace(str(draft), str(file))
        draft.unlink(missing_ok=True)
        raise ConfigError(f"{file}: not changed: {why}\nwrite below {LIST} of {bank}:\n  {item(entry)}") from None


def with_key(source: Source, text: str, bank: str, before: Mapping[str, str], entry: Mapping[str, str]) -> str:
    lines, written = text.splitlines(), source.tree["banks"][bank]
    indent = " " * (source.place(("banks", bank, next(iter(written))))[1] - 1)
    if LIST in written:
        lines.insert(last_line(source, bank), f"{indent}  {item(entry)}")
        return "\n".join(lines) + "\n"
    block = [f"{indent}{LIST}:", f"{indent}  {item(before)}", f"{indent}  {item(entry)}"]
    alone = sorted(source.place(("banks", bank, name))[0] for name in LISTS[LIST].values() if name in written)
    at = alone[0] - 1 if alone else source.place(("banks", bank))[0]
    comments = [f"{indent}#{lines[number - 1].partition(' #')[2]}" for number in alone if " #" in lines[number - 1]]
    kept = [line for number, line in enumerate(lines, 1) if number not in alone]
    return "\n".join([*kept[:at], *comments, *block, *kept[at:]]) + "\n"


def last_line(source: Source, bank: str) -> int:
    start = ("banks", bank, LIST)
    return max(line for path, (line, _) in source.places.items() if path[:3] == start)


def item(entry: Mapping[str, str]) -> str:
    return f"- {{{', '.join(f'{name}: {value}' for name, value in entry.items())}}}"
