"""`check`, `diagram` and `schema` as their users call them."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.check import check
from ivr.cli.flows import diagram, schema

ROOT = Path(__file__).parents[2]


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "flows" / "prompts", tmp_path / "flows" / "prompts")
    shutil.copy(ROOT / "flows" / "pay-a-bill.yaml", tmp_path / "flows")
    return tmp_path / "flows"


def run(command: object, *arguments: str | Path) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_good_flows_get_a_friendly_line(flows: Path):
    result = run(check, flows / "pay-a-bill.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("pay-a-bill: no problems (10 steps, 2 languages, ")


def test_every_problem_of_flow_and_prompts_is_a_line_with_its_place(flows: Path):
    file = flows / "pay-a-bill.yaml"
    edit(file, "tries: 3", "tries: three")
    edit(file, "ok: charge", "ok: chrage")
    edit(flows / "prompts" / "es-MX.yaml", "goodbye:", "godbye:")
    edit(flows / "prompts" / "en-US.yaml", "{due:money}", "{due:mony}")
    result = run(check, file, "--format", "lines")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert all(line.startswith(str(flows)) and line.split(":")[1].isdecimal() for line in lines)
    for part in (
        "pay-a-bill.yaml:7:46: T206 'tries': expected a whole number from 1 to 20",
        "no step is called 'chrage' (did you mean 'charge'?)",
        "prompt 'goodbye' is missing in es-MX",
        "unknown kind 'mony' (did you mean 'money'?)",
    ):
        assert any(part in line for line in lines), (part, lines)
    assert result.stderr.endswith(" in 2 files\n")


def test_a_prompt_that_no_language_has_is_told_at_its_step(flows: Path):
    edit(flows / "pay-a-bill.yaml", "say: you_were_not_charged", "say: not_a_prompt")
    lines = run(check, flows / "pay-a-bill.yaml", "--format", "lines").stdout.splitlines()
    assert len(lines) == 2
    assert all("prompt 'not_a_prompt' is missing in" in line for line in lines)


def test_several_flows_are_checked_together(flows: Path):
    shutil.copy(flows / "pay-a-bill.yaml", flows / "second.yaml")
    edit(flows / "second.yaml", "flow: pay-a-bill", "flow: second")
    result = run(check, *sorted(flows.glob("*.yaml")))
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["pay-a-bill", "second"]


def test_two_flows_of_one_name_are_told(flows: Path):
    shutil.copy(flows / "pay-a-bill.yaml", flows / "second.yaml")
    result = run(check, flows / "pay-a-bill.yaml", flows / "second.yaml")
    assert result.exit_code == 1
    assert (
        f"second.yaml:3:1: T104 flow 'pay-a-bill' is also in {flows / 'pay-a-bill.yaml'} (rename one)" in result.stdout
    )


def test_a_file_named_twice_is_checked_once(flows: Path):
    assert run(check, flows / "pay-a-bill.yaml", flows / "pay-a-bill.yaml").stdout.count("\n") == 1


def test_a_flow_without_prompts_is_told(flows: Path):
    shutil.rmtree(flows / "prompts")
    result = run(check, flows / "pay-a-bill.yaml")
    assert result.exit_code == 1
    assert "there are no prompts in en-US (add prompts/en-US.yaml)" in result.stdout


def test_a_prompt_may_say_what_a_flow_asks_for(flows: Path):
    edit(flows / "pay-a-bill.yaml", "ask: account_number", "ask: policy")
    for file in (flows / "prompts").glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace("account_number", "policy")
        file.write_text(text.replace('goodbye: "', 'note: "{policy:digits}"\ngoodbye: "', 1), encoding="utf-8")
    assert run(check, flows / "pay-a-bill.yaml").stdout.startswith("pay-a-bill: no problems")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe" * 40, b"hello", b"a: [", b"- 1\n- 2\n"])
def test_what_is_no_flow_is_told_without_a_traceback(flows: Path, content: bytes):
    file = flows / "broken.yaml"
    file.write_bytes(content)
    result = run(check, file)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:1:")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe" * 40, b"hello", b"a: [", b"- 1\n- 2\n"])
def test_what_is_no_prompt_file_is_told_without_a_traceback(flows: Path, content: bytes):
    (flows / "prompts" / "es-MX.yaml").write_bytes(content)
    result = run(check, flows / "pay-a-bill.yaml")
    assert result.exit_code == 1
    assert str(flows / "prompts" / "es-MX.yaml") in result.stdout


@pytest.mark.parametrize("name", ["missing.yaml", "*.yaml"])
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, name: str):
    result = run(check, tmp_path / name)
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_a_folder_without_flows_is_one_clear_line(tmp_path: Path):
    result = run(check, tmp_path)
    assert result.exit_code == 2
    assert f"there are no flows in {tmp_path}" in result.stderr


@pytest.mark.parametrize("inside", [".", "prompts", "prompts/es-MX.yaml"])
def test_a_folder_or_a_prompt_file_in_it_stands_for_all_its_flows(flows: Path, inside: str):
    shutil.copy(flows / "pay-a-bill.yaml", flows / "second.yaml")
    edit(flows / "second.yaml", "flow: pay-a-bill", "flow: second")
    lines = run(check, flows / inside).stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["pay-a-bill", "second"]


def test_no_name_at_all_is_the_projects_flows():
    assert "\npay-a-bill: no problems" in run(check).stdout


def test_a_diagram_is_mermaid_unless_asked_otherwise(flows: Path):
    assert run(diagram, flows / "pay-a-bill.yaml").stdout.startswith("flowchart TD\n")
    assert run(diagram, flows / "pay-a-bill.yaml", "--format", "svg").stdout.startswith("<svg ")


def test_the_phases_of_a_call_are_drawn_without_a_flow():
    assert 'step_collect-confirm["collect/confirm' in run(diagram, "--phases").stdout
    assert run(diagram, "--phases", "--format", "svg").stdout.startswith("<svg ")


def test_a_diagram_can_be_written_to_a_file(flows: Path, tmp_path: Path):
    result = run(diagram, flows / "pay-a-bill.yaml", "--format", "svg", "--out", tmp_path / "flow.svg")
    assert result.stdout == f"{tmp_path / 'flow.svg'} written\n"
    assert (tmp_path / "flow.svg").read_text(encoding="utf-8").endswith("</svg>\n")


def test_a_flow_with_problems_is_not_drawn(flows: Path):
    edit(flows / "pay-a-bill.yaml", "ok: charge", "ok: chrage")
    result = run(diagram, flows / "pay-a-bill.yaml")
    assert result.exit_code == 1
    assert "no step is called 'chrage'" in result.stderr


def test_a_place_that_cannot_be_written_is_one_clear_line(flows: Path, tmp_path: Path):
    result = run(diagram, flows / "pay-a-bill.yaml", "--out", tmp_path / "no" / "flow.svg")
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_the_schema_is_written_where_asked(tmp_path: Path):
    assert run(schema, "--out", tmp_path / "schema.json").exit_code == 0
    assert (tmp_path / "schema.json").read_bytes() == (ROOT / "config" / "flow.schema.json").read_bytes()
