"""A text of lines such as `NAME=value`, as in a merchant's `.env`, with the line of each; a value is in no message."""

from dataclasses import dataclass, field

from ivr.errors import ConfigError

_QUOTES = "\"'"


@dataclass(frozen=True)
class EnvironmentText:
    """`lines`: where each stands, from 1."""

    file: str
    values: dict[str, str] = field(default_factory=dict, repr=False)
    lines: dict[str, int] = field(default_factory=dict)

    def line(self, name: str, message: str) -> str:
        return f"{self.file}:{self.lines.get(name, 1)}: {name}: {message}"


def read_environment(file: str, text: str) -> EnvironmentText:
    """Values may stand in quotes; empty lines and those that begin with # are nothing. ConfigError for every line that is wrong."""
    found = EnvironmentText(file)
    problems = [problem for number, line in enumerate(text.splitlines(), 1) if (problem := _take(found, number, line))]
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def _take(found: EnvironmentText, number: int, line: str) -> str:
    """What is wrong with it; empty where nothing is."""
    line = line.strip()
    if not line or line.startswith("#"):
        return ""
    name, equals, value = line.removeprefix("export ").partition("=")
    name, value = name.strip(), value.strip()
    at = f"{found.file}:{number}"
    if not equals or not name.isidentifier() or not name.isascii():
        return f"{at}: expected NAME=value"
    if name in found.values:
        return f"{at}: {name} is there twice: it is first on line {found.lines[name]}"
    if value[:1] and value[0] in _QUOTES:
        if len(value) < 2 or value[-1] != value[0]:
            return f"{at}: {name}: the quote is not closed"
        value = value[1:-1]
    found.values[name], found.lines[name] = value, number
    return ""
