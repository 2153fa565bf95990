"""Flows as merchants write them, right and wrong, each beside the lines that `check` must say of it.

`<case>.yaml` is the flow and `<case>.expected` the lines. `<case>.en-US.yaml` has prompts in place of the sample's, at
the top of the file that is checked, so that its lines are those of the messages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ivr.cli.reports import line
from ivr.flow.compiler import Around
from ivr.flow.files import FlowSet, read_flows
from ivr.flow.part_files import Parts, read_parts

HERE = Path(__file__).parent
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SAMPLE_PROMPTS = HERE.parents[1] / "flows" / "prompts"
OWN_PARTS = sorted((HERE / "broken" / "parts").glob("*.yaml"))
SHIPPED_PARTS = sorted((HERE.parents[1] / "flows" / "parts").glob("*.yaml"))


def parts_of(files: Iterable[Path]) -> Parts:
    return read_parts((f"parts/{file.name}", file.read_bytes()) for file in files)


AROUND = Around(
    banks={"acme_bank": ["USD"], "euro_bank": ["EUR"]},
    operations={
        "acme_bank": ["authorize", "capture", "void", "create token", "charge token"],
        "euro_bank": ["sale", "void"],
    },
    bills={"USD"},
    switched_on=(),
    partly_approving={"euro_bank"},
)


def around(flow: str) -> Around:
    """With the parts that ship, and those of `broken/parts` that the flow uses."""
    used = [file for file in OWN_PARTS if f"use: {file.stem}" in flow]
    return replace(AROUND, parts=parts_of([*SHIPPED_PARTS, *used]))


@dataclass(frozen=True)
class Case:
    file: Path

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def expected(self) -> list[str]:
        return self.file.with_suffix(".expected").read_text(encoding="utf-8").splitlines()

    @property
    def got(self) -> list[str]:
        found = self.read()
        return [line(problem) for problem in sorted([*found.problems, *found.advice])]

    def read(self) -> FlowSet:
        text = self.file.read_bytes()
        return read_flows([(self.file.name, text)], list(self.prompts()), around(text.decode("utf-8", "replace")))

    def prompts(self) -> Iterator[tuple[str, str]]:
        """The sample's prompts in the flow's languages, with the case's own in their place."""
        written = self.written()
        spoken = set(written["languages"]) if isinstance(written, dict) else {"en-US"}
        samples = {file.stem: file.read_text(encoding="utf-8") for file in sorted(SAMPLE_PROMPTS.glob("*.yaml"))}
        for language, text in (samples | {"es-419": samples["es-MX"]}).items():
            if language in spoken:
                own = self._own(language)
                yield f"prompts/{language}.yaml", own + without(text, names_in(own))

    def written(self) -> Any:
        """None where it is not YAML."""
        try:
            return yaml.load(self.file.read_text(encoding="utf-8"), Loader=LOADER)
        except yaml.YAMLError:
            return None

    def _own(self, language: str) -> str:
        files = [self.file.parent / f"prompts.{language}.yaml", self.file.with_suffix(f".{language}.yaml")]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.is_file())


def names_in(text: str) -> set[str]:
    return {line.partition(":")[0] for line in text.splitlines()}


def without(text: str, names: set[str]) -> str:
    kept = [line for line in text.splitlines() if line.partition(":")[0] not in names]
    return "\n".join(kept) + "\n"


def cases(folder: str) -> list[Case]:
    return [Case(file) for file in sorted((HERE / folder).glob("*.yaml")) if "." not in file.stem]
