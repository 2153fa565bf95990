"""What `check` found, written for people, editors, scripts and code scanning; and what it can find, as table and lesson.

Nothing of a file is quoted but the line of a problem, with dots for digits that may be a card number.
"""

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.cells import cell_len

import ivr
from ivr.flow.files import FlowSet
from ivr.places import COMMAND
from ivr.reading.problems import Problem, line_of, one_line, without_card_numbers
from ivr.reading.rules import RULES, Rule

Writer = Callable[[Sequence[FlowSet]], str]
WIDTH = 100
LONGEST_LINE_SHOWN = 160
SARIF_VERSION = "2.1.0"
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_text(found: Sequence[FlowSet]) -> str:
    """Each problem with the line of the file and a caret below the place; without problems a line for each flow."""
    told = all_of(found)
    texts = {file: _lines_of(Path(file)) for file in {problem.file for problem in told}}
    shown = "".join(f"{line(problem)}\n{excerpt(problem, texts[problem.file])}" for problem in told)
    hint = f"`{COMMAND} check --explain {told[0].rule.code}` says more of a code.\n" if told else ""
    return shown + hint + summaries(found)


def as_lines(found: Sequence[FlowSet]) -> str:
    """A line a problem: `file:line:column: CODE message (suggestion)`, as editors read it."""
    return "".join(f"{line(problem)}\n" for problem in all_of(found)) + summaries(found)


def as_json(found: Sequence[FlowSet]) -> str:
    """A list of objects with `code`, `name`, `level`, `file`, `line`, `column`, `message` and `suggestion`."""
    return json.dumps([as_object(problem) for problem in all_of(found)], indent=2, ensure_ascii=False) + "\n"


def as_sarif(found: Sequence[FlowSet]) -> str:
    """OASIS SARIF 2.1.0, as code scanning reads it: one run, with every rule that has a result."""
    told = all_of(found)
    used = sorted({problem.rule.code for problem in told})
    driver = {
        "name": "tonetill check",
        "version": ivr.__version__,
        "rules": [_sarif_rule(RULES[code]) for code in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(problem, used) for problem in told],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": SARIF_VERSION, "runs": [run]}, indent=2) + "\n"


def all_of(found: Sequence[FlowSet]) -> list[Problem]:
    return sorted(problem for flows in found for problem in [*flows.problems, *flows.advice])


def line(problem: Problem) -> str:
    level = "advice: " if problem.is_advice else ""
    message = f"{problem.rule.code} {level}{problem.message}"
    return line_of(problem.file, (problem.line, problem.column), message, problem.suggestion)


def _lines_of(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []


def excerpt(problem: Problem, lines: Sequence[str]) -> str:
    """The line and a caret; nothing where the file has no such line."""
    if problem.line > len(lines) or not lines[problem.line - 1].strip():
        return ""
    begin = max(0, problem.column - LONGEST_LINE_SHOWN)
    shown = without_card_numbers(lines[problem.line - 1])[begin : begin + LONGEST_LINE_SHOWN + 20]
    text = "".join(one if one.isprintable() else " " if one.isspace() else "?" for one in shown.rstrip())
    before = cell_len(text[: problem.column - 1 - begin])
    margin = " " * len(str(problem.line))
    return f"  {problem.line} | {text}\n  {margin} | {' ' * before}^\n"


def as_object(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.rule.code,
        "name": problem.rule.name,
        "level": "advice" if problem.is_advice else "problem",
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": one_line(problem.message),
        "suggestion": one_line(problem.suggestion),
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    """3.49 reportingDescriptor."""
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": _joined(rule.why)},
        "help": {"text": explained(rule)},
        "defaultConfiguration": {"level": _sarif_level(rule)},
    }


def _sarif_result(problem: Problem, used: Sequence[str]) -> dict[str, Any]:
    """3.27 result. A relative file name is a relative reference, resolved where the file is shown."""
    cure = f" ({one_line(problem.suggestion)})" if problem.suggestion else ""
    place = Path(problem.file)
    return {
        "ruleId": problem.rule.code,
        "ruleIndex": used.index(problem.rule.code),
        "level": _sarif_level(problem.rule),
        "message": {"text": one_line(problem.message) + cure},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(place)},
                    "region": {"startLine": problem.line, "startColumn": problem.column},
                }
            }
        ],
    }


def _sarif_level(rule: Rule) -> str:
    return "note" if rule.is_advice else "error"


def _uri(file: Path) -> str:
    """Percent-encoded, with slashes on every system."""
    return file.as_uri() if file.is_absolute() else quote(file.as_posix())


def summaries(found: Sequence[FlowSet]) -> str:
    """A line for each flow, where there is no problem at all."""
    if any(flows.problems for flows in found):
        return ""
    return "".join(f"{told}\n" for flows in found for told in _summary(flows))


def _summary(flows: FlowSet) -> Iterator[str]:
    for flow in flows.flows.values():
        names = len(flows.prompts.names(flow.head.languages[0])) if flows.prompts else 0
        told = f"{count(len(flow.steps), 'step')}, {count(len(flow.head.languages), 'language')}"
        yield f"{flow.name}: no problems ({told}, {count(names, 'prompt')})"


def counted(found: Sequence[FlowSet], *, strict: bool) -> str:
    """What makes the exit code 1, in a line; nothing where it is 0."""
    problems = [problem for flows in found for problem in flows.problems]
    advice = [problem for flows in found for problem in flows.advice]
    if not problems and not (strict and advice):
        return ""
    files = len({problem.file for problem in [*problems, *advice]})
    told = [count(len(problems), "problem")] * bool(problems) + [f"{len(advice)} of advice"] * bool(advice)
    return f"{' and '.join(told)} in {count(files, 'file')}"


def count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def explained(rule: Rule) -> str:
    """A lesson: what it is, why it matters, how it looks wrong and right."""
    level = ", advice" if rule.is_advice else ""
    paragraphs = [
        f"{rule.code} {rule.name}{level}",
        _wrapped(rule.what),
        _wrapped(rule.why),
        f"Wrong:\n\n{_indented(rule.bad)}",
        f"Right:\n\n{_indented(rule.good)}",
    ]
    return "\n\n".join(paragraphs)


def _joined(text: str) -> str:
    return " ".join(text.split())


def _wrapped(text: str) -> str:
    return textwrap.fill(_joined(text), WIDTH, break_on_hyphens=False)


def _indented(example: str) -> str:
    lines = (
        textwrap.shorten(one, WIDTH, placeholder=" ...") if len(one) > 3 * WIDTH else one for one in example.split("\n")
    )
    return "\n".join(f"    {one}".rstrip() for one in lines)


def code_table(rules: Iterable[Rule]) -> str:
    """In Markdown, as docs/check.md has it."""
    rows = [f"| {rule.code} | `{rule.name}` | {_level(rule)}{rule.what} |" for rule in sorted(rules, key=_code)]
    return "\n".join(["| code | name | what it finds |", "| --- | --- | --- |", *rows])


def _level(rule: Rule) -> str:
    return "Advice: " if rule.is_advice else ""


def _code(rule: Rule) -> str:
    return rule.code
