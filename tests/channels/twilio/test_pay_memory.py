"""After the Pay Connector has read cards, the process's memory is read through: none of them may be there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

CARDS = 200
# Runs in a process of its own: whatever is found there was left by the reading, or by `kept`. The numbers are made in
# place, and known afterwards only in disguise.
PROGRAM = """
import os, random, re, sys
from io import BytesIO
from flask import Flask
from ivr.channels.twilio.pay_connector import card_fields, read_body, string_fields

cards, kept = int(sys.argv[1]), int(sys.argv[2])
app = Flask("memory")
HEAD, TAIL = b'{"method": "tokenize", "cardnumber": "', b'", "cvv": "123", "expiry_month": "1", "expiry_year": "2030"}'

class Stream(BytesIO):
    '''What a server hands out: it reads into the buffer that it is given.'''

def body_of(seed):
    chance = random.Random(seed)
    body = bytearray(HEAD)
    body += b"4"
    for _ in range(15):
        body.append(ord("0") + chance.randrange(10))
    body += TAIL
    return body

wanted, planted = set(), []
for seed in range(cards):
    sent = body_of(seed)
    wanted.add(bytes(byte ^ 0xAA for byte in memoryview(sent)[len(HEAD):len(HEAD) + 16]))
    stream = Stream()
    stream.write(sent)
    stream.seek(0)
    size = len(sent)
    with app.test_request_context("/", method="POST", input_stream=stream, content_length=size):
        body = read_body()
        fields = string_fields(body)
        found = card_fields(fields)
        assert len(found["card_number"]) == 16
        assert len(found["expiry"]) == 4
        if seed < kept:
            planted.append(bytes(found["card_number"].buffer))
        for digits in found.values():
            digits.wipe()
        for field in fields.values():
            field[:] = bytes(len(field))
        body[:] = bytes(len(body))
    stream.getbuffer()[:] = bytes(size)
    sent[:] = bytes(size)

seen = set()
memory = os.open("/proc/self/mem", os.O_RDONLY)
for line in open("/proc/self/maps"):
    span, mode = line.split()[:2]
    start, end = (int(address, 16) for address in span.split("-"))
    if mode.startswith("rw") and "[v" not in line:
        for match in re.finditer(rb"(?=(4[0-9]{15}))", os.pread(memory, end - start, start)):
            seen.add(bytes(byte ^ 0xAA for byte in match.group(1)))
print(len(seen & wanted))
"""


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="reads its own memory through Linux's /proc")
@pytest.mark.parametrize("kept", [0, 5])
def test_memory_holds_no_card_that_the_connector_has_read(kept: int) -> None:
    arguments = [sys.executable, "-c", PROGRAM, str(CARDS), str(kept)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == kept
