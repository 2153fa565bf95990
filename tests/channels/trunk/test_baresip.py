"""baresip, a softphone, pays: in a network namespace of its own, because it refuses the loopback interface."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict

import pytest

from ivr.settings import ROOT
from tests.channels.trunk.baresip_call import NUMBER
from tests.tills import card

LINK = "ip link set lo up && ip link add v0 type veth peer name v1 && ip addr add 10.99.0.1/24 dev v0 && ip link set v0 up && ip link set v1 up"
pytestmark = [
    pytest.mark.peer,
    pytest.mark.long,  # half a minute of one person's keying; Asterisk's callers are in the normal run
    pytest.mark.skipif(shutil.which("baresip") is None, reason="no baresip; `apt-get install baresip-core` brings it"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace with a veth needs root"),
    pytest.mark.skipif(not (shutil.which("unshare") and shutil.which("ip")), reason="no unshare and ip (iproute2)"),
]


def test_a_softphone_pays(tmp_path):
    link = subprocess.run(["unshare", "-n", "sh", "-c", LINK], capture_output=True, text=True, timeout=20, check=False)
    if link.returncode:
        pytest.skip(f"no network namespace here: {link.stderr.strip()}")
    call = f'{LINK} && exec "{sys.executable}" -m tests.channels.trunk.baresip_call "{tmp_path}"'
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", call], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    printed = next(line for line in done.stdout.splitlines() if line.startswith("[{"))
    assert json.loads(printed) == [asdict(card(NUMBER))]
