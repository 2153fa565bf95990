"""What `check` writes for people, editors, scripts and code scanning; its codes explained, in the terminal and in docs/check.md."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from ivr.cli.check import check
from ivr.cli.reports import code_table
from ivr.reading.rules import RULES

ROOT = Path(__file__).parents[2]
CANARY = "4111111111111111"


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seen from the folder that it is in, as a person would name it."""
    shutil.copytree(ROOT / "flows" / "prompts", tmp_path / "flows" / "prompts")
    shutil.copy(ROOT / "flows" / "pay-a-bill.yaml", tmp_path / "flows")
    monkeypatch.chdir(tmp_path)
    return Path("flows")


def run(*arguments: str | Path) -> Result:
    banks = ["--banks", str(ROOT / "config" / "banks.yaml")]
    result = CliRunner().invoke(check, [*banks, *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def two_faults(flows: Path) -> Path:
    edit(flows / "pay-a-bill.yaml", "ok: charge", "ok: chrage")
    edit(flows / "pay-a-bill.yaml", "tries: 3", "tries: 20")
    return flows


# ---- for people


def test_a_problem_is_shown_with_its_line_and_a_caret(two_faults: Path):
    advice, line, caret, problem, *rest = run(two_faults).stdout.splitlines()
    assert advice.startswith("flows/pay-a-bill.yaml:7:46: T601 advice: ")
    assert line == "  7 | patience: {first_key: 10s, between_keys: 6s, tries: 20, slow_mode: true}"
    assert caret == "    | " + " " * 45 + "^"
    assert line[caret.index("^") :].startswith("tries")
    assert problem == "flows/pay-a-bill.yaml:29:12: T301 no step is called 'chrage' (did you mean 'charge'?)"
    assert rest == [
        "  29 |     then: {ok: chrage, cancelled: goodbye_unpaid, gave_up: send_link}",
        "     |            ^",
        "`python -m ivr check --explain T601` says more of a code.",
    ]


def test_the_caret_stands_below_the_place_also_after_wide_letters_and_tabs(flows: Path):
    edit(flows / "pay-a-bill.yaml", "languages: [en-US, es-MX]", 'languages: ["日本\t語", en-US, es-MX, en_GB]')
    line, caret = run(flows).stdout.splitlines()[4:6]
    before = line[: line.index("en_GB")]
    assert "日本 語" in before
    # Each of the three letters is as wide as two on a terminal.
    assert caret.index("^") == len(before) + 3


def test_a_place_far_to_the_right_is_shown_with_what_is_before_it(flows: Path):
    edit(flows / "pay-a-bill.yaml", "start: account", f"start: account # {'x' * 300}")
    edit(flows / "pay-a-bill.yaml", "{first_key: 10s,", f"{{first_key: 10s,{' ' * 300}")
    edit(flows / "pay-a-bill.yaml", "tries: 3", "tries: many")
    line, caret = run(flows).stdout.splitlines()[1:3]
    assert len(line) < 200
    assert line[caret.index("^") :].startswith("tries: many")


def test_a_file_whose_last_line_is_missing_has_no_excerpt(flows: Path):
    (flows / "pay-a-bill.yaml").write_text("", encoding="utf-8")
    assert run(flows).stdout.splitlines()[0].startswith("flows/pay-a-bill.yaml:1:1: T107 there is no flow here")


@pytest.mark.parametrize("written", ["text", "lines", "json", "sarif"])
@pytest.mark.parametrize("pasted", [CANARY, "4111 1111 1111 1111", "4111-1111-1111-1111"])
def test_a_card_number_pasted_into_a_flow_is_not_repeated(flows: Path, written: str, pasted: str):
    edit(flows / "pay-a-bill.yaml", "start: account", f'start: account\n"{pasted}": "{pasted}"')
    edit(flows / "pay-a-bill.yaml", "pay: acme_bank", f'pay: "{pasted}"')
    edit(flows / "prompts" / "en-US.yaml", 'welcome: "', f'"{pasted}": "{pasted}"\nwelcome: "{pasted} {{deu:money}} ')
    result = run(flows, "--format", written)
    assert result.exit_code == 1
    assert pasted not in result.output
    assert CANARY not in re.sub(r"[ -]", "", result.output)


# ---- for scripts


def test_json_has_an_object_for_each_problem(two_faults: Path):
    advice, problem = json.loads(run(two_faults, "--format", "json").stdout)
    assert problem == {
        "code": "T301",
        "name": "no-such-step",
        "level": "problem",
        "file": "flows/pay-a-bill.yaml",
        "line": 29,
        "column": 12,
        "message": "no step is called 'chrage'",
        "suggestion": "did you mean 'charge'?",
    }
    assert (advice["level"], advice["code"], advice["line"]) == ("advice", "T601", 7)


@pytest.mark.parametrize("written", ["json", "sarif"])
def test_without_problems_the_list_is_empty(flows: Path, written: str):
    result = run(flows, "--format", written)
    assert result.exit_code == 0
    read = json.loads(result.stdout)
    assert (read if written == "json" else read["runs"][0]["results"]) == []


@pytest.mark.parametrize("written", ["text", "lines", "json", "sarif"])
def test_the_exit_code_is_the_same_in_every_format(two_faults: Path, written: str):
    assert run(two_faults, "--format", written).exit_code == 1
    edit(two_faults / "pay-a-bill.yaml", "ok: chrage", "ok: charge")
    assert run(two_faults, "--format", written).exit_code == 0
    assert run(two_faults, "--format", written, "--strict").exit_code == 1


# ---- for code scanning

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
POSITION = {"type": "integer", "minimum": 1}


def holding(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def several(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


# What SARIF 2.1.0 requires of the parts that are used here, by the numbers of its sections.
REGION = holding(startLine=POSITION, startColumn=POSITION)  # 3.30
FILE = holding("uri", uri={"type": "string", "format": "uri-reference", "pattern": r"^[^ ]+$"})  # 3.4
PLACE = holding("physicalLocation", physicalLocation=holding("artifactLocation", artifactLocation=FILE, region=REGION))
RESULT = holding(
    *("message", "ruleId", "level"), message=TEXT, level=LEVEL, ruleIndex={"minimum": 0}, locations=several(PLACE)
)  # 3.27
RULE = holding("id", shortDescription=TEXT, fullDescription=TEXT, help=TEXT)  # 3.49
DRIVER = holding("name", name={"minLength": 1}, rules=several(RULE) | {"uniqueItems": True})  # 3.19
RUN = holding("tool", tool=holding("driver", driver=DRIVER), results=several(RESULT))  # 3.14
LOG = holding("version", "runs", version={"const": "2.1.0"}, runs=several(RUN))  # 3.13


def test_sarif_has_what_the_standard_requires(two_faults: Path):
    log = json.loads(run(two_faults, "--format", "sarif").stdout)
    jsonschema.validate(log, LOG)
    (scan,) = log["runs"]
    rules = scan["tool"]["driver"]["rules"]
    assert [(rules[one["ruleIndex"]]["id"], one["level"]) for one in scan["results"]] == [
        ("T601", "note"),
        ("T301", "error"),
    ]
    place = scan["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "flows/pay-a-bill.yaml"}
    assert place["region"] == {"startLine": 29, "startColumn": 12}


def test_a_name_with_spaces_is_a_reference_in_sarif(flows: Path):
    spaced = flows / "my bills.yaml"
    shutil.move(flows / "pay-a-bill.yaml", spaced)
    edit(spaced, "ok: charge", "ok: chrage")
    log = json.loads(run(spaced, "--format", "sarif").stdout)
    jsonschema.validate(log, LOG)
    assert '"flows/my%20bills.yaml"' in json.dumps(log)
    absolute = json.loads(run(spaced.absolute(), "--format", "sarif").stdout)
    assert '"file:///' in json.dumps(absolute)


# ---- codes


@pytest.mark.parametrize("word", ["T403", "t403", "charge-without-consent"])
def test_a_code_is_explained_by_code_or_name(word: str):
    result = run("--explain", word)
    assert result.exit_code == 0
    first, *rest = result.stdout.splitlines()
    assert first == "T403 charge-without-consent"
    for part in ("Wrong:", "Right:", "    confirm: [brand, last4, amount]"):
        assert any(part in line for line in rest), part


@pytest.mark.parametrize("code", RULES)
def test_every_code_has_a_lesson_that_fits_a_terminal(code: str):
    lesson = run("--explain", code).stdout
    assert lesson.startswith(f"{code} {RULES[code].name}")
    prose = lesson.partition("Wrong:")[0].splitlines()
    assert max(map(len, prose)) <= 100


@pytest.mark.parametrize(
    ("word", "cure"), [("T3O1", "--list-codes lists them"), ("no-such-stpe", "did you mean 'no-such-step'?")]
)
def test_a_code_that_does_not_exist_is_told_with_a_cure(word: str, cure: str):
    result = run("--explain", word)
    assert result.exit_code == 2
    assert f"there is no code '{word}' ({cure})" in result.stderr


def test_the_documentation_has_the_table_of_codes():
    docs = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    table = run("--list-codes").stdout.strip()
    assert table == code_table(RULES.values())
    assert f"\n{table}\n" in docs, "put the output of `python -m ivr check --list-codes` into docs/check.md"


def test_the_documentation_says_every_option_and_exit_code():
    docs = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    for option in (name for parameter in check.params for name in parameter.opts if name.startswith("--")):
        assert f"`{option}" in docs, option
    for code in ("0", "1", "2"):
        assert f"\n| `{code}` |" in docs
