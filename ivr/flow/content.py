"""What a version of a flow consists of: its text and the words of the prompts it speaks, under a digest of both.

Banks, look-ups and limits' counts are not part of it: a flow names them, and they are what they are when it runs.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ivr.errors import FlowError
from ivr.flow.compiled import Flow
from ivr.flow.compiler import NOTHING_AROUND, Around, compile_flow
from ivr.flow.files import FlowSet
from ivr.flow.part_files import Parts, read_parts
from ivr.flow.prompts import needed_prompts
from ivr.words.phrases import Prompts, Texts
from ivr.words.slots import WORD_PROMPTS
from ivr.words.wordings import meant_for, prompt_of


@dataclass(frozen=True)
class Content:
    """`prompts`: language, prompt's name, text; of the flow's languages, and only what the flow needs. `parts`: the texts of
    the parts that it uses, by name."""

    flow: str
    text: str
    prompts: Texts
    parts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def prompts_json(self) -> str:
        """The same however the prompts' files were sorted."""
        return json.dumps(self.prompts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @cached_property
    def parts_json(self) -> str:
        return json.dumps(self.parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hexadecimal. The length in front keeps text and prompts apart; without parts nothing follows them."""
        whole = f"{len(self.text)}\n{self.text}{self.prompts_json}{self.parts_json if self.parts else ''}"
        return hashlib.sha256(whole.encode()).hexdigest()


def contents_of(found: FlowSet) -> Mapping[str, Content]:
    """By name, of the flows that have no problems."""
    assert found.prompts is not None or not found.flows
    return {
        name: _content(flow, found.texts[name], found.prompts, found.parts[name])
        for name, flow in found.flows.items()
        if found.prompts
    }


def _content(flow: Flow, text: str, prompts: Prompts, parts: Mapping[str, str]) -> Content:
    needed = needed_prompts(flow.steps) | WORD_PROMPTS.keys() | _words_of_values(prompts, flow)
    needed |= _other_wordings(prompts, flow, needed)
    return Content(flow.name, text, prompts.texts(flow.head.languages, needed), parts)


def _other_wordings(prompts: Prompts, flow: Flow, needed: Collection[str]) -> frozenset[str]:
    """Of the prompts that it needs, without those that are another flow's."""
    own = ("", flow.name.replace("-", "_"))
    found: set[str] = set()
    for names in map(prompts.names, flow.head.languages):
        of = {name: prompt_of(name, names) for name in names}
        found |= {name for name, prompt in of.items() if prompt in needed and meant_for(name, prompt)[0] in own}
    return frozenset(found)


def _words_of_values(prompts: Prompts, flow: Flow) -> frozenset[str]:
    """Brands, currencies and their like, which slots are made of and no step names."""
    words = ("brand_", "currency_", "minor_", "money_with_", "key_")
    every = frozenset[str]().union(*(prompts.names(language) for language in flow.head.languages))
    return frozenset(name for name in every if name.startswith(words))


def stored_content(flow: str, text: str, prompts_json: str, parts_json: str = "{}") -> Content:
    """FlowError for a row of the database that no publication wrote."""
    return Content(flow, text, _read(flow, "prompts", prompts_json), _read(flow, "parts", parts_json))


def _read(flow: str, column: str, written: str) -> Any:
    try:
        read = json.loads(written)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise FlowError(f"{flow}: '{column}' in the database cannot be read: publish the flow again")
    return read


def parts_of(content: Content) -> Parts:
    """As they are named in messages: by the flow's version, like the flow itself."""
    return read_parts((f"{content.flow} part {name}", text) for name, text in sorted(content.parts.items()))


def compiled(content: Content, around: Around = NOTHING_AROUND) -> tuple[Flow, Prompts]:
    """As it was checked when it was published. FlowError with every problem, should another program find some."""
    around = replace(around, parts=parts_of(content))
    flow, problems = compile_flow(f"{content.flow} {content.digest[:7]}", content.text, around)
    if flow is None:
        raise FlowError("\n".join(map(str, problems)))
    return replace(flow, version=content.digest), Prompts(content.prompts)
