"""A call that was made becomes a call file, which is true of it and holds no card of anybody's."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.channels.simulator import play
from ivr.cli.simulate import simulate
from ivr.errors import ConfigError
from ivr.testing.recording import RecordingLine, call_file
from tests.benches import SAMPLE, Bench, make_bench

PAN, CODE, EXPIRY, ZIP = "4539578763621486", "739", "0731", "10017"
ASKED = "1 12345678# 1"
CALLS = {
    "paid": ("approves", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1 1 #"),
    "cleared": ("approves", f"{ASKED} {PAN[:9]}*{PAN}# {EXPIRY} {CODE} {ZIP} 1 1 2"),
    "expired, no month, then right": ("approves", f"{ASKED} {PAN}# 1199 1331 {EXPIRY} {CODE} {ZIP} 1 -"),
    "wrong digit": ("approves", f"{ASKED} {PAN[:-1]}5# {PAN}# {EXPIRY} {CODE} {ZIP} 2 {PAN[:13]}# -"),
    "declined": ("declines 51", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1 h"),
    "silent": ("is silent", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1"),
    "silent after charging": ("is silent after charging", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1 -"),
    "away": ("is unreachable", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1"),
    "hung up while it charged": ("approves", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1h"),
    "a card at the account's question": ("approves", f"1 {PAN}# 12345678# h"),
    "a card in two parts": ("approves", f"1 {PAN[:10]} {PAN[10:]} h"),
    "a card in three parts": ("approves", f"1 {PAN[:12]}# {PAN[12:]}#"),
    "a card and its expiry at the account's question": ("approves", f"1 {PAN}{EXPIRY}# 12345678# h"),
    "an account and a card at the account's question": ("approves", f"1 12345678{PAN}# 12345678# h"),
    "a card after what was cleared": ("approves", f"1 {PAN[:5]}*{PAN}# 12345678# h"),
    "a card at the amount's question": ("approves", f"1 12345678# 2 {PAN}# 2000# h"),
    "a card in two parts at the amount's question": ("approves", f"1 12345678# 2 {PAN[:7]}# {PAN[7:]}# 2000# h"),
    "a card instead of a language": ("approves", f"{PAN}# 1 h"),
    "no month, three times": ("approves", f"{ASKED} {PAN}# 1330 1330 1330"),
    "far, three times": ("approves", f"{ASKED} {PAN}# 1265 1265 1265"),
    "a card behind the consent": ("approves", f"{ASKED} {PAN}# {EXPIRY} {CODE} {ZIP} 1{PAN}#"),
    "a card behind a menu's key": ("approves", f"1 12345678# 1{PAN}# h"),
    "a card of 19 digits in two parts": ("approves", "1 4539578763 621486008 h"),
    "a card whose stand-in begins with an account": ("approves", "1 53989228 86487317 h"),
    "done twice behind an amount": ("approves", "1 12345678# 2 1## 2000# 1 h"),
    "unionpay on discover's network": ("approves", f"{ASKED} 6284300000000008# {EXPIRY} {CODE} {ZIP} 1 #"),
    "three silences": ("approves", "1 - - -"),
    "amex": ("approves", f"{ASKED} 376680816376961# {EXPIRY} 7395 {ZIP} 1 #"),
}


def make_call(bench: Bench, keys: str) -> RecordingLine:
    line = bench.workbench.dial("pay-a-bill", "+15550100", RecordingLine)
    assert isinstance(line, RecordingLine)
    bench.begun[line.call_id] = bench.workbench.clock()
    reply = line.begin()
    for entry in keys.split():
        while reply.state == "waiting":
            reply = line.wait()
        if entry == "-":
            reply = line.stay_silent()
        elif entry != "h":
            reply = line.press(entry.removesuffix("h"))
        if entry.endswith("h"):
            line.hang_up()
            return line
    while reply.state == "waiting":
        reply = line.wait()
    return line


@pytest.mark.parametrize("name", CALLS)
def test_the_file_is_true_of_the_call_and_holds_nobodys_card(name: str, bench: Bench, sealing_key: Path):
    behaviour, keys = CALLS[name]
    bench.bank.behaviour = behaviour
    line = make_call(bench, keys)
    bench.workbench.work()
    text = call_file(line.recording, line.call_id, bench.workbench.store)
    play(text, make_bench(sealing_key, SAMPLE).world())
    digits = "".join(filter(str.isdigit, "".join(text.split("keys")[1:])))
    for secret in (PAN, PAN[:10], PAN[-4:], "376680816376961", f" {CODE}\n", " 7395\n", EXPIRY, ZIP):
        assert secret not in text
        assert secret.strip() not in digits or len(secret.strip()) < 8


def test_simulate_writes_the_file_it_was_asked_for(tmp_path: Path, sealing_key: Path):
    file = tmp_path / "declined.txt"
    keys = f"1 12345678# 1 4000000000013518# {EXPIRY} {CODE} {ZIP} 1 h"
    done = CliRunner().invoke(simulate, [str(SAMPLE), "--keys", keys, "--record", str(file)], catch_exceptions=False)
    assert done.exit_code == 0
    text = file.read_text()
    assert "bank   declines 51" in text
    assert "keys   4000000000013518#" in text, "a published test number stays"
    play(text, make_bench(sealing_key, SAMPLE).world())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--record", "{folder}/there.txt"], "is there already: choose another name"),
        (["--record", "{folder}/none/call.txt"], "there is no folder"),
        (["--record", "{folder}/new.txt", "--via", "http://127.0.0.1:1"], "goes without --via"),
    ],
)
def test_what_cannot_be_recorded_is_told_before_the_call(tmp_path: Path, arguments: list[str], told: str):
    (tmp_path / "there.txt").write_text("mine")
    with pytest.raises(ConfigError, match=told):
        CliRunner().invoke(
            simulate,
            [str(SAMPLE), *(one.format(folder=tmp_path) for one in arguments)],
            catch_exceptions=False,
        )
    assert (tmp_path / "there.txt").read_text() == "mine"
