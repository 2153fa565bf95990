"""`merchant add | numbers | remove`: nothing is begun that cannot be finished, and what was there before comes back."""

from pathlib import Path

import pytest
import yaml

from ivr.bank import load_banks
from ivr.settings import Settings
from ivr.store import open_store
from tests.several.installations import ACME, BOLT, NUMBERS, make_installation, run, settings_in
from tests.store.payments import NOW, a_call


def numbers_in(folder: Path, name: str) -> list[str]:
    written = yaml.safe_load((folder / "merchants.yaml").read_text())["merchants"][name]
    return list(written.get("numbers") or [])


def files_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def own_line(tmp_path: Path) -> Path:
    """A folder with a line of its own, that is set up."""
    assert run(tmp_path, "init", "line") == 0
    folder = tmp_path / "line"
    assert run(folder, "set-up") == 0
    return folder


def test_a_line_rests_only_where_somebody_said_so_and_is_back_after_the_last_merchant(
    own_line: Path, capsys: pytest.CaptureFixture[str]
):
    before = files_below(own_line)
    assert run(own_line, "merchant", "add", ACME) == 2
    told = capsys.readouterr().err
    assert "has a line of its own" in told
    assert "--yes" in told
    assert files_below(own_line) == before
    for name in (ACME, BOLT):
        assert run(own_line, "merchant", "add", name, "--yes") == 0
    assert run(own_line, "payments", "list") == 2
    for name in (BOLT, ACME):
        assert run(own_line, "merchant", "remove", name) == 0
    assert "starts the line of this folder" in capsys.readouterr().out
    assert not (own_line / "merchants.yaml").exists()
    assert run(own_line, "payments", "list") == 0


def test_a_file_with_somebodys_own_words_stays_and_its_error_names_the_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_installation(tmp_path, [ACME])
    file = tmp_path / "merchants.yaml"
    file.write_text("# ours since June\n" + file.read_text())
    assert run(tmp_path, "merchant", "remove", ACME) == 0
    assert file.read_text().startswith("# ours since June")
    capsys.readouterr()
    assert run(tmp_path, "up") == 2
    assert "without merchants.yaml the line of this folder is started" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["", "*", "+1 555 ä", NUMBERS[ACME], "sip:+15550100@example.com"])
