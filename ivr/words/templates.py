"""A prompt's text split into literal parts and typed slots (`{due:money}`); what a value sounds like is in `spoken`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ivr.reading.problems import did_you_mean
from ivr.reading.rules import Rule
from ivr.reading.rules.prompts import NO_WORDS, NOT_A_SLOT

KINDS = frozenset(
    {"money", "digits", "number", "date", "weekday", "time", "key", "brand", "text", "written", "spelled"}
)
_BRACE = re.compile(r"\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class TemplateText:
    """`number` counts the literal parts of a prompt from 1: a recording of it is `<prompt>.<number>.wav`."""

    text: str
    number: int


@dataclass(frozen=True)
class Slot:
    """A value by its short name (`bill.due` is `due`) and how to say it."""

    name: str
    kind: str
    offset: int


@dataclass(frozen=True)
class TemplateFault:
    """What is wrong with a template, `offset` characters into its text."""

    offset: int
    rule: Rule
    message: str
    suggestion: str


@dataclass(frozen=True)
class Template:
    """`parts` hold what could be read even where there are `faults`."""

    parts: tuple[TemplateText | Slot, ...]
    faults: tuple[TemplateFault, ...] = ()

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.parts if isinstance(part, Slot))


@lru_cache(maxsize=1024)
def read_template(text: str) -> Template:
    parts: list[TemplateText | Slot] = []
    faults: list[TemplateFault] = []
    for part in _split(text):
        if isinstance(part, TemplateFault):
            faults.append(part)
        elif isinstance(part, Slot):
            parts.append(part)
        else:
            parts.append(TemplateText(part, 1 + sum(isinstance(earlier, TemplateText) for earlier in parts)))
    if not text.strip():
        faults.append(TemplateFault(0, NO_WORDS, "the prompt has no words", "write what the caller hears"))
    return Template(tuple(parts), tuple(faults))


def _split(text: str) -> Iterator[str | Slot | TemplateFault]:
    end = 0
    for found in _BRACE.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        yield _slot(found)
        end = found.end()
    if end < len(text):
        yield text[end:]


def _slot(found: re.Match[str]) -> Slot | TemplateFault:
    if found[1] is None:
        return TemplateFault(found.start(), NOT_A_SLOT, f"'{found[0]}' without its partner", "a slot is {value:kind}")
    name, colon, kind = found[1].partition(":")
    if not colon or not _NAME.fullmatch(name):
        return TemplateFault(
            found.start(), NOT_A_SLOT, f"'{found[0]}' is not a slot", "a slot is {value:kind}, such as {due:money}"
        )
    if kind not in KINDS:
        return TemplateFault(found.start(), NOT_A_SLOT, f"unknown kind '{kind}'", did_you_mean(kind, KINDS))
    return Slot(name, kind, found.start())
