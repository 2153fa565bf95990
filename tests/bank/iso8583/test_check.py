"""What is wrong with a bank of ISO 8583 is said at start or by `bank check`, with file, line and cure; nothing is charged by it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ivr.bank import load_banks
from ivr.bank.iso8583.settings import Iso8583Settings
from ivr.bank.iso8583.spec import SHIPPED_SPEC, load_spec
from ivr.bank.simulator import read_books
from ivr.calls.bank_check import check_bank
from ivr.errors import ConfigError
from ivr.forwarder.opening import opener_for
from ivr.places import SHIPPED as ROOT
from tests.bank.iso8583.running import RunningHost
from tests.bank.iso8583.strangers import spec_with
from tests.patience import PATIENCE_S

YAML = """\
banks:
  host:
    protocol: iso8583
    url: tls://bank.example:9583
    terminal: TILL0001
    merchant: ACME000000001
    merchant_name: ACME WATER WORKS
    merchant_category: "4900"
    acquirer: "400123"
"""


def found(settings: Iso8583Settings) -> dict[bool | None, list[str]]:
    said: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for one in check_bank("host", settings, {}, opener_for):
        said[one.is_good].append(one.words)
    return said


def test_nothing_is_wrong_with_a_good_host_and_nothing_is_charged(host: RunningHost):
    before = len(read_books(host.folder))
    said = found(host.settings())
    assert said[False] == []
    assert "the host answers an echo" in said[True]
    assert len(read_books(host.folder)) == before


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"url": "tls://127.0.0.1:1"}, "cannot be reached: connection refused; check url, ca"),
        ({"url": "tls://nowhere.invalid:9583"}, "nowhere.invalid has no address: check url"),
        ({"ca": None}, "cannot be reached: self-signed certificate in certificate chain; check ca"),
        ({"ca": "keys/none.crt"}, "none.crt: no such file or directory; `ca` must be an authority"),
        ({"client_certificate": None, "client_key": None}, "check url, ca, client_certificate"),
        ({"spec": "keys/none.yaml"}, "none.yaml: No such file or directory; `spec` names"),
    ],
)
def test_each_thing_that_is_wrong_is_said_with_its_cure(wrong: dict[str, object], says: str, host: RunningHost):
    said = found(host.settings(connect_timeout="2s", **wrong))
    assert [words for words in said[False] if says in words], said


def test_a_certificate_for_another_name_is_told_from_an_authority_that_is_not_known(host: RunningHost):
    """The host's certificate names localhost and 127.0.0.1, and not 127.0.0.2, which is this machine too."""
    port = host.url.rpartition(":")[2]
    said = found(host.settings(url=f"tls://ip6-localhost:{port}", connect_timeout="2s"))
    assert said[False]
    assert "check" in said[False][-1]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    terminal: TILL0001\n", "", "2:3: host: 'terminal' is missing"),
        ("tls://bank.example:9583", "https://bank.example", "4:5: host: url: expected tls://host:port"),
        ("TILL0001", "TOO-LONG-A-NAME", "5:5: host: terminal"),
        ("    terminal:", "    currencies: [AFN]\n    terminal:", "5:5: host: currencies: AFN cannot be taken"),
        (
            "    terminal:",
            "    arrives_within: 60s\n    read_timeout: 30s\n    terminal:",
            "arrives_within must be 73s or more",
        ),
        (
            "    terminal:",
            "    terminals: X\n    terminal:",
            "5:5: host: unknown key 'terminals' (did you mean 'terminal'?)",
        ),
        ("    terminal:", "    zone: New York\n    terminal:", "5:5: host: zone: there is no time zone 'New York'"),
        ("    terminal:", "    seal_to: bank\n    terminal:", "5:5: host: seal_to: expected 'vault'"),
    ],
)
def test_what_is_wrong_in_banks_yaml_is_said_with_its_line(old: str, new: str, says: str, tmp_path: Path):
    file = tmp_path / "banks.yaml"
    assert old in YAML
    file.write_text(YAML.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        load_banks(file, tmp_path)
    assert says in str(refused.value)


def test_the_settings_above_are_good_without_a_mistake(tmp_path: Path):
    file = tmp_path / "banks.yaml"
    file.write_text(YAML)
    (bank,) = load_banks(file, tmp_path).values()
    assert isinstance(bank, Iso8583Settings)
    assert bank.spec == SHIPPED_SPEC
    assert not bank.reversals_block


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("digits: ascii", "digits: assci", "encoding"),
        ("encoding:", "encodings:", "unknown key 'encodings' (did you mean 'encoding'?)"),
        ('"41": {is: text, length: 8}', '"41": {is: text, length: eight}', "expected a length such as 6, or ..19"),
        ('"41": {is: text, length: 8}', '"41": {is: words, length: 8}', "Input should be 'digits', 'text' or 'binary'"),
        ('"2": {is: digits, length: ..19}', '"2": {is: text, length: ..19}', "2 and 14 are digits"),
        ("network: [7, 11, 70]", "network: [7, 70]", "network: field 11 is needed"),
        ("purchase: [2,", "purchase: [2, 62,", "purchase: field 62 needs a value: say it in `values`"),
        ("purchase: [2,", "purchase: [2, 99,", "purchase: field 99 is not among `fields`"),
        ('tpdu: ""', 'tpdu: "60"', "tpdu"),
        ('written: "92{length}{code}"', 'written: "92"', "expected a text with {code}"),
        ('"39": {is: text', '"46": {is: text', "39 is needed to read an answer"),
        ('purchase: "0200"', 'purchase: "0220"', "Input should be '0100' or '0200'"),
    ],
)
def test_what_is_wrong_in_a_spec_is_said_with_its_line(old: str, new: str, says: str, tmp_path: Path):
    file = spec_with(tmp_path, (old, new))
    with pytest.raises(ConfigError) as refused:
        load_spec(file)
    first = str(refused.value).splitlines()[0]
    assert first.startswith(f"{file}:")
    assert int(first.removeprefix(f"{file}:").partition(":")[0]) > 1
    assert says in str(refused.value)


def test_without_the_extra_the_cure_is_said_and_other_banks_go_on():
    line = (
        "import sys; sys.modules['iso8583'] = None\n"
        "from ivr.bank import Opening, all_promises, protocol_called\n"
        "assert 'iso8583' in dict(all_promises())\n"
        "protocol_called('iso8583').open(Opening('host', None, {}))"
    )
    ended = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert "pip install 'tonetill[iso8583]'" in ended.stderr
