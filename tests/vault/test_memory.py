"""After the vault has taken cards, the process's memory is read through byte by byte: none of them may be there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bank_process import BankKeys
from tests.patience import PATIENCE_S

CARDS = 200
# Runs in a process of its own. The card numbers are made in place and kept only in disguise, so that whatever is found
# was left by the vault (or, with `kept`, planted).
PROGRAM = """
import os, random, re, sys
from datetime import UTC, datetime
from pathlib import Path
from ivr.vault import CardRules, SealContext, Vault, passes_luhn

folder, cards, kept, key, form = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]

def new_pan(seed):
    chance, pan = random.Random(seed), bytearray(16)
    pan[0] = ord("4")
    for place in range(1, 15):
        pan[place] = ord("0") + chance.randrange(10)
    pan[15] = next(digit for digit in range(ord("0"), ord("9") + 1) if ends_well(pan, digit))
    return pan

def ends_well(pan, digit):
    pan[15] = digit
    return passes_luhn(pan)

def disguised(pan):
    return bytes(byte ^ 0xAA for byte in pan)

vault = Vault(folder / key, (folder / "fingerprint.key").read_bytes(), form)
context, rules = SealContext("m", "c", "c-1"), CardRules(frozenset({"visa"}))
intakes, planted, wanted = [], [], set()
for seed in range(cards):
    pan = new_pan(seed)
    wanted.add(disguised(pan))
    if seed < kept:
        planted.append(bytes(pan))
    intakes.append(vault.take("card_number", pan, context, rules, datetime(2026, 1, 15, tzinfo=UTC)))
    assert intakes[-1].valid

found = set()
memory = os.open("/proc/self/mem", os.O_RDONLY)
for line in open("/proc/self/maps"):
    span, mode = line.split()[:2]
    start, end = (int(address, 16) for address in span.split("-"))
    if mode.startswith("rw") and "[v" not in line:
        for match in re.finditer(rb"(?=(4[0-9]{15}))", os.pread(memory, end - start, start)):
            found.add(disguised(match.group(1)))
print(len(found & wanted))
"""


def left_in_memory(keys: BankKeys, kept: int, key: str, form: str) -> int:
    arguments = [sys.executable, "-c", PROGRAM, str(keys.keys), str(CARDS), str(kept), key, form]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="reads its own memory through Linux's /proc")
@pytest.mark.parametrize("kept", [0, 7])
@pytest.mark.parametrize(
    ("key", "form"), [("bank-sealing.crt", "tonetill"), ("bank-sealing-hpke.jwk", "hpke-x25519-mlkem768")]
)
def test_memory_holds_no_card_but_those_planted(bank_keys: BankKeys, kept: int, key: str, form: str) -> None:
    assert left_in_memory(bank_keys, kept, key, form) == kept