def test_a_number_that_cannot_be_is_refused_before_anything_is_made(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_installation(tmp_path, [ACME])
    before = files_below(tmp_path)
    assert run(tmp_path, "merchant", "add", BOLT, "--number", number) == 2
    assert "--number" in capsys.readouterr().err
    assert files_below(tmp_path) == before
    assert run(tmp_path, "merchant", "add", BOLT, "--number", NUMBERS[BOLT]) == 0


def test_a_name_in_place_of_a_number_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_installation(tmp_path, [])
    assert run(tmp_path, "merchant", "add", BOLT, "--number", "pay-bolt") == 0
    assert "pay-bolt is a name: it is called over SIP alone" in capsys.readouterr().out


def test_what_could_not_be_added_leaves_nothing_in_the_way_of_the_next_try(tmp_path: Path):
    make_installation(tmp_path, [ACME])
    before = files_below(tmp_path)
    taken = load_of(tmp_path, ACME).database_url
    assert run(tmp_path, "merchant", "add", BOLT, "--database-url", taken) == 2
    assert files_below(tmp_path) == before
    assert run(tmp_path, "merchant", "add", BOLT) == 0


def load_of(folder: Path, name: str) -> Settings:
    return settings_in(folder).merchants[name]


def test_who_was_removed_is_taken_up_again_with_flows_keys_and_books(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_installation(tmp_path)
    keys = {file: file.read_bytes() for file in (tmp_path / "merchants" / BOLT / "var" / "keys").iterdir()}
    assert keys
    assert run(tmp_path, "merchant", "remove", BOLT) == 0
    assert run(tmp_path, "merchant", "add", BOLT, "--flow", "utility") == 2
    assert "taken as it is" in capsys.readouterr().err
    assert run(tmp_path, "merchant", "add", BOLT, "--number", NUMBERS[BOLT]) == 0
    assert "taken up as it is" in capsys.readouterr().out
    assert {file: file.read_bytes() for file in keys} == keys
    assert list(settings_in(tmp_path).merchants) == [ACME, BOLT]


def test_a_merchant_gets_other_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_installation(tmp_path)
    assert run(tmp_path, "merchant", "numbers", ACME, "+15550111", "+15550112") == 0
    assert numbers_in(tmp_path, ACME) == ["+15550111", "+15550112"]
    assert run(tmp_path, "merchant", "numbers", ACME, NUMBERS[BOLT]) == 2
    assert f"it is {BOLT}'s already" in capsys.readouterr().err
    assert run(tmp_path, "merchant", "numbers", ACME, "+15550111", "+1 (555) 0111") == 2
    assert numbers_in(tmp_path, ACME) == ["+15550111", "+15550112"]
    assert run(tmp_path, "merchant", "numbers", ACME) == 0
    assert numbers_in(tmp_path, ACME) == []
    assert numbers_in(tmp_path, BOLT) == [NUMBERS[BOLT]]
    assert run(tmp_path, "merchant", "numbers", "nobody", "+15550111") == 2


def test_a_merchant_whose_folder_is_gone_is_removed_only_by_who_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_installation(tmp_path)
    (tmp_path / "merchants" / BOLT).rename(tmp_path / "elsewhere")
    assert run(tmp_path, "merchant", "list") == 2
    assert run(tmp_path, "merchant", "remove", BOLT) == 2
    assert "nobody can say whether calls or charges are under way" in capsys.readouterr().err
    assert run(tmp_path, "merchant", "remove", BOLT, "--anyway") == 0
    assert list(settings_in(tmp_path).merchants) == [ACME]
    assert run(tmp_path, "merchant", "remove", BOLT) == 2


def test_what_is_wrong_with_another_hides_no_open_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_installation(tmp_path)
    store = open_store(load_of(tmp_path, BOLT).database_url)
    store.save_call(a_call(), 0, NOW)
    store.close()
    (tmp_path / "merchants" / ACME).rename(tmp_path / "elsewhere")
    assert run(tmp_path, "merchant", "remove", BOLT) == 2
    assert f"{BOLT} has 1 calls under way" in capsys.readouterr().err


ODD = """\
merchants:
  acme-water:
    folder: merchants/acme-water
    numbers: ["+15550100"]
  bolt-power:
    folder: merchants/bolt-power
  # since June
    numbers: ["+15550200"]
"""


def test_a_file_that_no_program_can_change_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_installation(tmp_path)
    file = tmp_path / "merchants.yaml"
    file.write_text(ODD)
    for words in (("remove", BOLT), ("numbers", BOLT, "+15550111")):
        assert run(tmp_path, "merchant", *words) == 2
        assert "by hand" in capsys.readouterr().err
        assert file.read_text() == ODD


def test_who_rests_keeps_the_ports_that_were_given(tmp_path: Path):
    make_installation(tmp_path, [ACME])
    assert run(tmp_path, "merchant", "remove", ACME) == 0
    make_installation(tmp_path, [BOLT, ACME])
    found = settings_in(tmp_path).merchants
    assert found[ACME].console_port != found[BOLT].console_port
    banks = [load_banks(one.banks, one.var)["acme_bank"].url for one in found.values()]
    assert len(set(banks)) == len(banks)


def test_a_folder_that_was_there_stays_where_the_merchant_cannot_be_made(tmp_path: Path):
    home, other = tmp_path / "home", tmp_path / "elsewhere" / "empty"
    home.mkdir()
    other.mkdir(parents=True)
    (tmp_path / "link").symlink_to(other)
    for place in (other, tmp_path / "link"):
        assert run(home, "merchant", "add", ACME, "--folder", str(place), "--database-url", "nonsense://x") == 2
        assert place.is_dir()
        assert list(other.iterdir()) == []
    assert not (home / "merchants.yaml").exists()


def test_the_settings_of_a_merchant_name_none_that_is_the_installations(tmp_path: Path):
    make_installation(tmp_path, [ACME])
    written = (tmp_path / "merchants" / ACME / "tonetill.yaml").read_text()
    assert "\n# database_url:" in written
    assert "\n# port:" not in written
    assert "\n# trunk_port:" not in written
    assert "The environment gives a merchant nothing of these" in written
