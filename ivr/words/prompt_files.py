"""One language's prompts as they are written: texts read as templates, each with its place. What is wrong is `prompt_check`'s."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePath
from typing import Any

from ivr.reading.problems import Problem
from ivr.reading.rules import Rule
from ivr.reading.yaml_source import Source, read_yaml
from ivr.words.templates import Template, read_template
from ivr.words.wordings import wordings_of

Texts = Iterable[tuple[str, str | bytes]]  # (file name, text)
MOST_KEPT = 32  # at most 100 kB of text each, and some times that of what was read from it


@dataclass(frozen=True)
class PromptFile:
    """`source.tree` may be anything; `templates` are the names whose value is a text."""

    source: Source

    @cached_property
    def language(self) -> str:
        return PurePath(self.source.file).stem

    @property
    def is_readable(self) -> bool:
        """Otherwise nothing can be said of what it has and lacks."""
        return isinstance(self.source.tree, dict) and bool(self.source.tree or not self.source.problems)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        tree: Any = self.source.tree
        return {name: text for name, text in tree.items() if isinstance(text, str)} if isinstance(tree, dict) else {}

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        return {name: read_template(text) for name, text in self.texts.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.source.tree) if isinstance(self.source.tree, dict) else frozenset()

    def wordings(self, prompt: str) -> list[str]:
        """The prompt and its other wordings, each a name in this file; empty where it is not there."""
        if prompt not in self._wordings:
            self._wordings[prompt] = [name for name in wordings_of(prompt, self.names) if name in self.templates]
        return self._wordings[prompt]

    @cached_property
    def _wordings(self) -> dict[str, list[str]]:
        """Those that were asked for, since every flow of a folder asks for the same."""
        return {}

    def problem(self, rule: Rule, name: str, message: str, suggestion: str = "") -> Problem:
        return self.source.problem(rule, (name,), message, suggestion)


PromptFiles = Mapping[str, PromptFile]  # by language


def read_prompt_files(files: Texts) -> PromptFiles:
    read = [_read_prompt_file(file, text) for file, text in files]
    return {one.language: one for one in read}


@lru_cache(maxsize=MOST_KEPT)
def _read_prompt_file(file: str, text: str | bytes) -> PromptFile:
    """Prompts are the longest files of a folder, and mostly as they were when a flow beside them is read again."""
    return PromptFile(read_yaml(file, text))
