"""Settings as they were written, in several places of which one wins, with the place of each for what is found to be wrong."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ivr.reading.environment_text import EnvironmentText
from ivr.reading.problems import did_you_mean
from ivr.reading.wrong_shapes import said_plainly
from ivr.reading.yaml_source import Source


@dataclass(frozen=True)
class WrittenSettings:
    """`known`: the names that there are. `files`: the later wins, the first are the defaults; what is `from_environment` wins over
    them all. A merchant's environment is a `file`, and what it has `inherited` stands above the defaults alone."""

    known: Collection[str]
    files: list[Source]
    from_environment: dict[str, str]
    file: EnvironmentText | None = None
    inherited: dict[str, Any] = field(default_factory=dict)

    def values(self, after: int = 0) -> dict[str, Any]:
        """Without the first `after` files."""
        merged: dict[str, Any] = {}
        for number, source in enumerate(self.files):
            if number >= after:
                merged |= source.tree
            if number == 0:
                merged |= self.inherited
        return merged | self.from_environment

    def not_theirs(self, shared: Collection[str], where: str) -> Iterator[str]:
        """What a merchant has set that is the installation's."""
        named = {name for source in self.files[1:] for name in source.tree} | self.from_environment.keys()
        for name in sorted(named.intersection(shared)):
            yield self.line(name, f"{name} is the same for all merchants: set it in {where} or in the environment")

    def explain(self, error: ValidationError) -> list[str]:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return [self._explain(str(one["loc"][0]) if one["loc"] else "", one["type"], one["msg"]) for one in found]

    def _explain(self, name: str, kind: str, message: str) -> str:
        message = said_plainly(kind, message)
        if not name:
            return message
        if kind == "extra_forbidden":
            near = did_you_mean(name, self.known)
            return self._source(name).line((name,), f"there is no setting '{name}'", near)
        return self.line(name, f"{name}: {message}")

    def line(self, name: str, message: str) -> str:
        if name not in self.from_environment:
            return self._source(name).line((name,), message)
        message = message.removeprefix(f"{name}: ")
        return self.file.line(name.upper(), message) if self.file else f"environment variable {name.upper()}: {message}"

    def _source(self, name: str) -> Source:
        return next(
            (source for source in reversed(self.files) if name in source.tree), self.files[-1 if self.file else 0]
        )
