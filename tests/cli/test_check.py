"""`check`: problems and advice, exit codes, banks and bills beside the flows."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli.check import check

ROOT = Path(__file__).parents[2]
COLON = "welcome: Welcome: this is our line.\n"


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "flows" / "prompts", tmp_path / "flows" / "prompts")
    shutil.copy(ROOT / "flows" / "pay-a-bill.yaml", tmp_path / "flows")
    return tmp_path / "flows"


def run(*arguments: str | Path, **environment: str) -> Result:
    result = CliRunner().invoke(check, [str(argument) for argument in arguments], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_advice_is_told_and_stands_in_nobodys_way(flows: Path):
    edit(flows / "pay-a-bill.yaml", "tries: 3", "tries: 20")
    result = run(flows / "pay-a-bill.yaml", "--format", "lines")
    assert result.exit_code == 0
    advice, summary = result.stdout.splitlines()
    assert advice.startswith(
        f"{flows}/pay-a-bill.yaml:7:46: T601 advice: a caller who presses nothing is kept for 9 minutes"
    )
    assert summary.startswith("pay-a-bill: no problems")


def test_advice_counts_where_asked_for(flows: Path):
    edit(flows / "pay-a-bill.yaml", "tries: 3", "tries: 20")
    result = run(flows / "pay-a-bill.yaml", "--strict")
    assert (result.exit_code, result.stderr) == (1, "1 of advice in 1 file\n")
    assert run(ROOT / "flows" / "pay-a-bill.yaml", "--strict").exit_code == 0


def test_an_unknown_bank_is_told_with_the_nearest(flows: Path):
    edit(flows / "pay-a-bill.yaml", "acme_bank", "acme_bnk")
    result = run(flows / "pay-a-bill.yaml")
    assert result.exit_code == 1
    assert result.stdout.count("no bank is called 'acme_bnk' (did you mean 'acme_bank'?)") == 2


def test_a_banks_file_may_be_named(flows: Path, tmp_path: Path):
    banks = tmp_path / "banks.yaml"
    text = (ROOT / "config" / "banks.yaml").read_text(encoding="utf-8")
    banks.write_text(text.replace("[USD]", "[EUR, MXN]"), encoding="utf-8")
    for result in (run(flows / "pay-a-bill.yaml", "--banks", banks), run(flows / "pay-a-bill.yaml", BANKS=str(banks))):
        assert "'max_amount' is in USD, but the bank 'acme_bank' takes EUR and MXN" in result.stdout


def test_bills_in_another_currency_are_told(flows: Path, tmp_path: Path):
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("\ufeffaccount,due,minimum,currency\n12345678,42.50,10.00,EUR\n", encoding="utf-8")
    result = run(flows / "pay-a-bill.yaml", "--accounts", accounts)
    assert "the bills that are looked up are in EUR" in result.stdout
    assert run(flows / "pay-a-bill.yaml", "--accounts", ROOT / "config" / "accounts.csv").exit_code == 0


def test_one_unquoted_colon_is_one_line(flows: Path):
    file = flows / "prompts" / "en-US.yaml"
    file.write_text(COLON + file.read_text(encoding="utf-8"), encoding="utf-8")
    lines = run(flows / "pay-a-bill.yaml", "--format", "lines").stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"{file}:1:17: T101 not YAML: ")
    assert "needs quotes" in lines[0]


def test_prompts_of_a_language_that_no_flow_speaks_are_one_line_of_advice(flows: Path):
    (flows / "prompts" / "fr-CA.yaml").write_text('welcome: "Bonjour {due:nothing}."\n', encoding="utf-8")
    result = run(flows / "pay-a-bill.yaml")
    assert result.exit_code == 0
    assert len([line for line in result.stdout.splitlines() if "speaks fr-CA" in line]) == 1


def test_a_language_of_the_folders_other_flows_is_no_news(flows: Path):
    own, other = flows / "pay-a-bill.yaml", flows / "in-spanish.yaml"
    shutil.copy(own, other)
    edit(own, "languages: [en-US, es-MX]", "languages: [en-US]")
    edit(other, "flow: pay-a-bill", "flow: in-spanish")
    assert "T610" not in run(own, "--format", "lines").stdout
    other.unlink()
    assert f"{flows}/prompts/es-MX.yaml:5:1: T610" in run(own, "--format", "lines").stdout


@pytest.mark.parametrize("words", ['currency_jpy_other: "yen"\n', 'brand_elo: "Elo"\n', 'a_note: "Not used."\n'])
def test_words_that_nobody_uses_are_missing_nowhere(flows: Path, words: str):
    file = flows / "prompts" / "en-US.yaml"
    file.write_text(words + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert run(flows / "pay-a-bill.yaml").exit_code == 0


def test_a_prompt_that_a_menu_names_is_missing_at_the_menu(flows: Path):
    edit(flows / "prompts" / "es-MX.yaml", "pay_another_amount:", "pay_other:")
    assert run(flows / "pay-a-bill.yaml", "--format", "lines").stdout.splitlines() == [
        f"{flows}/pay-a-bill.yaml:19:11: T502 prompt 'pay_another_amount' is missing in es-MX (add it to prompts/es-MX.yaml)"
    ]


def test_a_file_whose_name_is_nearly_a_language_is_one_line(flows: Path):
    (flows / "prompts" / "es-MX.yaml").rename(flows / "prompts" / "es_419.yaml")
    edit(flows / "pay-a-bill.yaml", "[en-US, es-MX]", "[en-US]")
    result = run(flows, "--format", "lines")
    assert result.stdout.splitlines() == [
        f"{flows}/prompts/es_419.yaml:5:1: T208 the file's name is not a language (name it like es-419.yaml)"
    ]


@pytest.mark.parametrize(("folder", "named"), [(".", "flows"), ("flows", "."), ("config", "../flows")])
def test_without_a_path_files_are_named_from_where_one_is(
    flows: Path, monkeypatch: pytest.MonkeyPatch, folder: str, named: str
):
    (flows.parent / "config").mkdir()
    (flows.parent / "tonetill.yaml").write_text("environment: development\n", encoding="utf-8")
    edit(flows / "pay-a-bill.yaml", "declined: card", "declined: crad")
    monkeypatch.delenv("TONETILL_PROJECT", raising=False)
    monkeypatch.chdir(flows.parent / folder)
    result = run("--format", "lines", "--banks", str(ROOT / "config" / "banks.yaml"))
    file = str(Path(named) / "pay-a-bill.yaml")
    assert [line.partition(":")[0] for line in result.stdout.splitlines() if "T301" in line] == [file]
