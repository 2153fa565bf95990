"""A flow in the making: its text, the words of its prompts and its parts as an author edits them, and what `check` says of them.

No file of a folder is read or written: a draft stands by itself, as a published version does, which it is begun from.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import yaml

from ivr.errors import RecordError
from ivr.flow.compiler import Around
from ivr.flow.content import Content, contents_of
from ivr.flow.files import FlowSet, read_flows
from ivr.flow.part_files import read_parts
from ivr.reading.problems import Problem, without_card_numbers

CARD = "that could be a card number (13 digits or more in a row), which belongs into no flow: take it out"
PROMPTS, PARTS = "prompts/", "parts/"
WIDEST = 10_000  # YAML must not break the words of a prompt into lines


@dataclass(frozen=True)
class DraftFiles:
    """The texts of a version as files: the flow's own, and by language and name those of its prompts and parts."""

    flow: str
    text: str = field(repr=False)
    prompts: Mapping[str, str] = field(default_factory=dict, repr=False)
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def by_name(self) -> Mapping[str, str]:
        """As problems name them: `pay-a-bill.yaml`, `prompts/en-US.yaml`, `parts/authenticate.yaml`."""
        return {
            f"{self.flow}.yaml": self.text,
            **{f"{PROMPTS}{language}.yaml": text for language, text in self.prompts.items()},
            **{f"{PARTS}{name}.yaml": text for name, text in self.parts.items()},
        }

    def edited(self, texts: Mapping[str, str]) -> "DraftFiles":
        """With these texts in the place of those of the same name; a name that the draft does not have is left out."""
        written = {name: texts.get(name, text).replace("\r\n", "\n") for name, text in self.by_name.items()}
        return replace(
            self,
            text=written[f"{self.flow}.yaml"],
            prompts={language: written[f"{PROMPTS}{language}.yaml"] for language in self.prompts},
            parts={name: written[f"{PARTS}{name}.yaml"] for name in self.parts},
        )

    def in_json(self) -> str:
        return json.dumps({"text": self.text, "prompts": self.prompts, "parts": self.parts}, ensure_ascii=False)


def files_of(content: Content) -> DraftFiles:
    prompts = {language: _as_yaml(names) for language, names in content.prompts.items()}
    return DraftFiles(content.flow, content.text, prompts, content.parts)


def files_in(flow: str, written: str) -> DraftFiles:
    """As `in_json` wrote them."""
    read = json.loads(written)
    return DraftFiles(flow, read["text"], read["prompts"], read["parts"])


def _as_yaml(names: Mapping[str, str]) -> str:
    return yaml.safe_dump(dict(names), allow_unicode=True, width=WIDEST, sort_keys=True)


@dataclass(frozen=True)
class CheckedFiles:
    """`content` is None where there are problems; `found` is all that was read."""

    found: FlowSet
    content: Content | None

    @property
    def told(self) -> list[Problem]:
        """Problems and advice, by file and line."""
        return sorted([*self.found.problems, *self.found.advice])

    @property
    def flow_names(self) -> Iterable[str]:
        return [*self.found.flows, *self.found.left_out]


def check_files(files: DraftFiles, around: Around) -> CheckedFiles:
    """By the same rules as the command `check`."""
    named = files.by_name.items()
    parts = read_parts((name, text) for name, text in named if name.startswith(PARTS))
    prompts = [(name, text) for name, text in named if name.startswith(PROMPTS)]
    found = read_flows([(f"{files.flow}.yaml", files.text)], prompts, replace(around, parts=parts))
    contents = {} if found.problems else contents_of(found)
    return CheckedFiles(found, contents.get(files.flow))


def require_content(files: DraftFiles, checked: CheckedFiles) -> Content:
    """What is to be published. RecordError says in a sentence why there is nothing."""
    require_no_card(files)
    others = [name for name in checked.flow_names if name != files.flow]
    if others and not checked.found.problems:
        raise RecordError(f"the draft is called {others[0]}: a draft of {files.flow} begins with `flow: {files.flow}`")
    if checked.content is None:
        problems = checked.found.problems
        first = f"{problems[0].file} line {problems[0].line}: {problems[0].message}" if problems else "nothing is there"
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        raise RecordError(f"a draft with {count} cannot be published: {without_card_numbers(first)}")
    return checked.content


def require_no_card(files: DraftFiles) -> None:
    """A draft is kept, and a version for good."""
    for text in files.by_name.values():
        if without_card_numbers(text) != text:
            raise RecordError(CARD)
