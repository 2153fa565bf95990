"""The file of the keys that numbers are sealed with is made once, for its owner only, and is refused where it is not one."""

from pathlib import Path

import pytest

from ivr.calls.number_keys import FILE, make_number_key, number_seals, read_number_keys, write_number_keys
from ivr.errors import ConfigError
from ivr.settings import load_settings


def test_it_is_made_once_and_for_its_owner_only(tmp_path: Path):
    make_number_key(tmp_path / "keys")
    file = tmp_path / "keys" / FILE
    first = file.read_text()
    make_number_key(tmp_path / "keys")
    assert file.read_text() == first
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert [one.name for one in file.parent.iterdir()] == [FILE]


def test_of_two_processes_that_make_it_at_once_the_first_decides(tmp_path: Path):
    write_number_keys(tmp_path, [bytes(32)], replace=False)
    write_number_keys(tmp_path, [bytes(range(32))], replace=False)
    assert read_number_keys(tmp_path) == [bytes(32)]


@pytest.mark.parametrize("text", ["", "no key\n", "c2hvcnQ=\n", "Zm9v\nZm9v\n"])
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, text: str):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match="expected keys of 32 bytes"):
        read_number_keys(tmp_path)


def test_without_the_key_of_the_hash_it_is_told_what_makes_it(tmp_path: Path):
    make_number_key(tmp_path / "keys")
    with pytest.raises(ConfigError, match=r"fingerprint.key.*set-up"):
        number_seals(load_settings({"VAR": str(tmp_path)}))
