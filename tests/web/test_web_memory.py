"""After whole calls the web process's memory is read through from outside: no card number, no form with a security code."""

import os
from pathlib import Path

import pytest

from tests.bank_process import BankKeys
from tests.web.process_memory import card_number, left_in
from tests.web.remains import Search
from tests.web.servers import pay, running, until
from tests.web.slow_clients import POST, opened

CALLS = 25


@pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory: run it as root")
def test_the_web_process_keeps_no_card_number_and_no_security_code(tmp_path: Path, bank_keys: BankKeys):
    with running(tmp_path, bank_keys, web_workers="1", web_read_s="60") as server:
        pans = [card_number(number) for number in range(CALLS)]
        for number, pan in enumerate(pans):
            assert pay(server.call(number), str(20_000_000 + number), pan, cvv2=f"{100 + number}").state == "over"
        assert len(server.bank.charged) == CALLS
        found = left_in(server.workers(), pans)
        assert (found.pans, found.code_forms) == (0, 0)
        assert all(Search(pans).in_process(worker).is_none for worker in server.workers())

        planted = f"CallSid=CA1&Digits={card_number(1000)}&More=Digits=123&".encode()
        with opened(server.address, POST + b"Content-Length: 200\r\n\r\n" + planted):
            until(lambda: left_in(server.workers(), [card_number(1000)]).pans == 1)
            assert left_in(server.workers(), []).code_forms > 0
        until(lambda: left_in(server.workers(), [card_number(1000)]).pans == 0)
